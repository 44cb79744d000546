//! What a record says, before anything of it is believed: the one shape every wire format is read
//! into.

use std::borrow::Cow;

use gridrig_curves::Scheme;
pub(crate) use gridrig_curves::SignatureEncoding;
use gridrig_quantity::Energy;

use crate::local_time::LocalMoment;
use crate::profile::Profile;
use crate::{ClockStatus, CounterContext, MeteringError};

/// A record that can be read.
///
/// Except where a field says otherwise, everything in it comes out of the signed bytes.
#[derive(Debug)]
pub(crate) struct SignedRecord<'a> {
    /// What the signed bytes call the signer: a serial number, a server id in lower-case hex, an
    /// equipment number in decimal. Compared with `serial` of the trust store.
    pub(crate) serial: Cow<'a, str>,
    /// A key the record names, by its first bytes of SHA-256; it can only confirm.
    pub(crate) named_key: Option<Cow<'a, [u8]>>,
    /// An algorithm the record declares, signed or not; it can only confirm.
    pub(crate) declared: Option<DeclaredAlgorithm<'a>>,
    /// The signature that covers the reading. The SHA-256 of its bytes is the reading's identity.
    pub(crate) signed: SignedPart<'a>,
    /// Signatures inside the signed bytes, by the same key; each has to be right as well.
    pub(crate) nested: Vec<SignedPart<'a>>,
    /// The place of the record among those of its signer; none if the format has no counter.
    pub(crate) counter: Option<Counter>,
    /// Seconds the meter has been running, if it signs them; they never fall. [s]
    pub(crate) operating_s: Option<u64>,
    /// When the measure was taken; of an interval, its end.
    pub(crate) time: MeterTime,
    /// What the clock showed, where the format signs local time.
    pub(crate) local: Option<LocalMoment>,
    /// The measure, or the first rule it breaks, which is told only after the signature was right.
    pub(crate) measure: Result<Measure, MeteringError>,
    /// Power the meter signed beside its energy, in order of time.
    pub(crate) power: Vec<PowerSample>,
    /// Status of the meter in the words or hex digits of its format; empty if it has none.
    pub(crate) status: Cow<'a, str>,
    /// The contract, user or session that the record names.
    pub(crate) contract: Option<Cow<'a, str>>,
    /// Deviations from the format that had to be borne to read the record.
    pub(crate) deviations: Vec<&'static Profile>,
    /// A public key the record brings along, for information; it is never believed.
    pub(crate) informed_key: Option<Cow<'a, [u8]>>,
}

/// One signature and what it is over.
#[derive(Debug)]
pub(crate) struct SignedPart<'a> {
    /// The bytes that are signed: a slice of what was received, or put together from its octets.
    pub(crate) bytes: Cow<'a, [u8]>,
    /// What the signature scheme is given of them.
    pub(crate) prehash: Prehash,
    /// How the numbers of the signature are written: strict DER, or fixed width.
    pub(crate) encoding: SignatureEncoding,
    /// The signature, or why its text is none.
    pub(crate) signature: Result<Cow<'a, [u8]>, String>,
}

/// What a signature scheme is given of the signed bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Prehash {
    /// Their SHA-256, of which a shorter curve takes the leftmost bits.
    Sha256,
    /// Their Keccak-256, with the padding from before SHA-3.
    Keccak256,
    /// The bytes themselves: the scheme hashes (Ed25519).
    Message,
}

/// A signature algorithm as a record declares it.
#[derive(Debug)]
pub(crate) struct DeclaredAlgorithm<'a> {
    /// The words of the record.
    pub(crate) text: Cow<'a, str>,
    /// What they mean; none if they are not of the format.
    pub(crate) scheme: Option<Scheme>,
}

/// The place of a record among those of its signer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Counter {
    /// Which of the meter's counters it is.
    pub(crate) context: CounterContext,
    /// Its value, at most `i64::MAX`, since stores hold signed 64-bit numbers.
    pub(crate) value: u64,
}

/// A moment a meter wrote down, and how far it trusts its clock.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct MeterTime {
    /// Milliseconds since 1970-01-01 UTC.
    pub(crate) utc_ms: i64,
    pub(crate) status: ClockStatus,
}

/// What was measured.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum Measure {
    /// Registers at one moment; at least one of them is there.
    Registers {
        /// Energy taken from the grid since the meter was made.
        import: Option<Energy>,
        /// Energy given to the grid since the meter was made.
        export: Option<Energy>,
    },
    /// Energy from `start_ms` to the time of the record.
    Interval {
        /// Beginning of the interval. [UTC ms]
        start_ms: i64,
        /// Energy taken from the grid in it.
        import: Energy,
        /// Energy given to the grid in it.
        export: Energy,
    },
}

/// Power at one moment, positive into the grid.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct PowerSample {
    /// The moment. [UTC ms]
    pub(crate) time_ms: i64,
    /// The power. [mW]
    pub(crate) power_milliwatt: i64,
}
