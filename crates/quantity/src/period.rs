//! The slot of time an energy is for.

/// Number of a delivery period, counted from 0 at the start of the scenario.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct DeliveryPeriod(u32);

impl DeliveryPeriod {
    /// Makes the period of this number.
    pub const fn from_number(number: u32) -> Self {
        Self(number)
    }

    /// Returns the number of the period.
    pub const fn number(self) -> u32 {
        self.0
    }
}
