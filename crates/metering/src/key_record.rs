//! One key of one meter, as a trust file declares it.

use gridrig_curves::{KeyFault, Scheme, VerifyingKey};
use gridrig_quantity::Energy;

use crate::formats::{self, Format};
use crate::profile::{Profile, SIGNATURE_PROFILES};
use crate::{EnrolmentError, LocalTime};

/// How the bytes of a public key are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum KeyForm {
    /// Canonical `SubjectPublicKeyInfo` DER.
    #[default]
    Spki,
    /// A point as SEC 1 writes it, compressed or not.
    Sec1,
    /// Both coordinates, `x || y`.
    Coordinates,
    /// `x` of the point with even `y`.
    EvenX,
    /// The 32 bytes of an Ed25519 key.
    Raw,
}

impl KeyForm {
    /// Every form, in order.
    pub const ALL: [Self; 5] = [
        Self::Spki,
        Self::Sec1,
        Self::Coordinates,
        Self::EvenX,
        Self::Raw,
    ];

    /// Returns the name in trust files.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Spki => "spki",
            Self::Sec1 => "sec1",
            Self::Coordinates => "coordinates",
            Self::EvenX => "even-x",
            Self::Raw => "raw",
        }
    }

    /// Reads the name.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|form| form.name() == name)
    }
}

/// What the registers of a meter stood at when it was mounted in place of another.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct StartRegisters {
    /// The import register.
    pub import: Energy,
    /// The export register.
    pub export: Energy,
}

/// What is plausible for a meter; nothing here makes a signature more or less right.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub struct PlausibleLimits {
    /// Most power the place can take from the grid. [mW]
    pub import_power_milliwatt_max: Option<u64>,
    /// Most power the place can give to the grid; 0 if it never gives any. [mW]
    pub export_power_milliwatt_max: Option<u64>,
    /// How far energy may be from the integral of signed power, in thousandths; none asks nothing.
    pub power_tolerance_permille: Option<u32>,
}

/// One key of one meter.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct KeyRecord {
    /// Name of the meter in the rig.
    pub meter: String,
    /// What the meter calls itself inside the bytes it signs.
    pub serial: String,
    /// Name of the one wire format the key signs; none for any.
    pub format: Option<String>,
    /// Name of the algorithm, see `Scheme::name`.
    pub algorithm: String,
    /// The key, written as `key_form` says.
    pub public_key: Vec<u8>,
    /// How the key is written.
    pub key_form: KeyForm,
    /// First second at which the key may sign. [UTC s]
    pub valid_from_s: i64,
    /// First second at which it no longer may; none if it stays valid. [UTC s]
    pub valid_to_s: Option<i64>,
    /// First second at which its records may no longer arrive; none if they may for ever. [UTC s]
    pub arrives_by_s: Option<i64>,
    /// When the key was revoked: from then on it may neither have signed nor may its records
    /// arrive, since whoever stole it can write any time into them. [UTC s]
    pub revoked_at_s: Option<i64>,
    /// Names of the deviations borne for this key.
    pub profiles: Vec<String>,
    /// Registers of the meter when it was mounted in place of another of the same name.
    pub start: Option<StartRegisters>,
    /// How its clock goes, where the format signs local time.
    pub local_time: Option<LocalTime>,
    /// What is plausible for the meter.
    pub limits: PlausibleLimits,
}

pub(crate) type Words = (Option<&'static Format>, Scheme, Vec<&'static Profile>);

/// Reads the names in a record: its format, its algorithm and its profiles.
pub(crate) fn check_words(record: &KeyRecord) -> Result<Words, EnrolmentError> {
    let meter = || record.meter.clone();
    if record.meter.is_empty() || record.serial.is_empty() {
        let serial = record.serial.clone();
        return Err(EnrolmentError::NameEmpty {
            meter: meter(),
            serial,
        });
    }
    let format = match &record.format {
        None => None,
        Some(name) => Some(
            formats::by_name(name).ok_or_else(|| EnrolmentError::Format {
                meter: meter(),
                format: name.clone(),
            })?,
        ),
    };
    let candidates: Vec<&'static Format> = match format {
        Some(format) => vec![format],
        None => formats::FORMATS.to_vec(),
    };
    let scheme = Scheme::from_name(&record.algorithm);
    let scheme = scheme.filter(|scheme| candidates.iter().any(|f| f.schemes.contains(scheme)));
    let scheme = scheme.ok_or_else(|| EnrolmentError::Algorithm {
        meter: meter(),
        algorithm: record.algorithm.clone(),
    })?;
    let find = |name: &String| {
        let own = candidates.iter().flat_map(|format| format.profiles);
        own.chain(&SIGNATURE_PROFILES)
            .find(|profile| profile.name == name)
            .copied()
            .ok_or_else(|| EnrolmentError::Profile {
                meter: meter(),
                profile: name.clone(),
            })
    };
    let profiles = record.profiles.iter().map(find).collect::<Result<_, _>>()?;
    Ok((format, scheme, profiles))
}

/// Reads the key of a record in the form it says.
pub(crate) fn read_key(record: &KeyRecord, scheme: Scheme) -> Result<VerifyingKey, KeyFault> {
    let bytes = record.public_key.as_slice();
    let key = match record.key_form {
        KeyForm::Spki => VerifyingKey::from_spki_der(bytes)?,
        KeyForm::Sec1 => VerifyingKey::from_sec1(scheme, bytes)?,
        KeyForm::Coordinates => VerifyingKey::from_coordinates(scheme, bytes)?,
        KeyForm::EvenX => VerifyingKey::from_x_of_even_y(scheme, bytes)?,
        KeyForm::Raw => VerifyingKey::from_ed25519(bytes)?,
    };
    if key.scheme() == scheme {
        Ok(key)
    } else {
        Err(KeyFault::FormOther { scheme })
    }
}
