//! Salted commitments for Python.

use gridrig_settlement::commitments::{Opening, salt};
use pyo3::prelude::*;
use pyo3::types::PyBytes;

use crate::errors::CoreError;

/// Returns the salt of a leaf.
#[pyfunction]
#[pyo3(name = "commitment_salt")]
pub(crate) fn py_commitment_salt<'py>(
    py: Python<'py>,
    secret: &[u8],
    leaf_id: &str,
) -> PyResult<Bound<'py, PyBytes>> {
    let salt = salt(secret, leaf_id).map_err(CoreError::from)?;
    Ok(PyBytes::new(py, &salt))
}

/// What opens a commitment.
#[pyclass(frozen, eq, hash, module = "gridrig._core", name = "Opening")]
#[derive(PartialEq, Eq, Hash)]
pub(crate) struct PyOpening(Opening);

#[pymethods]
impl PyOpening {
    #[new]
    fn new(leaf_id: &str, salt: &[u8], payload: &[u8]) -> PyResult<Self> {
        let opening = Opening::new(leaf_id, salt, payload);
        Ok(Self(opening.map_err(CoreError::from)?))
    }

    #[getter]
    fn commitment<'py>(&self, py: Python<'py>) -> Bound<'py, PyBytes> {
        PyBytes::new(py, &self.0.commitment())
    }

    fn open(&self, commitment: &[u8]) -> PyResult<&[u8]> {
        Ok(self.0.open(commitment).map_err(CoreError::from)?)
    }
}
