//! How long single commands take, measured in two ways that answer different questions.
//!
//! **Open loop**: commands arrive on a fixed schedule, whatever the venue does, and the latency of a
//! command runs from its *intended* arrival to its end. A venue that stalls delays everything that
//! arrives meanwhile, and all of it is counted: no coordinated omission.
//!
//! **Service time**: from call to return, one command right after the other. A stall counts once.
//! This is what other projects print, so it is what their figures can be compared with.
//!
//! The first tenth of a stream warms the venue up and is not timed: what a page of fresh memory
//! costs belongs to the start of an exchange, not to a command. Both include reading the clock once a command; [`timer_cost_ns`] says what that takes.

use std::hint;
use std::time::{Duration, Instant};

use hdrhistogram::Histogram;

use crate::stream::Op;
use crate::venue::Venue;

/// Largest time told apart from longer ones: a minute. [ns]
const LATENCY_NS_MAX: u64 = 60_000_000_000;
/// Times are told apart to this many decimal digits.
const DIGITS: u8 = 3;
const TIMER_SAMPLES: usize = 100_000;

/// Percentiles of the times of single commands. [ns]
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LatencyNs {
    /// Half of the commands took at most this.
    pub p50: u64,
    /// All but one in a hundred.
    pub p99: u64,
    /// All but one in a thousand.
    pub p999: u64,
    /// The longest.
    pub max: u64,
    /// How many commands were timed.
    pub samples: u64,
}

struct Times(Histogram<u64>);

impl Times {
    fn new() -> Self {
        let bounds = Histogram::new_with_max(LATENCY_NS_MAX, DIGITS);
        Self(bounds.expect("constant bounds are valid"))
    }

    fn record(&mut self, time: Duration) {
        let time_ns = u64::try_from(time.as_nanos()).unwrap_or(LATENCY_NS_MAX);
        self.0.saturating_record(time_ns);
    }

    fn percentiles(&self) -> LatencyNs {
        LatencyNs {
            p50: self.0.value_at_quantile(0.5),
            p99: self.0.value_at_quantile(0.99),
            p999: self.0.value_at_quantile(0.999),
            max: self.0.max(),
            samples: self.0.len(),
        }
    }
}

/// Sends the first tenth of a stream to a venue and returns the rest.
fn warmed<'a>(venue: &mut impl Venue, stream: &'a [Op]) -> &'a [Op] {
    let (first, rest) = stream.split_at(stream.len() / 10);
    for op in first {
        venue.apply(op);
    }
    rest
}

/// Sends a stream to a venue at one command every `interval`, and times each from when it was due.
pub fn open_loop(venue: &mut impl Venue, stream: &[Op], interval: Duration) -> LatencyNs {
    let stream = warmed(venue, stream);
    let mut times = Times::new();
    let began = Instant::now();
    let mut due = Duration::ZERO;
    for op in stream {
        while began.elapsed() < due {
            hint::spin_loop();
        }
        venue.apply(op);
        times.record(began.elapsed() - due);
        due += interval;
    }
    times.percentiles()
}

/// Sends a stream to a venue without a pause, and times each command from call to return.
pub fn service_times(venue: &mut impl Venue, stream: &[Op]) -> LatencyNs {
    let stream = warmed(venue, stream);
    let mut times = Times::new();
    for op in stream {
        let began = Instant::now();
        venue.apply(op);
        times.record(began.elapsed());
    }
    times.percentiles()
}

/// Measures what reading the clock before and after nothing takes. [ns]
pub fn timer_cost_ns() -> LatencyNs {
    let mut times = Times::new();
    for _ in 0..TIMER_SAMPLES {
        let began = Instant::now();
        times.record(began.elapsed());
    }
    times.percentiles()
}
