//! The continuous order book: one per delivery period and zone, thousands behind one writer.
//!
//! [`Command`]s go into an [`Exchange`], [`Event`]s come out; `docs/market.md` has the tables of
//! what each order, amendment and policy does.
//!
//! # Invariants
//! - No book is left crossed, no order filled beyond its energy or at a price worse than its limit,
//!   nobody trades with itself, and what is bought is what is sold.
//! - The energy kept for a price is the sum of what is left of the orders queued there.
//! - A refused command changes nothing. Every command is answered by one event or more.
//! - The books follow from the events alone ([`Replica`]), the state from the commands alone
//!   ([`CommandLog`], [`Exchange::replay`]), and a restored snapshot has the same future. The state
//!   hash depends on none of the ways there.
//!
//! # Ordering
//! Best price first, then arrival in the queue; an amendment that loses priority arrives anew.
//! Rules are asked in the order of [`Refusal`]. Of one command the events come in the order in
//! which things happen: accepted or amended, then trades and self-matches, then what was
//! cancelled.
//!
//! # Limits
//! [`Capacity`] says how many books, participants, orders and price blocks there are; all memory
//! is taken at the start and full is a refusal. An order holds at most [`ORDER_LOTS_MAX`] lots and
//! at most an energy of which `capacity.orders` + 1 fit 64 bits. Prices are any tick within the
//! bound of a price. An order number is used once; numbers only rise.
//!
//! # Known gaps
//! No stop, iceberg or pegged orders, no minimum quantity, no time in force by the clock: whoever
//! holds the clock closes gates. No matching across books. Events carry no sequence number; their
//! place in the stream is it. `CancelAll` looks through the order table, not through a list of the
//! participant's own.
//!
//! # Cost
//! No allocation once the event buffer and the scratch of `CancelAll` are warm.
//!
//! | operation | cost |
//! |---|---|
//! | submit, cancel, amend | O(1), and O(1) for each trade; a price block made or given up: at most six steps |
//! | post-only | until the first foreign order within the limit |
//! | fill-or-kill | the orders it would meet |
//! | cancel all | the order table, then O(n log n) for the n orders cancelled |
//! | gate closure | the orders of the book |
//! | depth | the orders of the levels listed |
//! | state hash, snapshot | everything that rests |
//!
//! An order is half a cache line and its own hash table entry; a new order touches its book, its
//! account, its level, its entry and the last entry of the queue. Both sides share one code path,
//! because a bid's price is kept as its complement, and links at the ends of queues point to an
//! entry for nobody, so neither the side nor the place in a queue is a branch to mispredict.

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
mod table;
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
