//! What `gridrig bench market` measures of the books: every venue on one workload, in one run.

use std::time::Duration;

use gridrig_market::book::{Action, BookError, CommandColumns, OrderKind};

use crate::engine::{EngineVenue, LoggedVenue, energy_milliwh, price_micro_per_kwh};
use crate::growing::{w1, w3};
use crate::latency::{LatencyNs, open_loop, service_times};
use crate::moving::{RESTS_FIRST, STEPS, w2_steps};
use crate::naive::NaiveVenue;
use crate::stream::{Kind, Op};
use crate::throughput::{AnswersDiffer, Contender, Rates, alternate};

/// A workload of the continuous books.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Workload {
    /// One growing book.
    W1,
    /// One book, move-heavy.
    W2,
    /// A thousand growing books.
    W3,
}

impl Workload {
    /// Reads the name of a workload.
    pub fn from_word(word: &str) -> Option<Self> {
        match word {
            "w1" => Some(Self::W1),
            "w2" => Some(Self::W2),
            "w3" => Some(Self::W3),
            _ => None,
        }
    }

    /// Returns how many books it trades in.
    pub const fn books(self) -> u32 {
        match self {
            Self::W1 | Self::W2 => 1,
            Self::W3 => 1_000,
        }
    }

    /// Returns the length at which it has a known answer.
    pub const fn commands(self) -> usize {
        match self {
            Self::W1 | Self::W3 => 1_000_000,
            Self::W2 => RESTS_FIRST + STEPS,
        }
    }

    /// Makes its first `commands` commands.
    pub fn stream(self, commands: usize) -> Vec<Op> {
        match self {
            Self::W1 => w1(commands as u32),
            Self::W2 => w2_steps(commands.saturating_sub(RESTS_FIRST)),
            Self::W3 => w3(commands as u32),
        }
    }

    /// Returns how many orders rest at most.
    const fn orders(self, commands: usize) -> u32 {
        match self {
            Self::W1 | Self::W3 => commands as u32,
            Self::W2 => 16_384,
        }
    }
}

/// A workload cannot be measured.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum BenchError {
    /// The venues do not come to the same answer.
    #[error(transparent)]
    Answers(#[from] AnswersDiffer),
    /// The exchange cannot hold what the workload needs.
    #[error(transparent)]
    Exchange(#[from] BookError),
    /// A key cannot be enrolled.
    #[error("key {place} is refused: {fault}")]
    Key {
        /// Its place among those given.
        place: usize,
        /// Why.
        fault: String,
    },
    /// A signature is not true, or cannot be read.
    #[error("signature {place} is refused: {fault}")]
    Signature {
        /// Its place among those given.
        place: usize,
        /// Why.
        fault: String,
    },
}

impl BenchError {
    /// Returns the stable name of the failure.
    pub const fn code(&self) -> &'static str {
        match self {
            Self::Answers(_) => "bench.answers_differ",
            Self::Exchange(error) => error.code(),
            Self::Key { .. } => "bench.key_refused",
            Self::Signature { .. } => "bench.signature_refused",
        }
    }
}

/// Times every venue over the first `commands` of a workload, in turn.
///
/// # Errors
/// [`BenchError`], for a workload too long for an exchange or an engine that is wrong.
pub fn rates(
    workload: Workload,
    commands: usize,
    repetitions: usize,
) -> Result<Vec<Rates>, BenchError> {
    let stream = workload.stream(commands);
    let (books, orders) = (workload.books(), workload.orders(commands));
    EngineVenue::open(books, orders)?;
    let engine = || EngineVenue::open(books, orders).expect("it opened a moment ago");
    let logged = || LoggedVenue::open(books, orders).expect("it opened a moment ago");
    let mut contenders = [
        Contender::new("engine", engine),
        Contender::new("engine, command log", logged),
        Contender::new("naive book", || NaiveVenue::standard(books)),
        Contender::new("naive book, fast hash", || NaiveVenue::fast_hash(books)),
    ];
    Ok(alternate(&stream, &mut contenders, repetitions)?)
}

/// The latencies of one venue.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Latencies {
    /// Which venue.
    pub name: &'static str,
    /// From the intended arrival of each command to its end.
    pub open_loop: LatencyNs,
    /// From call to return, without a pause between commands.
    pub service: LatencyNs,
}

/// Measures the latencies of the engine and of the naive book on a workload.
///
/// # Errors
/// [`BenchError::Exchange`], for a workload too long for an exchange.
pub fn latencies(
    workload: Workload,
    commands: usize,
    interval: Duration,
) -> Result<Vec<Latencies>, BenchError> {
    let stream = workload.stream(commands);
    let (books, orders) = (workload.books(), workload.orders(commands));
    let engine = Latencies {
        name: "engine",
        open_loop: open_loop(&mut EngineVenue::open(books, orders)?, &stream, interval),
        service: service_times(&mut EngineVenue::open(books, orders)?, &stream),
    };
    let naive = Latencies {
        name: "naive book",
        open_loop: open_loop(&mut NaiveVenue::standard(books), &stream, interval),
        service: service_times(&mut NaiveVenue::standard(books), &stream),
    };
    Ok(vec![engine, naive])
}

/// Returns a stream as the columns that an exchange takes.
pub fn columns(stream: &[Op]) -> CommandColumns {
    let actions = stream.iter().map(|op| match op.kind {
        Kind::Add | Kind::ImmediateOrCancel => Action::Submit as u8,
        Kind::Cancel => Action::Cancel as u8,
        Kind::Move => Action::Amend as u8,
    });
    let kinds = stream.iter().map(|op| match op.kind {
        Kind::ImmediateOrCancel => OrderKind::ImmediateOrCancel as u8,
        Kind::Add | Kind::Cancel | Kind::Move => OrderKind::Limit as u8,
    });
    CommandColumns {
        action: actions.collect(),
        order_id: stream.iter().map(|op| op.order_id).collect(),
        participant: stream.iter().map(|op| op.participant).collect(),
        book: stream.iter().map(|op| op.book - 1).collect(),
        side: stream.iter().map(|op| u8::from(!op.buys)).collect(),
        kind: kinds.collect(),
        energy_milliwh: stream.iter().map(energy_milliwh).collect(),
        price_micro_per_kwh: stream.iter().map(price_micro_per_kwh).collect(),
    }
}
