//! Shares of an asset, and money parted by weight, for Python.

use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard};

use gridrig_settlement::shares::{Distribution, ShareRegister, Waterfall, largest_remainder};
use pyo3::prelude::*;

use crate::errors::CoreError;

/// Parts money by weight.
#[pyfunction]
#[pyo3(name = "largest_remainder")]
pub(crate) fn py_largest_remainder(total_micro: i64, weights: Vec<u64>) -> PyResult<Vec<i64>> {
    Ok(largest_remainder(total_micro, &weights).map_err(CoreError::from)?)
}

/// (payouts, made_good_micro, losses_micro)
type DistributionRow = (Vec<(String, i64)>, i64, i64);

/// The shares of one asset.
#[pyclass(frozen, module = "gridrig._core", name = "ShareRegister")]
pub(crate) struct PyShareRegister(Mutex<ShareRegister>);

impl PyShareRegister {
    fn lock(&self) -> Result<MutexGuard<'_, ShareRegister>, CoreError> {
        self.0.lock().map_err(|_| CoreError::RegisterBroken)
    }
}

#[pymethods]
impl PyShareRegister {
    #[new]
    fn new(founders: Vec<(String, u64)>) -> PyResult<Self> {
        let shares = ShareRegister::new(founders).map_err(CoreError::from)?;
        Ok(Self(Mutex::new(shares)))
    }

    fn transfer(
        &self,
        py: Python<'_>,
        at_ms: i64,
        holder: &str,
        to: &str,
        shares: u64,
    ) -> PyResult<()> {
        let transfer = || {
            let moved = self.lock()?.transfer(at_ms, holder, to, shares);
            moved.map_err(CoreError::from)
        };
        Ok(py.detach(transfer)?)
    }

    fn held(&self, py: Python<'_>) -> PyResult<BTreeMap<String, u64>> {
        Ok(py.detach(|| Ok::<_, CoreError>(self.lock()?.held().clone()))?)
    }

    fn weights(&self, py: Python<'_>, from_ms: i64, to_ms: i64) -> PyResult<BTreeMap<String, u64>> {
        Ok(py.detach(|| Ok::<_, CoreError>(self.lock()?.weights(from_ms, to_ms)?))?)
    }

    #[pyo3(signature = (net_revenue_micro, *, from_ms, to_ms, losses_micro = 0))]
    fn distribute(
        &self,
        py: Python<'_>,
        net_revenue_micro: i64,
        from_ms: i64,
        to_ms: i64,
        losses_micro: i64,
    ) -> PyResult<DistributionRow> {
        let distribute = || -> Result<Distribution, CoreError> {
            let mut waterfall = Waterfall::carrying(losses_micro)?;
            Ok(waterfall.distribute(net_revenue_micro, &*self.lock()?, from_ms, to_ms)?)
        };
        let paid = py.detach(distribute)?;
        Ok((paid.payouts, paid.made_good_micro, paid.losses_micro))
    }
}
