//! One key of one meter, as a trust file declares it.

use gridrig_quantity::Energy;

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
    /// What is plausible for the meter.
    pub limits: PlausibleLimits,
}
