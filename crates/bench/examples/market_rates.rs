//! Prints the rates of every venue on W1, W2 or W3: what `gridrig bench market` shows, for profilers.
//!
//! `cargo run --profile dist -p gridrig-bench --example market_rates -- w2 5`

use std::env;

use gridrig_bench::{Contender, EngineVenue, NaiveVenue, alternate, w1, w2, w3};

fn main() {
    let mut words = env::args().skip(1);
    let workload = words.next().unwrap_or_else(|| "w2".to_owned());
    let repetitions = words.next().and_then(|word| word.parse().ok()).unwrap_or(3);
    let (stream, books) = match workload.as_str() {
        "w1" => (w1(1_000_000), 1),
        "w3" => (w3(1_000_000), 1_000),
        _ => (w2(), 1),
    };
    let engine = || EngineVenue::open(books, 1_000_000).expect("capacities are within bounds");
    let mut contenders = [
        Contender::new("engine, log off", engine),
        Contender::new("naive book", || NaiveVenue::standard(books)),
        Contender::new("naive book, fast hash", || NaiveVenue::fast_hash(books)),
    ];
    match alternate(&stream, &mut contenders, repetitions) {
        Ok(rates) => {
            for one in rates {
                let (best, median) = (one.best() / 1e6, one.median() / 1e6);
                println!(
                    "{workload} {:<24} best {best:.2} M/s, median {median:.2} M/s",
                    one.name
                );
            }
        }
        Err(differ) => println!("{differ}"),
    }
}
