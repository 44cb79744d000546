//! The grid on which energies and prices lie.

use gridrig_quantity::{ENERGY_MILLIWH_MAX, PRICE_MICRO_PER_KWH_MAX};

use crate::MarketError;

/// Most orders one auction takes.
pub const ORDERS_MAX: usize = 1_000_000;

/// Smallest steps of energy and price in one market.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct MarketRules {
    lot_milliwh: i64,
    tick_micro_per_kwh: i64,
}

impl MarketRules {
    /// Makes the rules of a market.
    ///
    /// # Errors
    /// [`MarketError::Lot`], [`MarketError::Tick`] if a step is not positive or beyond its bound.
    pub fn new(lot_milliwh: i64, tick_micro_per_kwh: i64) -> Result<Self, MarketError> {
        if !(1..=ENERGY_MILLIWH_MAX).contains(&lot_milliwh) {
            return Err(MarketError::Lot { lot_milliwh });
        }
        if !(1..=PRICE_MICRO_PER_KWH_MAX).contains(&tick_micro_per_kwh) {
            return Err(MarketError::Tick { tick_micro_per_kwh });
        }
        Ok(Self {
            lot_milliwh,
            tick_micro_per_kwh,
        })
    }

    /// Returns the smallest step of energy. [mWh]
    pub const fn lot_milliwh(self) -> i64 {
        self.lot_milliwh
    }

    /// Returns the smallest step of price. [millionths/kWh]
    pub const fn tick_micro_per_kwh(self) -> i64 {
        self.tick_micro_per_kwh
    }
}
