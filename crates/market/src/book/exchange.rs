//! The single writer: every command goes through here, one after the other.

use gridrig_quantity::Side;

use super::{
    BookError, BookNumber, BookState, Command, DepthLevel, EventSink, ExchangeConfig, OrderId,
    Participant, ParticipantState, RestingOrder,
};

/// Thousands of order books behind one sequence of commands.
#[derive(Debug)]
pub struct Exchange {
    config: ExchangeConfig,
}

impl Exchange {
    /// Makes an exchange without an open book and allocates all it will hold.
    ///
    /// # Errors
    /// [`BookError::Capacity`], [`BookError::Limit`] if the configuration is out of bounds.
    pub fn new(config: ExchangeConfig) -> Result<Self, BookError> {
        config.check()?;
        Ok(Self { config })
    }

    /// Carries out one command and reports what happened.
    pub fn apply<S: EventSink>(&mut self, command: &Command, events: &mut S) {
        let _ = (command, events);
        todo!("the engine follows the interface")
    }

    /// Carries out many commands, as [`Exchange::apply`] one by one would.
    pub fn apply_all<S: EventSink>(&mut self, commands: &[Command], events: &mut S) {
        for command in commands {
            self.apply(command, events);
        }
    }

    /// Returns what the exchange was made with.
    pub const fn config(&self) -> &ExchangeConfig {
        &self.config
    }

    /// Returns the largest arrival number taken, 0 before the first.
    pub fn order_id_last(&self) -> OrderId {
        todo!()
    }

    /// Returns how many orders rest in all books.
    pub fn orders_resting(&self) -> u32 {
        todo!()
    }

    /// Returns the state of a book, or `None` if its number is beyond the capacity.
    pub fn book(&self, book: BookNumber) -> Option<BookState> {
        let _ = book;
        todo!()
    }

    /// Returns what a participant has resting, or `None` if its number is beyond the capacity.
    pub fn participant(&self, participant: Participant) -> Option<ParticipantState> {
        let _ = participant;
        todo!()
    }

    /// Returns the order if it rests.
    pub fn order(&self, order_id: OrderId) -> Option<RestingOrder> {
        let _ = order_id;
        todo!()
    }

    /// Writes up to `levels_max` levels of one side, best price first, into `out`, which is cleared.
    /// A book beyond the capacity has none.
    pub fn depth(
        &self,
        book: BookNumber,
        side: Side,
        levels_max: usize,
        out: &mut Vec<DepthLevel>,
    ) {
        let _ = (book, side, levels_max, out);
        todo!()
    }

    /// Visits the resting orders of one side by priority: best price first, then arrival.
    pub fn for_each_resting(&self, book: BookNumber, side: Side, visit: impl FnMut(RestingOrder)) {
        let _ = (book, side, visit);
        todo!()
    }

    /// Returns the SHA-256 of the logical state: what the future depends on, in canonical order.
    pub fn state_hash(&self) -> [u8; 32] {
        todo!()
    }

    /// Writes the logical state in canonical order.
    pub fn snapshot(&self) -> Vec<u8> {
        todo!()
    }

    /// Brings back the exchange that wrote `snapshot`, with the same state hash and future.
    ///
    /// # Errors
    /// A [`BookError`] that names what is wrong with the bytes, and where.
    pub fn restore(snapshot: &[u8]) -> Result<Self, BookError> {
        let _ = snapshot;
        todo!()
    }
}
