//! Signatures verified against enrolled keys.
//!
//! A key is enrolled once and checked for years, so whatever depends on the key alone is computed
//! once. [`VerifyingKey`] reads and checks a key, [`KeyRing`] holds many of them with their tables
//! and verifies batches: one strict verdict a signature, no randomness, and the same verdict alone,
//! in any batch and on any CPU.
//!
//! # Rule
//!
//! - Keys are enrolled from the one canonical encoding of a point. An Ed25519 key is in the subgroup
//!   of prime order and not its identity; an ECDSA key is on its curve.
//! - Ed25519 (RFC 8032): S < L, A and R canonical and not of small order, and R the encoding of
//!   S B - h A, without a cofactor. This is `verify_strict` of ed25519-dalek, and libsodium's rule.
//! - ECDSA: 1 <= r, s < n; s may be high or low. Two signatures may thus differ and say the same, so
//!   nothing may be told apart by its signature bytes.
//! - [`SignatureFault::False`] accuses the signer. Every other fault says that the question was wrong.
//!
//! # Invariants
//!
//! - A batch shares inversions and nothing else: no signature can change the verdict of another.
//! - Scalars of Ed25519 are taken as integers, never with L added, so the rule holds for every A that
//!   it admits, also for one that enrolment would refuse.
//! - Addition on edwards25519 is complete, so no input is exceptional and no Z is 0.
//! - Kernels in lanes are written over a word of eight lanes. Tests run them over its portable
//!   implementation everywhere, and over the machine's where it has lanes. [`lanes()`] says what this
//!   process uses: before the lanes of a machine are used, each of their operations is compared with
//!   the portable one, and lanes that disagree are refused.
//! - Nothing here is secret and nothing is constant in time.
//!
//! # Cost and limits
//!
//! Of Ed25519 a table costs, by [`TableSize`]: small 6,144 bytes (64 additions and 28 doublings a
//! signature), medium 78,336 bytes (51 additions), large 227,328 bytes (37 additions); to each come
//! 26 additions from a table of the base point of 1.3 MB that all keys share. A cold key takes 66
//! additions and 250 doublings, in a lane or alone. A ring holds at most [`KEYS_MAX`] keys, and tables
//! up to the limit it was made with. `examples/ed25519_rates.rs` measures beside ed25519-dalek.
//!
//! Of ECDSA with 256 bits a table costs 8 KB, 52 KB or 148 KB, and a signature 64, 52 or 37 additions
//! and as many as 12 doublings; to each come 24 additions from a table of the generator of 1.6 MB. A
//! cold key takes 91 additions and 259 doublings. `examples/ecdsa_rates.rs` measures beside the crates.
//!
//! # Known gaps
//!
//! - Only edwards25519, P-256 and secp256k1 have lanes; the other curves of 256 and 192 bits are
//!   checked in four limbs, those of 384 bits by their crates.

#![deny(unsafe_code)]

mod digits;
mod ecdsa;
mod ed25519;
mod key;
mod lanes;
mod limbs;
mod ring;
mod scheme;
mod sha512;
mod signature;
mod spki;
mod task;

pub use key::{KeyFault, VerifyingKey};
pub use lanes::{Lanes, lanes, want_lanes};
pub use ring::{KEYS_MAX, KeyIndex, KeyRing, RingFault, TableSize};
pub use scheme::Scheme;
pub use signature::{EncodingFault, Signature, SignatureEncoding};
pub use task::{DIGEST_BYTES_MAX, DIGEST_BYTES_MIN, SignatureFault, Signed, Task, Verdict};
