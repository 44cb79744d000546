//! Signed bytes in, verified readings out.
//!
//! A reading counts only as a [`VerifiedReading`], and only a [`Verifier`] makes one: the signature
//! over the *received* bytes was right, the key was enrolled for that meter at that time, and the
//! reading was neither replayed nor contradicted. There is no other constructor and no verdict as a
//! boolean.
//!
//! A record is read by its wire format ([`format_names`]), judged by itself on any number of threads
//! ([`Verifier::authenticate`]), and then asked for its place in the history of its meter
//! ([`Verifier::stage`]), which a store makes durable before it counts ([`Verifier::commit`]).
//!
//! # Invariants
//! - What is verified are the received octets: a slice of them, or a block put together from them,
//!   never a model written out again.
//! - A key comes from the trust store; whatever a record says about keys or algorithms can only
//!   confirm.
//! - Per key and counter: counters and time rise, and one counter has one payload. Per device:
//!   registers do not fall along time, whatever key or counter they came under. Identity is the
//!   payload; its signature bytes are malleable.
//! - Register values are read digit by digit; no float is involved.
//! - The outcome of a batch does not depend on the number of threads.
//!
//! # Ordering
//! Checks run in the order of [`MeteringError`]; the first rule broken is the one reported. A
//! batch is judged in the order given.
//!
//! # Limits
//! [`BATCH_MAX`], [`LEDGER_HISTORY_MAX`], [`CLOCK_AHEAD_MAX_S`], [`TABLE_BYTES_MAX`]; each format
//! bounds its records.
//!
//! # Known gaps
//! A register record that arrives after a later one of its counter is refused, not filed in; energy
//! across a meter exchange is not settled as one period; a clock that is set back holds its counter
//! up until it has caught up.
//!
//! # Cost
//! One signature verification a record with the tables of `gridrig_curves`; the ledger adds
//! O(log n), and memory of about 200 bytes a row remembered.

#![forbid(unsafe_code)]

mod authentication;
mod batch;
mod columns;
mod counter;
mod decimal;
mod enrolment;
mod errors;
mod findings;
mod formats;
mod key_record;
mod ledger;
mod local_time;
mod plausibility;
mod profile;
mod reading;
mod signed_record;
mod timestamp;
mod trust_store;
mod verifier;

pub use batch::{BatchError, split_at_offsets};
pub use columns::{ABSENT, METER_UNKNOWN, STATUS_VERIFIED, VerdictColumns};
pub use counter::CounterContext;
pub use enrolment::EnrolmentError;
pub use errors::{CODES, FormatFault, MeteringError, Outcome, Refusal};
pub use findings::{Finding, Findings};
pub use formats::{
    Enclosed, enclosed_in_xml, exercise_format, exercise_xml, format_names, profiles,
};
pub use gridrig_curves::Scheme;
pub use key_record::{KeyForm, KeyRecord, PlausibleLimits, StartRegisters};
pub use ledger::{LEDGER_HISTORY_MAX, LedgerError, LedgerRow};
pub use local_time::LocalTime;
pub use profile::Profile;
pub use reading::{ClockStatus, VerifiedReading};
pub use trust_store::TABLE_BYTES_MAX;
pub use verifier::{
    Authenticated, BATCH_MAX, CLOCK_AHEAD_MAX_S, Fork, LedgerKey, Staged, Verifier,
};
