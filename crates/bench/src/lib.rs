//! Workloads, naive peers and latency measurement behind `gridrig bench`.
//!
//! # Invariants
//! - A workload is a pure function of its size: its stream hash and, once matched, its trades,
//!   volume, notional and resting orders are known answers that engines of others gave too.
//! - Every engine gets the same commands in the same run; what is timed is `Venue::apply` alone.
//!
//! # Known gaps
//! Floats and the clock live here and nowhere else below `crates/py`, apart from the plant's floats.

#![forbid(unsafe_code)]

mod auction_orders;
mod engine;
mod growing;
mod latency;
mod lcg;
mod market;
mod moving;
mod naive;
mod signatures;
mod stream;
mod throughput;
mod venue;

pub use auction_orders::{AuctionOrder, clearing_time, e1, e2};
pub use engine::{EngineVenue, LoggedVenue, command, exchange};
pub use growing::{w1, w3};
pub use latency::{LatencyNs, open_loop, service_times, timer_cost_ns};
pub use market::{BenchError, Latencies, Workload, columns, latencies, rates};
pub use moving::{w2, w2_steps};
pub use naive::NaiveVenue;
pub use signatures::{Signatures, SignedMessage};
pub use stream::{Kind, Op, stream_hash};
pub use throughput::{AnswersDiffer, Contender, Rates, alternate};
pub use venue::{Answer, Venue, answer_of};
