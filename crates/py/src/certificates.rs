//! Claims of energy and the register of certificates for Python.

use std::sync::{Mutex, MutexGuard};

use gridrig_quantity::Energy;
use gridrig_settlement::certificates::{
    Asset, Backing, Claim, Direction, Event, Interval, Lot, LotState, Register, Scheme, Source,
    SourceKind, Step, Supply, credited, key,
};
use pyo3::prelude::*;
use pyo3::types::PyBytes;

use crate::errors::{CoreError, Word};
use crate::meter_period::PyMeterPeriod;

fn word<T>(
    name: &'static str,
    found: &str,
    expected: &'static str,
    read: Option<T>,
) -> Result<T, CoreError> {
    let found = found.to_owned();
    let unknown = || Word {
        name,
        found,
        expected,
    };
    read.ok_or_else(|| CoreError::SettlementWord(unknown()))
}

fn direction_in(text: &str) -> Result<Direction, CoreError> {
    word(
        "direction",
        text,
        "export or import",
        Direction::from_word(text),
    )
}

fn scheme_in(text: &str) -> Result<Scheme, CoreError> {
    let expected = "certificate, carbon-credit or share";
    word("scheme", text, expected, Scheme::from_word(text))
}

fn asset_in(bytes: &[u8]) -> Result<Asset, CoreError> {
    Ok(Asset::from_bytes(bytes)?)
}

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

/// (meter, serial, opening_digest, closing_digest, first_unit, units)
type BackingRow = (String, String, [u8; 32], [u8; 32], u64, u64);

/// As [`BackingRow`], lent.
type BackingOut<'a> = (&'a str, &'a str, &'a [u8], &'a [u8], u64, u64);

fn backing_in(row: BackingRow) -> Backing {
    let (meter, serial, opening_digest, closing_digest, first_unit, units) = row;
    Backing {
        meter,
        serial,
        opening_digest,
        closing_digest,
        first_unit,
        units,
    }
}

/// A claim on the energy of an interval.
#[pyclass(
    frozen,
    eq,
    hash,
    module = "gridrig._core",
    name = "EnergyClaim",
    from_py_object
)]
#[derive(Clone, PartialEq, Eq, Hash)]
pub(crate) struct PyEnergyClaim(pub(crate) Claim);

#[pymethods]
impl PyEnergyClaim {
    #[new]
    #[pyo3(signature = (*, number, asset, direction, first_quantum, quanta, energy_wh, scheme,
                        issuer, holder, is_from_storage = false, backing = None))]
    #[expect(
        clippy::too_many_arguments,
        reason = "the fields of a claim, by keyword"
    )]
    fn new(
        number: u64,
        asset: &[u8],
        direction: &str,
        first_quantum: u64,
        quanta: u64,
        energy_wh: u64,
        scheme: &str,
        issuer: String,
        holder: String,
        is_from_storage: bool,
        backing: Option<BackingRow>,
    ) -> PyResult<Self> {
        Ok(Self(Claim {
            number,
            asset: asset_in(asset)?,
            direction: direction_in(direction)?,
            interval: Interval::new(first_quantum, quanta).map_err(CoreError::from)?,
            energy_wh,
            scheme: scheme_in(scheme)?,
            issuer,
            holder,
            is_from_storage,
            backing: backing.map(backing_in),
        }))
    }

    #[getter]
    fn number(&self) -> u64 {
        self.0.number
    }

    #[getter]
    fn asset(&self) -> &[u8] {
        self.0.asset.as_bytes()
    }

    #[getter]
    fn direction(&self) -> &'static str {
        self.0.direction.word()
    }

    #[getter]
    fn first_quantum(&self) -> u64 {
        self.0.interval.first()
    }

    #[getter]
    fn quanta(&self) -> u64 {
        self.0.interval.quanta()
    }

    // `from_` methods make an object of their argument, by clippy's custom.
    #[getter(from_s)]
    fn begins_s(&self) -> u64 {
        self.0.interval.from_s()
    }

    #[getter]
    fn to_s(&self) -> u64 {
        self.0.interval.to_s()
    }

    #[getter]
    fn energy_wh(&self) -> u64 {
        self.0.energy_wh
    }

    #[getter]
    fn scheme(&self) -> &'static str {
        self.0.scheme.word()
    }

    #[getter]
    fn issuer(&self) -> &str {
        &self.0.issuer
    }

    #[getter]
    fn holder(&self) -> &str {
        &self.0.holder
    }

    #[getter]
    fn is_from_storage(&self) -> bool {
        self.0.is_from_storage
    }

    #[getter]
    fn backing(&self) -> Option<BackingOut<'_>> {
        self.0.backing.as_ref().map(|backing| {
            (
                &*backing.meter,
                &*backing.serial,
                &backing.opening_digest[..],
                &backing.closing_digest[..],
                backing.first_unit,
                backing.units,
            )
        })
    }

    fn __repr__(&self) -> String {
        format!("<EnergyClaim {}>", self.0)
    }
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
