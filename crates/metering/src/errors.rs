//! Why a record is no verified reading.

use std::sync::Arc;

use crate::CLOCK_AHEAD_MAX_S;

/// What a refusal says about the meter.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Outcome {
    /// The very record was admitted before: nothing new, and nothing wrong.
    Repeated,
    /// The record is false: this accuses the meter, or whoever sent the record.
    False,
    /// The bench could not decide: an unknown key, an unsupported format, a value not vouched for.
    Undecided,
}

impl Outcome {
    /// Every outcome, in order.
    pub const ALL: [Self; 3] = [Self::Repeated, Self::False, Self::Undecided];

    /// Returns the word for the outcome, as verdicts spell it.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Repeated => "repeated",
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
    pub meter: Option<Arc<str>>,
    /// The first rule broken.
    pub error: MeteringError,
}

impl From<FormatFault> for Refusal {
    fn from(fault: FormatFault) -> Self {
        Self {
            meter: None,
            error: MeteringError::Format(fault),
        }
    }
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
    /// The clock bound to the key never showed the signed local time, or the record states another
    /// offset than that clock has, or none in the hour that comes twice.
    #[error("clock of serial {serial:?} does not tell a time {}", offset_text(*.stated_s))]
    LocalTime {
        /// The serial number in the record.
        serial: String,
        /// The offset that the record states. [s]
        stated_s: Option<i64>,
    },
    /// The key was revoked before the record was signed, or before it arrived.
    #[error("key of serial {serial:?} was revoked at {revoked_at_s} s UTC")]
    KeyRevoked {
        /// The serial number in the record.
        serial: String,
        /// When the key was revoked. [UTC s]
        revoked_at_s: i64,
    },
    /// The key is retired, and the record arrived too late.
    #[error("records under the key of serial {serial:?} had to arrive before {arrives_by_s} s UTC")]
    KeyRetired {
        /// The serial number in the record.
        serial: String,
        /// End of their arrival. [UTC s]
        arrives_by_s: i64,
    },
    /// The record names another key than the one enrolled.
    #[error("record names key {named}, which is not the one enrolled")]
    KeyOther {
        /// The key named, in hex.
        named: String,
    },
    /// The record declares another signature algorithm than its key was enrolled for.
    #[error("record declares {declared:?}, its key is enrolled for {enrolled}")]
    AlgorithmOther {
        /// What the record says.
        declared: String,
        /// What the trust store says.
        enrolled: &'static str,
    },
    /// The record deviates from its format in a way that is not borne for its key.
    #[error("record needs profile {profile:?}, which its key is not enrolled with")]
    Deviation {
        /// Name of the profile.
        profile: &'static str,
    },
    /// The signature is not written as its format says.
    #[error("signature is not well encoded: {fault}")]
    SignatureEncoding {
        /// What is wrong with it.
        fault: String,
    },
    /// The signature does not hold over the received bytes under the enrolled key.
    #[error("signature does not hold over the received bytes")]
    SignatureFalse,
    /// The record has neither an import nor an export register.
    #[error("record has neither an import nor an export register at its last moment")]
    RegisterMissing,
    /// The meter itself does not vouch for the value.
    #[error("meter status {status:?} does not vouch for the value")]
    StatusNotGood {
        /// The status, in the words or hex digits of the format.
        status: String,
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
    #[error("counter {counter} with this payload was admitted before")]
    Replayed {
        /// The counter.
        counter: u64,
    },
    /// Another payload was admitted under the same counter.
    #[error("counter {counter} was admitted before with another payload")]
    Equivocation {
        /// The counter.
        counter: u64,
    },
    /// The counter is lower than the last one admitted.
    #[error("counter {counter} is lower than {last}, the last one admitted")]
    CounterBack {
        /// The counter.
        counter: u64,
        /// The last one admitted.
        last: u64,
    },
    /// A register counts less than when the meter was mounted.
    #[error("{register} register is at {milliwh} mWh, but was mounted at {start_milliwh} mWh")]
    BelowStart {
        /// Import or export.
        register: &'static str,
        /// Its value now. [mWh]
        milliwh: i64,
        /// Its value when the meter was mounted. [mWh]
        start_milliwh: i64,
    },
    /// A register counts less than it did.
    #[error("{register} register fell from {last_milliwh} mWh to {milliwh} mWh")]
    RegisterFell {
        /// Import or export.
        register: &'static str,
        /// Its value now. [mWh]
        milliwh: i64,
        /// Its last value admitted. [mWh]
        last_milliwh: i64,
    },
    /// The meter has been running for less time than before.
    #[error("operating time fell from {last_s} s to {operating_s} s")]
    OperatingFell {
        /// How long the meter says it runs. [s]
        operating_s: u64,
        /// The last one admitted. [s]
        last_s: u64,
    },
    /// An interval begins before another of the meter ends.
    #[error("interval from {start_ms} ms UTC begins before another ends at {last_ms} ms")]
    IntervalOverlaps {
        /// Beginning of the interval. [UTC ms]
        start_ms: i64,
        /// End of the other. [UTC ms]
        last_ms: i64,
    },
    /// The time is not later than that of the last reading.
    #[error("time {time_ms} ms UTC is not later than {last_ms} ms, the last one admitted")]
    TimeNotRising {
        /// Time of the reading. [UTC ms]
        time_ms: i64,
        /// Time of the last one admitted. [UTC ms]
        last_ms: i64,
    },
    /// A batch is being written to its store; nothing is admitted until that is known to be done.
    #[error("a batch is staged and neither committed nor rolled back")]
    BatchOpen,
}

fn offset_text(stated_s: Option<i64>) -> String {
    stated_s.map_or_else(
        || "without an offset from UTC".to_owned(),
        |stated_s| format!("{stated_s} s off UTC"),
    )
}

/// The stable name of every rule, in the order in which they are checked.
pub const CODES: [&str; 25] = [
    "metering.format",
    "metering.key_unknown",
    "metering.key_not_valid_then",
    "metering.local_time",
    "metering.key_revoked",
    "metering.key_retired",
    "metering.key_other",
    "metering.algorithm",
    "metering.deviation",
    "metering.signature_encoding",
    "metering.signature_false",
    "metering.register_missing",
    "metering.status_not_good",
    "metering.resolution",
    "metering.time_ahead",
    "metering.other_meter",
    "metering.replayed",
    "metering.equivocation",
    "metering.counter_back",
    "metering.below_start",
    "metering.register_fell",
    "metering.operating_fell",
    "metering.interval_overlaps",
    "metering.time_not_rising",
    "metering.batch_open",
];

impl MeteringError {
    /// Returns the stable name of the rule.
    pub fn code(&self) -> &'static str {
        CODES[self.rank()]
    }

    /// Returns the place of the rule among [`CODES`].
    pub const fn rank(&self) -> usize {
        match self {
            Self::Format(_) => 0,
            Self::KeyUnknown { .. } => 1,
            Self::KeyNotValidThen { .. } => 2,
            Self::LocalTime { .. } => 3,
            Self::KeyRevoked { .. } => 4,
            Self::KeyRetired { .. } => 5,
            Self::KeyOther { .. } => 6,
            Self::AlgorithmOther { .. } => 7,
            Self::Deviation { .. } => 8,
            Self::SignatureEncoding { .. } => 9,
            Self::SignatureFalse => 10,
            Self::RegisterMissing => 11,
            Self::StatusNotGood { .. } => 12,
            Self::Resolution { .. } => 13,
            Self::TimeAhead { .. } => 14,
            Self::OtherMeter { .. } => 15,
            Self::Replayed { .. } => 16,
            Self::Equivocation { .. } => 17,
            Self::CounterBack { .. } => 18,
            Self::BelowStart { .. } => 19,
            Self::RegisterFell { .. } => 20,
            Self::OperatingFell { .. } => 21,
            Self::IntervalOverlaps { .. } => 22,
            Self::TimeNotRising { .. } => 23,
            Self::BatchOpen => 24,
        }
    }

    /// Returns whether the record is false, was admitted before, or could not be decided.
    pub const fn outcome(&self) -> Outcome {
        match self {
            Self::Replayed { .. } => Outcome::Repeated,
            Self::Format(_)
            | Self::KeyUnknown { .. }
            | Self::KeyNotValidThen { .. }
            | Self::LocalTime { .. }
            | Self::KeyRevoked { .. }
            | Self::KeyRetired { .. }
            | Self::KeyOther { .. }
            | Self::AlgorithmOther { .. }
            | Self::Deviation { .. }
            | Self::SignatureEncoding { .. }
            | Self::RegisterMissing
            | Self::StatusNotGood { .. }
            | Self::Resolution { .. }
            | Self::BatchOpen => Outcome::Undecided,
            Self::SignatureFalse
            | Self::TimeAhead { .. }
            | Self::OtherMeter { .. }
            | Self::Equivocation { .. }
            | Self::CounterBack { .. }
            | Self::BelowStart { .. }
            | Self::RegisterFell { .. }
            | Self::OperatingFell { .. }
            | Self::IntervalOverlaps { .. }
            | Self::TimeNotRising { .. } => Outcome::False,
        }
    }
}

/// What makes bytes unreadable as a record.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum FormatFault {
    /// Longer than a record of its format may be.
    #[error("{bytes} bytes are more than the {bytes_max} of a record")]
    TooLong {
        /// Length received.
        bytes: usize,
        /// The limit.
        bytes_max: usize,
    },
    /// The bytes begin like a record of no format.
    #[error("record is of no known format")]
    NotRecognised,
    /// A part of the record is not built as the format says.
    #[error("{part}: {fault}")]
    Structure {
        /// Which part.
        part: &'static str,
        /// What is wrong with it.
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
    /// A field that has one value is given more than once.
    #[error("{field} is given more than once")]
    Repeated {
        /// Name of the field.
        field: &'static str,
    },
}

impl FormatFault {
    /// Makes the fault of a value.
    pub(crate) fn value(
        field: &'static str,
        found: impl Into<String>,
        expected: &'static str,
    ) -> Self {
        let found = found.into();
        Self::Value {
            field,
            found,
            expected,
        }
    }

    /// Makes the fault of a part.
    pub(crate) fn structure(part: &'static str, fault: impl std::fmt::Display) -> Self {
        let fault = fault.to_string();
        Self::Structure { part, fault }
    }
}
