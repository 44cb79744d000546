//! Batches of records for Python: bytes in, columns of verdicts and rows for a store out.

use std::sync::{Mutex, PoisonError};

use gridrig_metering::{Authenticated, BatchError, Fork, LedgerRow, Staged, VerdictColumns};
use gridrig_quantity::Energy;
use numpy::{IntoPyArray, PyArray1};
use pyo3::prelude::*;
use pyo3::pybacked::PyBackedBytes;
use pyo3::types::PyBytes;

use crate::errors::CoreError;
use crate::metering::PyOutcome;

/// The records of a batch: one object each, or one buffer and where each begins and ends in it.
#[derive(FromPyObject)]
pub(crate) enum Records {
    Each(Vec<PyBackedBytes>),
    Joined(PyBackedBytes, Vec<usize>),
}

impl Records {
    pub(crate) fn slices(&self) -> Result<Vec<&[u8]>, CoreError> {
        match self {
            Self::Each(records) => Ok(records.iter().map(AsRef::as_ref).collect()),
            Self::Joined(buffer, offsets) => {
                gridrig_metering::split_at_offsets(buffer, offsets).map_err(CoreError::from)
            }
        }
    }

    /// The bytes of one record; those of a list are handed back as they came.
    fn record<'py>(&self, py: Python<'py>, place: usize) -> PyResult<Bound<'py, PyAny>> {
        match self {
            Self::Each(records) => Ok((&records[place]).into_pyobject(py)?.into_any()),
            Self::Joined(..) => Ok(PyBytes::new(py, self.slices()?[place]).into_any()),
        }
    }
}

/// Records judged by themselves; `Verifier.stage` takes them once.
#[pyclass(frozen, module = "gridrig._core", name = "Authenticated")]
pub(crate) struct PyAuthenticated(Mutex<Option<(Records, Authenticated)>>);

impl PyAuthenticated {
    pub(crate) fn new(records: Records, authenticated: Authenticated) -> Self {
        Self(Mutex::new(Some((records, authenticated))))
    }

    pub(crate) fn with<T>(
        &self,
        ask: impl FnOnce(&Authenticated) -> Result<T, CoreError>,
    ) -> Result<T, CoreError> {
        let held = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let (_, authenticated) = held.as_ref().ok_or(BatchError::Used)?;
        ask(authenticated)
    }

    pub(crate) fn take(&self) -> Result<(Records, Authenticated), CoreError> {
        let mut held = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        Ok(held.take().ok_or(BatchError::Used)?)
    }
}

type Column<'py, T> = Bound<'py, PyArray1<T>>;

/// The columns of a batch, in the order of `VerdictColumns`, of which a tuple holds no more.
type Columns<'py> = (
    Column<'py, u8>,
    Column<'py, u8>,
    Column<'py, i32>,
    Column<'py, u8>,
    Column<'py, i64>,
    Column<'py, i64>,
    Column<'py, i64>,
    Column<'py, i64>,
    Column<'py, u8>,
    Column<'py, i64>,
    Column<'py, i64>,
    Column<'py, u32>,
);

fn columns_out(py: Python<'_>, columns: VerdictColumns) -> Columns<'_> {
    (
        columns.status.into_pyarray(py),
        columns.code.into_pyarray(py),
        columns.meter.into_pyarray(py),
        columns.context.into_pyarray(py),
        columns.counter.into_pyarray(py),
        columns.missing.into_pyarray(py),
        columns.time_ms.into_pyarray(py),
        columns.start_ms.into_pyarray(py),
        columns.clock_status.into_pyarray(py),
        columns.import_milliwh.into_pyarray(py),
        columns.export_milliwh.into_pyarray(py),
        columns.findings.into_pyarray(py),
    )
}

/// A staged batch: its outcomes, and what a store has to keep of it.
#[pyclass(frozen, module = "gridrig._core", name = "StagedBatch")]
pub(crate) struct PyStagedBatch {
    records: Records,
    staged: Staged,
}

impl PyStagedBatch {
    pub(crate) fn new(records: Records, staged: Staged) -> Self {
        Self { records, staged }
    }
}

/// (key, context, counter, time_ms, clock_status, start_ms, import_milliwh, export_milliwh,
/// operating_s, power_milliwatt, digest, record)
type StoreRow<'py> = (
    i64,
    char,
    u64,
    i64,
    char,
    Option<i64>,
    Option<i64>,
    Option<i64>,
    Option<u64>,
    Option<i64>,
    Bound<'py, PyBytes>,
    Bound<'py, PyAny>,
);

/// (key, context, counter, digest, record, received_s)
type ForkRow<'py> = (
    i64,
    char,
    u64,
    Bound<'py, PyBytes>,
    Bound<'py, PyAny>,
    Option<i64>,
);

fn key_number(numbers: &[i64], place: u32) -> Result<i64, CoreError> {
    let number = usize::try_from(place)
        .ok()
        .and_then(|place| numbers.get(place));
    Ok(*number.ok_or(BatchError::KeyNumber { place })?)
}

#[pymethods]
impl PyStagedBatch {
    fn __len__(&self) -> usize {
        self.staged.outcomes.len()
    }

    fn outcome(&self, place: usize) -> PyResult<PyOutcome> {
        let (found, outcome) = (self.__len__(), self.staged.outcomes.get(place).cloned());
        let outcome = outcome.ok_or(CoreError::Batch(BatchError::Place { place, found }))?;
        Ok(PyOutcome::from(outcome))
    }

    fn columns<'py>(&self, py: Python<'py>) -> Columns<'py> {
        columns_out(py, py.detach(|| self.staged.columns()))
    }

    fn digests<'py>(&self, py: Python<'py>) -> Column<'py, u8> {
        py.detach(|| self.staged.digests()).into_pyarray(py)
    }

    fn rows<'py>(&self, py: Python<'py>, key_numbers: Vec<i64>) -> PyResult<Vec<StoreRow<'py>>> {
        let row = |(record, place, row): &(usize, u32, LedgerRow)| {
            Ok((
                key_number(&key_numbers, *place)?,
                row.context.letter(),
                row.counter,
                row.time_ms,
                row.clock_status.letter(),
                row.start_ms,
                row.import.map(Energy::milliwh),
                row.export.map(Energy::milliwh),
                row.operating_s,
                row.power_milliwatt,
                PyBytes::new(py, &row.digest),
                self.records.record(py, *record)?,
            ))
        };
        self.staged.rows.iter().map(row).collect()
    }

    fn forks<'py>(
        &self,
        py: Python<'py>,
        key_numbers: Vec<i64>,
        received_s: Option<i64>,
    ) -> PyResult<Vec<ForkRow<'py>>> {
        let row = |fork: &Fork| {
            let (_, context, counter) = fork.key;
            Ok((
                key_number(&key_numbers, fork.place)?,
                context.letter(),
                counter,
                PyBytes::new(py, &fork.digest),
                self.records.record(py, fork.record)?,
                received_s,
            ))
        };
        self.staged.forks.iter().map(row).collect()
    }
}
