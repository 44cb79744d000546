//! The proof that a reading was verified.

use gridrig_quantity::Energy;

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

    pub(crate) const fn from_letter(letter: char) -> Option<Self> {
        match letter {
            'U' => Some(Self::Unsynchronised),
            'I' => Some(Self::Informative),
            'S' => Some(Self::Synchronised),
            'R' => Some(Self::Relative),
            _ => None,
        }
    }
}

/// Which of a meter's two counters a pagination belongs to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum PaginationContext {
    /// Fiscal (`F`).
    Fiscal,
    /// Transaction (`T`).
    Transaction,
}

impl PaginationContext {
    /// Returns the letter before the counter.
    pub const fn letter(self) -> char {
        match self {
            Self::Fiscal => 'F',
            Self::Transaction => 'T',
        }
    }

    /// Reads the letter before a counter.
    pub const fn from_letter(letter: char) -> Option<Self> {
        match letter {
            'F' => Some(Self::Fiscal),
            'T' => Some(Self::Transaction),
            _ => None,
        }
    }
}

/// A reading whose signature, key, time and place in its meter's history were right.
///
/// Only [`crate::Verifier`] makes one, and nothing changes one:
///
/// ```compile_fail
/// let forged = gridrig_metering::VerifiedReading { meter: "meter-1".into() };
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct VerifiedReading {
    pub(crate) meter: String,
    pub(crate) serial: String,
    pub(crate) key_id: [u8; 32],
    pub(crate) context: PaginationContext,
    pub(crate) pagination: u64,
    pub(crate) time_ms: i64,
    pub(crate) clock_status: ClockStatus,
    pub(crate) import: Energy,
    pub(crate) export: Energy,
    pub(crate) digest: [u8; 32],
}

impl VerifiedReading {
    /// Returns the name of the meter in the trust store.
    pub fn meter(&self) -> &str {
        &self.meter
    }

    /// Returns the serial number of the meter.
    pub fn serial(&self) -> &str {
        &self.serial
    }

    /// Returns the SHA-256 of the verifying key.
    pub const fn key_id(&self) -> &[u8; 32] {
        &self.key_id
    }

    /// Returns which counter the pagination is of.
    pub const fn context(&self) -> PaginationContext {
        self.context
    }

    /// Returns the pagination counter.
    pub const fn pagination(&self) -> u64 {
        self.pagination
    }

    /// Returns the time of the reading, floored to a second. [UTC s]
    pub const fn time_s(&self) -> i64 {
        self.time_ms.div_euclid(1000)
    }

    /// Returns the time of the reading. [UTC ms]
    pub const fn time_ms(&self) -> i64 {
        self.time_ms
    }

    /// Returns how far the meter trusts that time.
    pub const fn clock_status(&self) -> ClockStatus {
        self.clock_status
    }

    /// Returns the import register, energy taken from the grid.
    pub const fn import(&self) -> Energy {
        self.import
    }

    /// Returns the export register, energy given to the grid.
    pub const fn export(&self) -> Energy {
        self.export
    }

    /// Returns the SHA-256 of the signed bytes, which is the identity of the reading.
    pub const fn digest(&self) -> &[u8; 32] {
        &self.digest
    }
}
