//! Money in millionths of the settlement currency.

use crate::{Energy, Price, QuantityError, divide_half_up_by_magnitude};

/// A milliwatt-hour at a millionth per kilowatt-hour is 10^-6 of a millionth.
const MILLIWH_PER_KWH: i128 = 1_000_000;

/// An amount of money. [millionths]
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Amount(i64);

impl Amount {
    /// Nothing.
    pub const ZERO: Self = Self(0);

    /// Makes an amount of `micro`. [millionths]
    pub const fn from_micro(micro: i64) -> Self {
        Self(micro)
    }

    /// Prices an energy: energy x price / 10^6, rounded once, half up by magnitude.
    ///
    /// Total, because both factors are bounded: the largest magnitude is 10^18.
    pub fn of(energy: Energy, price: Price) -> Self {
        let exact = i128::from(energy.milliwh()) * i128::from(price.micro_per_kwh());
        let rounded = divide_half_up_by_magnitude(exact, MILLIWH_PER_KWH);
        debug_assert!(
            i64::try_from(rounded).is_ok(),
            "the bounds of energy and price hold"
        );
        Self(rounded as i64)
    }

    /// Returns the number of millionths. [millionths]
    pub const fn micro(self) -> i64 {
        self.0
    }

    /// Returns the amount without its sign.
    ///
    /// Every amount [`Amount::of`] makes has a magnitude; `i64::MIN` alone saturates to `i64::MAX`.
    pub const fn magnitude(self) -> Self {
        Self(self.0.saturating_abs())
    }

    /// Adds many amounts; the sum alone has to fit.
    ///
    /// # Errors
    /// [`QuantityError::AmountBound`] if it does not.
    pub fn sum(amounts: impl IntoIterator<Item = Self>) -> Result<Self, QuantityError> {
        let found: i128 = amounts.into_iter().map(|amount| i128::from(amount.0)).sum();
        i64::try_from(found)
            .map(Self)
            .map_err(|_| QuantityError::AmountBound { found })
    }
}
