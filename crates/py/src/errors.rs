//! Core errors become the exceptions that Python owns: same code, same text, facts as attributes.

use gridrig_bench::BenchError;
use gridrig_market::MarketError;
use gridrig_market::book::{BookError, ColumnError};
use gridrig_metering::{BatchError, EnrolmentError, LedgerError, MeteringError, Refusal};
use gridrig_plant::PlantError;
use gridrig_quantity::QuantityError;
use gridrig_settlement::SettlementError;
use gridrig_settlement::certificates::CertificateError;
use gridrig_settlement::claims::ClaimError;
use gridrig_settlement::commitments::CommitmentError;
use gridrig_settlement::merkle::MerkleError;
use gridrig_settlement::rewards::RewardError;
use gridrig_settlement::shares::ShareError;
use pyo3::prelude::*;
use pyo3::types::{IntoPyDict, PyDict};

use crate::energy_claim::PyEnergyClaim;

/// Everything the core refuses, by the exception it becomes.
///
/// Each match over it is without a wildcard: a new variant does not build until it is mapped.
pub(crate) enum CoreError {
    Market(MarketError),
    Book(BookError),
    Columns(ColumnError),
    ExchangeBroken,
    Word(Word),
    Enrolment(EnrolmentError),
    Reading(Box<Refusal>),
    Ledger(LedgerError),
    Batch(BatchError),
    VerifierBroken,
    Quantity(QuantityError),
    Settlement(SettlementError),
    Claim(ClaimError),
    Certificate(CertificateError),
    Share(ShareError),
    Reward(RewardError),
    Commitment(CommitmentError),
    RegisterBroken,
    SettlementWord(Word),
    Merkle(MerkleError),
    Plant(PlantError),
    Bench(BenchError),
}

/// A text from Python that is none of the words of its set.
pub(crate) struct Word {
    pub(crate) name: &'static str,
    pub(crate) found: String,
    pub(crate) expected: &'static str,
}

impl Word {
    /// Returns what a word was read as, if it was.
    pub(crate) fn read<T>(
        name: &'static str,
        found: &str,
        expected: &'static str,
        read: Option<T>,
    ) -> Result<T, Self> {
        read.ok_or_else(|| Self {
            name,
            found: found.to_owned(),
            expected,
        })
    }
}

impl CoreError {
    fn class(&self) -> &'static str {
        match self {
            Self::Market(_)
            | Self::Book(_)
            | Self::Columns(_)
            | Self::ExchangeBroken
            | Self::Word(_) => "MarketError",
            Self::Enrolment(_)
            | Self::Reading(_)
            | Self::Ledger(_)
            | Self::Batch(_)
            | Self::VerifierBroken => "MeteringError",
            Self::Quantity(_)
            | Self::Settlement(_)
            | Self::Claim(_)
            | Self::Certificate(_)
            | Self::Share(_)
            | Self::Reward(_)
            | Self::Commitment(_)
            | Self::RegisterBroken
            | Self::Merkle(_)
            | Self::SettlementWord(_) => "SettlementError",
            Self::Plant(_) => "PlantError",
            Self::Bench(_) => "BenchError",
        }
    }

    fn code(&self) -> &'static str {
        match self {
            Self::Market(error) => error.code(),
            Self::Book(error) => error.code(),
            Self::Columns(error) => error.code(),
            Self::ExchangeBroken => "market.exchange_broken",
            Self::Word(_) => "market.word",
            Self::Enrolment(error) => error.code(),
            Self::Reading(refusal) => refusal.error.code(),
            Self::Ledger(error) => error.code(),
            Self::Batch(error) => error.code(),
            Self::VerifierBroken => "metering.verifier_broken",
            Self::Quantity(error) => error.code(),
            Self::Settlement(error) => error.code(),
            Self::Claim(error) => error.code(),
            Self::Certificate(error) => error.code(),
            Self::Share(error) => error.code(),
            Self::Reward(error) => error.code(),
            Self::Commitment(error) => error.code(),
            Self::RegisterBroken => "settlement.register_broken",
            Self::SettlementWord(_) => "settlement.word",
            Self::Merkle(error) => error.code(),
            Self::Plant(error) => error.code(),
            Self::Bench(error) => error.code(),
        }
    }

    fn reason(&self) -> String {
        match self {
            Self::Market(error) => error.to_string(),
            Self::Book(error) => error.to_string(),
            Self::Columns(error) => error.to_string(),
            Self::ExchangeBroken => "an earlier call of this exchange did not end".to_owned(),
            Self::Word(Word {
                name,
                found,
                expected,
            })
            | Self::SettlementWord(Word {
                name,
                found,
                expected,
            }) => {
                format!("{name} {found:?} is not {expected}")
            }
            Self::Enrolment(error) => error.to_string(),
            Self::Reading(refusal) => refusal.to_string(),
            Self::Ledger(error) => error.to_string(),
            Self::Batch(error) => error.to_string(),
            Self::VerifierBroken => "an earlier call of this verifier did not end".to_owned(),
            Self::Quantity(error) => error.to_string(),
            Self::Settlement(error) => error.to_string(),
            Self::Claim(error) => error.to_string(),
            Self::Certificate(error) => error.to_string(),
            Self::Share(error) => error.to_string(),
            Self::Reward(error) => error.to_string(),
            Self::Commitment(error) => error.to_string(),
            Self::RegisterBroken => "an earlier call of this register did not end".to_owned(),
            Self::Merkle(error) => error.to_string(),
            Self::Plant(error) => error.to_string(),
            Self::Bench(error) => error.to_string(),
        }
    }

    /// Builds the exception: `Class(code, "{reason}", reason=..., ...)`.
    fn to_exception<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        let facts: Bound<'py, PyDict> = [("reason", self.reason())].into_py_dict(py)?;
        if let Self::Reading(refusal) = self {
            facts.set_item("meter", refusal.meter.as_deref())?;
            facts.set_item("outcome", refusal.error.outcome().word())?;
            if let MeteringError::Equivocation { counter } = refusal.error {
                facts.set_item("counter", counter)?;
            }
        }
        if let Self::Certificate(CertificateError::DoubleClaim { record, refused }) = self {
            let records = [("record", record), ("refused", refused)];
            for (name, claim) in records {
                facts.set_item(name, PyEnergyClaim(claim.as_ref().clone()))?;
            }
        }
        if let Self::Plant(error) = self {
            for (name, fact) in error.facts() {
                facts.set_item(name, fact)?;
            }
        }
        let class = py.import("gridrig.errors")?.getattr(self.class())?;
        class.call((self.code(), "{reason}"), Some(&facts))
    }
}

impl From<CoreError> for PyErr {
    fn from(error: CoreError) -> Self {
        Python::attach(|py| match error.to_exception(py) {
            Ok(exception) => Self::from_value(exception),
            Err(failure) => failure,
        })
    }
}

impl From<MarketError> for CoreError {
    fn from(error: MarketError) -> Self {
        Self::Market(error)
    }
}

impl From<BookError> for CoreError {
    fn from(error: BookError) -> Self {
        Self::Book(error)
    }
}

impl From<ColumnError> for CoreError {
    fn from(error: ColumnError) -> Self {
        Self::Columns(error)
    }
}

impl From<EnrolmentError> for CoreError {
    fn from(error: EnrolmentError) -> Self {
        Self::Enrolment(error)
    }
}

impl From<Refusal> for CoreError {
    fn from(refusal: Refusal) -> Self {
        Self::Reading(Box::new(refusal))
    }
}

impl From<LedgerError> for CoreError {
    fn from(error: LedgerError) -> Self {
        Self::Ledger(error)
    }
}

impl From<BatchError> for CoreError {
    fn from(error: BatchError) -> Self {
        Self::Batch(error)
    }
}

impl From<QuantityError> for CoreError {
    fn from(error: QuantityError) -> Self {
        Self::Quantity(error)
    }
}

impl From<BenchError> for CoreError {
    fn from(error: BenchError) -> Self {
        Self::Bench(error)
    }
}

impl From<PlantError> for CoreError {
    fn from(error: PlantError) -> Self {
        Self::Plant(error)
    }
}

impl From<SettlementError> for CoreError {
    fn from(error: SettlementError) -> Self {
        Self::Settlement(error)
    }
}

impl From<ClaimError> for CoreError {
    fn from(error: ClaimError) -> Self {
        Self::Claim(error)
    }
}

impl From<CertificateError> for CoreError {
    fn from(error: CertificateError) -> Self {
        Self::Certificate(error)
    }
}

impl From<ShareError> for CoreError {
    fn from(error: ShareError) -> Self {
        Self::Share(error)
    }
}

impl From<RewardError> for CoreError {
    fn from(error: RewardError) -> Self {
        Self::Reward(error)
    }
}

impl From<CommitmentError> for CoreError {
    fn from(error: CommitmentError) -> Self {
        Self::Commitment(error)
    }
}

impl From<MerkleError> for CoreError {
    fn from(error: MerkleError) -> Self {
        Self::Merkle(error)
    }
}
