//! The engine allocates when it is made and never again, whatever the workload.

use allocation_counter::measure;
use gridrig_bench::{EngineVenue, Op, Venue, w1, w2_steps, w3};

#[test]
fn commands_allocate_nothing() {
    let streams: [(&str, Vec<Op>, u32); 3] = [
        ("W1", w1(40_000), 1),
        ("W2", w2_steps(40_000), 1),
        ("W3", w3(40_000), 1_000),
    ];
    for (name, stream, books) in streams {
        let mut made = None;
        let making = measure(|| made = Some(EngineVenue::open(books, 40_000)));
        assert!(making.count_total > 0, "{name}: nothing is counted");
        let mut venue = made.expect("it was made").expect("and holds so much");
        let commands = measure(|| stream.iter().for_each(|op| venue.apply(op)));
        assert_eq!(commands.count_total, 0, "{name}: {commands:?}");
        assert!(venue.answer().trades > 0, "{name}: nothing was traded");
    }
}
