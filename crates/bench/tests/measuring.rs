//! Measurements count what they say they count, and engines that disagree are not measured.

use std::thread;
use std::time::Duration;

use gridrig_bench::{
    Answer, Contender, NaiveVenue, Op, Venue, alternate, open_loop, service_times, w1,
};

/// Stands still at its first command after the warm-up, and does nothing else.
struct Stalls {
    stall: Duration,
    before: usize,
}

impl Venue for Stalls {
    fn apply(&mut self, _: &Op) {
        match self.before.checked_sub(1) {
            Some(before) => self.before = before,
            None => thread::sleep(std::mem::take(&mut self.stall)),
        }
    }

    fn answer(&self) -> Answer {
        Answer::default()
    }
}

const fn stalls(stall: Duration) -> Stalls {
    Stalls {
        stall,
        before: WARM_UP,
    }
}

/// A tenth of the streams below.
const WARM_UP: usize = 100;
const STALL: Duration = Duration::from_millis(100);
const HALF_NS: u64 = 50_000_000;

#[test]
fn a_stall_delays_all_that_arrives_meanwhile_in_an_open_loop() {
    let stream = w1(1_000);
    let latency = open_loop(&mut stalls(STALL), &stream, Duration::from_micros(10));
    assert!(latency.p50 >= HALF_NS, "{latency:?}");
    assert!(latency.max >= 2 * HALF_NS, "{latency:?}");
    assert_eq!(latency.samples, 900);
}

#[test]
fn a_stall_counts_once_as_a_service_time() {
    let latency = service_times(&mut stalls(STALL), &w1(1_000));
    assert!(
        latency.p50 < HALF_NS && latency.max >= 2 * HALF_NS,
        "{latency:?}"
    );
}

#[test]
fn a_venue_with_another_answer_is_named_and_not_measured() {
    let stream = w1(1_000);
    let mut contenders = [
        Contender::new("naive book", || NaiveVenue::standard(1)),
        Contender::new("idle", || stalls(Duration::ZERO)),
    ];
    let differ = alternate(&stream, &mut contenders, 2).unwrap_err();
    assert_eq!(differ.name, "idle");
    assert_eq!(differ.expected.trades, 458);
}

#[test]
fn repetitions_are_sorted_and_all_kept() {
    let stream = w1(1_000);
    let mut contenders = [Contender::new("naive book", || NaiveVenue::standard(1))];
    let rates = alternate(&stream, &mut contenders, 5).unwrap();
    assert_eq!(rates[0].durations_s.len(), 5);
    assert!(rates[0].durations_s.is_sorted());
    assert!(rates[0].best() >= rates[0].median());
    assert_eq!(rates[0].answer.trades, 458);
}
