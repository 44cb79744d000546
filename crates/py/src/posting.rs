//! What a journal keeps of a settled period, for Python.

use gridrig_settlement::posting::{Posting, rows_image, tree_of_post};
use numpy::{IntoPyArray, PyArray1};
use pyo3::prelude::*;

use crate::errors::CoreError;
use crate::merkle::PyMerkleTree;
use crate::numbering::PyNumbering;
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

/// Returns the rows of a post as a database.
#[pyfunction]
#[pyo3(name = "posted_image")]
pub(crate) fn py_posted_image<'py>(
    py: Python<'py>,
    postings: Vec<Posted<'py>>,
    accounts: &PyNumbering,
    meters: &PyNumbering,
) -> PyResult<Bound<'py, PyArray1<u8>>> {
    let postings = postings.iter().map(Posted::posting).collect();
    let image = py.detach(|| rows_image(postings, &mut accounts.held(), &mut meters.held()));
    Ok(image?.into_pyarray(py))
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
