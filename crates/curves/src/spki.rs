//! `SubjectPublicKeyInfo`: a constant per scheme, then the point.
//!
//! DER has one encoding of a value, and of a key of one scheme only the point varies. So the
//! canonical encoding is a constant before the point, and reading it is a comparison of bytes.

use crate::Scheme;

/// Widest point, `x || y` on a curve of 384 bits. [bytes]
pub(crate) const POINT_BYTES_MAX: usize = 96;

/// Everything before the point: `SEQUENCE { SEQUENCE { algorithm, curve }, BIT STRING ... }`, for
/// ECDSA up to and with the 04 that says the point is not compressed (RFC 5480, RFC 8410).
const fn prefix(scheme: Scheme) -> &'static [u8] {
    match scheme {
        Scheme::Ed25519 => b"\x30\x2a\x30\x05\x06\x03\x2b\x65\x70\x03\x21\x00",
        Scheme::EcdsaP256 => {
            b"\x30\x59\x30\x13\x06\x07\x2a\x86\x48\xce\x3d\x02\x01\
              \x06\x08\x2a\x86\x48\xce\x3d\x03\x01\x07\x03\x42\x00\x04"
        }
        Scheme::EcdsaSecp256k1 => {
            b"\x30\x56\x30\x10\x06\x07\x2a\x86\x48\xce\x3d\x02\x01\
              \x06\x05\x2b\x81\x04\x00\x0a\x03\x42\x00\x04"
        }
        Scheme::EcdsaP384 => {
            b"\x30\x76\x30\x10\x06\x07\x2a\x86\x48\xce\x3d\x02\x01\
              \x06\x05\x2b\x81\x04\x00\x22\x03\x62\x00\x04"
        }
        Scheme::EcdsaBrainpool256r1 => {
            b"\x30\x5a\x30\x14\x06\x07\x2a\x86\x48\xce\x3d\x02\x01\
              \x06\x09\x2b\x24\x03\x03\x02\x08\x01\x01\x07\x03\x42\x00\x04"
        }
        Scheme::EcdsaBrainpool384r1 => {
            b"\x30\x7a\x30\x14\x06\x07\x2a\x86\x48\xce\x3d\x02\x01\
              \x06\x09\x2b\x24\x03\x03\x02\x08\x01\x01\x0b\x03\x62\x00\x04"
        }
        Scheme::EcdsaSecp192r1 => {
            b"\x30\x49\x30\x13\x06\x07\x2a\x86\x48\xce\x3d\x02\x01\
              \x06\x08\x2a\x86\x48\xce\x3d\x03\x01\x01\x03\x32\x00\x04"
        }
        Scheme::EcdsaSecp192k1 => {
            b"\x30\x46\x30\x10\x06\x07\x2a\x86\x48\xce\x3d\x02\x01\
              \x06\x05\x2b\x81\x04\x00\x1f\x03\x32\x00\x04"
        }
    }
}

/// Returns the width of a point in SPKI, without the 04 of ECDSA. [bytes]
pub(crate) const fn point_bytes(scheme: Scheme) -> usize {
    match scheme {
        Scheme::Ed25519 => scheme.coordinate_bytes(),
        _ => 2 * scheme.coordinate_bytes(),
    }
}

/// Splits an encoding into its scheme and its point; none if it is not canonical for any scheme.
pub(crate) fn decode(der: &[u8]) -> Option<(Scheme, &[u8])> {
    Scheme::ALL.into_iter().find_map(|scheme| {
        let point = der.strip_prefix(prefix(scheme))?;
        (point.len() == point_bytes(scheme)).then_some((scheme, point))
    })
}

/// Writes the canonical encoding of a point.
pub(crate) fn encode(scheme: Scheme, point: &[u8]) -> Vec<u8> {
    [prefix(scheme), point].concat()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lengths_in_each_prefix_fit_the_scheme() {
        for scheme in Scheme::ALL {
            let der = encode(scheme, &vec![0; point_bytes(scheme)]);
            assert_eq!(usize::from(der[1]), der.len() - 2, "{scheme}");
            let algorithm_end = 4 + usize::from(der[3]);
            assert_eq!(
                der[algorithm_end], 3,
                "{scheme}: no BIT STRING after the algorithm"
            );
            let bits = usize::from(der[algorithm_end + 1]);
            assert_eq!(bits, der.len() - algorithm_end - 2, "{scheme}");
            assert_eq!(decode(&der).map(|(found, _)| found), Some(scheme));
        }
    }
}
