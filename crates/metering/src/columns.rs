//! The outcomes of a batch as columns, one value a record.

use gridrig_quantity::Energy;

use crate::{Refusal, VerifiedReading};

/// What stands where a record has no such number.
pub const ABSENT: i64 = i64::MIN;

/// What stands in the column of meters where none could be told.
pub const METER_UNKNOWN: i32 = -1;

/// What stands in the column of status where a record is a verified reading; refusals follow in the
/// order of [`crate::Outcome`].
pub const STATUS_VERIFIED: u8 = 0;

/// One column a value; all are as long as the batch.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct VerdictColumns {
    /// [`STATUS_VERIFIED`], else 1 and the place of the [`crate::Outcome`].
    pub status: Vec<u8>,
    /// 0, else 1 and the place of the code in [`crate::CODES`].
    pub code: Vec<u8>,
    /// Place of the name in [`crate::Verifier::meter_names`].
    pub meter: Vec<i32>,
    /// Letter of the counter's context; 0 if refused.
    pub context: Vec<u8>,
    /// The counter.
    pub counter: Vec<i64>,
    /// Records missing before this one.
    pub missing: Vec<i64>,
    /// Time of the reading; of an interval, its end. [UTC ms]
    pub time_ms: Vec<i64>,
    /// Beginning of the interval that the energy is of. [UTC ms]
    pub start_ms: Vec<i64>,
    /// Letter of the clock status; 0 if refused.
    pub clock_status: Vec<u8>,
    /// The import register, or the energy taken in the interval. [mWh]
    pub import_milliwh: Vec<i64>,
    /// The export register, or the energy given in the interval. [mWh]
    pub export_milliwh: Vec<i64>,
    /// What was found, as bits in the order of [`crate::Finding::ALL`].
    pub findings: Vec<u32>,
}

impl VerdictColumns {
    /// Lays the outcomes of a batch out in columns; `meters` are the places of their names.
    pub(crate) fn of(outcomes: &[Result<VerifiedReading, Refusal>], meters: Vec<i32>) -> Self {
        let mut columns = Self::default();
        for outcome in outcomes {
            match outcome {
                Ok(reading) => columns.push_reading(reading),
                Err(refusal) => columns.push_refusal(refusal),
            }
        }
        columns.meter = meters;
        columns
    }

    fn push_reading(&mut self, reading: &VerifiedReading) {
        let number = |value: u64| i64::try_from(value).unwrap_or(i64::MAX);
        let energy = |energy: Option<Energy>| energy.map_or(ABSENT, Energy::milliwh);
        // Letters are ASCII.
        let letter = |letter: char| letter as u8;
        self.status.push(STATUS_VERIFIED);
        self.code.push(0);
        self.context.push(letter(reading.context().letter()));
        self.counter.push(number(reading.counter()));
        self.missing.push(number(reading.missing()));
        self.time_ms.push(reading.time_ms());
        self.start_ms.push(reading.start_ms().unwrap_or(ABSENT));
        self.clock_status
            .push(letter(reading.clock_status().letter()));
        let import = reading.import().or(reading.interval_import());
        self.import_milliwh.push(energy(import));
        let export = reading.export().or(reading.interval_export());
        self.export_milliwh.push(energy(export));
        self.findings.push(reading.findings().bits());
    }

    fn push_refusal(&mut self, refusal: &Refusal) {
        self.status.push(1 + refusal.error.outcome() as u8);
        self.code
            .push(u8::try_from(1 + refusal.error.rank()).unwrap_or(u8::MAX));
        self.context.push(0);
        self.clock_status.push(0);
        for column in [
            &mut self.counter,
            &mut self.missing,
            &mut self.time_ms,
            &mut self.start_ms,
            &mut self.import_milliwh,
            &mut self.export_milliwh,
        ] {
            column.push(ABSENT);
        }
        self.findings.push(0);
    }
}
