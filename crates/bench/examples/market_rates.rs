//! Prints the rates of every venue on W1, W2 or W3: `gridrig bench market` without Python, for
//! profilers.
//!
//! `cargo run --profile dist -p gridrig-bench --example market_rates -- w2 5`

use std::env;

use gridrig_bench::{BenchError, Workload, rates};

fn main() -> Result<(), BenchError> {
    let mut words = env::args().skip(1);
    let workload = words.next().and_then(|word| Workload::from_word(&word));
    let workload = workload.unwrap_or(Workload::W2);
    let repetitions = words.next().and_then(|word| word.parse().ok()).unwrap_or(3);
    for one in rates(workload, workload.commands(), repetitions)? {
        let (best, median) = (one.best() / 1e6, one.median() / 1e6);
        let name = one.name;
        println!("{workload:?} {name:<24} best {best:.2} M/s, median {median:.2} M/s");
    }
    Ok(())
}
