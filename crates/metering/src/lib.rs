//! Signed bytes in, verified readings out.
//!
//! A reading counts only as a [`VerifiedReading`], and only a [`Verifier`] makes one: the signature
//! over the *received* bytes was right, the key was enrolled for that meter at that time, and the
//! reading was neither replayed nor contradicted. There is no other constructor and no verdict as a
//! boolean.
//!
//! # Invariants
//! - What is hashed is the slice between the first and the second `|`, never a text made again.
//! - A key comes from the trust store; whatever a record says about keys or curves can only
//!   confirm.
//! - Per key and pagination context: pagination and time rise, registers do not fall, and one
//!   pagination has one payload. Identity is the payload; its signature bytes are malleable.
//! - Register values are read digit by digit; no float is involved.
//!
//! # Ordering
//! Checks run in the order of [`MeteringError`]; the first rule broken is the one reported. A
//! batch is judged in the order given.
//!
//! # Limits
//! [`RECORD_BYTES_MAX`], [`READINGS_MAX`], [`BATCH_MAX`], [`LEDGER_HISTORY_MAX`],
//! [`CLOCK_AHEAD_MAX_S`].
//!
//! # Known gaps
//! P-256 only; no compatibility profile for meters with other signature encodings; registers are
//! not compared across a change of key; a pagination may leave a gap forward, as a lost reading
//! does.
//!
//! # Cost
//! One P-256 verification a record; the ledger adds O(log n).

#![forbid(unsafe_code)]

mod decimal;
mod ecdsa_p256;
mod enrolment;
mod errors;
mod ledger;
mod ocmf;
mod ocmf_text;
mod reading;
mod timestamp;
mod verifier;

pub use ecdsa_p256::{SignatureFault, VerifyingKey};
pub use enrolment::{Algorithm, EnrolmentError, KeyRecord};
pub use errors::{FormatFault, MeteringError, Outcome, Refusal};
pub use ledger::{LEDGER_HISTORY_MAX, LedgerError, LedgerRow};
pub use ocmf::{READINGS_MAX, RECORD_BYTES_MAX};
pub use reading::{ClockStatus, PaginationContext, VerifiedReading};
pub use verifier::{BATCH_MAX, CLOCK_AHEAD_MAX_S, Verifier};
