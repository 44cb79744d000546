//! The verifier for Python.

use std::sync::{Mutex, MutexGuard};

use gridrig_metering::{
    KeyRecord, LedgerRow, PaginationContext, Refusal, VerifiedReading, Verifier,
};
use gridrig_quantity::Energy;
use pyo3::prelude::*;

use crate::errors::{CoreError, Word};

/// A reading that was verified; only a `Verifier` makes one.
#[pyclass(
    frozen,
    eq,
    hash,
    module = "gridrig._core",
    name = "VerifiedReading",
    from_py_object
)]
#[derive(Clone, PartialEq, Eq, Hash)]
pub(crate) struct PyVerifiedReading(pub(crate) VerifiedReading);

#[pymethods]
impl PyVerifiedReading {
    #[getter]
    fn meter(&self) -> &str {
        self.0.meter()
    }

    #[getter]
    fn serial(&self) -> &str {
        self.0.serial()
    }

    #[getter]
    fn key_id(&self) -> &[u8] {
        self.0.key_id()
    }

    #[getter]
    fn context(&self) -> char {
        self.0.context().letter()
    }

    #[getter]
    fn pagination(&self) -> u64 {
        self.0.pagination()
    }

    #[getter]
    fn time_s(&self) -> i64 {
        self.0.time_s()
    }

    #[getter]
    fn time_ms(&self) -> i64 {
        self.0.time_ms()
    }

    #[getter]
    fn clock_status(&self) -> char {
        self.0.clock_status().letter()
    }

    #[getter]
    fn import_milliwh(&self) -> i64 {
        self.0.import().milliwh()
    }

    #[getter]
    fn export_milliwh(&self) -> i64 {
        self.0.export().milliwh()
    }

    #[getter]
    fn digest(&self) -> &[u8] {
        self.0.digest()
    }

    fn __repr__(&self) -> String {
        let (context, pagination) = (self.context(), self.pagination());
        let (import, export) = (self.import_milliwh(), self.export_milliwh());
        let (meter, time_s) = (self.meter(), self.time_s());
        format!(
            "<VerifiedReading {meter:?} {context}{pagination} time_s={time_s} \
             import_milliwh={import} export_milliwh={export}>"
        )
    }
}

/// A record that is no verified reading, and why.
#[pyclass(frozen, module = "gridrig._core", name = "Refusal")]
pub(crate) struct PyRefusal(Refusal);

#[pymethods]
impl PyRefusal {
    #[getter]
    fn code(&self) -> &'static str {
        self.0.error.code()
    }

    #[getter]
    fn message(&self) -> String {
        self.0.error.to_string()
    }

    #[getter]
    fn meter(&self) -> Option<&str> {
        self.0.meter.as_deref()
    }

    #[getter]
    fn outcome(&self) -> &'static str {
        self.0.error.outcome().word()
    }

    fn __repr__(&self) -> String {
        format!("<Refusal {} {:?}>", self.code(), self.message())
    }
}

/// One outcome of a batch.
#[derive(IntoPyObject)]
pub(crate) enum PyOutcome {
    Verified(PyVerifiedReading),
    Refused(PyRefusal),
}

impl From<Result<VerifiedReading, Refusal>> for PyOutcome {
    fn from(outcome: Result<VerifiedReading, Refusal>) -> Self {
        match outcome {
            Ok(reading) => Self::Verified(PyVerifiedReading(reading)),
            Err(refusal) => Self::Refused(PyRefusal(refusal)),
        }
    }
}

/// (key_id, context, pagination, time_ms, import_milliwh, export_milliwh, digest)
type Row = ([u8; 32], char, u64, i64, i64, i64, [u8; 32]);

/// The same on its way out: `bytes`, where an array would become a list of numbers.
type RowOut<'a> = (&'a [u8], char, u64, i64, i64, i64, &'a [u8]);

fn row_out(row: &LedgerRow) -> RowOut<'_> {
    let (import, export) = (row.import.milliwh(), row.export.milliwh());
    let context = row.context.letter();
    (
        &row.key_id,
        context,
        row.pagination,
        row.time_ms,
        import,
        export,
        &row.digest,
    )
}

fn row_in(
    (key_id, letter, pagination, time_ms, import, export, digest): Row,
) -> PyResult<LedgerRow> {
    let unknown = || {
        let expected = "T or F";
        CoreError::Word(Word {
            name: "context",
            found: letter.to_string(),
            expected,
        })
    };
    let context = PaginationContext::from_letter(letter).ok_or_else(unknown)?;
    let import = Energy::from_milliwh(import).map_err(CoreError::from)?;
    let export = Energy::from_milliwh(export).map_err(CoreError::from)?;
    Ok(LedgerRow {
        key_id,
        context,
        pagination,
        time_ms,
        import,
        export,
        digest,
    })
}

/// A trust store and the replay ledger of its keys.
#[pyclass(frozen, module = "gridrig._core", name = "Verifier")]
pub(crate) struct PyVerifier(Mutex<Verifier>);

impl PyVerifier {
    fn lock(&self) -> Result<MutexGuard<'_, Verifier>, CoreError> {
        self.0.lock().map_err(|_| CoreError::VerifierBroken)
    }
}

#[pymethods]
impl PyVerifier {
    #[new]
    fn new() -> Self {
        Self(Mutex::new(Verifier::new()))
    }

    #[pyo3(signature = (meter, *, serial, algorithm = "ecdsa-p256", public_key,
                        valid_from_s, valid_to_s = None))]
    #[expect(
        clippy::too_many_arguments,
        reason = "the fields of a key record, by keyword"
    )]
    fn enrol(
        &self,
        py: Python<'_>,
        meter: String,
        serial: String,
        algorithm: &str,
        public_key: Vec<u8>,
        valid_from_s: i64,
        valid_to_s: Option<i64>,
    ) -> PyResult<()> {
        let algorithm = algorithm.to_owned();
        let record = KeyRecord {
            meter,
            serial,
            algorithm,
            public_key,
            valid_from_s,
            valid_to_s,
        };
        Ok(py.detach(|| self.lock()?.enrol(record).map_err(CoreError::from))?)
    }

    #[pyo3(signature = (record, *, at_s, meter = None))]
    fn verify(
        &self,
        py: Python<'_>,
        record: &[u8],
        at_s: i64,
        meter: Option<&str>,
    ) -> PyResult<PyVerifiedReading> {
        let verify = || {
            let mut verifier = self.lock()?;
            let outcome = match meter {
                Some(asked) => verifier.verify_of(asked, record, at_s),
                None => verifier.verify(record, at_s),
            };
            outcome.map_err(CoreError::from)
        };
        Ok(PyVerifiedReading(py.detach(verify)?))
    }

    #[pyo3(signature = (records, *, at_s))]
    fn verify_batch(
        &self,
        py: Python<'_>,
        records: Vec<Vec<u8>>,
        at_s: i64,
    ) -> PyResult<Vec<PyOutcome>> {
        let verify = || -> Result<_, CoreError> { Ok(self.lock()?.verify_batch(&records, at_s)) };
        let outcomes = py.detach(verify)?;
        let found = records.len();
        let outcomes = outcomes.ok_or(CoreError::BatchTooLong { found })?;
        Ok(outcomes.into_iter().map(PyOutcome::from).collect())
    }

    fn ledger_rows<'py>(&self, py: Python<'py>) -> PyResult<Vec<Bound<'py, PyAny>>> {
        let rows =
            || -> Result<Vec<_>, CoreError> { Ok(self.lock()?.ledger_rows().cloned().collect()) };
        let rows = py.detach(rows)?;
        rows.iter()
            .map(|row| Ok(row_out(row).into_pyobject(py)?.into_any()))
            .collect()
    }

    fn restore(&self, py: Python<'_>, rows: Vec<Row>) -> PyResult<()> {
        let rows = rows.into_iter().map(row_in).collect::<PyResult<Vec<_>>>()?;
        Ok(py.detach(|| self.lock()?.restore(&rows).map_err(CoreError::from))?)
    }
}
