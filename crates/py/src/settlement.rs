//! Settlement for Python.

use std::collections::BTreeMap;
use std::sync::Arc;

use gridrig_market::Trade;
use gridrig_quantity::{Amount, DeliveryPeriod, Energy, Price};
use gridrig_settlement::{
    Correction, Deposit, EntryKind, LinkFlow, PeriodInputs, PostedEntry, PostedLines, Settled,
    SettlementError, Standing, settle_period,
};
use pyo3::prelude::*;

use crate::entry::{Origin, PyEntry};
use crate::errors::CoreError;
use crate::market::PyTrade;
use crate::meter_period::PyMeterPeriod;
use crate::settlement_rules::PySettlementRules;

/// A settled period.
#[pyclass(frozen, eq, module = "gridrig._core", name = "Settled", from_py_object)]
#[derive(Clone, PartialEq)]
pub(crate) struct PySettled(pub(crate) Arc<Settled>);

#[pymethods]
impl PySettled {
    fn with_receivables(
        &self,
        py: Python<'_>,
        corrections: Vec<PyRef<'_, PyCorrection>>,
        standings: BTreeMap<String, (i64, i64)>,
    ) -> PyResult<Self> {
        let corrections: Vec<_> = corrections.iter().map(|one| Arc::clone(&one.0)).collect();
        let standing = |(balance, owed)| Standing { balance, owed };
        let standings = standings
            .into_iter()
            .map(|(name, at)| (name, standing(at)))
            .collect();
        let bear = || {
            let corrections: Vec<&Correction> = corrections.iter().map(AsRef::as_ref).collect();
            Settled::clone(&self.0).with_receivables(&corrections, &standings)
        };
        Ok(Self(Arc::new(py.detach(bear).map_err(CoreError::from)?)))
    }

    #[getter]
    fn period(&self) -> u32 {
        self.0.period.number()
    }

    #[getter(from_ms)]
    fn begins_ms(&self) -> i64 {
        self.0.from_ms
    }

    #[getter]
    fn to_ms(&self) -> i64 {
        self.0.to_ms
    }

    #[getter]
    fn revision(&self) -> u32 {
        self.0.revision
    }

    #[getter]
    fn island(&self) -> bool {
        self.0.island
    }

    #[getter]
    fn is_estimated(&self) -> bool {
        self.0.is_estimated()
    }

    #[getter]
    fn rules(&self) -> PySettlementRules {
        PySettlementRules(self.0.rules)
    }

    #[getter]
    fn entries(&self) -> Vec<PyEntry> {
        PyEntry::all(&Origin::Settled(Arc::clone(&self.0)), self.0.entries.len())
    }

    #[getter]
    fn meters(&self) -> Vec<PyMeterPeriod> {
        self.0.meters.iter().cloned().map(PyMeterPeriod).collect()
    }

    #[getter]
    fn head(&self) -> Option<&str> {
        let place = self.0.head?;
        Some(self.0.meters[place as usize].meter())
    }

    #[getter]
    fn trades(&self) -> Vec<PyTrade> {
        self.0.trades.iter().cloned().map(PyTrade).collect()
    }

    #[getter]
    fn trade_span(&self) -> Option<(u64, u64)> {
        self.0.trade_span()
    }

    #[getter]
    fn links(&self) -> Vec<(&str, i64, i64)> {
        let link = |flow: &LinkFlow| (flow.energy.milliwh(), flow.fee.micro_per_kwh());
        let with_name = |flow| {
            let (energy, fee) = link(flow);
            (&*flow.link, energy, fee)
        };
        self.0.links.iter().map(with_name).collect()
    }

    #[getter]
    fn deposits(&self) -> Vec<(&str, i64)> {
        let deposits = self.0.deposits.iter();
        deposits
            .map(|deposit| (&*deposit.participant, deposit.amount.micro()))
            .collect()
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
        let revision = self.revision();
        format!("<Settled {period}.{revision} entries={entries} losses_milliwh={losses}>")
    }
}

/// Settles one period.
#[pyfunction]
#[pyo3(name = "settle_period", signature = (period, meters, trades, *, from_ms, to_ms, rules,
                                            head=None, revision=0, island=false,
                                            links=vec![], deposits=vec![]))]
#[allow(
    clippy::too_many_arguments,
    reason = "each is a named argument in Python"
)]
pub(crate) fn py_settle_period(
    py: Python<'_>,
    period: u32,
    meters: Vec<PyMeterPeriod>,
    trades: Vec<PyTrade>,
    from_ms: i64,
    to_ms: i64,
    rules: PySettlementRules,
    head: Option<PyMeterPeriod>,
    revision: u32,
    island: bool,
    links: Vec<(String, i64, i64)>,
    deposits: Vec<(String, i64)>,
) -> PyResult<PySettled> {
    let inputs = PeriodInputs {
        revision,
        island,
        meters: meters.into_iter().map(|meter| meter.0).collect(),
        head: head.map(|head| head.0),
        trades: trades
            .into_iter()
            .map(|trade| trade.0)
            .collect::<Vec<Trade>>(),
        links: links.into_iter().map(link_flow).collect::<Result<_, _>>()?,
        deposits: deposits.into_iter().map(deposit).collect(),
        ..PeriodInputs::new(DeliveryPeriod::from_number(period), from_ms, to_ms)
    };
    let settled = py
        .detach(|| settle_period(inputs, &rules.0))
        .map_err(CoreError::from)?;
    Ok(PySettled(Arc::new(settled)))
}

fn link_flow((link, energy, fee): (String, i64, i64)) -> Result<LinkFlow, CoreError> {
    Ok(LinkFlow {
        link: link.into(),
        energy: Energy::from_milliwh(energy)?,
        fee: Price::from_micro_per_kwh(fee)?,
    })
}

fn deposit((participant, amount): (String, i64)) -> Deposit {
    Deposit {
        participant: participant.into(),
        amount: Amount::from_micro(amount),
    }
}

/// What was posted of a period, line by line.
#[pyclass(frozen, eq, module = "gridrig._core", name = "PostedLines")]
#[derive(PartialEq)]
pub(crate) struct PyPostedLines(PostedLines);

/// (kind, debit, credit, amount_micro, energy_milliwh, price_micro_per_kwh, trade_id, meter)
type PostedRow = (
    String,
    String,
    String,
    i64,
    i64,
    i64,
    Option<u64>,
    Option<String>,
);

fn add_row(lines: &mut PostedLines, row: &PostedRow) -> Result<(), SettlementError> {
    let (kind, debit, credit, amount, energy, price, trade_id, meter) = row;
    lines.add(&PostedEntry {
        kind: EntryKind::named(kind)?,
        debit,
        credit,
        amount: Amount::from_micro(*amount),
        energy: Energy::from_milliwh(*energy)?,
        price: Price::from_micro_per_kwh(*price)?,
        trade_id: *trade_id,
        meter: meter.as_deref(),
    })
}

#[pymethods]
impl PyPostedLines {
    #[new]
    fn new(py: Python<'_>, period: u32, revision: u32, rows: Vec<PostedRow>) -> PyResult<Self> {
        let lines = || {
            let mut lines = PostedLines::empty(DeliveryPeriod::from_number(period), revision);
            rows.iter().try_for_each(|row| add_row(&mut lines, row))?;
            Ok::<_, SettlementError>(lines)
        };
        Ok(Self(py.detach(lines).map_err(CoreError::from)?))
    }

    #[staticmethod]
    fn of(py: Python<'_>, settled: &PySettled) -> Self {
        Self(py.detach(|| PostedLines::of(&settled.0)))
    }

    #[getter]
    fn revision(&self) -> u32 {
        self.0.revision()
    }
}

/// Entries that turn what was posted of a period into what it comes to now.
#[pyclass(frozen, eq, module = "gridrig._core", name = "Correction")]
#[derive(PartialEq)]
pub(crate) struct PyCorrection(pub(crate) Arc<Correction>);

#[pymethods]
impl PyCorrection {
    #[new]
    fn new(
        py: Python<'_>,
        posted: &PyPostedLines,
        settled: &PySettled,
        booked_in: u32,
    ) -> PyResult<Self> {
        let booked_in = DeliveryPeriod::from_number(booked_in);
        let between = || Correction::between(&posted.0, &settled.0, booked_in);
        Ok(Self(Arc::new(py.detach(between).map_err(CoreError::from)?)))
    }

    #[getter]
    fn period(&self) -> u32 {
        self.0.period.number()
    }

    #[getter]
    fn revision(&self) -> u32 {
        self.0.revision
    }

    #[getter]
    fn booked_in(&self) -> u32 {
        self.0.booked_in.number()
    }

    #[getter]
    fn entries(&self) -> Vec<PyEntry> {
        PyEntry::all(
            &Origin::Correction(Arc::clone(&self.0)),
            self.0.entries.len(),
        )
    }

    #[getter]
    fn meters(&self) -> Vec<PyMeterPeriod> {
        self.0.meters.iter().cloned().map(PyMeterPeriod).collect()
    }

    #[getter]
    fn trades_added(&self) -> Vec<u64> {
        self.0.trades_added.clone()
    }

    fn __repr__(&self) -> String {
        let (period, revision, booked_in) = (self.period(), self.revision(), self.booked_in());
        let entries = self.0.entries.len();
        format!("<Correction {period}.{revision} booked_in={booked_in} entries={entries}>")
    }
}
