//! Integers with units: what a meter counts, what an order asks, what a ledger books.
//!
//! Energy is in milliwatt-hours, a price in millionths of the settlement currency per
//! kilowatt-hour, an amount in millionths of the currency. Every value is bounded where it is
//! made, so that no sum or product further on can wrap, and the one division between them names
//! its rounding.
//!
//! # Limits
//! [`ENERGY_MILLIWH_MAX`], [`PRICE_MICRO_PER_KWH_MAX`]; the largest amount they can make is 10^18,
//! which an `i64` holds.

#![forbid(unsafe_code)]

mod amount;
mod energy;
mod period;
mod price;
mod rounding;
mod side;

pub use amount::Amount;
pub use energy::{ENERGY_MILLIWH_MAX, Energy};
pub use period::DeliveryPeriod;
pub use price::{PRICE_MICRO_PER_KWH_MAX, Price};
pub use rounding::divide_half_up_by_magnitude;
pub use side::Side;

/// A number does not fit its quantity.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum QuantityError {
    /// The energy is beyond [`ENERGY_MILLIWH_MAX`] in magnitude.
    #[error("energy {found} mWh is beyond the bound of {ENERGY_MILLIWH_MAX} mWh")]
    EnergyBound {
        /// The value refused. [mWh]
        found: i128,
    },
    /// The price, or a difference of prices, is beyond [`PRICE_MICRO_PER_KWH_MAX`] in magnitude.
    #[error("price {found} micro/kWh is beyond the bound of {PRICE_MICRO_PER_KWH_MAX} micro/kWh")]
    PriceBound {
        /// The value refused. [millionths/kWh]
        found: i128,
    },
    /// A sum of amounts left the range of an `i64`.
    #[error("amount {found} micro does not fit 64 bits")]
    AmountBound {
        /// The value refused. [millionths]
        found: i128,
    },
}

impl QuantityError {
    /// Returns the stable name of the failure.
    pub fn code(&self) -> &'static str {
        match self {
            Self::EnergyBound { .. } => "quantity.energy_bound",
            Self::PriceBound { .. } => "quantity.price_bound",
            Self::AmountBound { .. } => "quantity.amount_bound",
        }
    }
}
