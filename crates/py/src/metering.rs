//! The verifier for Python: keys, readings and refusals, one by one.

use std::sync::{Arc, RwLock, RwLockReadGuard, RwLockWriteGuard};

use gridrig_metering::{
    Finding, KeyRecord, LedgerRow, LocalTime, PlausibleLimits, Refusal, VerifiedReading, Verifier,
};
use gridrig_quantity::Energy;
use pyo3::prelude::*;
use pyo3::pybacked::PyBackedBytes;
use pyo3::types::PyBytes;

use crate::errors::CoreError;
use crate::metering_batch::{PyAuthenticated, PyStagedBatch, Records};
use crate::metering_rows::{
    LedgerKeyOut, Recalled, Row, key_form_in, ledger_key_out, recalled_in, row_in, row_out,
    start_in,
};

/// A reading that was verified; only a `Verifier` makes one.
#[pyclass(
    frozen,
    eq,
    hash,
    module = "gridrig._core",
    name = "VerifiedReading",
    from_py_object
)]
#[derive(Clone, PartialEq, Eq, Hash)]
pub(crate) struct PyVerifiedReading(pub(crate) Arc<VerifiedReading>);

#[pymethods]
impl PyVerifiedReading {
    #[getter]
    fn meter(&self) -> &str {
        self.0.meter()
    }

    #[getter]
    fn serial(&self) -> &str {
        self.0.serial()
    }

    #[getter]
    fn key_id(&self) -> &[u8] {
        self.0.key_id()
    }

    #[getter]
    fn format(&self) -> &'static str {
        self.0.format()
    }

    #[getter]
    fn algorithm(&self) -> &'static str {
        self.0.algorithm()
    }

    #[getter]
    fn profiles(&self) -> Vec<&'static str> {
        self.0.profiles().to_vec()
    }

    #[getter]
    fn context(&self) -> char {
        self.0.context().letter()
    }

    #[getter]
    fn counter(&self) -> u64 {
        self.0.counter()
    }

    #[getter]
    fn missing(&self) -> u64 {
        self.0.missing()
    }

    #[getter]
    fn operating_s(&self) -> Option<u64> {
        self.0.operating_s()
    }

    #[getter]
    fn time_s(&self) -> i64 {
        self.0.time_s()
    }

    #[getter]
    fn time_ms(&self) -> i64 {
        self.0.time_ms()
    }

    #[getter]
    fn start_ms(&self) -> Option<i64> {
        self.0.start_ms()
    }

    #[getter]
    fn clock_status(&self) -> char {
        self.0.clock_status().letter()
    }

    #[getter]
    fn import_milliwh(&self) -> Option<i64> {
        self.0.import().map(Energy::milliwh)
    }

    #[getter]
    fn export_milliwh(&self) -> Option<i64> {
        self.0.export().map(Energy::milliwh)
    }

    #[getter]
    fn interval_import_milliwh(&self) -> Option<i64> {
        self.0.interval_import().map(Energy::milliwh)
    }

    #[getter]
    fn interval_export_milliwh(&self) -> Option<i64> {
        self.0.interval_export().map(Energy::milliwh)
    }

    #[getter]
    fn status(&self) -> &str {
        self.0.status()
    }

    #[getter]
    fn contract(&self) -> Option<&str> {
        self.0.contract()
    }

    #[getter]
    fn informed_key(&self) -> Option<&[u8]> {
        self.0.informed_key()
    }

    #[getter]
    fn findings(&self) -> Vec<&'static str> {
        self.0.findings().iter().map(Finding::name).collect()
    }

    #[getter]
    fn digest(&self) -> &[u8] {
        self.0.digest()
    }

    fn __repr__(&self) -> String {
        let (context, counter) = (self.context(), self.counter());
        let (import, export) = (self.import_milliwh(), self.export_milliwh());
        let (meter, time_s) = (self.meter(), self.time_s());
        format!(
            "<VerifiedReading {meter:?} {context}{counter} time_s={time_s} \
             import_milliwh={import:?} export_milliwh={export:?}>"
        )
    }
}

/// A record that is no verified reading, and why.
#[pyclass(frozen, module = "gridrig._core", name = "Refusal")]
pub(crate) struct PyRefusal(pub(crate) Refusal);

#[pymethods]
impl PyRefusal {
    #[getter]
    fn code(&self) -> &'static str {
        self.0.error.code()
    }

    #[getter]
    fn message(&self) -> String {
        self.0.error.to_string()
    }

    #[getter]
    fn meter(&self) -> Option<&str> {
        self.0.meter.as_deref()
    }

    #[getter]
    fn outcome(&self) -> &'static str {
        self.0.error.outcome().word()
    }

    fn __repr__(&self) -> String {
        format!("<Refusal {} {:?}>", self.code(), self.message())
    }
}

/// One outcome of a batch.
#[derive(IntoPyObject)]
pub(crate) enum PyOutcome {
    Verified(PyVerifiedReading),
    Refused(PyRefusal),
}

impl From<Result<VerifiedReading, Refusal>> for PyOutcome {
    fn from(outcome: Result<VerifiedReading, Refusal>) -> Self {
        match outcome {
            Ok(reading) => Self::Verified(PyVerifiedReading(Arc::new(reading))),
            Err(refusal) => Self::Refused(PyRefusal(refusal)),
        }
    }
}

/// A trust store and the replay ledger of its keys.
#[pyclass(frozen, module = "gridrig._core", name = "Verifier")]
pub(crate) struct PyVerifier(RwLock<Verifier>);

impl PyVerifier {
    pub(crate) fn read(&self) -> Result<RwLockReadGuard<'_, Verifier>, CoreError> {
        self.0.read().map_err(|_| CoreError::VerifierBroken)
    }

    pub(crate) fn write(&self) -> Result<RwLockWriteGuard<'_, Verifier>, CoreError> {
        self.0.write().map_err(|_| CoreError::VerifierBroken)
    }
}

#[pymethods]
impl PyVerifier {
    #[new]
    #[pyo3(signature = (*, history = 4_096))]
    fn new(history: usize) -> Self {
        Self(RwLock::new(Verifier::with_history(history)))
    }

    #[pyo3(signature = (meter, *, serial, algorithm = "ecdsa-p256", public_key, valid_from_s,
                        valid_to_s = None, key_form = "spki", format = None, arrives_by_s = None,
                        revoked_at_s = None, profiles = vec![], start_milliwh = None,
                        import_power_milliwatt_max = None, export_power_milliwatt_max = None,
                        power_tolerance_permille = None, utc_offset_s = None,
                        eu_summer_time = false))]
    #[expect(
        clippy::too_many_arguments,
        reason = "the fields of a key record, by keyword"
    )]
    fn enrol(
        &self,
        py: Python<'_>,
        meter: String,
        serial: String,
        algorithm: &str,
        public_key: Vec<u8>,
        valid_from_s: i64,
        valid_to_s: Option<i64>,
        key_form: &str,
        format: Option<String>,
        arrives_by_s: Option<i64>,
        revoked_at_s: Option<i64>,
        profiles: Vec<String>,
        start_milliwh: Option<(i64, i64)>,
        import_power_milliwatt_max: Option<u64>,
        export_power_milliwatt_max: Option<u64>,
        power_tolerance_permille: Option<u32>,
        utc_offset_s: Option<i32>,
        eu_summer_time: bool,
    ) -> PyResult<()> {
        let record = KeyRecord {
            meter,
            serial,
            format,
            algorithm: algorithm.to_owned(),
            public_key,
            key_form: key_form_in(key_form)?,
            valid_from_s,
            valid_to_s,
            arrives_by_s,
            revoked_at_s,
            profiles,
            start: start_milliwh.map(start_in).transpose()?,
            limits: PlausibleLimits {
                import_power_milliwatt_max,
                export_power_milliwatt_max,
                power_tolerance_permille,
            },
            local_time: utc_offset_s.map(|offset_s| LocalTime {
                offset_s,
                eu_summer: eu_summer_time,
            }),
        };
        Ok(py.detach(|| self.write()?.enrol(record).map_err(CoreError::from))?)
    }

    fn meter_names(&self, py: Python<'_>) -> PyResult<Vec<String>> {
        let names = || -> Result<Vec<String>, CoreError> {
            let verifier = self.read()?;
            Ok(verifier
                .meter_names()
                .iter()
                .map(|name| name.to_string())
                .collect())
        };
        Ok(py.detach(names)?)
    }

    fn key_meters(&self, py: Python<'_>) -> PyResult<Vec<String>> {
        let meters = || -> Result<Vec<String>, CoreError> {
            Ok(self.read()?.key_meters().map(str::to_owned).collect())
        };
        Ok(py.detach(meters)?)
    }

    fn key_ids<'py>(&self, py: Python<'py>) -> PyResult<Vec<Bound<'py, PyBytes>>> {
        let ids = || -> Result<Vec<_>, CoreError> { Ok(self.read()?.key_ids().copied().collect()) };
        let ids: Vec<[u8; 32]> = py.detach(ids)?;
        Ok(ids.iter().map(|id| PyBytes::new(py, id)).collect())
    }

    fn public_key_der<'py>(
        &self,
        py: Python<'py>,
        key_id: [u8; 32],
    ) -> PyResult<Option<Bound<'py, PyBytes>>> {
        let der = || -> Result<_, CoreError> { Ok(self.read()?.public_key_der(&key_id)) };
        Ok(py.detach(der)?.map(|der| PyBytes::new(py, &der)))
    }

    #[pyo3(signature = (record, *, at_s, meter = None))]
    fn verify(
        &self,
        py: Python<'_>,
        record: &[u8],
        at_s: i64,
        meter: Option<&str>,
    ) -> PyResult<PyVerifiedReading> {
        let verify = || {
            let mut verifier = self.write()?;
            let outcome = match meter {
                Some(asked) => verifier.verify_of(asked, record, at_s),
                None => verifier.verify(record, at_s),
            };
            outcome.map_err(CoreError::from)
        };
        Ok(PyVerifiedReading(Arc::new(py.detach(verify)?)))
    }

    #[pyo3(signature = (records, *, at_s))]
    fn verify_batch(
        &self,
        py: Python<'_>,
        records: Vec<PyBackedBytes>,
        at_s: i64,
    ) -> PyResult<Vec<PyOutcome>> {
        let verify = || -> Result<_, CoreError> { Ok(self.write()?.verify_batch(&records, at_s)?) };
        let outcomes = py.detach(verify)?;
        Ok(outcomes.into_iter().map(PyOutcome::from).collect())
    }

    #[pyo3(signature = (records, *, at_s, format = None, threads = 1))]
    fn authenticate(
        &self,
        py: Python<'_>,
        records: Records,
        at_s: i64,
        format: Option<&str>,
        threads: usize,
    ) -> PyResult<PyAuthenticated> {
        let slices = records.slices()?;
        let authenticate = || -> Result<_, CoreError> {
            Ok(self.read()?.authenticate(&slices, at_s, format, threads)?)
        };
        let authenticated = py.detach(authenticate)?;
        drop(slices);
        Ok(PyAuthenticated::new(records, authenticated))
    }

    fn forgotten<'py>(
        &self,
        py: Python<'py>,
        authenticated: &PyAuthenticated,
    ) -> PyResult<Vec<LedgerKeyOut<'py>>> {
        let keys = || authenticated.with(|held| Ok(self.read()?.forgotten(held)));
        let keys = py.detach(keys)?;
        Ok(keys
            .into_iter()
            .map(|key| ledger_key_out(py, key))
            .collect())
    }

    #[pyo3(signature = (authenticated, *, recalled = vec![]))]
    fn stage(
        &self,
        py: Python<'_>,
        authenticated: &PyAuthenticated,
        recalled: Vec<Recalled>,
    ) -> PyResult<PyStagedBatch> {
        let recalled = recalled
            .into_iter()
            .map(recalled_in)
            .collect::<PyResult<_>>()?;
        let stage = || {
            let mut verifier = self.write()?;
            verifier.check_closed()?;
            let (records, held) = authenticated.take()?;
            let staged = verifier.stage(held, &recalled)?;
            Ok::<_, CoreError>(PyStagedBatch::new(records, staged))
        };
        Ok(py.detach(stage)?)
    }

    fn commit(&self, py: Python<'_>) -> PyResult<()> {
        let commit = || -> Result<(), CoreError> {
            self.write()?.commit();
            Ok(())
        };
        Ok(py.detach(commit)?)
    }

    fn roll_back(&self, py: Python<'_>) -> PyResult<()> {
        let roll_back = || -> Result<(), CoreError> {
            self.write()?.roll_back();
            Ok(())
        };
        Ok(py.detach(roll_back)?)
    }

    fn ledger_rows<'py>(&self, py: Python<'py>) -> PyResult<Vec<Bound<'py, PyAny>>> {
        let rows =
            || -> Result<Vec<_>, CoreError> { Ok(self.read()?.ledger_rows().cloned().collect()) };
        let rows: Vec<LedgerRow> = py.detach(rows)?;
        rows.iter()
            .map(|row| Ok(row_out(row).into_pyobject(py)?.into_any()))
            .collect()
    }

    #[pyo3(signature = (rows, *, forked = vec![]))]
    fn restore(&self, py: Python<'_>, rows: Vec<Row>, forked: Vec<[u8; 32]>) -> PyResult<()> {
        let rows = rows.into_iter().map(row_in).collect::<PyResult<Vec<_>>>()?;
        Ok(py.detach(|| {
            self.write()?
                .restore(&rows, &forked)
                .map_err(CoreError::from)
        })?)
    }
}
