//! What is timed: anything that takes the commands of a workload one after the other.

use crate::stream::Op;

/// What a whole stream came to, the known answer of a workload.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Answer {
    /// How many trades there were.
    pub trades: u64,
    /// Sum of their quantities.
    pub volume: i64,
    /// Sum of price times quantity.
    pub notional: i64,
    /// How many orders rest at the end.
    pub resting: u64,
}

impl Answer {
    pub(crate) const fn count(&mut self, price: i64, quantity: i64) {
        self.trades += 1;
        self.volume += quantity;
        self.notional += price * quantity;
    }
}

/// An exchange, ours or a peer, behind the commands of a workload.
pub trait Venue {
    /// Carries out one command and whatever reporting comes with it.
    fn apply(&mut self, op: &Op);

    /// Returns what all commands so far came to.
    fn answer(&self) -> Answer;
}

/// Runs a whole stream through a venue and returns what it came to.
pub fn answer_of(mut venue: impl Venue, stream: &[Op]) -> Answer {
    for op in stream {
        venue.apply(op);
    }
    venue.answer()
}
