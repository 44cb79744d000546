//! Energy in milliwatt-hours.

use crate::QuantityError;

/// Largest magnitude of an energy: 10^15 mWh, a terawatt-hour. [mWh]
pub const ENERGY_MILLIWH_MAX: i64 = 1_000_000_000_000_000;

/// An amount of energy, bounded by [`ENERGY_MILLIWH_MAX`]. [mWh]
///
/// Registers and orders are never negative and say so where they are checked; a loss may be.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Energy(i64);

impl Energy {
    /// No energy.
    pub const ZERO: Self = Self(0);

    /// Makes an energy of `milliwh`. [mWh]
    ///
    /// # Errors
    /// [`QuantityError::EnergyBound`] beyond the bound.
    pub fn from_milliwh(milliwh: i64) -> Result<Self, QuantityError> {
        Self::from_wide(i128::from(milliwh))
    }

    fn from_wide(found: i128) -> Result<Self, QuantityError> {
        match i64::try_from(found) {
            Ok(milliwh) if (-ENERGY_MILLIWH_MAX..=ENERGY_MILLIWH_MAX).contains(&milliwh) => {
                Ok(Self(milliwh))
            }
            _ => Err(QuantityError::EnergyBound { found }),
        }
    }

    /// Returns the number of milliwatt-hours. [mWh]
    pub const fn milliwh(self) -> i64 {
        self.0
    }

    /// Adds two energies.
    ///
    /// # Errors
    /// [`QuantityError::EnergyBound`] if the sum is beyond the bound.
    pub fn plus(self, other: Self) -> Result<Self, QuantityError> {
        Self::from_wide(i128::from(self.0) + i128::from(other.0))
    }

    /// Takes `other` from this energy.
    ///
    /// # Errors
    /// [`QuantityError::EnergyBound`] if the difference is beyond the bound.
    pub fn minus(self, other: Self) -> Result<Self, QuantityError> {
        Self::from_wide(i128::from(self.0) - i128::from(other.0))
    }

    /// Adds many energies; the sum alone has to be within the bound.
    ///
    /// # Errors
    /// [`QuantityError::EnergyBound`] if it is not.
    pub fn sum(energies: impl IntoIterator<Item = Self>) -> Result<Self, QuantityError> {
        Self::from_wide(
            energies
                .into_iter()
                .map(|energy| i128::from(energy.0))
                .sum(),
        )
    }
}
