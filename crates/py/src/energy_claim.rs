//! Claims of energy, for Python.

use gridrig_settlement::certificates::{
    Asset, Backing, Claim, Direction, Interval, Measure, Scheme,
};
use pyo3::prelude::*;

use crate::errors::{CoreError, Word};

fn word<T>(
    name: &'static str,
    found: &str,
    expected: &'static str,
    read: Option<T>,
) -> Result<T, CoreError> {
    Word::read(name, found, expected, read).map_err(CoreError::SettlementWord)
}

pub(crate) fn direction_in(text: &str) -> Result<Direction, CoreError> {
    word(
        "direction",
        text,
        "export or import",
        Direction::from_word(text),
    )
}

pub(crate) fn scheme_in(text: &str) -> Result<Scheme, CoreError> {
    let expected = "certificate, carbon-credit or share";
    word("scheme", text, expected, Scheme::from_word(text))
}

pub(crate) fn asset_in(bytes: &[u8]) -> Result<Asset, CoreError> {
    Ok(Asset::from_bytes(bytes)?)
}

/// (meter, serial, opening_digest, closing_digest, first_unit, units, interval_milliwh)
type BackingRow = (
    String,
    String,
    [u8; 32],
    [u8; 32],
    Option<u64>,
    u64,
    Option<u64>,
);

/// As [`BackingRow`], lent.
type BackingOut<'a> = (
    &'a str,
    &'a str,
    &'a [u8],
    &'a [u8],
    Option<u64>,
    u64,
    Option<u64>,
);

fn backing_in(row: BackingRow) -> Result<Backing, CoreError> {
    let (meter, serial, opening_digest, closing_digest, first_unit, units, milliwh) = row;
    let measure = Measure::of(first_unit, milliwh);
    Ok(Backing {
        measure: word("backing", &meter, "a first unit or an interval", measure)?,
        meter,
        serial,
        opening_digest,
        closing_digest,
        units,
    })
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
            backing: backing.map(backing_in).transpose()?,
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
            let (first_unit, interval_milliwh) = match backing.measure {
                Measure::Register { first_unit } => (Some(first_unit), None),
                Measure::Interval { energy_milliwh } => (None, Some(energy_milliwh)),
            };
            (
                &*backing.meter,
                &*backing.serial,
                &backing.opening_digest[..],
                &backing.closing_digest[..],
                first_unit,
                backing.units,
                interval_milliwh,
            )
        })
    }

    fn __repr__(&self) -> String {
        format!("<EnergyClaim {}>", self.0)
    }
}
