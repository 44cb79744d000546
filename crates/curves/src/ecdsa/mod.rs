//! ECDSA: 1 <= r, s < n, low and high s alike, the digest's leftmost bits.
//!
//! A signature holds if the x coordinate of `z / s * G + r / s * Q` leaves r modulo the order n.
//! Keys and the generator have tables of their multiples, so nothing is doubled, and the table
//! points of many signatures are added in affine coordinates with shared inversions (`sums`). Keys
//! without tables are doubled and added, each in its own lane (`cold`). Both paths give up on equal
//! and opposite points; whatever they give up on is checked alone, by a path that is right in every
//! case (`public_key`).
//!
//! Everything is in variable time: keys, messages and signatures are public.

#[cfg(test)]
mod agreement;
mod batch;
mod cold;
mod comb;
mod complete;
mod curve;
mod eight;
mod field;
mod inversion;
mod modular;
#[cfg(test)]
mod paths;
mod point;
mod public_key;
mod scalars;
mod shared;
mod steps;
mod sums;
mod tables;
#[cfg(test)]
mod tests;

pub(crate) use public_key::PublicKey;
pub(crate) use tables::{Job, KeyTable, verify_all};
