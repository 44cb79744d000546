//! Lines of the journal, for Python.

use std::hash::{Hash, Hasher};
use std::sync::Arc;

use gridrig_settlement::{Correction, Entry, MeterPeriod, Settled};
use pyo3::prelude::*;

/// What an entry is of: accounts and meters are named there.
#[derive(Clone)]
pub(crate) enum Origin {
    Settled(Arc<Settled>),
    Correction(Arc<Correction>),
}

/// One line of the journal.
#[pyclass(frozen, eq, hash, module = "gridrig._core", name = "Entry")]
#[derive(Clone)]
pub(crate) struct PyEntry {
    origin: Origin,
    place: usize,
}

impl PyEntry {
    pub(crate) fn all(origin: &Origin, count: usize) -> Vec<Self> {
        let entry = |place| Self {
            origin: origin.clone(),
            place,
        };
        (0..count).map(entry).collect()
    }

    fn entry(&self) -> &Entry {
        match &self.origin {
            Origin::Settled(settled) => &settled.entries[self.place],
            Origin::Correction(correction) => &correction.entries[self.place],
        }
    }

    fn meter_period(&self) -> Option<&MeterPeriod> {
        match &self.origin {
            Origin::Settled(settled) => settled.meter_of(self.entry()),
            Origin::Correction(correction) => correction.meter_of(self.entry()),
        }
    }
}

/// Entries are equal if they say the same, whatever they are held by.
impl PartialEq for PyEntry {
    fn eq(&self, other: &Self) -> bool {
        let said = |entry: &Self| {
            let Entry {
                kind,
                amount,
                energy,
                price,
                trade_id,
                ..
            } = *entry.entry();
            (kind, amount, energy, price, trade_id)
        };
        let key = |entry: &Self| (entry.period(), entry.revision(), entry.place);
        let parties = |entry: &Self| [entry.debit(), entry.credit()].map(str::to_owned);
        let backing = |entry: &Self| {
            let digest = |digest: Option<&[u8]>| digest.map(<[u8]>::to_vec);
            let digests = [entry.opening_digest(), entry.closing_digest()].map(digest);
            (entry.meter().map(str::to_owned), digests)
        };
        key(self) == key(other)
            && said(self) == said(other)
            && parties(self) == parties(other)
            && backing(self) == backing(other)
    }
}

impl Eq for PyEntry {}

impl Hash for PyEntry {
    fn hash<H: Hasher>(&self, state: &mut H) {
        (self.period(), self.revision(), self.place).hash(state);
    }
}

#[pymethods]
impl PyEntry {
    #[getter]
    const fn entry_id(&self) -> usize {
        self.place + 1
    }

    #[getter]
    fn period(&self) -> u32 {
        match &self.origin {
            Origin::Settled(settled) => settled.period.number(),
            Origin::Correction(correction) => correction.period.number(),
        }
    }

    #[getter]
    fn revision(&self) -> u32 {
        match &self.origin {
            Origin::Settled(settled) => settled.revision,
            Origin::Correction(correction) => correction.revision,
        }
    }

    #[getter]
    fn booked_in(&self) -> u32 {
        match &self.origin {
            Origin::Settled(settled) => settled.period.number(),
            Origin::Correction(correction) => correction.booked_in.number(),
        }
    }

    #[getter]
    fn kind(&self) -> &'static str {
        self.entry().kind.word()
    }

    #[getter]
    fn debit(&self) -> &str {
        match &self.origin {
            Origin::Settled(settled) => settled.account(self.entry().debit),
            Origin::Correction(correction) => correction.account(self.entry().debit),
        }
    }

    #[getter]
    fn credit(&self) -> &str {
        match &self.origin {
            Origin::Settled(settled) => settled.account(self.entry().credit),
            Origin::Correction(correction) => correction.account(self.entry().credit),
        }
    }

    #[getter]
    fn amount_micro(&self) -> i64 {
        self.entry().amount.micro()
    }

    #[getter]
    fn energy_milliwh(&self) -> i64 {
        self.entry().energy.milliwh()
    }

    #[getter]
    fn price_micro_per_kwh(&self) -> i64 {
        self.entry().price.micro_per_kwh()
    }

    #[getter]
    fn trade_id(&self) -> Option<u64> {
        self.entry().trade_id
    }

    #[getter]
    fn meter(&self) -> Option<&str> {
        self.meter_period().map(|meter| &**meter.meter())
    }

    #[getter]
    fn quality(&self) -> Option<&'static str> {
        self.meter_period().map(|meter| meter.quality().word())
    }

    #[getter]
    fn opening_digest(&self) -> Option<&[u8]> {
        let opening = self.meter_period()?.opening();
        opening.map(|reading| &reading.digest()[..])
    }

    #[getter]
    fn closing_digest(&self) -> Option<&[u8]> {
        let closing = self.meter_period()?.closing();
        closing.map(|reading| &reading.digest()[..])
    }

    fn __repr__(&self) -> String {
        let (period, revision, entry_id) = (self.period(), self.revision(), self.entry_id());
        let (kind, debit, credit) = (self.kind(), self.debit(), self.credit());
        let amount = self.amount_micro();
        format!(
            "<Entry {period}.{revision}/{entry_id} {kind} {debit:?} pays {credit:?} {amount} micro>"
        )
    }
}
