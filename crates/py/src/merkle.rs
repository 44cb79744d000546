//! Merkle trees for Python.

use gridrig_settlement::merkle::{InclusionProof, Item, MerkleTree, VerifiedLeaf, canonical_bytes};
use pyo3::prelude::*;
use pyo3::pybacked::{PyBackedBytes, PyBackedStr};
use pyo3::types::PyBytes;

use crate::errors::CoreError;

/// Leaves of a tree in their order, hashed.
#[pyclass(frozen, eq, module = "gridrig._core", name = "MerkleTree")]
#[derive(PartialEq, Eq)]
pub(crate) struct PyMerkleTree(pub(crate) MerkleTree);

#[pymethods]
impl PyMerkleTree {
    #[new]
    fn new(py: Python<'_>, leaves: Vec<PyBackedBytes>) -> PyResult<Self> {
        let tree = py.detach(|| MerkleTree::from_leaves(&leaves));
        Ok(Self(tree.map_err(CoreError::from)?))
    }

    #[getter]
    fn leaf_count(&self) -> u64 {
        self.0.leaf_count()
    }

    #[pyo3(signature = (*, threads = 1))]
    fn root<'py>(&self, py: Python<'py>, threads: usize) -> Bound<'py, PyBytes> {
        PyBytes::new(py, &py.detach(|| self.0.root(threads)))
    }

    fn proof(&self, py: Python<'_>, index: u64) -> PyResult<PyInclusionProof> {
        let proof = py.detach(|| self.0.proof(index));
        Ok(PyInclusionProof(proof.map_err(CoreError::from)?))
    }

    fn __repr__(&self) -> String {
        format!("<MerkleTree leaf_count={}>", self.leaf_count())
    }
}

/// The place of a leaf and the siblings that lead from it to the root.
#[pyclass(frozen, eq, hash, module = "gridrig._core", name = "InclusionProof")]
#[derive(PartialEq, Eq, Hash)]
pub(crate) struct PyInclusionProof(InclusionProof);

#[pymethods]
impl PyInclusionProof {
    #[new]
    #[pyo3(signature = (*, index, leaf_count, path))]
    fn new(index: u64, leaf_count: u64, path: Vec<PyBackedBytes>) -> PyResult<Self> {
        let proof = InclusionProof::from_parts(index, leaf_count, &path);
        Ok(Self(proof.map_err(CoreError::from)?))
    }

    fn verify(&self, leaf: &[u8], root: &[u8]) -> PyResult<PyVerifiedLeaf> {
        let verified = self.0.verify(leaf, root).map_err(CoreError::from)?;
        Ok(PyVerifiedLeaf(verified))
    }

    #[getter]
    fn index(&self) -> u64 {
        self.0.index
    }

    #[getter]
    fn leaf_count(&self) -> u64 {
        self.0.leaf_count
    }

    #[getter]
    fn path(&self) -> Vec<&[u8]> {
        self.0.path.iter().map(|sibling| &sibling[..]).collect()
    }

    fn __repr__(&self) -> String {
        format!("<InclusionProof {}/{}>", self.0.index, self.0.leaf_count)
    }
}

/// A leaf that a root was proven to contain.
#[pyclass(frozen, eq, hash, module = "gridrig._core", name = "VerifiedLeaf")]
#[derive(PartialEq, Eq, Hash)]
pub(crate) struct PyVerifiedLeaf(VerifiedLeaf);

#[pymethods]
impl PyVerifiedLeaf {
    #[getter]
    fn leaf(&self) -> &[u8] {
        self.0.bytes()
    }

    #[getter]
    fn index(&self) -> u64 {
        self.0.index()
    }

    #[getter]
    fn root(&self) -> &[u8] {
        self.0.root()
    }

    fn __repr__(&self) -> String {
        format!("<VerifiedLeaf {}>", self.0.index())
    }
}

/// One item of a record.
#[derive(FromPyObject)]
pub(crate) enum PyItem {
    Int(i64),
    Unsigned(u64),
    Text(PyBackedStr),
    Bytes(PyBackedBytes),
}

fn item_of(item: &Option<PyItem>) -> Item<'_> {
    match item {
        Some(PyItem::Int(value)) => Item::Int(*value),
        Some(PyItem::Unsigned(value)) => Item::Unsigned(*value),
        Some(PyItem::Text(text)) => Item::Text(text),
        Some(PyItem::Bytes(bytes)) => Item::Bytes(bytes),
        None => Item::Null,
    }
}

/// Returns the one spelling of a record as bytes.
#[pyfunction]
#[pyo3(name = "canonical_bytes")]
pub(crate) fn py_canonical_bytes(
    py: Python<'_>,
    record: Vec<Option<PyItem>>,
) -> Bound<'_, PyBytes> {
    let items: Vec<Item<'_>> = record.iter().map(item_of).collect();
    PyBytes::new(py, &canonical_bytes(&items))
}
