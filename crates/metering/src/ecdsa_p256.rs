//! ECDSA on NIST P-256 with SHA-256: keys as canonical SPKI DER, signatures as strict DER.

use p256::ecdsa::Signature;
use p256::ecdsa::signature::hazmat::PrehashVerifier;
use p256::pkcs8::der::asn1::UintRef;
use p256::pkcs8::der::{Decode, Reader, SliceReader};
use p256::pkcs8::{DecodePublicKey, EncodePublicKey};
use sha2::{Digest, Sha256};

/// Length of a coordinate, an `r` or an `s`.
const SCALAR_BYTES: usize = 32;

/// Why a signature is not right.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SignatureFault {
    /// The bytes are not the one DER encoding of two non-negative integers.
    Encoding(String),
    /// The equation does not hold, or a number is not in 1..n.
    False,
}

/// A meter's public key: a point on the curve, from its canonical encoding.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct VerifyingKey {
    key: p256::ecdsa::VerifyingKey,
    id: [u8; 32],
}

impl VerifyingKey {
    /// Reads a `SubjectPublicKeyInfo`; only the DER this key would itself be written as will do.
    ///
    /// The point is checked to be on the curve; a compressed point, another curve or trailing bytes
    /// are refused.
    pub fn from_spki_der(der: &[u8]) -> Option<Self> {
        let key = p256::PublicKey::from_public_key_der(der).ok()?;
        let canonical = key.to_public_key_der().ok()?;
        (canonical.as_bytes() == der).then(|| Self {
            key: key.into(),
            id: Sha256::digest(der).into(),
        })
    }

    /// Returns the SHA-256 of the encoded key, by which ledgers name it.
    pub const fn id(&self) -> [u8; 32] {
        self.id
    }

    /// Checks a DER signature over a message.
    ///
    /// Both `s` and `n - s` are accepted: about half of all genuine meter signatures are high. That
    /// is why nothing may be told apart by its signature bytes.
    ///
    /// # Errors
    /// [`SignatureFault::Encoding`] before any curve arithmetic, else [`SignatureFault::False`].
    pub fn check(&self, message: &[u8], signature_der: &[u8]) -> Result<(), SignatureFault> {
        let signature = signature_from_der(signature_der)?.normalize_s();
        let prehash: [u8; 32] = Sha256::digest(message).into();
        self.key
            .verify_prehash(&prehash, &signature)
            .map_err(|_| SignatureFault::False)
    }
}

/// Reads `SEQUENCE { r INTEGER, s INTEGER }` in strict DER, whole.
fn signature_from_der(der: &[u8]) -> Result<Signature, SignatureFault> {
    let decode = || {
        let mut reader = SliceReader::new(der)?;
        let scalars = reader.sequence(|inner| {
            let (r, s) = (UintRef::decode(inner)?, UintRef::decode(inner)?);
            Ok::<_, p256::pkcs8::der::Error>((scalar(r), scalar(s)))
        })?;
        reader.finish()?;
        Ok::<_, p256::pkcs8::der::Error>(scalars)
    };
    match decode().map_err(|fault| SignatureFault::Encoding(fault.to_string()))? {
        (Some(r), Some(s)) => Signature::from_scalars(r, s).map_err(|_| SignatureFault::False),
        // Well encoded but longer than the order of the curve: out of range, so false.
        _ => Err(SignatureFault::False),
    }
}

/// Pads an integer to the width of a scalar; none if it is wider.
fn scalar(integer: UintRef<'_>) -> Option<[u8; SCALAR_BYTES]> {
    let bytes = integer.as_bytes();
    let mut padded = [0; SCALAR_BYTES];
    padded
        .get_mut(SCALAR_BYTES.checked_sub(bytes.len())?..)?
        .copy_from_slice(bytes);
    Some(padded)
}
