//! Claim trees for Python.

use gridrig_settlement::claims::{Address, Bucket, Claim, ClaimProof, ClaimTree, VerifiedClaim};
use pyo3::prelude::*;
use pyo3::pybacked::PyBackedBytes;

use crate::errors::CoreError;

fn bucket(chain_id: u64, contract: &[u8], number: u64) -> Result<Bucket, CoreError> {
    Ok(Bucket {
        chain_id,
        contract: Address::from_bytes(contract)?,
        number,
    })
}

/// All claims on one bucket, hashed.
#[pyclass(frozen, eq, module = "gridrig._core", name = "ClaimTree")]
#[derive(PartialEq, Eq)]
pub(crate) struct PyClaimTree(ClaimTree);

#[pymethods]
impl PyClaimTree {
    #[new]
    #[pyo3(signature = (*, chain_id, contract, bucket, accounts, amounts))]
    fn new(
        py: Python<'_>,
        chain_id: u64,
        contract: &[u8],
        bucket: u64,
        accounts: Vec<PyBackedBytes>,
        amounts: Vec<i128>,
    ) -> PyResult<Self> {
        let bucket = self::bucket(chain_id, contract, bucket)?;
        let make = || ClaimTree::new(bucket, Claim::from_columns(&accounts, &amounts)?);
        Ok(Self(py.detach(make).map_err(CoreError::from)?))
    }

    #[getter]
    fn root(&self) -> [u8; 32] {
        self.0.root()
    }

    #[getter]
    fn leaf_count(&self) -> u64 {
        self.0.leaf_count()
    }

    #[getter]
    fn total(&self) -> u128 {
        self.0.total()
    }

    #[getter]
    fn chain_id(&self) -> u64 {
        self.0.bucket().chain_id
    }

    #[getter]
    fn contract(&self) -> &[u8] {
        self.0.bucket().contract.as_bytes()
    }

    #[getter]
    fn bucket(&self) -> u64 {
        self.0.bucket().number
    }

    fn claims(&self) -> Vec<(&[u8], u128)> {
        let column = self.0.claims().iter();
        column
            .map(|claim| (&claim.account().as_bytes()[..], claim.amount()))
            .collect()
    }

    fn proof(&self, account: &[u8]) -> PyResult<PyClaimProof> {
        let proof = Address::from_bytes(account).and_then(|account| self.0.proof(&account));
        Ok(PyClaimProof(proof.map_err(CoreError::from)?))
    }

    fn __repr__(&self) -> String {
        let (bucket, leaves, total) = (self.bucket(), self.leaf_count(), self.total());
        format!("<ClaimTree bucket={bucket} leaf_count={leaves} total={total}>")
    }
}

/// A claim, its place, and the siblings that lead from it to the root.
#[pyclass(frozen, eq, hash, module = "gridrig._core", name = "ClaimProof")]
#[derive(PartialEq, Eq, Hash)]
pub(crate) struct PyClaimProof(ClaimProof);

#[pymethods]
impl PyClaimProof {
    #[new]
    #[pyo3(signature = (*, chain_id, contract, bucket, leaf_count, total, index, account, amount,
                        path))]
    #[expect(
        clippy::too_many_arguments,
        reason = "the parts of a proof, by keyword"
    )]
    fn new(
        chain_id: u64,
        contract: &[u8],
        bucket: u64,
        leaf_count: u64,
        total: u128,
        index: u64,
        account: &[u8],
        amount: i128,
        path: Vec<PyBackedBytes>,
    ) -> PyResult<Self> {
        let claim = Address::from_bytes(account).and_then(|account| Claim::new(account, amount));
        Ok(Self(ClaimProof {
            bucket: self::bucket(chain_id, contract, bucket)?,
            leaf_count,
            total,
            index,
            claim: claim.map_err(CoreError::from)?,
            path: ClaimProof::path_from(&path).map_err(CoreError::from)?,
        }))
    }

    fn verify(&self, root: &[u8]) -> PyResult<PyVerifiedClaim> {
        let verified = self.0.verify_bytes(root).map_err(CoreError::from)?;
        Ok(PyVerifiedClaim(verified))
    }

    #[getter]
    fn chain_id(&self) -> u64 {
        self.0.bucket.chain_id
    }

    #[getter]
    fn contract(&self) -> &[u8] {
        self.0.bucket.contract.as_bytes()
    }

    #[getter]
    fn bucket(&self) -> u64 {
        self.0.bucket.number
    }

    #[getter]
    fn leaf_count(&self) -> u64 {
        self.0.leaf_count
    }

    #[getter]
    fn total(&self) -> u128 {
        self.0.total
    }

    #[getter]
    fn index(&self) -> u64 {
        self.0.index
    }

    #[getter]
    fn account(&self) -> &[u8] {
        self.0.claim.account().as_bytes()
    }

    #[getter]
    fn amount(&self) -> u128 {
        self.0.claim.amount()
    }

    #[getter]
    fn path(&self) -> Vec<&[u8]> {
        self.0.path.iter().map(|sibling| &sibling[..]).collect()
    }

    fn __repr__(&self) -> String {
        let ClaimProof {
            index,
            leaf_count,
            claim,
            ..
        } = &self.0;
        format!(
            "<ClaimProof {index}/{leaf_count} {} amount={}>",
            claim.account(),
            claim.amount()
        )
    }
}

/// A claim that a root was proven to contain.
#[pyclass(frozen, eq, hash, module = "gridrig._core", name = "VerifiedClaim")]
#[derive(PartialEq, Eq, Hash)]
pub(crate) struct PyVerifiedClaim(VerifiedClaim);

#[pymethods]
impl PyVerifiedClaim {
    #[getter]
    fn account(&self) -> &[u8] {
        self.0.account().as_bytes()
    }

    #[getter]
    fn amount(&self) -> u128 {
        self.0.amount()
    }

    #[getter]
    fn root(&self) -> &[u8] {
        self.0.root()
    }

    fn __repr__(&self) -> String {
        format!(
            "<VerifiedClaim {} amount={}>",
            self.0.account(),
            self.0.amount()
        )
    }
}
