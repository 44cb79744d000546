//! What one meter counted in one period, with its proof.

use gridrig_metering::VerifiedReading;
use gridrig_quantity::Energy;

use crate::SettlementError;

/// Energy between two readings, by direction.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Counted {
    import: Energy,
    export: Energy,
}

/// What a meter counted between two verified readings, or in a part of that time, and whose meter
/// it is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MeterPeriod {
    participant: String,
    opening: VerifiedReading,
    closing: VerifiedReading,
    from_ms: i64,
    to_ms: i64,
    /// What was counted between the two readings, of which a part may be less.
    counted: Counted,
    import: Energy,
    export: Energy,
}

impl MeterPeriod {
    /// Pairs two readings of one meter.
    ///
    /// # Errors
    /// [`SettlementError::MeterMismatch`], [`SettlementError::NotForward`],
    /// [`SettlementError::RegisterMissing`], [`SettlementError::RegisterFell`].
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
        let missing = |register| {
            let meter = meter();
            SettlementError::RegisterMissing { meter, register }
        };
        let counted = |register, opening: Option<Energy>, closing: Option<Energy>| {
            let opening = opening.ok_or_else(|| missing(register))?;
            let closing = closing.ok_or_else(|| missing(register))?;
            Ok::<_, SettlementError>(closing.minus(opening)?)
        };
        let import = counted("import", opening.import(), closing.import())?;
        let export = counted("export", opening.export(), closing.export())?;
        if import < Energy::ZERO || export < Energy::ZERO {
            return Err(SettlementError::RegisterFell { meter: meter() });
        }
        Ok(Self {
            participant,
            opening,
            closing,
            from_ms: opening_ms,
            to_ms: closing_ms,
            counted: Counted { import, export },
            import,
            export,
        })
    }

    /// Parts a period that a lost reading joined, at the times of the readings that are lost.
    ///
    /// Nobody knows when in that time the energy flowed, so it is laid out evenly: up to a time `t`
    /// it is what was counted between the two readings times the share of time gone by, rounded
    /// down, and a part is what comes between two of these. The parts sum to the whole to the
    /// milliwatt-hour, none is negative, none is a milliwatt-hour or more from its exact share, and
    /// parting a part gives what parting the whole gives.
    ///
    /// # Errors
    /// [`SettlementError::SplitOutside`] unless `edges_ms` rise and lie within the period.
    pub fn split(&self, edges_ms: &[i64]) -> Result<Vec<Self>, SettlementError> {
        let mut parts = Vec::with_capacity(edges_ms.len() + 1);
        let mut from_ms = self.from_ms;
        for &to_ms in edges_ms.iter().chain([&self.to_ms]) {
            if to_ms <= from_ms || to_ms > self.to_ms {
                return Err(SettlementError::SplitOutside {
                    meter: self.meter().to_owned(),
                    edge_ms: to_ms,
                    from_ms,
                    to_ms: self.to_ms,
                });
            }
            parts.push(Self {
                from_ms,
                to_ms,
                import: self.between(self.counted.import, from_ms, to_ms)?,
                export: self.between(self.counted.export, from_ms, to_ms)?,
                ..self.clone()
            });
            from_ms = to_ms;
        }
        Ok(parts)
    }

    /// The part of an energy counted between the two readings that comes between two times.
    fn between(&self, energy: Energy, from_ms: i64, to_ms: i64) -> Result<Energy, SettlementError> {
        let (opening_ms, closing_ms) = (self.opening.time_ms(), self.closing.time_ms());
        let since = |time_ms: i64| i128::from(time_ms) - i128::from(opening_ms);
        let up_to =
            |time_ms: i64| i128::from(energy.milliwh()) * since(time_ms) / since(closing_ms);
        let milliwh = up_to(to_ms) - up_to(from_ms);
        // At most what was counted, which fits.
        let milliwh = i64::try_from(milliwh).unwrap_or(i64::MAX);
        Ok(Energy::from_milliwh(milliwh)?)
    }

    /// Returns the beginning of the time this is the energy of. [UTC ms]
    pub const fn from_ms(&self) -> i64 {
        self.from_ms
    }

    /// Returns the end of that time. [UTC ms]
    pub const fn to_ms(&self) -> i64 {
        self.to_ms
    }

    /// Returns whose meter it is.
    pub fn participant(&self) -> &str {
        &self.participant
    }

    /// Returns the name of the meter.
    pub fn meter(&self) -> &str {
        self.opening.meter()
    }

    /// Returns the last reading at or before the beginning.
    pub const fn opening(&self) -> &VerifiedReading {
        &self.opening
    }

    /// Returns the first reading at or after the end.
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
