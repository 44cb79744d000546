//! Trades and verified readings in, balanced double entries out.
//!
//! The rules are in `docs/settlement.md`, one sentence each; here is where they live.
//!
//! | step | where |
//! |---|---|
//! | readings of a meter, whichever have come, become what it counted | [`meter_period`] |
//! | what meters counted and trades become entries, by stated rules | [`settle_period`] |
//! | a period settled anew becomes the difference to what was posted | [`Correction`] |
//! | what participants owe beyond their balances is booked by name | [`Settled::with_receivables`] |
//! | what a trade can cost at most is reserved when it is made | [`reserve`] |
//!
//! # Invariants
//! - Every entry debits one account and credits another with the same amount, which is not negative;
//!   `clearing` comes to zero in every period.
//! - The energy of `delivered` and `surplus` is the export of the period, that of `taken` and
//!   `excess` the import, to the milliwatt-hour; their difference is the losses.
//! - Each line is rounded once, half up by magnitude; a trade that is met in full does not round.
//! - Entries of all revisions of a line sum to the formula for the sum of their energies.
//!
//! # Ordering
//! Participants by name; of each the sold side first; trades by number, meters by name; then fees and
//! losses by meter; then the lines of the house, links by name, deposits by participant. The outcome
//! is a function of the inputs as sets.
//!
//! # Limits
//! [`METERS_MAX`], [`TRADES_MAX`], [`READINGS_APART_MAX_S`], [`EDGE_OFF_MAX_S`].
//!
//! # Known gaps
//! That a period's opening readings are the last one's closing readings is for the journal to ask, and
//! so is that a trade is settled in one period only.
//!
//! # Cost
//! O(n log n) time and O(n) memory in meters and trades; `examples/settle_many.rs` measures it.

#![forbid(unsafe_code)]

mod accounts;
pub mod certificates;
mod checks;
pub mod claims;
pub mod commitments;
mod correction;
mod counted;
mod entry;
mod errors;
mod lines;
mod losses;
pub mod merkle;
mod meter_period;
mod meter_readings;
mod name_order;
pub mod numbering;
mod owners;
mod period;
mod posted_rows;
pub mod posting;
mod quality;
mod receivables;
mod reserve;
pub mod rewards;
mod rules;
mod settle;
pub mod shares;
mod sides;
pub mod table_image;

pub use accounts::{
    AccountId, CASH, CLEARING, CONGESTION_RENT, GRID_FEES, LINK_PREFIX, LOSSES, OPERATOR,
    RECEIVABLE_PREFIX, is_reserved,
};
pub use correction::{Correction, PostedEntry, PostedLines};
pub use counted::Counted;
pub use entry::{Entry, EntryKind};
pub use errors::SettlementError;
pub use meter_period::MeterPeriod;
pub use meter_readings::{EDGE_OFF_MAX_S, meter_period};
pub use period::{
    Deposit, LinkFlow, METERS_MAX, PeriodInputs, READINGS_APART_MAX_S, Settled, TRADES_MAX,
};
pub use quality::Quality;
pub use receivables::Standing;
pub use reserve::reserve;
pub use rules::{LossesRule, SettlementPrices, SettlementRules};
pub use settle::settle_period;
