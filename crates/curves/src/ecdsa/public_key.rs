//! Public keys, and signatures checked alone: by well-kept crates where there is one.

use ::ecdsa::VerifyingKey;
use ::ecdsa::signature::hazmat::PrehashVerifier;

use super::complete;
use super::curve::{Curve, Secp192k1, Secp192r1};
use super::point::{Point, point_from_integers};
use super::scalars::{Numbers, bytes, integer};
use crate::{KeyFault, Scheme, Signature, SignatureFault, Verdict};

/// Writes what is the same for the types of every curve: those of crates, and our own.
macro_rules! curves {
    (crates: $($scheme:ident: $curve:ty),+; own: $($own:ident: $own_curve:ty),+ $(;)?) => {
        /// A point of the scheme's curve, not at infinity.
        #[derive(Debug, Clone, PartialEq, Eq)]
        pub(crate) enum PublicKey {
            $($scheme(VerifyingKey<$curve>),)+
            $($own(Point<$own_curve>),)+
        }

        impl PublicKey {
            /// Decodes a key as SEC 1 writes it; returns it with `x || y`.
            pub(crate) fn from_sec1(
                scheme: Scheme,
                sec1: &[u8],
            ) -> Result<(Self, Vec<u8>), KeyFault> {
                match scheme {
                    $(Scheme::$scheme => {
                        let key = VerifyingKey::<$curve>::from_sec1_bytes(sec1)
                            .map_err(|_| KeyFault::NotOnCurve { scheme })?;
                        let point = key.to_sec1_point(false);
                        Ok((Self::$scheme(key), point.as_bytes()[1..].to_vec()))
                    })+
                    $(Scheme::$own => {
                        let key = decode::<$own_curve>(sec1).ok_or(KeyFault::NotOnCurve { scheme })?;
                        Ok((Self::$own(key), coordinates::<$own_curve>(key)))
                    })+
                    _ => Err(KeyFault::SchemeUnsupported { scheme }),
                }
            }

            /// Checks a signature over a digest.
            pub(crate) fn verify(&self, digest: &[u8], signature: &Signature) -> Verdict {
                match self {
                    $(Self::$scheme(key) => {
                        ::ecdsa::Signature::<$curve>::from_slice(signature.as_bytes())
                            .and_then(|signature| {
                                key.verify_prehash(digest, &signature.normalize_s())
                            })
                            .map_err(|_| SignatureFault::False)
                    })+
                    $(Self::$own(key) => {
                        Numbers::<$own_curve>::read(signature.as_bytes(), digest)
                            .filter(|numbers| complete::holds(*key, numbers))
                            .map(|_| ())
                            .ok_or(SignatureFault::False)
                    })+
                }
            }
        }
    };
}

curves! {
    crates:
        EcdsaP256: p256::NistP256,
        EcdsaSecp256k1: k256::Secp256k1,
        EcdsaP384: p384::NistP384,
        EcdsaBrainpool256r1: bp256::BrainpoolP256r1,
        EcdsaBrainpool384r1: bp384::BrainpoolP384r1;
    own:
        EcdsaSecp192r1: Secp192r1,
        EcdsaSecp192k1: Secp192k1;
}

/// Decodes a point as SEC 1 writes it, its length being right.
fn decode<C: Curve>(sec1: &[u8]) -> Option<Point<C>> {
    let (tag, coordinates) = sec1.split_first()?;
    let (x, y) = coordinates.split_at_checked(C::BITS as usize / 8)?;
    match (tag, y) {
        (4, y) => point_from_integers::<C>(integer(x), integer(y)),
        (2 | 3, []) => complete::decompress::<C>(integer(x), *tag == 3),
        _ => None,
    }
}

fn coordinates<C: Curve>(point: Point<C>) -> Vec<u8> {
    let width = C::BITS as usize / 8;
    [point.x, point.y]
        .iter()
        .flat_map(|coordinate| bytes(coordinate.integer()).into_iter().skip(32 - width))
        .collect()
}
