//! The register of certificates, for Python.

use std::sync::{Mutex, MutexGuard};

use gridrig_quantity::Energy;
use gridrig_settlement::certificates::{
    Claim, Event, Interval, Lot, LotState, Register, Source, SourceKind, Step, Supply, credited,
    key,
};
use pyo3::prelude::*;
use pyo3::types::PyBytes;

use crate::energy_claim::{PyEnergyClaim, asset_in, direction_in, scheme_in};
use crate::errors::CoreError;
use crate::meter_period::PyMeterPeriod;

/// Returns what a claim on one quantum is entered under.
#[pyfunction]
#[pyo3(name = "certificate_key")]
pub(crate) fn py_certificate_key<'py>(
    py: Python<'py>,
    asset: &[u8],
    quantum: u64,
    direction: &str,
) -> PyResult<Bound<'py, PyBytes>> {
    let key = key(&asset_in(asset)?, quantum, direction_in(direction)?);
    Ok(PyBytes::new(py, &key))
}

/// Credits the carbon of intervals: exact micrograms, or none, and grams of each.
#[pyfunction]
#[pyo3(name = "carbon_credited")]
pub(crate) fn py_carbon_credited(
    energy_wh: Vec<u64>,
    rates_g_per_mwh: Vec<Option<u32>>,
) -> PyResult<Vec<(Option<u128>, u64)>> {
    let intervals = credited(&energy_wh, &rates_g_per_mwh).map_err(CoreError::from)?;
    let pair = intervals
        .iter()
        .map(|one| (one.exact_micrograms, one.grams));
    Ok(pair.collect())
}

/// (certificate, from_wh, energy_wh, holder, state, purpose, beneficiary)
type LotRow = (
    u64,
    u64,
    u64,
    String,
    &'static str,
    Option<String>,
    Option<String>,
);

fn lot_out(lot: &Lot) -> LotRow {
    let (purpose, beneficiary) = match &lot.state {
        LotState::Held => (None, None),
        LotState::Retired {
            purpose,
            beneficiary,
        } => (Some(purpose.clone()), Some(beneficiary.clone())),
        LotState::Charged { asset } => (None, Some(asset.to_string())),
        LotState::Moved { place } => (None, Some(place.clone())),
    };
    (
        lot.certificate,
        lot.from_wh,
        lot.energy_wh,
        lot.holder.clone(),
        lot.state.word(),
        purpose,
        beneficiary,
    )
}

/// All claims and lots.
#[pyclass(frozen, module = "gridrig._core", name = "CertificateRegister")]
pub(crate) struct PyCertificateRegister(Mutex<Register>);

impl PyCertificateRegister {
    fn lock(&self) -> Result<MutexGuard<'_, Register>, CoreError> {
        self.0.lock().map_err(|_| CoreError::RegisterBroken)
    }

    fn read<T: Send>(&self, py: Python<'_>, of: impl FnOnce(&Register) -> T + Send) -> PyResult<T> {
        Ok(py.detach(|| Ok::<_, CoreError>(of(&*self.lock()?)))?)
    }

    fn apply(&self, py: Python<'_>, event: Event) -> PyResult<()> {
        Ok(py.detach(|| Ok::<_, CoreError>(self.lock()?.apply(event)?))?)
    }

    fn step(
        &self,
        py: Python<'_>,
        (certificate, from_wh, energy_wh, holder): (u64, u64, u64, String),
        step: Step,
    ) -> PyResult<()> {
        let event = Event::Stepped {
            certificate,
            from_wh,
            energy_wh,
            holder,
            step,
        };
        self.apply(py, event)
    }
}

#[pymethods]
impl PyCertificateRegister {
    #[new]
    fn new() -> Self {
        Self(Mutex::new(Register::new()))
    }

    #[getter]
    fn events(&self, py: Python<'_>) -> PyResult<u64> {
        self.read(py, Register::events)
    }

    fn name(&self, py: Python<'_>, point: String, asset: &[u8]) -> PyResult<()> {
        let asset = asset_in(asset)?;
        self.apply(py, Event::Named { point, asset })
    }

    #[pyo3(signature = (meter, serial, *, asset, start_milliwh = 0, carried_milliwh = 0,
                        storage_permille = None))]
    #[expect(
        clippy::too_many_arguments,
        reason = "the fields of a source, by keyword"
    )]
    fn enrol(
        &self,
        py: Python<'_>,
        meter: String,
        serial: String,
        asset: &[u8],
        start_milliwh: i64,
        carried_milliwh: u16,
        storage_permille: Option<u16>,
    ) -> PyResult<()> {
        let kind = match storage_permille {
            None => SourceKind::Generation,
            Some(efficiency_permille) => SourceKind::Storage {
                efficiency_permille,
            },
        };
        let source = Source {
            asset: asset_in(asset)?,
            meter,
            serial,
            kind,
            start: Energy::from_milliwh(start_milliwh).map_err(CoreError::from)?,
            carried_milliwh,
        };
        self.apply(py, Event::Enrolled(source))
    }

    #[pyo3(signature = (period, *, scheme, issuer, holder))]
    fn mint(
        &self,
        py: Python<'_>,
        period: &PyMeterPeriod,
        scheme: &str,
        issuer: &str,
        holder: &str,
    ) -> PyResult<Option<PyEnergyClaim>> {
        let scheme = scheme_in(scheme)?;
        let mint = || -> Result<_, CoreError> {
            Ok(self.lock()?.mint(&period.0, scheme, issuer, holder)?)
        };
        Ok(py.detach(mint)?.map(PyEnergyClaim))
    }

    fn enter(&self, py: Python<'_>, claim: PyEnergyClaim) -> PyResult<()> {
        self.apply(py, Event::Claimed(claim.0))
    }

    fn split(
        &self,
        py: Python<'_>,
        certificate: u64,
        from_wh: u64,
        energy_wh: u64,
        holder: String,
    ) -> PyResult<()> {
        let lot = (certificate, from_wh, energy_wh, holder);
        self.step(py, lot, Step::Split)
    }

    fn transfer(
        &self,
        py: Python<'_>,
        certificate: u64,
        from_wh: u64,
        energy_wh: u64,
        holder: String,
        to: String,
    ) -> PyResult<()> {
        let lot = (certificate, from_wh, energy_wh, holder);
        self.step(py, lot, Step::Transfer { to })
    }

    #[pyo3(signature = (certificate, from_wh, energy_wh, holder, *, purpose, beneficiary))]
    #[expect(clippy::too_many_arguments, reason = "a lot and what becomes of it")]
    fn retire(
        &self,
        py: Python<'_>,
        certificate: u64,
        from_wh: u64,
        energy_wh: u64,
        holder: String,
        purpose: String,
        beneficiary: String,
    ) -> PyResult<()> {
        let state = LotState::Retired {
            purpose,
            beneficiary,
        };
        let lot = (certificate, from_wh, energy_wh, holder);
        self.step(py, lot, Step::End(state))
    }

    fn charge(
        &self,
        py: Python<'_>,
        certificate: u64,
        from_wh: u64,
        energy_wh: u64,
        holder: String,
        storage: &[u8],
    ) -> PyResult<()> {
        let asset = asset_in(storage)?;
        let lot = (certificate, from_wh, energy_wh, holder);
        self.step(py, lot, Step::End(LotState::Charged { asset }))
    }

    fn move_out(
        &self,
        py: Python<'_>,
        certificate: u64,
        from_wh: u64,
        energy_wh: u64,
        holder: String,
        place: String,
    ) -> PyResult<()> {
        let lot = (certificate, from_wh, energy_wh, holder);
        self.step(py, lot, Step::End(LotState::Moved { place }))
    }

    fn withdrawn(&self, py: Python<'_>, digest: [u8; 32]) -> PyResult<Vec<u64>> {
        self.read(py, |register| register.standing_on(&digest))
    }

    fn freeze(&self, py: Python<'_>, certificate: u64, digest: [u8; 32]) -> PyResult<()> {
        let event = Event::Frozen {
            certificate,
            digest,
        };
        self.apply(py, event)
    }

    fn is_frozen(&self, py: Python<'_>, certificate: u64) -> PyResult<bool> {
        self.read(py, |register| register.is_frozen(certificate))
    }

    fn claim(&self, py: Python<'_>, certificate: u64) -> PyResult<PyEnergyClaim> {
        let claim = self.read(py, |register| register.claim(certificate).cloned())?;
        Ok(PyEnergyClaim(claim.map_err(CoreError::from)?))
    }

    fn claims(&self, py: Python<'_>) -> PyResult<Vec<PyEnergyClaim>> {
        let claims: Vec<Claim> = self.read(py, |register| register.claims().cloned().collect())?;
        Ok(claims.into_iter().map(PyEnergyClaim).collect())
    }

    fn standing(
        &self,
        py: Python<'_>,
        asset: &[u8],
        direction: &str,
        first_quantum: u64,
        quanta: u64,
    ) -> PyResult<Option<PyEnergyClaim>> {
        let (asset, direction) = (asset_in(asset)?, direction_in(direction)?);
        let interval = Interval::new(first_quantum, quanta).map_err(CoreError::from)?;
        let standing = |register: &Register| {
            let claim = register.standing(&asset, direction, &interval);
            claim.cloned().map(PyEnergyClaim)
        };
        self.read(py, standing)
    }

    #[pyo3(signature = (certificate = None))]
    fn lots(&self, py: Python<'_>, certificate: Option<u64>) -> PyResult<Vec<LotRow>> {
        self.read(py, |register| match certificate {
            Some(number) => register.lots_of(number).map(lot_out).collect(),
            None => register.lots().map(lot_out).collect(),
        })
    }

    fn charged_milliwh(&self, py: Python<'_>, storage: &[u8]) -> PyResult<u128> {
        let asset = asset_in(storage)?;
        self.read(py, |register| register.charged_milliwh(&asset))
    }

    fn supply(&self, py: Python<'_>) -> PyResult<(u128, u128, u128, u128, u128, u128)> {
        let Supply {
            minted_wh,
            held_wh,
            retired_wh,
            moved_wh,
            frozen_wh,
            unbacked_wh,
        } = self.read(py, Register::supply)?;
        Ok((
            minted_wh,
            held_wh,
            retired_wh,
            moved_wh,
            frozen_wh,
            unbacked_wh,
        ))
    }
}
