//! The continuous order book: one per delivery period and zone, thousands behind one writer.

mod accounts;
mod amend;
mod cancel;
mod command;
mod command_columns;
mod config;
mod control;
mod depth;
mod error;
mod event;
mod event_columns;
mod exchange;
pub mod exercise;
mod grid;
mod log;
mod logged;
mod matching;
mod orders;
mod price_blocks;
mod queue;
mod reader;
mod record;
mod refusal;
mod replica;
mod sides;
mod snapshot;
mod submit;
mod view;

pub use command::{BookNumber, Command, OrderId, OrderKind, Participant, SelfMatch};
pub use command_columns::{Action, BATCH_MAX, ColumnError, CommandColumns};
pub use config::{
    BOOKS_MAX, Capacity, ExchangeConfig, ORDER_LOTS_MAX, ORDERS_RESTING_MAX, PARTICIPANTS_MAX,
    PRICE_BLOCKS_MAX,
};
pub use error::BookError;
pub use event::{CancelReason, Event, EventSink};
pub use event_columns::{EventColumns, EventRow};
pub use exchange::Exchange;
pub use log::{CommandLog, CommandLogReader};
pub use logged::LoggedExchange;
pub use record::RECORD_BYTES;
pub use refusal::Refusal;
pub use replica::{Breach, Replica};
pub use view::{BookState, BookStatus, DepthLevel, ParticipantState, RestingOrder};
