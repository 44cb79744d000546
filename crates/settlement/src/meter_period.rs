//! What one meter counted in one period, with its proof.

use gridrig_metering::VerifiedReading;
use gridrig_quantity::Energy;

use crate::SettlementError;

/// The verified readings at both ends of a period of one meter, and whose meter it is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MeterPeriod {
    participant: String,
    opening: VerifiedReading,
    closing: VerifiedReading,
    import: Energy,
    export: Energy,
}

impl MeterPeriod {
    /// Pairs two readings of one meter.
    ///
    /// # Errors
    /// [`SettlementError::MeterMismatch`], [`SettlementError::NotForward`],
    /// [`SettlementError::RegisterFell`].
    pub fn new(
        participant: String,
        opening: VerifiedReading,
        closing: VerifiedReading,
    ) -> Result<Self, SettlementError> {
        if (opening.meter(), opening.serial()) != (closing.meter(), closing.serial()) {
            let (opening, closing) = (opening.meter().to_owned(), closing.meter().to_owned());
            return Err(SettlementError::MeterMismatch { opening, closing });
        }
        let meter = || opening.meter().to_owned();
        let (opening_ms, closing_ms) = (opening.time_ms(), closing.time_ms());
        if closing_ms <= opening_ms {
            return Err(SettlementError::NotForward {
                meter: meter(),
                opening_ms,
                closing_ms,
            });
        }
        let import = closing.import().minus(opening.import())?;
        let export = closing.export().minus(opening.export())?;
        if import < Energy::ZERO || export < Energy::ZERO {
            return Err(SettlementError::RegisterFell { meter: meter() });
        }
        Ok(Self {
            participant,
            opening,
            closing,
            import,
            export,
        })
    }

    /// Returns whose meter it is.
    pub fn participant(&self) -> &str {
        &self.participant
    }

    /// Returns the name of the meter.
    pub fn meter(&self) -> &str {
        self.opening.meter()
    }

    /// Returns the reading at the beginning of the period.
    pub const fn opening(&self) -> &VerifiedReading {
        &self.opening
    }

    /// Returns the reading at the end of the period.
    pub const fn closing(&self) -> &VerifiedReading {
        &self.closing
    }

    /// Returns the energy taken from the grid in the period, not negative.
    pub const fn import(&self) -> Energy {
        self.import
    }

    /// Returns the energy given to the grid in the period, not negative.
    pub const fn export(&self) -> Energy {
        self.export
    }
}
