//! Why a record is no verified reading.

use crate::{CLOCK_AHEAD_MAX_S, READINGS_MAX, RECORD_BYTES_MAX};

/// What a refusal says about the meter.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Outcome {
    /// The record is false: this accuses the meter, or whoever sent the record.
    False,
    /// The bench could not decide: an unknown key, an unsupported format, a value not vouched for.
    Undecided,
}

impl Outcome {
    /// Returns the word for the outcome, as verdicts spell it.
    pub const fn word(self) -> &'static str {
        match self {
            Self::False => "false",
            Self::Undecided => "undecided",
        }
    }
}

/// A record refused, and the meter it claims to come from where that could be told.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{error}")]
pub struct Refusal {
    /// Name of the enrolled meter.
    pub meter: Option<String>,
    /// The first rule broken.
    pub error: MeteringError,
}

/// Rules a record can break, in the order in which they are checked.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum MeteringError {
    /// The bytes are not a record this verifier reads.
    #[error("not a readable record: {0}")]
    Format(#[from] FormatFault),
    /// No key is enrolled for the serial number.
    #[error("no key is enrolled for serial {serial:?}")]
    KeyUnknown {
        /// The serial number in the record.
        serial: String,
    },
    /// Keys are enrolled for the meter, but none for the time of the reading.
    #[error("no key of serial {serial:?} is valid at {time_s} s UTC")]
    KeyNotValidThen {
        /// The serial number in the record.
        serial: String,
        /// Time of the reading. [UTC s]
        time_s: i64,
    },
    /// The record declares another signature algorithm than its key was enrolled for.
    #[error("record declares {declared:?}, its key is enrolled for {enrolled}")]
    AlgorithmOther {
        /// What the record says.
        declared: String,
        /// What the trust store says.
        enrolled: &'static str,
    },
    /// The signature is not hexadecimal (or base64) text of strict DER.
    #[error("signature is not strict DER: {fault}")]
    SignatureEncoding {
        /// What is wrong with it.
        fault: String,
    },
    /// The signature does not hold over the received bytes under the enrolled key.
    #[error("signature does not hold over the received bytes")]
    SignatureFalse,
    /// The record lacks the import (1.8.0) or the export (2.8.0) register.
    #[error("record has no register {obis} at its last moment")]
    RegisterMissing {
        /// The register looked for.
        obis: &'static str,
    },
    /// The meter itself does not vouch for the value.
    #[error("meter status is {status:?} with error flags {flags:?}, not \"G\" without")]
    StatusNotGood {
        /// The status letter.
        status: String,
        /// The error flags.
        flags: String,
    },
    /// A register is given with digits finer than a milliwatt-hour.
    #[error("register value {text:?} {unit} has digits finer than 1 mWh")]
    Resolution {
        /// The value as received.
        text: String,
        /// Its unit.
        unit: &'static str,
    },
    /// The reading is later than its receipt.
    #[error(
        "reading of {time_s} s UTC was received at {at_s} s, limit {CLOCK_AHEAD_MAX_S} s ahead"
    )]
    TimeAhead {
        /// Time of the reading. [UTC s]
        time_s: i64,
        /// When it was received. [UTC s]
        at_s: i64,
    },
    /// A true record, of another meter than the one that was asked.
    #[error("signed by meter {meter:?}, but {asked:?} was asked")]
    OtherMeter {
        /// Whose record it is.
        meter: String,
        /// Who was asked.
        asked: String,
    },
    /// The very same payload was admitted before.
    #[error("pagination {pagination} with this payload was admitted before")]
    Replayed {
        /// The pagination counter.
        pagination: u64,
    },
    /// Another payload was admitted under the same pagination.
    #[error("pagination {pagination} was admitted before with another payload")]
    Equivocation {
        /// The pagination counter.
        pagination: u64,
    },
    /// The pagination is lower than the last one admitted.
    #[error("pagination {pagination} is lower than {last}, the last one admitted")]
    PaginationGapBack {
        /// The pagination counter.
        pagination: u64,
        /// The last one admitted.
        last: u64,
    },
    /// A register counts less than it did.
    #[error("register {obis} fell from {last_milliwh} mWh to {milliwh} mWh")]
    RegisterFell {
        /// The register.
        obis: &'static str,
        /// Its value now. [mWh]
        milliwh: i64,
        /// Its last value admitted. [mWh]
        last_milliwh: i64,
    },
    /// The time is not later than that of the last reading.
    #[error("time {time_ms} ms UTC is not later than {last_ms} ms, the last one admitted")]
    TimeNotRising {
        /// Time of the reading. [UTC ms]
        time_ms: i64,
        /// Time of the last one admitted. [UTC ms]
        last_ms: i64,
    },
}

impl MeteringError {
    /// Returns the stable name of the rule.
    pub fn code(&self) -> &'static str {
        match self {
            Self::Format(_) => "metering.format",
            Self::KeyUnknown { .. } => "metering.key_unknown",
            Self::KeyNotValidThen { .. } => "metering.key_not_valid_then",
            Self::AlgorithmOther { .. } => "metering.algorithm",
            Self::SignatureEncoding { .. } => "metering.signature_encoding",
            Self::SignatureFalse => "metering.signature_false",
            Self::RegisterMissing { .. } => "metering.register_missing",
            Self::StatusNotGood { .. } => "metering.status_not_good",
            Self::Resolution { .. } => "metering.resolution",
            Self::TimeAhead { .. } => "metering.time_ahead",
            Self::OtherMeter { .. } => "metering.other_meter",
            Self::Replayed { .. } => "metering.replayed",
            Self::Equivocation { .. } => "metering.equivocation",
            Self::PaginationGapBack { .. } => "metering.pagination_gap_back",
            Self::RegisterFell { .. } => "metering.register_fell",
            Self::TimeNotRising { .. } => "metering.time_not_rising",
        }
    }

    /// Returns whether the record is false or the bench could not decide.
    pub fn outcome(&self) -> Outcome {
        match self {
            Self::Format(_)
            | Self::KeyUnknown { .. }
            | Self::KeyNotValidThen { .. }
            | Self::AlgorithmOther { .. }
            | Self::SignatureEncoding { .. }
            | Self::RegisterMissing { .. }
            | Self::StatusNotGood { .. }
            | Self::Resolution { .. } => Outcome::Undecided,
            Self::SignatureFalse
            | Self::TimeAhead { .. }
            | Self::OtherMeter { .. }
            | Self::Replayed { .. }
            | Self::Equivocation { .. }
            | Self::PaginationGapBack { .. }
            | Self::RegisterFell { .. }
            | Self::TimeNotRising { .. } => Outcome::False,
        }
    }
}

/// What makes bytes unreadable as a record.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum FormatFault {
    /// Longer than a record may be.
    #[error("{bytes} bytes are more than the {RECORD_BYTES_MAX} of a record")]
    TooLong {
        /// Length received.
        bytes: usize,
    },
    /// Not exactly three sections.
    #[error("{found} sections between pipes, not 3")]
    Sections {
        /// How many there are.
        found: usize,
    },
    /// The first section is not `OCMF`.
    #[error("header is not \"OCMF\"")]
    Header,
    /// A section is not the JSON it should be.
    #[error("{section} section: {fault}")]
    Json {
        /// Payload or signature.
        section: &'static str,
        /// What the parser says.
        fault: String,
    },
    /// A field is not there, and nothing before it to inherit it from.
    #[error("field {field} is missing")]
    Missing {
        /// Name of the field.
        field: &'static str,
    },
    /// A field holds a value this verifier does not read.
    #[error("field {field}: {found:?} is not {expected}")]
    Value {
        /// Name of the field.
        field: &'static str,
        /// The value as received.
        found: String,
        /// What would do.
        expected: &'static str,
    },
    /// More or fewer readings than a record may have.
    #[error("{found} readings, not 1 to {READINGS_MAX}")]
    Readings {
        /// How many there are.
        found: usize,
    },
    /// One register is given twice for one moment.
    #[error("register {obis} is given twice for one moment")]
    RegisterRepeated {
        /// The register.
        obis: &'static str,
    },
}
