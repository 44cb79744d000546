//! What can be seen of an exchange between two commands.

use gridrig_quantity::Side;

use super::{BookNumber, OrderId, OrderKind, Participant};

/// What a book is doing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[repr(u8)]
pub enum BookStatus {
    /// Never opened.
    Unopened = 0,
    /// Trading.
    Open = 1,
    /// Not trading for now; orders rest and can be cancelled.
    Halted = 2,
    /// Its gate has closed; empty.
    Closed = 3,
}

impl BookStatus {
    /// Returns the word for the status.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Unopened => "unopened",
            Self::Open => "open",
            Self::Halted => "halted",
            Self::Closed => "closed",
        }
    }
}

/// A book without its orders.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct BookState {
    /// What it is doing.
    pub status: BookStatus,
    /// The delivery period it is for.
    pub period: u32,
    /// The zone it is for.
    pub zone: u32,
    /// Lowest limit price taken. [millionths/kWh]
    pub price_micro_per_kwh_min: i32,
    /// Highest limit price taken. [millionths/kWh]
    pub price_micro_per_kwh_max: i32,
}

/// An order that rests.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RestingOrder {
    /// Its arrival number.
    pub order_id: OrderId,
    /// Whose it is.
    pub participant: Participant,
    /// Where it rests.
    pub book: BookNumber,
    /// Which way it points.
    pub side: Side,
    /// [`OrderKind::Limit`] or [`OrderKind::PostOnly`].
    pub kind: OrderKind,
    /// Its limit. [millionths/kWh]
    pub price_micro_per_kwh: i32,
    /// What it has traded. [mWh]
    pub filled_milliwh: i64,
    /// What is left of it. [mWh]
    pub leaves_milliwh: i64,
}

/// All that rests at one price of one side.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct DepthLevel {
    /// The price. [millionths/kWh]
    pub price_micro_per_kwh: i32,
    /// The energy left of the orders together. [mWh]
    pub energy_milliwh: i64,
    /// How many orders.
    pub orders: u32,
}

/// What a participant has resting and may have resting.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ParticipantState {
    /// Orders resting in all books.
    pub orders: u32,
    /// Energy left of them, bids and offers added up. [mWh]
    pub energy_milliwh: i64,
    /// Most orders resting.
    pub orders_max: u32,
    /// Most energy resting. [mWh]
    pub energy_milliwh_max: i64,
    /// What happens when it would trade with itself.
    pub self_match: super::SelfMatch,
}
