//! An exchange and, if one is wanted, the log of everything it was told.

use super::{
    BookError, ColumnError, Command, CommandColumns, CommandLog, Event, EventColumns, EventSink,
    Exchange, ExchangeConfig,
};

/// Takes the events of a replay, which were read the first time.
struct Unread;

impl EventSink for Unread {
    fn push(&mut self, _: Event) {}
}

/// An exchange that appends each command to its log before it carries it out.
///
/// The log grows by 32 bytes a command until it is taken.
#[derive(Debug)]
pub struct LoggedExchange {
    exchange: Exchange,
    log: Option<CommandLog>,
}

impl LoggedExchange {
    /// Makes an exchange with an empty log, or without one.
    ///
    /// # Errors
    /// Those of [`Exchange::new`].
    pub fn new(config: ExchangeConfig, logged: bool) -> Result<Self, BookError> {
        let log = logged.then(|| CommandLog::new(&config, 0));
        let exchange = Exchange::new(config)?;
        Ok(Self { exchange, log })
    }

    /// Takes an exchange over as it is, without a log.
    pub const fn unlogged(exchange: Exchange) -> Self {
        Self {
            exchange,
            log: None,
        }
    }

    /// Makes the exchange that a log from the first command on leads to, without a log of its own.
    ///
    /// # Errors
    /// Those of [`Exchange::replay`].
    pub fn replay(log: &[u8]) -> Result<Self, BookError> {
        Ok(Self::unlogged(Exchange::replay(log, &mut Unread)?))
    }

    /// Returns the exchange, to look at.
    pub const fn exchange(&self) -> &Exchange {
        &self.exchange
    }

    /// Logs one command and carries it out.
    #[inline]
    pub fn apply<S: EventSink>(&mut self, command: &Command, events: &mut S) {
        if let Some(log) = &mut self.log {
            log.append(command);
        }
        self.exchange.apply(command, events);
    }

    /// Logs a batch and carries it out.
    ///
    /// # Errors
    /// Those of [`Exchange::apply_columns`]; nothing is logged then.
    pub fn apply_columns(
        &mut self,
        batch: &CommandColumns,
        events: &mut EventColumns,
    ) -> Result<(), ColumnError> {
        if let Some(log) = &mut self.log {
            batch.check()?;
            log.reserve(batch.len());
            (0..batch.len()).for_each(|row| log.append(&batch.command(row)));
        }
        self.exchange.apply_columns(batch, events)
    }

    /// Returns what was logged since the log was last taken, sealed, and forgets it; `None` without
    /// a log. The pieces put together are the log.
    pub fn take_log(&mut self) -> Option<Vec<u8>> {
        let log = self.log.as_mut()?;
        let bytes = log.seal().to_vec();
        log.drain();
        Some(bytes)
    }
}
