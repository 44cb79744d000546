//! Auctions of one delivery period in one place: merit orders, ties, prices, trades.

mod admission;
mod clearing;
mod columns;
mod merit;
mod options;
mod pay_as_bid;
mod pay_as_clear;
mod ties;

pub use clearing::{Clearing, Residual, Trade, clear_pay_as_bid, clear_pay_as_clear};
pub use columns::{OrderColumns, PARTICIPANTS_MAX, Refusal};
pub use options::{AuctionRules, PriceRule, Ties};
pub use pay_as_bid::{BilateralColumns, pay_as_bid};
pub use pay_as_clear::{ClearedColumns, pay_as_clear};

pub(crate) use admission::{Admitted, admit};
pub(crate) use clearing::{Interned, rejections};
pub(crate) use merit::PRICE_BIAS;
pub(crate) use ties::share_pro_rata;
