//! Core errors become the exceptions that Python owns: same code, same text, facts as attributes.

use gridrig_bench::BenchError;
use gridrig_market::MarketError;
use gridrig_market::book::{BookError, ColumnError};
use gridrig_metering::{BatchError, EnrolmentError, LedgerError, MeteringError, Refusal};
use gridrig_plant::PlantError;
use gridrig_quantity::QuantityError;
use gridrig_settlement::SettlementError;
use gridrig_settlement::claims::ClaimError;
use gridrig_settlement::merkle::MerkleError;
use pyo3::prelude::*;
use pyo3::types::{IntoPyDict, PyDict};

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
            Self::Quantity(_) | Self::Settlement(_) | Self::Claim(_) | Self::Merkle(_) => {
                "SettlementError"
            }
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

impl From<MerkleError> for CoreError {
    fn from(error: MerkleError) -> Self {
        Self::Merkle(error)
    }
}
