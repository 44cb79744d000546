//! Public keys, checked when they are read.

use sha2::{Digest, Sha256};

use crate::signature::Signature;
use crate::spki::{self, POINT_BYTES_MAX};
use crate::{Scheme, SignatureFault, Signed, TableSize, ecdsa, ed25519};

/// Why bytes are not a key to enrol, in the order of the checks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum KeyFault {
    /// The bytes are not the canonical `SubjectPublicKeyInfo` of any scheme.
    #[error("{length} bytes are not the canonical SPKI DER of an uncompressed key of any scheme")]
    Spki {
        /// Length found. [bytes]
        length: usize,
    },
    /// The scheme has no keys of this form.
    #[error("{scheme} has no keys of this form")]
    FormOther {
        /// The scheme asked for.
        scheme: Scheme,
    },
    /// No arithmetic for the scheme's curve is here yet.
    #[error("{scheme} is not supported yet")]
    SchemeUnsupported {
        /// The scheme asked for.
        scheme: Scheme,
    },
    /// The length is not that of the form.
    #[error("{length} bytes where {expected} were expected")]
    Length {
        /// Length found. [bytes]
        length: usize,
        /// Length of the form. [bytes]
        expected: usize,
    },
    /// A coordinate is not below the field's prime, a sign stands at x = 0, or the tag is none of
    /// SEC 1's.
    #[error("the encoding of the point is not canonical")]
    NotCanonical,
    /// No point of the curve has these coordinates.
    #[error("the point is not on the curve of {scheme}")]
    NotOnCurve {
        /// The scheme asked for.
        scheme: Scheme,
    },
    /// Ed25519: the point is one of the eight whose order divides the cofactor.
    #[error("the point is of small order")]
    SmallOrder,
    /// Ed25519: the point is a multiple of the base point plus one of small order.
    #[error("the point is not in the prime-order subgroup")]
    Torsion,
}

/// A public key that may be enrolled: its encoding was canonical and its point is good.
///
/// An Ed25519 key is in the prime-order subgroup and not its identity; an ECDSA key is on its curve
/// and not at infinity.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct VerifyingKey {
    scheme: Scheme,
    id: [u8; 32],
    /// As in SPKI, then zeros.
    encoded: [u8; POINT_BYTES_MAX],
    pub(crate) point: Point,
}

/// A decoded point with what its scheme needs beside it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Point {
    Ed25519(ed25519::PublicKey),
    Ecdsa(ecdsa::PublicKey),
}

impl VerifyingKey {
    /// Reads a `SubjectPublicKeyInfo`; the scheme is the one it names.
    ///
    /// Only the DER this key would itself be written as will do: a compressed point, explicit curve
    /// parameters, long lengths or trailing bytes are refused.
    ///
    /// # Errors
    /// [`KeyFault`]
    pub fn from_spki_der(der: &[u8]) -> Result<Self, KeyFault> {
        let length = der.len();
        let (scheme, point) = spki::decode(der).ok_or(KeyFault::Spki { length })?;
        match scheme {
            Scheme::Ed25519 => Self::from_ed25519(point),
            _ => Self::from_coordinates(scheme, point),
        }
    }

    /// Reads the 32 bytes of an Ed25519 key.
    ///
    /// # Errors
    /// [`KeyFault`]
    pub fn from_ed25519(bytes: &[u8]) -> Result<Self, KeyFault> {
        let key = ed25519::PublicKey::enrol(exactly(bytes)?)?;
        Ok(Self::new(Scheme::Ed25519, bytes, Point::Ed25519(key)))
    }

    /// Reads an ECDSA key as `x || y`, both big-endian and of full width.
    ///
    /// # Errors
    /// [`KeyFault`]
    pub fn from_coordinates(scheme: Scheme, bytes: &[u8]) -> Result<Self, KeyFault> {
        let sec1 = [&[UNCOMPRESSED], bytes].concat();
        Self::from_point(scheme, &sec1, bytes.len(), spki::point_bytes(scheme))
    }

    /// Reads an ECDSA key as SEC 1 writes it: 04 and both coordinates, or 02 or 03 and x.
    ///
    /// # Errors
    /// [`KeyFault`]
    pub fn from_sec1(scheme: Scheme, bytes: &[u8]) -> Result<Self, KeyFault> {
        let expected = match bytes.first() {
            Some(&(EVEN | ODD)) => 1 + scheme.coordinate_bytes(),
            _ => 1 + spki::point_bytes(scheme),
        };
        Self::from_point(scheme, bytes, bytes.len(), expected)
    }

    /// Reads an ECDSA key as x alone, the even y being meant.
    ///
    /// # Errors
    /// [`KeyFault`]
    pub fn from_x_of_even_y(scheme: Scheme, bytes: &[u8]) -> Result<Self, KeyFault> {
        let sec1 = [&[EVEN], bytes].concat();
        Self::from_point(scheme, &sec1, bytes.len(), scheme.coordinate_bytes())
    }

    fn from_point(
        scheme: Scheme,
        sec1: &[u8],
        length: usize,
        expected: usize,
    ) -> Result<Self, KeyFault> {
        if scheme == Scheme::Ed25519 {
            return Err(KeyFault::FormOther { scheme });
        }
        if length != expected {
            return Err(KeyFault::Length { length, expected });
        }
        let (key, coordinates) = ecdsa::PublicKey::from_sec1(scheme, sec1)?;
        Ok(Self::new(scheme, &coordinates, Point::Ecdsa(key)))
    }

    fn new(scheme: Scheme, point_bytes: &[u8], point: Point) -> Self {
        let mut encoded = [0; POINT_BYTES_MAX];
        encoded[..point_bytes.len()].copy_from_slice(point_bytes);
        Self {
            scheme,
            id: Sha256::digest(spki::encode(scheme, point_bytes)).into(),
            encoded,
            point,
        }
    }

    /// Returns the SHA-256 of the canonical SPKI DER, by which ledgers name the key.
    pub const fn id(&self) -> [u8; 32] {
        self.id
    }

    /// Returns the scheme the key is for, and no other.
    pub const fn scheme(&self) -> Scheme {
        self.scheme
    }

    /// Returns the point as SPKI holds it: the 32 bytes of an Ed25519 key, else `x || y`.
    pub fn as_bytes(&self) -> &[u8] {
        &self.encoded[..spki::point_bytes(self.scheme)]
    }

    /// Writes the canonical `SubjectPublicKeyInfo`.
    pub fn to_spki_der(&self) -> Vec<u8> {
        spki::encode(self.scheme, self.as_bytes())
    }

    /// Returns what a table of this key takes. [bytes]
    pub const fn table_bytes(&self, size: TableSize) -> usize {
        match self.point {
            Point::Ed25519(_) => ed25519::Table::bytes(size),
            Point::Ecdsa(_) => ecdsa::KeyTable::bytes(self.scheme, size),
        }
    }

    /// Checks one signature, without a table. A [`KeyRing`](crate::KeyRing) gives the same verdict
    /// and is faster.
    ///
    /// # Errors
    /// [`SignatureFault`]
    pub fn verify(&self, signed: Signed<'_>, signature: &Signature) -> Result<(), SignatureFault> {
        signed.check_for(self.scheme, signature)?;
        match &self.point {
            Point::Ed25519(key) => key.verify(signed.bytes(), signature),
            Point::Ecdsa(key) => key.verify(signed.bytes(), signature),
        }
    }
}

const EVEN: u8 = 2;
const ODD: u8 = 3;
const UNCOMPRESSED: u8 = 4;

fn exactly<const N: usize>(bytes: &[u8]) -> Result<&[u8; N], KeyFault> {
    bytes.try_into().map_err(|_| KeyFault::Length {
        length: bytes.len(),
        expected: N,
    })
}
