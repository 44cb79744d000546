//! Settlement for Python.

use gridrig_market::Trade;
use gridrig_quantity::{DeliveryPeriod, Price};
use gridrig_settlement::{Entry, MeterPeriod, Settled, SettlementPrices, settle_period};
use pyo3::prelude::*;

use crate::errors::CoreError;
use crate::market::PyTrade;
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

    #[getter]
    fn participant(&self) -> &str {
        self.0.participant()
    }

    #[getter]
    fn meter(&self) -> &str {
        self.0.meter()
    }

    #[getter]
    fn opening(&self) -> PyVerifiedReading {
        PyVerifiedReading(self.0.opening().clone())
    }

    #[getter]
    fn closing(&self) -> PyVerifiedReading {
        PyVerifiedReading(self.0.closing().clone())
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

    fn __repr__(&self) -> String {
        let (import, export) = (self.import_milliwh(), self.export_milliwh());
        let (participant, meter) = (self.participant(), self.meter());
        format!(
            "<MeterPeriod {participant:?} {meter:?} import_milliwh={import} \
             export_milliwh={export}>"
        )
    }
}

/// One line of the journal.
#[pyclass(frozen, eq, hash, module = "gridrig._core", name = "Entry")]
#[derive(Clone, PartialEq, Eq, Hash)]
pub(crate) struct PyEntry(Entry);

#[pymethods]
impl PyEntry {
    #[getter]
    fn entry_id(&self) -> u64 {
        self.0.entry_id
    }

    #[getter]
    fn period(&self) -> u32 {
        self.0.period.number()
    }

    #[getter]
    fn kind(&self) -> &'static str {
        self.0.kind.word()
    }

    #[getter]
    fn debit(&self) -> &str {
        &self.0.debit
    }

    #[getter]
    fn credit(&self) -> &str {
        &self.0.credit
    }

    #[getter]
    fn amount_micro(&self) -> i64 {
        self.0.amount.micro()
    }

    #[getter]
    fn energy_milliwh(&self) -> i64 {
        self.0.energy.milliwh()
    }

    #[getter]
    fn price_micro_per_kwh(&self) -> i64 {
        self.0.price.micro_per_kwh()
    }

    #[getter]
    fn trade_id(&self) -> Option<u64> {
        self.0.trade_id
    }

    #[getter]
    fn meter(&self) -> &str {
        &self.0.meter
    }

    #[getter]
    fn opening_digest(&self) -> &[u8] {
        &self.0.opening_digest
    }

    #[getter]
    fn closing_digest(&self) -> &[u8] {
        &self.0.closing_digest
    }

    fn __repr__(&self) -> String {
        let Entry {
            entry_id,
            debit,
            credit,
            ..
        } = &self.0;
        let (period, kind, amount) = (self.period(), self.kind(), self.amount_micro());
        format!("<Entry {period}/{entry_id} {kind} {debit:?} pays {credit:?} {amount} micro>")
    }
}

/// A settled period.
#[pyclass(frozen, module = "gridrig._core", name = "Settled")]
pub(crate) struct PySettled(Settled);

#[pymethods]
impl PySettled {
    #[getter]
    fn period(&self) -> u32 {
        self.0.period.number()
    }

    #[getter]
    fn entries(&self) -> Vec<PyEntry> {
        self.0.entries.iter().cloned().map(PyEntry).collect()
    }

    #[getter]
    fn meters(&self) -> Vec<PyMeterPeriod> {
        self.0.meters.iter().cloned().map(PyMeterPeriod).collect()
    }

    #[getter]
    fn imported_milliwh(&self) -> i64 {
        self.0.imported.milliwh()
    }

    #[getter]
    fn exported_milliwh(&self) -> i64 {
        self.0.exported.milliwh()
    }

    #[getter]
    fn losses_milliwh(&self) -> i64 {
        self.0.losses.milliwh()
    }

    #[getter]
    fn long_price_micro_per_kwh(&self) -> i64 {
        self.0.prices.long.micro_per_kwh()
    }

    #[getter]
    fn short_price_micro_per_kwh(&self) -> i64 {
        self.0.prices.short.micro_per_kwh()
    }

    fn __repr__(&self) -> String {
        let (period, entries, losses) =
            (self.period(), self.0.entries.len(), self.losses_milliwh());
        format!("<Settled period={period} entries={entries} losses_milliwh={losses}>")
    }
}

/// Settles one period.
#[pyfunction]
#[pyo3(name = "settle_period", signature = (period, meters, trades, *, head,
                                            long_price_micro_per_kwh, short_price_micro_per_kwh))]
pub(crate) fn py_settle_period(
    py: Python<'_>,
    period: u32,
    meters: Vec<PyMeterPeriod>,
    trades: Vec<PyTrade>,
    head: PyMeterPeriod,
    long_price_micro_per_kwh: i64,
    short_price_micro_per_kwh: i64,
) -> PyResult<PySettled> {
    let price = |micro| Price::from_micro_per_kwh(micro).map_err(CoreError::from);
    let long = price(long_price_micro_per_kwh)?;
    let prices = SettlementPrices {
        long,
        short: price(short_price_micro_per_kwh)?,
    };
    let period = DeliveryPeriod::from_number(period);
    let meters: Vec<MeterPeriod> = meters.into_iter().map(|meter| meter.0).collect();
    let trades: Vec<Trade> = trades.into_iter().map(|trade| trade.0).collect();
    let settle = || settle_period(period, &meters, &trades, &head.0, prices);
    Ok(PySettled(py.detach(settle).map_err(CoreError::from)?))
}
