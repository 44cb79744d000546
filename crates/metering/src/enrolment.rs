//! Who is believed: the trust store of meters' keys.

use std::collections::BTreeMap;

use crate::{MeteringError, VerifyingKey};

/// Signature algorithm a key is enrolled for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Algorithm {
    /// ECDSA on NIST P-256 with SHA-256.
    EcdsaP256,
}

impl Algorithm {
    /// Returns the name in rig and keys files.
    pub const fn name(self) -> &'static str {
        match self {
            Self::EcdsaP256 => "ecdsa-p256",
        }
    }

    /// Returns the name in OCMF's field `SA`.
    pub const fn ocmf_name(self) -> &'static str {
        match self {
            Self::EcdsaP256 => "ECDSA-secp256r1-SHA256",
        }
    }

    /// Reads the name in rig and keys files.
    pub fn from_name(name: &str) -> Option<Self> {
        match name {
            "ecdsa-p256" => Some(Self::EcdsaP256),
            _ => None,
        }
    }
}

/// One key of one meter, as a rig declares it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KeyRecord {
    /// Name of the meter in the rig.
    pub meter: String,
    /// Serial number the meter writes into its records.
    pub serial: String,
    /// Name of the algorithm, see [`Algorithm::name`].
    pub algorithm: String,
    /// The key as `SubjectPublicKeyInfo` DER.
    pub public_key: Vec<u8>,
    /// First second at which the key is valid. [UTC s]
    pub valid_from_s: i64,
    /// First second at which it no longer is; none if it stays valid. [UTC s]
    pub valid_to_s: Option<i64>,
}

/// Why a key is not enrolled, in the order of the checks.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum EnrolmentError {
    /// The meter or its serial number has no name.
    #[error("meter {meter:?} or its serial {serial:?} is empty")]
    NameEmpty {
        /// Name of the meter.
        meter: String,
        /// Its serial number.
        serial: String,
    },
    /// The algorithm is none this verifier knows.
    #[error("algorithm {algorithm:?} of meter {meter:?} is not \"ecdsa-p256\"")]
    Algorithm {
        /// Name of the meter.
        meter: String,
        /// The algorithm asked for.
        algorithm: String,
    },
    /// The key is not the canonical encoding of a point on the algorithm's curve.
    #[error("public key of meter {meter:?} is not canonical SPKI DER of a point on P-256")]
    Key {
        /// Name of the meter.
        meter: String,
    },
    /// The key would never be valid.
    #[error("key of meter {meter:?} is valid from {from_s} s to {to_s} s, which is never")]
    Window {
        /// Name of the meter.
        meter: String,
        /// First second of validity. [UTC s]
        from_s: i64,
        /// End of validity. [UTC s]
        to_s: i64,
    },
    /// The key is enrolled already; a key belongs to one meter, once.
    #[error("key of meter {meter:?} is enrolled already for meter {other:?}")]
    KeyRepeated {
        /// Name of the meter.
        meter: String,
        /// The meter that has the key.
        other: String,
    },
    /// Another meter has the serial number.
    #[error("serial {serial:?} of meter {meter:?} belongs to meter {other:?}")]
    SerialTaken {
        /// Name of the meter.
        meter: String,
        /// The serial number.
        serial: String,
        /// The meter that has it.
        other: String,
    },
    /// Two keys of one serial number would be valid at once.
    #[error("key of meter {meter:?} is valid while another key of serial {serial:?} is")]
    Overlap {
        /// Name of the meter.
        meter: String,
        /// The serial number.
        serial: String,
    },
}

impl EnrolmentError {
    /// Returns the stable name of the failure.
    pub fn code(&self) -> &'static str {
        match self {
            Self::NameEmpty { .. } => "metering.enrol_name_empty",
            Self::Algorithm { .. } => "metering.enrol_algorithm",
            Self::Key { .. } => "metering.enrol_key",
            Self::Window { .. } => "metering.enrol_window",
            Self::KeyRepeated { .. } => "metering.enrol_key_repeated",
            Self::SerialTaken { .. } => "metering.enrol_serial_taken",
            Self::Overlap { .. } => "metering.enrol_overlap",
        }
    }
}

/// A key that passed enrolment.
#[derive(Debug, Clone)]
pub(crate) struct Enrolled {
    pub(crate) meter: String,
    pub(crate) algorithm: Algorithm,
    pub(crate) key: VerifyingKey,
    from_s: i64,
    to_s: i64,
}

/// The enrolled keys by serial number.
#[derive(Debug, Clone, Default)]
pub(crate) struct TrustStore {
    by_serial: BTreeMap<String, Vec<Enrolled>>,
}

impl TrustStore {
    /// Enrols a key, or says what is wrong with it.
    pub(crate) fn enrol(&mut self, record: KeyRecord) -> Result<(), EnrolmentError> {
        let KeyRecord {
            meter,
            serial,
            algorithm,
            public_key,
            valid_from_s: from_s,
            ..
        } = record;
        let to_s = record.valid_to_s.unwrap_or(i64::MAX);
        if meter.is_empty() || serial.is_empty() {
            return Err(EnrolmentError::NameEmpty { meter, serial });
        }
        let Some(algorithm) = Algorithm::from_name(&algorithm) else {
            return Err(EnrolmentError::Algorithm { meter, algorithm });
        };
        let Some(key) = VerifyingKey::from_spki_der(&public_key) else {
            return Err(EnrolmentError::Key { meter });
        };
        if from_s >= to_s {
            return Err(EnrolmentError::Window {
                meter,
                from_s,
                to_s,
            });
        }
        if let Some(other) = self.enrolled().find(|other| other.key == key) {
            return Err(EnrolmentError::KeyRepeated {
                meter,
                other: other.meter.clone(),
            });
        }
        let own = self.by_serial.entry(serial.clone()).or_default();
        if let Some(other) = own.iter().find(|other| other.meter != meter) {
            return Err(EnrolmentError::SerialTaken {
                meter,
                serial,
                other: other.meter.clone(),
            });
        }
        if own
            .iter()
            .any(|other| from_s < other.to_s && other.from_s < to_s)
        {
            return Err(EnrolmentError::Overlap { meter, serial });
        }
        own.push(Enrolled {
            meter,
            algorithm,
            key,
            from_s,
            to_s,
        });
        Ok(())
    }

    fn enrolled(&self) -> impl Iterator<Item = &Enrolled> {
        self.by_serial.values().flatten()
    }

    /// Tells whether a key of this id is enrolled.
    pub(crate) fn knows(&self, key_id: &[u8; 32]) -> bool {
        self.enrolled().any(|enrolled| enrolled.key.id() == *key_id)
    }

    /// Names the meter that has a serial number.
    pub(crate) fn meter_of(&self, serial: &str) -> Option<&str> {
        self.by_serial
            .get(serial)?
            .first()
            .map(|enrolled| enrolled.meter.as_str())
    }

    /// Finds the one key of a serial number that is valid at a time.
    pub(crate) fn key_at(&self, serial: &str, time_s: i64) -> Result<&Enrolled, MeteringError> {
        let Some(keys) = self.by_serial.get(serial).filter(|keys| !keys.is_empty()) else {
            return Err(MeteringError::KeyUnknown {
                serial: serial.to_owned(),
            });
        };
        keys.iter()
            .find(|key| key.from_s <= time_s && time_s < key.to_s)
            .ok_or_else(|| MeteringError::KeyNotValidThen {
                serial: serial.to_owned(),
                time_s,
            })
    }
}
