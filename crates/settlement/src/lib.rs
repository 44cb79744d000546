//! Trades and verified readings in, balanced double entries out.
//!
//! # What is paid
//! Everybody settles with one account, `clearing`. With the long price below and the short price
//! above every trade price, per participant and period:
//!
//! | kind | energy | price | who pays |
//! |---|---|---|---|
//! | delivered | sold and exported | trade | clearing |
//! | shortfall | sold, not exported | short - trade | participant |
//! | surplus | exported, not sold | long | clearing |
//! | taken | bought and imported | trade | participant |
//! | untaken | bought, not imported | trade - long | participant |
//! | excess | imported, not bought | short | participant |
//!
//! and once per period `losses`: everything exported less everything imported, the feeder head
//! among the meters, at the short price, paid by the account `losses`. A negative amount is booked
//! the other way round, so that no entry is negative.
//!
//! # Invariants
//! - Every entry debits one account and credits another with the same amount: all accounts sum to
//!   zero.
//! - The energy of `delivered` and `surplus` is the export of the period, that of `taken` and
//!   `excess` the import, to the milliwatt-hour; their difference is the losses.
//! - Every entry names the pair of verified readings behind it.
//! - Each entry is rounded once, half up by magnitude.
//!
//! # Ordering
//! Participants by name; of each the sold side first; trades by number, meters by name. What a
//! participant exported serves its trades in that order, meter by meter; what then is missing is
//! laid on its last meter. The outcome does not depend on the order of the inputs.
//!
//! # Lost readings
//! A period is the difference of two verified registers, so a reading that is lost joins two periods
//! of its meter. [`MeterPeriod::split`] parts what was counted evenly over the time, in integers
//! that sum to the whole; each part settles with its own trades, backed by the two readings around
//! it.
//!
//! # Limits
//! [`METERS_MAX`], [`TRADES_MAX`], [`READINGS_APART_MAX_S`].
//!
//! # Known gaps
//! Registers settle as they are, import and export apart: meters of one participant are not netted.
//! That a period's opening readings are the last one's closing readings is for the journal to ask.
//!
//! # Cost
//! O(n log n) time and O(n) memory in meters and trades.

#![forbid(unsafe_code)]

mod accounts;
mod checks;
pub mod claims;
mod correction;
mod counted;
mod entry;
mod errors;
mod lines;
mod losses;
pub mod merkle;
mod meter_period;
mod name_order;
pub mod posting;
mod rules;
mod settle;

pub use accounts::{
    AccountId, CASH, CLEARING, CONGESTION_RENT, GRID_FEES, LINK_PREFIX, LOSSES, OPERATOR,
    RECEIVABLE_PREFIX, is_reserved,
};
pub use correction::{Correction, PostedEntry, PostedLines};
pub use counted::Counted;
pub use entry::{Entry, EntryKind};
pub use errors::SettlementError;
pub use meter_period::{MeterPeriod, Quality};
pub use rules::{LossesRule, SettlementPrices, SettlementRules};
pub use settle::{
    Deposit, LinkFlow, METERS_MAX, PeriodInputs, READINGS_APART_MAX_S, Settled, TRADES_MAX,
    settle_period,
};
