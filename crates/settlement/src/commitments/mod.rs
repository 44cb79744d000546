//! Commitments: public bytes that say nothing until their owner opens them, and then only one thing.
//!
//! # What is hashed
//! | hash | of |
//! |---|---|
//! | salt | HMAC-SHA-256 of the participant's secret and the leaf id |
//! | commitment | SHA-256 of `gridrig.commitment.1`, a zero byte, length of the leaf id (8 bytes, big-endian), leaf id, salt, payload |
//!
//! The commitment is what a tree of a public root has for a leaf.
//!
//! # Invariants
//! - Without the secret a commitment tells nothing of its payload, however few payloads there may
//!   be: the salt has 256 bits that nobody else can compute.
//! - Each leaf has a salt of its own, so opening one tells nothing of another.
//! - A commitment opens to one leaf id and one payload: the length in front keeps them apart.
//!
//! # Limits
//! [`SECRET_BYTES`], [`LEAF_ID_MAX`], [`PAYLOAD_MAX`].
//!
//! # Known gaps
//! Equal leaf ids under one secret have equal salts: a leaf id names one leaf for good. That a
//! commitment exists, where it stands and when it was published is public.
//!
//! # Source
//! H. Krawczyk, M. Bellare and R. Canetti, "HMAC: Keyed-Hashing for Message Authentication,"
//! RFC 2104, 1997, as a pseudorandom function of the leaf id.

mod errors;
mod opening;

pub use errors::CommitmentError;
pub use opening::{Commitment, LEAF_ID_MAX, Opening, PAYLOAD_MAX, SECRET_BYTES, Salt, salt};
