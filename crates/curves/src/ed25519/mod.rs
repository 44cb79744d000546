//! Ed25519 in two layers: which keys are enrolled, and which signatures they verify.
//!
//! The rule of [`verify`] is that of `verify_strict` in ed25519-dalek and of libsodium: S is below
//! L, A and R are canonical and not of small order, and R is the encoding of S B - h A, without a
//! cofactor. It holds for any such A. Enrolment then refuses every A outside the subgroup of order
//! L, for which the rules of others would differ.
//!
//! Since encodings are compared, R is never decoded.

mod arithmetic;
mod comb;
mod eight;
mod field;
mod in_lanes;
mod point;
mod scalar;
mod table;
mod tabulation;
mod verify;

use crate::{KeyFault, Signature, Verdict};
use point::Point;
use scalar::{ORDER, Scalar};
pub(crate) use table::Table;
pub(crate) use verify::{Job, verify};

/// A canonical point that is not of small order.
#[derive(Debug, Clone)]
pub(crate) struct PublicKey {
    bytes: [u8; 32],
    /// -A, affine.
    negated: Point,
}

impl PartialEq for PublicKey {
    fn eq(&self, other: &Self) -> bool {
        self.bytes == other.bytes
    }
}

impl Eq for PublicKey {}

impl PublicKey {
    /// Decodes a key as the rule of verification wants it.
    fn decode(bytes: &[u8; 32]) -> Result<Self, KeyFault> {
        let point = Point::decode(bytes)?;
        if point.is_of_small_order() {
            return Err(KeyFault::SmallOrder);
        }
        Ok(Self {
            bytes: *bytes,
            negated: point.negated(),
        })
    }

    /// Decodes a key as enrolment wants it, in the subgroup of order L.
    pub(crate) fn enrol(bytes: &[u8; 32]) -> Result<Self, KeyFault> {
        let key = Self::decode(bytes)?;
        // L itself, which is no scalar modulo L: digits are those of an integer.
        let multiple = table::multiply_cold(&key.negated, &Scalar(ORDER));
        if !multiple.is_identity() {
            return Err(KeyFault::Torsion);
        }
        Ok(key)
    }

    /// Checks a signature over a message, without a table.
    pub(crate) fn verify(&self, message: &[u8], signature: &Signature) -> Verdict {
        verify(&[Job {
            key: self,
            table: None,
            message,
            signature,
        }])[0]
    }
}

#[cfg(test)]
mod tests;
