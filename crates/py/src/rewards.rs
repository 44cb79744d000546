//! Rewards of a virtual power plant for Python.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Mutex, MutexGuard};

use gridrig_quantity::{Energy, Price};
use gridrig_settlement::MeterPeriod;
use gridrig_settlement::rewards::{
    Event, Fleet, History, Measured, Programme, Shortcoming, Site, capacity, connectivity, pay,
    response,
};
use pyo3::prelude::*;

use crate::errors::CoreError;
use crate::meter_period::PyMeterPeriod;

/// Pays what is due from a pool; returns what each is paid and what is left.
#[pyfunction]
#[pyo3(name = "pay_rewards")]
pub(crate) fn py_pay_rewards(pool_micro: i64, due_micro: Vec<i64>) -> PyResult<(Vec<i64>, i64)> {
    let paid = pay(pool_micro, &due_micro).map_err(CoreError::from)?;
    Ok((paid.paid_micro, paid.left_micro))
}

/// (site, point, meters, commitment_milliwh)
type SiteRow = (String, String, Vec<String>, i64);

/// Who is in a programme, and with which meters.
#[pyclass(frozen, module = "gridrig._core", name = "RewardFleet")]
pub(crate) struct PyRewardFleet(Mutex<Fleet>);

impl PyRewardFleet {
    fn lock(&self) -> Result<MutexGuard<'_, Fleet>, CoreError> {
        self.0.lock().map_err(|_| CoreError::RegisterBroken)
    }
}

#[pymethods]
impl PyRewardFleet {
    #[new]
    fn new(points: BTreeMap<String, Vec<String>>) -> PyResult<Self> {
        let fleet = Fleet::new(points).map_err(CoreError::from)?;
        Ok(Self(Mutex::new(fleet)))
    }

    #[pyo3(signature = (site, point, *, commitment_milliwh))]
    fn enrol(
        &self,
        py: Python<'_>,
        site: &str,
        point: &str,
        commitment_milliwh: i64,
    ) -> PyResult<()> {
        let enrol = || -> Result<(), CoreError> {
            let commitment = Energy::from_milliwh(commitment_milliwh)?;
            Ok(self.lock()?.enrol(site, point, commitment)?)
        };
        Ok(py.detach(enrol)?)
    }

    fn sites(&self, py: Python<'_>) -> PyResult<Vec<SiteRow>> {
        let row = |(name, site): (&String, &Site)| {
            let commitment = site.commitment.milliwh();
            (
                name.clone(),
                site.point.clone(),
                site.meters.clone(),
                commitment,
            )
        };
        let sites = || Ok::<_, CoreError>(self.lock()?.sites().iter().map(row).collect());
        Ok(py.detach(sites)?)
    }
}

/// What was measured of a site.
#[pyclass(frozen, eq, module = "gridrig._core", name = "Measured")]
#[derive(PartialEq, Eq)]
pub(crate) struct PyMeasured(Measured);

#[pymethods]
impl PyMeasured {
    #[getter]
    fn baseline_milliwh(&self) -> i64 {
        self.0.baseline.milliwh()
    }

    #[getter]
    fn net_load_milliwh(&self) -> i64 {
        self.0.net_load.milliwh()
    }

    #[getter]
    fn counted_milliwh(&self) -> i64 {
        self.0.counted.milliwh()
    }

    #[getter]
    fn shortcoming(&self) -> Option<&'static str> {
        self.0.shortcoming.map(Shortcoming::word)
    }

    #[getter]
    fn digests(&self) -> Vec<&[u8]> {
        self.0.digests.iter().map(|digest| &digest[..]).collect()
    }

    fn __repr__(&self) -> String {
        let (counted, shortcoming) = (self.counted_milliwh(), self.shortcoming());
        let amiss = shortcoming.map_or(String::new(), |word| format!(" {word}"));
        format!("<Measured counted_milliwh={counted}{amiss}>")
    }
}

/// The numbers of a programme.
#[pyclass(frozen, eq, module = "gridrig._core", name = "RewardProgramme")]
#[derive(PartialEq, Eq)]
pub(crate) struct PyRewardProgramme(Programme);

impl PyRewardProgramme {
    /// Runs a measurement on the history of a site.
    fn of_site<T: Send>(
        &self,
        py: Python<'_>,
        fleet: &PyRewardFleet,
        name: &str,
        periods: Vec<PyMeterPeriod>,
        measure: impl FnOnce(&Site, &History) -> Result<T, CoreError> + Send,
    ) -> PyResult<T> {
        let periods: Vec<MeterPeriod> = periods.into_iter().map(|period| period.0).collect();
        Ok(py.detach(|| -> Result<T, CoreError> {
            let site = fleet.lock()?.site(name)?.clone();
            measure(&site, &History::new(name, &site, &self.0, &periods)?)
        })?)
    }
}

#[pymethods]
impl PyRewardProgramme {
    #[new]
    #[pyo3(signature = (*, period_ms, utc_offset_s, baseline_days, look_back_days,
                        unread_days_max, adjustment_periods, adjustment_permille_max,
                        dead_band_permille, event_periods_max, event_days_max,
                        response_price_micro_per_kwh, energy_price_micro_per_kwh_min))]
    #[expect(
        clippy::too_many_arguments,
        reason = "the numbers of a programme, by keyword"
    )]
    fn new(
        period_ms: i64,
        utc_offset_s: i32,
        baseline_days: u32,
        look_back_days: u32,
        unread_days_max: u32,
        adjustment_periods: u32,
        adjustment_permille_max: u32,
        dead_band_permille: u32,
        event_periods_max: u32,
        event_days_max: u32,
        response_price_micro_per_kwh: i64,
        energy_price_micro_per_kwh_min: i64,
    ) -> PyResult<Self> {
        let price = |micro| Price::from_micro_per_kwh(micro).map_err(CoreError::from);
        let programme = Programme::new(Programme {
            period_ms,
            utc_offset_s,
            baseline_days,
            look_back_days,
            unread_days_max,
            adjustment_periods,
            adjustment_permille_max,
            dead_band_permille,
            event_periods_max,
            event_days_max,
            response_price: price(response_price_micro_per_kwh)?,
            energy_price_min: price(energy_price_micro_per_kwh_min)?,
        });
        Ok(Self(programme.map_err(CoreError::from)?))
    }

    fn day(&self, time_ms: i64) -> i64 {
        self.0.day(time_ms)
    }

    fn due_micro(&self, counted_milliwh: i64) -> PyResult<i64> {
        let due = Energy::from_milliwh(counted_milliwh).map(|energy| self.0.due(energy));
        Ok(due.map_err(CoreError::from)?.micro())
    }

    #[pyo3(signature = (fleet, site, periods, *, notice_ms, from_ms, to_ms,
                        excluded_days = BTreeSet::new()))]
    #[expect(clippy::too_many_arguments, reason = "a site, its readings, an event")]
    fn response(
        &self,
        py: Python<'_>,
        fleet: &PyRewardFleet,
        site: &str,
        periods: Vec<PyMeterPeriod>,
        notice_ms: i64,
        from_ms: i64,
        to_ms: i64,
        excluded_days: BTreeSet<i64>,
    ) -> PyResult<PyMeasured> {
        let event = Event {
            notice_ms,
            from_ms,
            to_ms,
        };
        let measured = self.of_site(py, fleet, site, periods, |site, history| {
            Ok(response(&self.0, site, history, &event, &excluded_days)?)
        })?;
        Ok(PyMeasured(measured))
    }

    #[pyo3(signature = (fleet, site, periods, *, notice_ms, from_ms, to_ms, claimed_milliwh,
                        tolerance_permille = 50, excluded_days = BTreeSet::new()))]
    #[expect(clippy::too_many_arguments, reason = "a site, its readings, a test")]
    fn capacity(
        &self,
        py: Python<'_>,
        fleet: &PyRewardFleet,
        site: &str,
        periods: Vec<PyMeterPeriod>,
        notice_ms: i64,
        from_ms: i64,
        to_ms: i64,
        claimed_milliwh: i64,
        tolerance_permille: u32,
        excluded_days: BTreeSet<i64>,
    ) -> PyResult<PyMeasured> {
        let test = Event {
            notice_ms,
            from_ms,
            to_ms,
        };
        let claimed = Energy::from_milliwh(claimed_milliwh).map_err(CoreError::from)?;
        let measured = self.of_site(py, fleet, site, periods, |_, history| {
            let excluded = &excluded_days;
            Ok(capacity(
                &self.0,
                history,
                &test,
                excluded,
                claimed,
                tolerance_permille,
            )?)
        })?;
        Ok(PyMeasured(measured))
    }

    #[pyo3(signature = (fleet, site, periods, *, from_ms, to_ms))]
    fn connectivity(
        &self,
        py: Python<'_>,
        fleet: &PyRewardFleet,
        site: &str,
        periods: Vec<PyMeterPeriod>,
        from_ms: i64,
        to_ms: i64,
    ) -> PyResult<(usize, usize)> {
        self.of_site(py, fleet, site, periods, |_, history| {
            Ok(connectivity(&self.0, history, from_ms, to_ms)?)
        })
    }
}
