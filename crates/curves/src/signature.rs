//! Signatures of fixed width, and the encodings they are read from.

use der::asn1::AnyRef;
use der::{Decode, Reader, SliceReader, Tag, Tagged};

use crate::Scheme;

/// How the bytes of a signature are to be read.
///
/// Every encoding but the first two is a named deviation seen on real meters: whoever allows one
/// for a meter should say so beside the verdict.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum SignatureEncoding {
    /// `r || s` or `R || S`, each of the width of a coordinate.
    Fixed,
    /// ECDSA: `SEQUENCE { r INTEGER, s INTEGER }` in DER.
    Der,
    /// As DER, but an INTEGER with its top bit set is taken as positive, its 00 being left out, and
    /// one of the width of a coordinate may begin with zeros.
    DerWithoutPad,
}

/// Why bytes are not a signature in the encoding asked for, in the order of the checks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum EncodingFault {
    /// Ed25519 signatures have no DER.
    #[error("{scheme} signatures have no DER encoding")]
    EncodingOther {
        /// The scheme of the signature.
        scheme: Scheme,
    },
    /// The length is not that of a signature of fixed width.
    #[error("a signature of {length} bytes where {expected} were expected")]
    Length {
        /// Length found. [bytes]
        length: usize,
        /// Length of the scheme's signatures. [bytes]
        expected: usize,
    },
    /// The bytes are not one DER SEQUENCE of two INTEGERs and nothing else.
    #[error("not a DER SEQUENCE of two INTEGERs and nothing else, at byte {at}")]
    Der {
        /// Where reading stopped, from 0.
        at: u32,
    },
    /// An INTEGER has no content, or a 00 too many before it.
    #[error("an INTEGER is not in its shortest form")]
    IntegerNotMinimal,
    /// An INTEGER is negative.
    #[error("an INTEGER is negative")]
    IntegerNegative,
}

/// Width of the widest scheme. [bytes]
const BYTES_MAX: usize = 96;

/// A signature that is well encoded; whether it holds is another question.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Signature {
    scheme: Scheme,
    /// `r || s` or `R || S`, then zeros.
    bytes: [u8; BYTES_MAX],
}

impl Signature {
    /// Reads a signature, all of the bytes and in one encoding only.
    ///
    /// A number in DER that is wider than a coordinate is out of range for every curve here. It is
    /// well encoded, so it is read, as a number out of range, and verifying it says it is false.
    ///
    /// # Errors
    /// [`EncodingFault`]
    pub fn read(
        scheme: Scheme,
        encoding: SignatureEncoding,
        bytes: &[u8],
    ) -> Result<Self, EncodingFault> {
        match encoding {
            SignatureEncoding::Fixed => Self::from_fixed(scheme, bytes),
            SignatureEncoding::Der => Self::from_der(scheme, bytes, Sign::Strict),
            SignatureEncoding::DerWithoutPad => Self::from_der(scheme, bytes, Sign::Ignored),
        }
    }

    fn from_fixed(scheme: Scheme, fixed: &[u8]) -> Result<Self, EncodingFault> {
        let (length, expected) = (fixed.len(), scheme.signature_bytes());
        if length != expected {
            return Err(EncodingFault::Length { length, expected });
        }
        let mut bytes = [0; BYTES_MAX];
        bytes[..length].copy_from_slice(fixed);
        Ok(Self { scheme, bytes })
    }

    fn from_der(scheme: Scheme, der: &[u8], sign: Sign) -> Result<Self, EncodingFault> {
        if scheme == Scheme::Ed25519 {
            return Err(EncodingFault::EncodingOther { scheme });
        }
        let [r, s] = integers(der)?;
        let mut bytes = [0; BYTES_MAX];
        let (left, right) =
            bytes[..scheme.signature_bytes()].split_at_mut(scheme.coordinate_bytes());
        write_integer(r, sign, left)?;
        write_integer(s, sign, right)?;
        Ok(Self { scheme, bytes })
    }

    /// Returns the scheme the signature was read for.
    pub const fn scheme(&self) -> Scheme {
        self.scheme
    }

    /// Returns `r || s` (big-endian) or `R || S` (as in RFC 8032), of fixed width.
    pub fn as_bytes(&self) -> &[u8] {
        &self.bytes[..self.scheme.signature_bytes()]
    }

    /// Returns the two halves, of N bytes each.
    pub(crate) fn halves<const N: usize>(&self) -> [[u8; N]; 2] {
        debug_assert_eq!(N, self.scheme.coordinate_bytes());
        let mut halves = [[0; N]; 2];
        halves
            .as_flattened_mut()
            .copy_from_slice(&self.bytes[..2 * N]);
        halves
    }
}

/// What the top bit of an INTEGER means.
#[derive(Clone, Copy)]
enum Sign {
    Strict,
    Ignored,
}

fn integers(der: &[u8]) -> Result<[&[u8]; 2], EncodingFault> {
    let decode = || {
        let mut reader = SliceReader::new(der)?;
        let pair = reader.sequence(|inner| {
            let pair = [AnyRef::decode(inner)?, AnyRef::decode(inner)?];
            for integer in &pair {
                integer.tag().assert_eq(Tag::Integer)?;
            }
            Ok::<_, der::Error>(pair.map(|integer| integer.value()))
        })?;
        reader.finish()?;
        Ok(pair)
    };
    decode().map_err(|fault: der::Error| EncodingFault::Der {
        at: fault.position().map_or(0, u32::from),
    })
}

/// Right-aligns the content of an INTEGER in a number of fixed width.
fn write_integer(content: &[u8], sign: Sign, number: &mut [u8]) -> Result<(), EncodingFault> {
    // Meters that leave the pad out write numbers at full width, so also zeros before small ones.
    let full = content.len() == number.len() && matches!(sign, Sign::Ignored);
    let digits = match content {
        [] => return Err(EncodingFault::IntegerNotMinimal),
        [0, 0..=0x7f, ..] if !full => return Err(EncodingFault::IntegerNotMinimal),
        [0x80..=0xff, ..] if matches!(sign, Sign::Strict) => {
            return Err(EncodingFault::IntegerNegative);
        }
        [0, digits @ ..] => digits,
        digits => digits,
    };
    match number.len().checked_sub(digits.len()) {
        Some(zeros) => number[zeros..].copy_from_slice(digits),
        // All ones are above every order and every prime here.
        None => number.fill(0xff),
    }
    Ok(())
}
