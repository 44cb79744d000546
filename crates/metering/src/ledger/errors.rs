//! Why stored rows do not make a ledger.

use crate::MeteringError;

/// Rules of a stored ledger.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum LedgerError {
    /// The ledger has rows already; a store is restored into an empty one.
    #[error("ledger holds rows already")]
    NotEmpty,
    /// A row speaks of a key that is not enrolled.
    #[error("row {row} is of a key that is not enrolled")]
    KeyUnknown {
        /// Place of the row, from 0.
        row: usize,
    },
    /// A row contradicts one before it.
    #[error("row {row} contradicts the rows before it: {fault}")]
    Contradiction {
        /// Place of the row, from 0.
        row: usize,
        /// The rule it breaks.
        fault: Box<MeteringError>,
    },
    /// A batch is staged already, and its fate is not known yet.
    #[error("a batch is staged and neither committed nor rolled back")]
    BatchOpen,
}

impl LedgerError {
    /// Returns the stable name of the failure.
    pub fn code(&self) -> &'static str {
        match self {
            Self::NotEmpty => "metering.ledger_not_empty",
            Self::KeyUnknown { .. } => "metering.ledger_key_unknown",
            Self::Contradiction { .. } => "metering.ledger_contradiction",
            Self::BatchOpen => "metering.batch_open",
        }
    }
}
