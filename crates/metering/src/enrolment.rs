//! Why a key is not enrolled.

use gridrig_curves::{KeyFault, RingFault};

/// Rules a key record can break, in the order of the checks.
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
    /// The format is none this verifier reads.
    #[error("format {format:?} of meter {meter:?} is unknown")]
    Format {
        /// Name of the meter.
        meter: String,
        /// The format asked for.
        format: String,
    },
    /// The algorithm is none this verifier knows, or none the format signs with.
    #[error("algorithm {algorithm:?} of meter {meter:?} is unknown, or not one of its format")]
    Algorithm {
        /// Name of the meter.
        meter: String,
        /// The algorithm asked for.
        algorithm: String,
    },
    /// A deviation has a name no format of the key knows.
    #[error("profile {profile:?} of meter {meter:?} is unknown, or not one of its format")]
    Profile {
        /// Name of the meter.
        meter: String,
        /// The profile asked for.
        profile: String,
    },
    /// The bytes are no key of the algorithm.
    #[error("public key of meter {meter:?}: {fault}")]
    Key {
        /// Name of the meter.
        meter: String,
        /// What is wrong with it.
        fault: KeyFault,
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
    /// Two keys of one meter would be valid at once.
    #[error("key of meter {meter:?} is valid while another key of serial {serial:?} is")]
    Overlap {
        /// Name of the meter.
        meter: String,
        /// Serial number of the other key.
        serial: String,
    },
    /// There is no room for the key.
    #[error("key of meter {meter:?}: {fault}")]
    Room {
        /// Name of the meter.
        meter: String,
        /// What is full.
        fault: RingFault,
    },
}

impl EnrolmentError {
    /// Returns the stable name of the failure.
    pub fn code(&self) -> &'static str {
        match self {
            Self::NameEmpty { .. } => "metering.enrol_name_empty",
            Self::Format { .. } => "metering.enrol_format",
            Self::Algorithm { .. } => "metering.enrol_algorithm",
            Self::Profile { .. } => "metering.enrol_profile",
            Self::Key { .. } => "metering.enrol_key",
            Self::Window { .. } => "metering.enrol_window",
            Self::KeyRepeated { .. } => "metering.enrol_key_repeated",
            Self::SerialTaken { .. } => "metering.enrol_serial_taken",
            Self::Overlap { .. } => "metering.enrol_overlap",
            Self::Room { .. } => "metering.enrol_room",
        }
    }
}
