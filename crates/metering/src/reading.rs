//! The proof that a reading was verified.

use std::sync::Arc;

use gridrig_quantity::Energy;

use crate::key_record::StartRegisters;
use crate::signed_record::Measure;
use crate::{CounterContext, Findings};

/// How far a meter trusts the time it writes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum ClockStatus {
    /// Not set against anything (`U`).
    Unsynchronised,
    /// Informative only (`I`).
    Informative,
    /// Synchronised (`S`).
    Synchronised,
    /// Relative to a synchronised start (`R`).
    Relative,
}

impl ClockStatus {
    /// Returns the letter in the time text.
    pub const fn letter(self) -> char {
        match self {
            Self::Unsynchronised => 'U',
            Self::Informative => 'I',
            Self::Synchronised => 'S',
            Self::Relative => 'R',
        }
    }

    /// Reads the letter.
    pub const fn from_letter(letter: char) -> Option<Self> {
        match letter {
            'U' => Some(Self::Unsynchronised),
            'I' => Some(Self::Informative),
            'S' => Some(Self::Synchronised),
            'R' => Some(Self::Relative),
            _ => None,
        }
    }
}

/// A reading whose signature, key, time and place in its meter's history were right.
///
/// It holds what lies inside the signed bytes, what the trust store binds to the key, and what was
/// found beside. Only [`crate::Verifier`] makes one, and nothing changes one:
///
/// ```compile_fail
/// let forged = gridrig_metering::VerifiedReading { meter: "meter-1".into() };
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct VerifiedReading {
    pub(crate) meter: Arc<str>,
    pub(crate) serial: Arc<str>,
    pub(crate) key_id: [u8; 32],
    pub(crate) start: Option<StartRegisters>,
    pub(crate) format: &'static str,
    pub(crate) algorithm: &'static str,
    pub(crate) profiles: Vec<&'static str>,
    pub(crate) context: CounterContext,
    pub(crate) counter: u64,
    pub(crate) missing: u64,
    pub(crate) operating_s: Option<u64>,
    pub(crate) time_ms: i64,
    pub(crate) clock_status: ClockStatus,
    pub(crate) measure: Measure,
    pub(crate) status: Box<str>,
    pub(crate) contract: Option<Box<str>>,
    pub(crate) informed_key: Option<Box<[u8]>>,
    pub(crate) findings: Findings,
    pub(crate) digest: [u8; 32],
}

impl VerifiedReading {
    /// Returns the name of the meter in the trust store.
    pub fn meter(&self) -> &str {
        &self.meter
    }

    /// Returns the same name, shared with the trust store instead of copied.
    pub fn meter_name(&self) -> Arc<str> {
        Arc::clone(&self.meter)
    }

    /// Returns the serial number of the meter.
    pub fn serial(&self) -> &str {
        &self.serial
    }

    /// Returns the SHA-256 of the verifying key.
    pub const fn key_id(&self) -> &[u8; 32] {
        &self.key_id
    }

    /// Returns what the registers stood at when the meter was mounted in place of another.
    pub const fn start(&self) -> Option<StartRegisters> {
        self.start
    }

    /// Returns the name of the wire format.
    pub const fn format(&self) -> &'static str {
        self.format
    }

    /// Returns the name of the signature algorithm.
    pub const fn algorithm(&self) -> &'static str {
        self.algorithm
    }

    /// Returns the names of the compatibility profiles it took to verify the record.
    pub fn profiles(&self) -> &[&'static str] {
        &self.profiles
    }

    /// Returns which of the meter's counters numbers the reading.
    pub const fn context(&self) -> CounterContext {
        self.context
    }

    /// Returns the value of that counter.
    pub const fn counter(&self) -> u64 {
        self.counter
    }

    /// Returns how many records of the counter are missing before this one.
    pub const fn missing(&self) -> u64 {
        self.missing
    }

    /// Returns how long the meter has been running, if it signs that. [s]
    pub const fn operating_s(&self) -> Option<u64> {
        self.operating_s
    }

    /// Returns the time of the reading, floored to a second. [UTC s]
    pub const fn time_s(&self) -> i64 {
        self.time_ms.div_euclid(1000)
    }

    /// Returns the time of the reading; of an interval, its end. [UTC ms]
    pub const fn time_ms(&self) -> i64 {
        self.time_ms
    }

    /// Returns when the interval began that the energy is of; none for registers. [UTC ms]
    pub const fn start_ms(&self) -> Option<i64> {
        match self.measure {
            Measure::Registers { .. } => None,
            Measure::Interval { start_ms, .. } => Some(start_ms),
        }
    }

    /// Returns how far the meter trusts that time.
    pub const fn clock_status(&self) -> ClockStatus {
        self.clock_status
    }

    /// Returns the import register, energy taken from the grid, if the meter has one.
    pub const fn import(&self) -> Option<Energy> {
        match self.measure {
            Measure::Registers { import, .. } => import,
            Measure::Interval { .. } => None,
        }
    }

    /// Returns the export register, energy given to the grid, if the meter has one.
    pub const fn export(&self) -> Option<Energy> {
        match self.measure {
            Measure::Registers { export, .. } => export,
            Measure::Interval { .. } => None,
        }
    }

    /// Returns the energy taken from the grid in the interval; none for registers.
    pub const fn interval_import(&self) -> Option<Energy> {
        match self.measure {
            Measure::Registers { .. } => None,
            Measure::Interval { import, .. } => Some(import),
        }
    }

    /// Returns the energy given to the grid in the interval; none for registers.
    pub const fn interval_export(&self) -> Option<Energy> {
        match self.measure {
            Measure::Registers { .. } => None,
            Measure::Interval { export, .. } => Some(export),
        }
    }

    /// Returns the status of the meter in the words of its format; empty if it has none.
    pub fn status(&self) -> &str {
        &self.status
    }

    /// Returns the contract, user or session that the record names.
    pub fn contract(&self) -> Option<&str> {
        self.contract.as_deref()
    }

    /// Returns a public key the record brought along, for information; it was not used.
    pub fn informed_key(&self) -> Option<&[u8]> {
        self.informed_key.as_deref()
    }

    /// Returns what was found beside the valid signature.
    pub const fn findings(&self) -> Findings {
        self.findings
    }

    /// Returns the SHA-256 of the signed bytes, which is the identity of the reading.
    pub const fn digest(&self) -> &[u8; 32] {
        &self.digest
    }
}
