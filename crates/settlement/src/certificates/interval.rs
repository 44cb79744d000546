//! Time of certificates, in quanta.

use super::CertificateError;

/// Length of a quantum, counted from 1970, as the contract has it. [s]
pub const QUANTUM_S: u64 = 300;

/// Longest interval that is certified here: an hour.
pub const METERED_QUANTA_MAX: u64 = 12;

/// Longest interval of any claim, as the contract has it: a day.
pub const CLAIM_QUANTA_MAX: u64 = 288;

/// How far a reading may be from the edge of a quantum to stand for it. [ms]
pub const EDGE_APART_MAX_MS: i64 = 10_000;

const QUANTUM_MS: i64 = 1000 * QUANTUM_S as i64;

/// A run of quanta.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Interval {
    first: u64,
    quanta: u64,
}

impl Interval {
    /// Makes the interval of `quanta` quanta from `first` on.
    ///
    /// # Errors
    /// [`CertificateError::IntervalBound`] unless it has 1 to [`CLAIM_QUANTA_MAX`] and ends before
    /// the last second that 64 bits count.
    pub fn new(first: u64, quanta: u64) -> Result<Self, CertificateError> {
        let beyond = first > u64::MAX / QUANTUM_S - CLAIM_QUANTA_MAX;
        if quanta == 0 || quanta > CLAIM_QUANTA_MAX || beyond {
            return Err(CertificateError::IntervalBound { first, quanta });
        }
        Ok(Self { first, quanta })
    }

    /// Returns the interval between two readings, each within [`EDGE_APART_MAX_MS`] of an edge.
    ///
    /// # Errors
    /// [`CertificateError::EdgeApart`], [`CertificateError::IntervalLong`].
    pub(super) fn metered(
        meter: &str,
        opening_ms: i64,
        closing_ms: i64,
    ) -> Result<Self, CertificateError> {
        let (from, to) = (edge(meter, opening_ms)?, edge(meter, closing_ms)?);
        if to <= from || to - from > METERED_QUANTA_MAX {
            return Err(CertificateError::IntervalLong {
                meter: meter.to_owned(),
                opening_ms,
                closing_ms,
            });
        }
        Self::new(from, to - from)
    }

    /// Returns the first quantum.
    pub const fn first(&self) -> u64 {
        self.first
    }

    /// Returns how many there are.
    pub const fn quanta(&self) -> u64 {
        self.quanta
    }

    /// Returns the quanta, rising.
    pub fn iter(&self) -> impl Iterator<Item = u64> + use<> {
        self.first..self.first + self.quanta
    }

    /// Returns its beginning. [UTC s]
    pub const fn from_s(&self) -> u64 {
        self.first * QUANTUM_S
    }

    /// Returns its end. [UTC s]
    pub const fn to_s(&self) -> u64 {
        (self.first + self.quanta) * QUANTUM_S
    }
}

/// The edge of quanta that a reading stands for.
fn edge(meter: &str, time_ms: i64) -> Result<u64, CertificateError> {
    let nearest = time_ms
        .saturating_add(QUANTUM_MS / 2)
        .div_euclid(QUANTUM_MS);
    let apart_ms = time_ms.abs_diff(nearest * QUANTUM_MS);
    match u64::try_from(nearest) {
        Ok(edge) if apart_ms <= EDGE_APART_MAX_MS as u64 => Ok(edge),
        _ => Err(CertificateError::EdgeApart {
            meter: meter.to_owned(),
            time_ms,
        }),
    }
}
