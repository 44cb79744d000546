//! The meters whose energy may be certified.

use gridrig_metering::VerifiedReading;
use gridrig_quantity::Energy;

use super::{Asset, CertificateError, Measure};
use crate::{MeterPeriod, Quality};

/// Milliwatt-hours of one unit.
pub(super) const MILLIWH_PER_WH: i64 = 1_000;

/// Where the energy of a meter comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum SourceKind {
    /// A generator and nothing else.
    Generation,
    /// A storage, or a generator with one behind the same meter.
    Storage {
        /// What comes out of 1000 Wh put in, 1 to 1000. [Wh]
        efficiency_permille: u16,
    },
}

/// A meter whose export is certified, and the connection point it belongs to.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Source {
    /// Pseudonym of the connection point.
    pub asset: Asset,
    /// The meter.
    pub meter: String,
    /// Its serial number.
    pub serial: String,
    /// Where its energy comes from.
    pub kind: SourceKind,
    /// What its export register stood at when it was enrolled.
    pub start: Energy,
    /// What a meter before it had counted and not certified, below 1 Wh. [mWh]
    pub carried_milliwh: u16,
}

impl Source {
    /// Checks what one field alone can be wrong about.
    pub(super) fn check(&self) -> Result<(), CertificateError> {
        let meter = || self.meter.clone();
        if i64::from(self.carried_milliwh) >= MILLIWH_PER_WH {
            return Err(CertificateError::CarriedBound {
                meter: meter(),
                found: self.carried_milliwh,
            });
        }
        match self.kind {
            SourceKind::Storage {
                efficiency_permille: found,
            } if found == 0 || found > 1000 => Err(CertificateError::EfficiencyBound {
                meter: meter(),
                found,
            }),
            _ => Ok(()),
        }
    }

    /// Returns what evidence states, and how many whole Wh that is with what is carried to it.
    ///
    /// # Errors
    /// [`CertificateError::BelowStart`].
    pub(super) fn measure(
        &self,
        evidence: &Evidence<'_>,
        carried_milliwh: i64,
    ) -> Result<(Measure, u64), CertificateError> {
        match evidence {
            Evidence::Registers { opening, closing } => self.registers(opening, closing),
            Evidence::Interval { energy, .. } => {
                // What an interval states is not negative.
                let energy_milliwh = energy.milliwh().unsigned_abs();
                let units = whole_units(energy_milliwh, carried_milliwh);
                Ok((Measure::Interval { energy_milliwh }, units))
            }
        }
    }

    fn registers(
        &self,
        opening: &VerifiedReading,
        closing: &VerifiedReading,
    ) -> Result<(Measure, u64), CertificateError> {
        // A measured period has both registers in both readings.
        let whole = |register: Option<Energy>| {
            let counted = register.unwrap_or(Energy::ZERO).milliwh() - self.start.milliwh();
            if counted < 0 {
                return Err(CertificateError::BelowStart {
                    meter: self.meter.clone(),
                    start_milliwh: self.start.milliwh(),
                    short_milliwh: -counted,
                });
            }
            Ok(((counted + i64::from(self.carried_milliwh)) / MILLIWH_PER_WH).unsigned_abs())
        };
        let first_unit = whole(opening.export())?;
        // Registers do not fall within a period.
        let units = whole(closing.export())? - first_unit;
        Ok((Measure::Register { first_unit }, units))
    }
}

/// Returns the whole Wh of an interval with what is carried to it, which may be a debt.
pub(super) fn whole_units(energy_milliwh: u64, carried_milliwh: i64) -> u64 {
    let milliwh = i128::from(energy_milliwh) + i128::from(carried_milliwh);
    u64::try_from(milliwh.max(0) / i128::from(MILLIWH_PER_WH)).unwrap_or(u64::MAX)
}

/// The readings that a period is certified by.
pub(super) enum Evidence<'a> {
    /// Two of the registers, one at each end.
    Registers {
        opening: &'a VerifiedReading,
        closing: &'a VerifiedReading,
    },
    /// One of an interval, which is the period.
    Interval {
        reading: &'a VerifiedReading,
        energy: Energy,
    },
}

impl<'a> Evidence<'a> {
    /// Returns the readings that a period is certified by.
    ///
    /// # Errors
    /// [`CertificateError::Part`] for anything that is known otherwise: a part of the time between
    /// readings, an estimate, several intervals, registers of two meters.
    pub(super) fn of(period: &'a MeterPeriod) -> Result<Self, CertificateError> {
        let ends = (period.from_ms(), period.to_ms());
        let readings = period.readings();
        let found = match readings[..] {
            [opening, closing]
                if opening.serial() == closing.serial()
                    && opening.export().is_some()
                    && closing.export().is_some()
                    && ends == (opening.time_ms(), closing.time_ms()) =>
            {
                Some(Self::Registers { opening, closing })
            }
            [reading] if (reading.start_ms(), reading.time_ms()) == (Some(ends.0), ends.1) => {
                let energy = reading.interval_export();
                energy.map(|energy| Self::Interval { reading, energy })
            }
            _ => None,
        };
        let measured = found.filter(|_| period.quality() == Quality::Measured);
        measured.ok_or_else(|| CertificateError::Part {
            meter: period.meter().to_string(),
            from_ms: period.from_ms(),
            to_ms: period.to_ms(),
        })
    }

    /// Returns the first reading.
    pub(super) const fn opening(&self) -> &'a VerifiedReading {
        match self {
            Self::Registers { opening, .. } => opening,
            Self::Interval { reading, .. } => reading,
        }
    }

    /// Returns the last reading.
    pub(super) const fn closing(&self) -> &'a VerifiedReading {
        match self {
            Self::Registers { closing, .. } => closing,
            Self::Interval { reading, .. } => reading,
        }
    }
}
