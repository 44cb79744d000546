//! Price in millionths of the settlement currency per kilowatt-hour.

use crate::QuantityError;

/// Largest magnitude of a price: 10^9, a thousand units of currency per kWh. [millionths/kWh]
pub const PRICE_MICRO_PER_KWH_MAX: i64 = 1_000_000_000;

/// A price, or a difference of prices; negative when the taker of the energy is paid.
/// [millionths/kWh]
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Price(i64);

impl Price {
    /// No price.
    pub const ZERO: Self = Self(0);

    /// Makes a price of `micro_per_kwh`. [millionths/kWh]
    ///
    /// # Errors
    /// [`QuantityError::PriceBound`] beyond the bound.
    pub fn from_micro_per_kwh(micro_per_kwh: i64) -> Result<Self, QuantityError> {
        Self::from_wide(i128::from(micro_per_kwh))
    }

    fn from_wide(found: i128) -> Result<Self, QuantityError> {
        match i64::try_from(found) {
            Ok(micro) if (-PRICE_MICRO_PER_KWH_MAX..=PRICE_MICRO_PER_KWH_MAX).contains(&micro) => {
                Ok(Self(micro))
            }
            _ => Err(QuantityError::PriceBound { found }),
        }
    }

    /// Returns the number of millionths per kilowatt-hour. [millionths/kWh]
    pub const fn micro_per_kwh(self) -> i64 {
        self.0
    }

    /// Takes `other` from this price.
    ///
    /// # Errors
    /// [`QuantityError::PriceBound`] if the difference is beyond the bound of a price.
    pub fn minus(self, other: Self) -> Result<Self, QuantityError> {
        Self::from_wide(i128::from(self.0) - i128::from(other.0))
    }
}
