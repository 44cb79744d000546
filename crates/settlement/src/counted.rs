//! Energy in both directions, and over a stretch of time.

use gridrig_metering::VerifiedReading;
use gridrig_quantity::Energy;

use crate::SettlementError;

/// Energy by direction, neither netted nor negative.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Counted {
    /// Taken from the grid.
    pub import: Energy,
    /// Given to the grid.
    pub export: Energy,
}

/// The registers of one reading; none where the meter has no such register.
type Registers = [Option<Energy>; 2];

const REGISTERS: [&str; 2] = ["import", "export"];

impl Counted {
    pub(crate) const NOTHING: Self = Self {
        import: Energy::ZERO,
        export: Energy::ZERO,
    };

    /// Returns what the registers counted between two readings.
    pub(crate) fn between(
        opening: &VerifiedReading,
        closing: &VerifiedReading,
    ) -> Result<Self, SettlementError> {
        let (first, last) = (registers(opening), registers(closing));
        Self::from_registers(closing.meter(), first, last)
    }

    /// Returns what the registers counted since the meter was mounted.
    pub(crate) fn since_mounted(closing: &VerifiedReading) -> Result<Self, SettlementError> {
        let start = closing
            .start()
            .ok_or_else(|| SettlementError::StartUnknown {
                meter: closing.meter().to_owned(),
            })?;
        let last = registers(closing);
        let mut first = [Some(start.import), Some(start.export)];
        for (first, last) in first.iter_mut().zip(&last) {
            *first = first.filter(|_| last.is_some());
        }
        Self::from_registers(closing.meter(), first, last)
    }

    /// A register that neither reading has counts nothing; one that only one of them has is a fault.
    fn from_registers(
        meter: &str,
        first: Registers,
        last: Registers,
    ) -> Result<Self, SettlementError> {
        let mut counted = [Energy::ZERO; 2];
        let mut present = false;
        for (place, register) in REGISTERS.into_iter().enumerate() {
            counted[place] = match (first[place], last[place]) {
                (None, None) => continue,
                (Some(first), Some(last)) if last < first => {
                    let meter = meter.to_owned();
                    return Err(SettlementError::RegisterFell { meter });
                }
                (Some(first), Some(last)) => last.minus(first)?,
                _ => {
                    let meter = meter.to_owned();
                    return Err(SettlementError::RegisterMissing { meter, register });
                }
            };
            present = true;
        }
        if !present {
            let (meter, register) = (meter.to_owned(), REGISTERS[0]);
            return Err(SettlementError::RegisterMissing { meter, register });
        }
        let [import, export] = counted;
        Ok(Self { import, export })
    }

    pub(crate) fn sum(all: impl Iterator<Item = Self> + Clone) -> Result<Self, SettlementError> {
        Ok(Self {
            import: Energy::sum(all.clone().map(|one| one.import))?,
            export: Energy::sum(all.map(|one| one.export))?,
        })
    }
}

fn registers(reading: &VerifiedReading) -> Registers {
    [reading.import(), reading.export()]
}

/// What was counted in a stretch of time, when in it nobody knows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Span {
    from_ms: i64,
    to_ms: i64,
    counted: Counted,
}

impl Span {
    pub(crate) fn new(
        meter: &str,
        from_ms: i64,
        to_ms: i64,
        counted: Counted,
    ) -> Result<Self, SettlementError> {
        if to_ms <= from_ms {
            return Err(SettlementError::NotForward {
                meter: meter.to_owned(),
                opening_ms: from_ms,
                closing_ms: to_ms,
            });
        }
        Ok(Self {
            from_ms,
            to_ms,
            counted,
        })
    }

    /// Returns what comes between two times within, laid out evenly.
    pub(crate) fn part(&self, from_ms: i64, to_ms: i64) -> Result<Counted, SettlementError> {
        let part = |energy: Energy| {
            let up_to = |time_ms: i64| self.share(energy, self.elapsed_ms(time_ms));
            up_to(to_ms)?.minus(up_to(from_ms)?)
        };
        Ok(Counted {
            import: part(self.counted.import)?,
            export: part(self.counted.export)?,
        })
    }

    /// Returns the energy of the mean power over a time as long as `length_ms`.
    pub(crate) fn at_mean_power(&self, length_ms: i64) -> Result<Counted, SettlementError> {
        Ok(Counted {
            import: self.share(self.counted.import, i128::from(length_ms))?,
            export: self.share(self.counted.export, i128::from(length_ms))?,
        })
    }

    fn elapsed_ms(&self, time_ms: i64) -> i128 {
        i128::from(time_ms) - i128::from(self.from_ms)
    }

    /// Energy times a share of the time, rounded down.
    fn share(
        &self,
        energy: Energy,
        elapsed_ms: i128,
    ) -> Result<Energy, gridrig_quantity::QuantityError> {
        // The length is positive.
        let milliwh = i128::from(energy.milliwh()) * elapsed_ms / self.elapsed_ms(self.to_ms);
        let bounded = i64::try_from(milliwh).unwrap_or(i64::MAX);
        Energy::from_milliwh(bounded)
    }
}
