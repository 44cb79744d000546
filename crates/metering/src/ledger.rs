//! What each key has said before, so that nothing counts twice and nothing is taken back.

use std::collections::BTreeMap;

use gridrig_quantity::Energy;

use crate::ocmf::{EXPORT, IMPORT};
use crate::{MeteringError, PaginationContext, VerifiedReading};

/// Paginations remembered per key and context; an older one is refused as a step back.
pub const LEDGER_HISTORY_MAX: usize = 4_096;

/// One reading admitted, as a store keeps it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LedgerRow {
    /// SHA-256 of the verifying key.
    pub key_id: [u8; 32],
    /// Which counter the pagination is of.
    pub context: PaginationContext,
    /// The pagination counter.
    pub pagination: u64,
    /// Time of the reading. [UTC ms]
    pub time_ms: i64,
    /// The import register.
    pub import: Energy,
    /// The export register.
    pub export: Energy,
    /// SHA-256 of the signed bytes.
    pub digest: [u8; 32],
}

impl LedgerRow {
    /// Returns the row of a verified reading.
    pub(crate) fn of(reading: &VerifiedReading) -> Self {
        Self {
            key_id: reading.key_id,
            context: reading.context,
            pagination: reading.pagination,
            time_ms: reading.time_ms,
            import: reading.import,
            export: reading.export,
            digest: reading.digest,
        }
    }
}

/// Why stored rows do not make a ledger.
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
}

impl LedgerError {
    /// Returns the stable name of the failure.
    pub fn code(&self) -> &'static str {
        match self {
            Self::NotEmpty => "metering.ledger_not_empty",
            Self::KeyUnknown { .. } => "metering.ledger_key_unknown",
            Self::Contradiction { .. } => "metering.ledger_contradiction",
        }
    }
}

/// The rows by key and context, then by pagination.
#[derive(Debug, Clone, Default)]
pub(crate) struct Ledger {
    chains: BTreeMap<([u8; 32], PaginationContext), BTreeMap<u64, LedgerRow>>,
}

impl Ledger {
    /// Admits a row if it follows what is known of its key, and remembers it.
    pub(crate) fn admit(&mut self, row: LedgerRow) -> Result<(), MeteringError> {
        let chain = self.chains.entry((row.key_id, row.context)).or_default();
        if let Some(last) = chain.values().next_back() {
            follows(chain, last, &row)?;
        }
        chain.insert(row.pagination, row);
        if chain.len() > LEDGER_HISTORY_MAX {
            chain.pop_first();
        }
        Ok(())
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.chains.values().all(BTreeMap::is_empty)
    }

    /// Lists the rows by key, context and pagination.
    pub(crate) fn rows(&self) -> impl Iterator<Item = &LedgerRow> {
        self.chains.values().flat_map(BTreeMap::values)
    }
}

/// Asks the rules in the order of [`MeteringError`].
fn follows(
    chain: &BTreeMap<u64, LedgerRow>,
    last: &LedgerRow,
    row: &LedgerRow,
) -> Result<(), MeteringError> {
    let pagination = row.pagination;
    match chain.get(&pagination) {
        Some(known) if known.digest == row.digest => {
            return Err(MeteringError::Replayed { pagination });
        }
        Some(_) => return Err(MeteringError::Equivocation { pagination }),
        None => {}
    }
    if pagination < last.pagination {
        return Err(MeteringError::PaginationGapBack {
            pagination,
            last: last.pagination,
        });
    }
    for (obis, now, before) in [
        (IMPORT, row.import, last.import),
        (EXPORT, row.export, last.export),
    ] {
        if now < before {
            let (milliwh, last_milliwh) = (now.milliwh(), before.milliwh());
            return Err(MeteringError::RegisterFell {
                obis,
                milliwh,
                last_milliwh,
            });
        }
    }
    if row.time_ms <= last.time_ms {
        let (time_ms, last_ms) = (row.time_ms, last.time_ms);
        return Err(MeteringError::TimeNotRising { time_ms, last_ms });
    }
    Ok(())
}
