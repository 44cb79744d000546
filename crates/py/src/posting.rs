//! What a journal keeps of a settled period, for Python.

use gridrig_settlement::posting::{self, Posting, tree_of_post};
use numpy::{IntoPyArray, PyArray1};
use pyo3::prelude::*;
use pyo3::types::{PyBytes, PyString};

use crate::errors::CoreError;
use crate::merkle::PyMerkleTree;
use crate::settlement::{PyCorrection, PySettled};

/// A settled period, or a correction of one.
#[derive(FromPyObject)]
pub(crate) enum Posted<'py> {
    Settled(PyRef<'py, PySettled>),
    Correction(PyRef<'py, PyCorrection>),
}

impl Posted<'_> {
    fn posting(&self) -> Posting<'_> {
        match self {
            Self::Settled(settled) => Posting::from(&*settled.0),
            Self::Correction(correction) => Posting::from(&*correction.0),
        }
    }
}

/// Entries and meters row by row, digests behind each meter, names of accounts and of meters
type Columns<'py> = (
    Bound<'py, PyArray1<i64>>,
    Bound<'py, PyArray1<i64>>,
    Vec<Bound<'py, PyBytes>>,
    Vec<Bound<'py, PyString>>,
    Vec<Bound<'py, PyString>>,
);

/// Returns the columns of a settled period or a correction.
#[pyfunction]
#[pyo3(name = "posted_columns")]
pub(crate) fn py_posted_columns<'py>(
    py: Python<'py>,
    posted: Posted<'py>,
) -> PyResult<Columns<'py>> {
    let posting = posted.posting();
    let text = |name: &str| PyString::new(py, name);
    let (metered, others) = py.detach(|| posting.metered_columns());
    let digests = |meter| PyBytes::new(py, &posting::digests(meter));
    let accounts = posting.accounts.iter().map(|name| &**name);
    Ok((
        py.detach(|| posting.entry_columns())?.into_pyarray(py),
        metered.into_pyarray(py),
        posting.meters.iter().map(digests).collect(),
        accounts.chain(others).map(text).collect(),
        posting
            .meters
            .iter()
            .map(|meter| text(meter.meter()))
            .collect(),
    ))
}

/// Returns the tree of a post.
#[pyfunction]
#[pyo3(name = "posted_tree", signature = (settled, corrections, *, threads = 1))]
pub(crate) fn py_posted_tree(
    py: Python<'_>,
    settled: PyRef<'_, PySettled>,
    corrections: Vec<PyRef<'_, PyCorrection>>,
    threads: usize,
) -> PyResult<PyMerkleTree> {
    let corrections = corrections.iter().map(|one| Posting::from(&*one.0));
    let postings = std::iter::once(Posting::from(&*settled.0)).chain(corrections);
    let postings: Vec<Posting<'_>> = postings.collect();
    let tree = py.detach(|| tree_of_post(postings, threads));
    Ok(PyMerkleTree(tree.map_err(CoreError::from)?))
}
