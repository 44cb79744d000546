//! What a journal keeps of a settled period, for Python.

use gridrig_settlement::posting::{PostedNames, Posting, rows_image, tree_of_post};
use numpy::{IntoPyArray, PyArray1, PyReadonlyArray1};
use pyo3::exceptions::PyValueError;
use pyo3::prelude::*;
use pyo3::types::PyString;

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

/// Returns the names of the accounts and of the meters that the rows of a posting have.
#[pyfunction]
#[pyo3(name = "posted_names")]
pub(crate) fn py_posted_names<'py>(
    py: Python<'py>,
    posted: Posted<'py>,
) -> (Vec<Bound<'py, PyString>>, Vec<Bound<'py, PyString>>) {
    let posting = posted.posting();
    let names = py.detach(|| PostedNames::from(posting));
    let text = |name: &str| PyString::new(py, name);
    (
        names.accounts().map(text).collect(),
        names.meters().map(text).collect(),
    )
}

/// A posting with the numbers of its accounts and of its meters.
type Numbered<'py> = (
    Posted<'py>,
    PyReadonlyArray1<'py, i64>,
    PyReadonlyArray1<'py, i64>,
);

/// Returns the rows of a post as a database.
#[pyfunction]
#[pyo3(name = "posted_image")]
pub(crate) fn py_posted_image<'py>(
    py: Python<'py>,
    postings: Vec<Numbered<'py>>,
) -> PyResult<Bound<'py, PyArray1<u8>>> {
    let mut parts = Vec::with_capacity(postings.len());
    for (posted, accounts, meters) in &postings {
        let names = PostedNames::from(posted.posting());
        let (accounts, meters) = (accounts.as_slice()?, meters.as_slice()?);
        let (found, expected) = (
            (accounts.len(), meters.len()),
            (names.accounts().count(), names.meters().count()),
        );
        if found != expected {
            return Err(PyValueError::new_err(format!(
                "found {found:?} numbers of accounts and meters, expected {expected:?}"
            )));
        }
        parts.push((names, accounts, meters));
    }
    let image = py.detach(|| rows_image(&parts));
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
