//! What is asked of a verifier, and what it answers.

use crate::ring::KeyIndex;
use crate::{Scheme, Signature};

/// Shortest digest that ECDSA takes here: that of SHA-224. [bytes]
pub const DIGEST_BYTES_MIN: usize = 28;

/// Longest digest that ECDSA takes here: that of SHA-512. [bytes]
pub const DIGEST_BYTES_MAX: usize = 64;

/// What was signed. Which of the two a scheme takes is fixed, so that a message is never taken for
/// a digest, of which ECDSA uses only the leftmost bits.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Signed<'a> {
    /// The whole message: Ed25519.
    Message(&'a [u8]),
    /// The digest of the message, made with the hash of the format: ECDSA.
    Digest(&'a [u8]),
}

/// One signature to check.
#[derive(Debug, Clone, Copy)]
pub struct Task<'a> {
    /// The enrolled key, of the ring that is asked.
    pub key: KeyIndex,
    /// What was signed.
    pub signed: Signed<'a>,
    /// The signature.
    pub signature: Signature,
}

/// Why a signature is not verified, in the order of the checks. Only [`SignatureFault::False`]
/// accuses the signer; the others say that the question was wrong.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum SignatureFault {
    /// The ring has no such key.
    #[error("the ring of {keys} keys has no key {index}")]
    KeyUnknown {
        /// Index asked for.
        index: u32,
        /// Number of keys in the ring.
        keys: u32,
    },
    /// The signature was read for another scheme than the key's.
    #[error("a signature of {signature} for a key of {key}")]
    SchemeOther {
        /// Scheme of the signature.
        signature: Scheme,
        /// Scheme of the key.
        key: Scheme,
    },
    /// A digest was given where the scheme takes the message, or the other way round.
    #[error("{scheme} does not sign what was given: Ed25519 takes the message, ECDSA its digest")]
    SignedOther {
        /// Scheme of the key.
        scheme: Scheme,
    },
    /// The digest is shorter than [`DIGEST_BYTES_MIN`] or longer than [`DIGEST_BYTES_MAX`].
    #[error("a digest of {length} bytes is not of {DIGEST_BYTES_MIN} to {DIGEST_BYTES_MAX} bytes")]
    DigestLength {
        /// Length found. [bytes]
        length: usize,
    },
    /// The signature is false: a number is out of range or the equation does not hold.
    #[error("the signature is false")]
    False,
}

/// The answer to one task.
pub type Verdict = Result<(), SignatureFault>;

impl<'a> Signed<'a> {
    /// Returns the bytes of the message or of the digest.
    pub(crate) const fn bytes(self) -> &'a [u8] {
        match self {
            Self::Message(bytes) | Self::Digest(bytes) => bytes,
        }
    }

    /// Checks that a question to a key of a scheme can be asked.
    pub(crate) fn check_for(self, key: Scheme, signature: &Signature) -> Verdict {
        if signature.scheme() != key {
            let signature = signature.scheme();
            return Err(SignatureFault::SchemeOther { signature, key });
        }
        match (key, self) {
            (Scheme::Ed25519, Self::Message(_)) => Ok(()),
            (Scheme::Ed25519, Self::Digest(_)) | (_, Self::Message(_)) => {
                Err(SignatureFault::SignedOther { scheme: key })
            }
            (_, Self::Digest(digest)) => match digest.len() {
                DIGEST_BYTES_MIN..=DIGEST_BYTES_MAX => Ok(()),
                length => Err(SignatureFault::DigestLength { length }),
            },
        }
    }
}
