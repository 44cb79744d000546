//! Numbers for names, for Python.

use std::sync::{Mutex, MutexGuard, PoisonError};

use gridrig_settlement::numbering::Numbering;
use numpy::{IntoPyArray, PyArray1};
use pyo3::prelude::*;
use pyo3::pybacked::PyBackedBytes;
use pyo3::types::PyBytes;

/// Numbers from 1 for names.
#[pyclass(frozen, module = "gridrig._core", name = "Numbering")]
pub(crate) struct PyNumbering(Mutex<Numbering>);

impl PyNumbering {
    /// Waits for the numbering; not to be called while attached and another thread may hold it.
    pub(crate) fn held(&self) -> MutexGuard<'_, Numbering> {
        // Nothing that is done under the lock leaves it half done.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[pymethods]
impl PyNumbering {
    #[new]
    fn new(py: Python<'_>, kept: Vec<Vec<u8>>) -> Self {
        Self(Mutex::new(py.detach(|| Numbering::kept(kept))))
    }

    #[getter]
    fn last(&self, py: Python<'_>) -> usize {
        py.detach(|| self.held().last())
    }

    fn numbers<'py>(
        &self,
        py: Python<'py>,
        names: Vec<PyBackedBytes>,
    ) -> Bound<'py, PyArray1<i64>> {
        let numbers: Vec<i64> = py.detach(|| {
            let mut held = self.held();
            names.iter().map(|name| held.number(name)).collect()
        });
        numbers.into_pyarray(py)
    }

    fn new_names<'py>(&self, py: Python<'py>) -> Vec<Bound<'py, PyBytes>> {
        let names = py.detach(|| self.held().new_names().to_vec());
        names.iter().map(|name| PyBytes::new(py, name)).collect()
    }

    fn keep(&self, py: Python<'_>) {
        py.detach(|| self.held().keep());
    }

    fn forget(&self, py: Python<'_>) {
        py.detach(|| self.held().forget());
    }
}
