//! Orders in, trades out: the pay-as-clear auction of one delivery period, by sort and merge.
//!
//! The continuous order book has a page of its own: [`book`].
//!
//! # Invariants
//! - The energy bought equals the energy sold, and no cleared set of orders has a larger welfare.
//! - Nobody trades at a price worse than its limit, or more energy than it asked for.
//! - Every trade is a whole number of lots at one price, and that price is a whole number of ticks.
//! - The outcome is a function of the *set* of orders: the arrival of an order is its number, not
//!   its place in the slice.
//!
//! # Ordering
//! Bids by falling price, offers by rising price; equal prices by arrival, the lower `order_id`
//! first. Trades, rejections and residuals are listed by arrival. Trades are numbered from 1.
//!
//! # Price rule
//! The prices at which the cleared quantities are what everybody wants form an interval: from the
//! dearest of (last filled offer, best bid left over) to the cheapest of (last filled bid, best
//! offer left over). The price is the middle of it, floored to a tick. An order filled in part is
//! both filled and left over, so it sets the price alone. Nothing traded: no price.
//!
//! # Limits
//! [`ORDERS_MAX`] orders; energies, prices and the cleared volume as in `gridrig-quantity`.
//!
//! # Known gaps
//! One zone, no grid fees; no blocks or minimum acceptance; ties are not shared pro rata.
//!
//! # Cost
//! O(n log n) time for the sorts, O(n) memory.

#![forbid(unsafe_code)]

pub mod book;

mod admission;
mod auction;
mod order;
mod rules;

pub use auction::{Clearing, Residual, Trade, clear_pay_as_clear};
pub use order::{Order, Rejection, RejectionReason};
pub use rules::{MarketRules, ORDERS_MAX};

use gridrig_quantity::QuantityError;

/// The auction itself is ill posed; an order refused is a [`Rejection`] and no error.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum MarketError {
    /// The lot is not between 1 mWh and the bound of an energy.
    #[error("lot {lot_milliwh} mWh is not a positive energy within bounds")]
    Lot {
        /// The lot refused. [mWh]
        lot_milliwh: i64,
    },
    /// The tick is not between 1 micro/kWh and the bound of a price.
    #[error("tick {tick_micro_per_kwh} micro/kWh is not a positive price within bounds")]
    Tick {
        /// The tick refused. [millionths/kWh]
        tick_micro_per_kwh: i64,
    },
    /// There are more orders than one auction takes.
    #[error("{found} orders are more than the {ORDERS_MAX} one auction takes")]
    TooManyOrders {
        /// How many there are.
        found: usize,
    },
    /// The cleared volume is beyond the bound of an energy.
    #[error("cleared volume: {0}")]
    Volume(#[from] QuantityError),
}

impl MarketError {
    /// Returns the stable name of the failure.
    pub fn code(&self) -> &'static str {
        match self {
            Self::Lot { .. } => "market.rules_lot",
            Self::Tick { .. } => "market.rules_tick",
            Self::TooManyOrders { .. } => "market.too_many_orders",
            Self::Volume(_) => "market.volume_bound",
        }
    }
}
