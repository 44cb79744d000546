//! The meters whose energy may be certified.

use gridrig_metering::VerifiedReading;
use gridrig_quantity::Energy;

use super::{Asset, CertificateError};
use crate::{MeterPeriod, Quality};

/// Milliwatt-hours of one unit.
const MILLIWH_PER_WH: i64 = 1_000;

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

    /// Returns which units the time between two readings of its registers has: the number of the
    /// first, and how many.
    ///
    /// # Errors
    /// [`CertificateError::BelowStart`].
    pub(super) fn units(
        &self,
        opening: &VerifiedReading,
        closing: &VerifiedReading,
    ) -> Result<(u64, u64), CertificateError> {
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
        let first = whole(opening.export())?;
        // Registers do not fall within a period.
        Ok((first, whole(closing.export())? - first))
    }
}

/// Returns the two readings of the registers that a period lies between.
///
/// # Errors
/// [`CertificateError::Part`] for anything that is known otherwise: a part of the time between
/// readings, an estimate, intervals, registers of two meters.
pub(super) fn register_readings(
    period: &MeterPeriod,
) -> Result<(&VerifiedReading, &VerifiedReading), CertificateError> {
    let ends = (period.from_ms(), period.to_ms());
    match period.readings()[..] {
        [opening, closing]
            if period.quality() == Quality::Measured
                && opening.serial() == closing.serial()
                && opening.export().is_some()
                && closing.export().is_some()
                && ends == (opening.time_ms(), closing.time_ms()) =>
        {
            Ok((opening, closing))
        }
        _ => Err(CertificateError::Part {
            meter: period.meter().to_string(),
            from_ms: period.from_ms(),
            to_ms: period.to_ms(),
        }),
    }
}
