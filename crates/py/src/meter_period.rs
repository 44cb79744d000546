//! What meters counted, for Python.

use gridrig_settlement::{MeterPeriod, meter_period};
use pyo3::exceptions::PyValueError;
use pyo3::prelude::*;
use pyo3::pybacked::PyBackedStr;

use crate::errors::CoreError;
use crate::metering::PyVerifiedReading;

/// What one meter counted in one period, with its proof.
#[pyclass(
    frozen,
    eq,
    module = "gridrig._core",
    name = "MeterPeriod",
    from_py_object
)]
#[derive(Clone, PartialEq, Eq)]
pub(crate) struct PyMeterPeriod(pub(crate) MeterPeriod);

#[pymethods]
impl PyMeterPeriod {
    #[new]
    fn new(
        participant: String,
        opening: PyVerifiedReading,
        closing: PyVerifiedReading,
    ) -> PyResult<Self> {
        let pair = MeterPeriod::new(participant, opening.0, closing.0);
        Ok(Self(pair.map_err(CoreError::from)?))
    }

    #[staticmethod]
    fn of_interval(participant: String, reading: PyVerifiedReading) -> PyResult<Self> {
        let interval = MeterPeriod::of_interval(participant, reading.0);
        Ok(Self(interval.map_err(CoreError::from)?))
    }

    #[staticmethod]
    fn since_mounted(
        participant: String,
        mounted_ms: i64,
        closing: PyVerifiedReading,
    ) -> PyResult<Self> {
        let period = MeterPeriod::since_mounted(participant, mounted_ms, closing.0);
        Ok(Self(period.map_err(CoreError::from)?))
    }

    #[staticmethod]
    fn all_since_mounted(
        participants: Vec<PyBackedStr>,
        mounted_ms: i64,
        closings: Vec<PyVerifiedReading>,
    ) -> PyResult<Vec<Self>> {
        let (found, expected) = (participants.len(), closings.len());
        if found != expected {
            return Err(PyValueError::new_err(format!(
                "found {found} participants, expected {expected}, one a reading"
            )));
        }
        let pairs = participants.iter().zip(closings);
        let periods = pairs.map(|(participant, closing)| {
            let period = MeterPeriod::since_mounted(&**participant, mounted_ms, closing.0);
            Ok(Self(period.map_err(CoreError::from)?))
        });
        periods.collect()
    }

    #[staticmethod]
    #[pyo3(signature = (participant, meter, from_ms, to_ms, basis=None))]
    fn estimated(
        participant: String,
        meter: String,
        from_ms: i64,
        to_ms: i64,
        basis: Option<Self>,
    ) -> PyResult<Self> {
        let (ends, basis) = ((from_ms, to_ms), basis.as_ref().map(|basis| &basis.0));
        let period = MeterPeriod::estimated(participant, meter, ends, basis);
        Ok(Self(period.map_err(CoreError::from)?))
    }

    #[staticmethod]
    fn join(parts: Vec<Self>) -> PyResult<Self> {
        let parts = parts.into_iter().map(|part| part.0).collect();
        Ok(Self(MeterPeriod::join(parts).map_err(CoreError::from)?))
    }

    #[getter]
    fn participant(&self) -> &str {
        self.0.participant()
    }

    #[getter]
    fn meter(&self) -> &str {
        self.0.meter()
    }

    #[getter]
    fn quality(&self) -> &'static str {
        self.0.quality().word()
    }

    #[getter]
    fn opening(&self) -> Option<PyVerifiedReading> {
        self.0.opening().cloned().map(PyVerifiedReading)
    }

    #[getter]
    fn closing(&self) -> Option<PyVerifiedReading> {
        self.0.closing().cloned().map(PyVerifiedReading)
    }

    #[getter]
    fn readings(&self) -> Vec<PyVerifiedReading> {
        let readings = self.0.readings().into_iter();
        readings.cloned().map(PyVerifiedReading).collect()
    }

    #[getter(from_ms)]
    fn begins_ms(&self) -> i64 {
        self.0.from_ms()
    }

    #[getter]
    fn to_ms(&self) -> i64 {
        self.0.to_ms()
    }

    #[getter]
    fn import_milliwh(&self) -> i64 {
        self.0.import().milliwh()
    }

    #[getter]
    fn export_milliwh(&self) -> i64 {
        self.0.export().milliwh()
    }

    fn split(&self, edges_ms: Vec<i64>) -> PyResult<Vec<Self>> {
        let parts = self.0.split(&edges_ms).map_err(CoreError::from)?;
        Ok(parts.into_iter().map(Self).collect())
    }

    fn part(&self, from_ms: i64, to_ms: i64) -> PyResult<Self> {
        let part = self.0.part(from_ms, to_ms);
        Ok(Self(part.map_err(CoreError::from)?))
    }

    fn __repr__(&self) -> String {
        let (import, export) = (self.import_milliwh(), self.export_milliwh());
        let (participant, meter) = (self.participant(), self.meter());
        let quality = self.quality();
        format!(
            "<MeterPeriod {participant:?} {meter:?} import_milliwh={import} \
             export_milliwh={export} {quality}>"
        )
    }
}

/// What a meter counted in a period, by the readings that have come.
#[pyfunction]
#[pyo3(name = "meter_period")]
pub(crate) fn py_meter_period(
    participant: &str,
    meter: &str,
    readings: Vec<PyVerifiedReading>,
    from_ms: i64,
    to_ms: i64,
) -> PyResult<PyMeterPeriod> {
    let readings: Vec<_> = readings.into_iter().map(|reading| reading.0).collect();
    let (participant, meter) = (participant.into(), meter.into());
    let period = meter_period(&participant, &meter, &readings, (from_ms, to_ms));
    Ok(PyMeterPeriod(period.map_err(CoreError::from)?))
}
