//! The numbers of a signature.

use super::curve::Curve;
use super::modular::{Fp, Limbs, Modulus, is_below};

/// The numbers of a signature and of what was signed, in range.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Numbers<C: Curve> {
    /// Between 1 and the order.
    pub(crate) r: Limbs,
    /// Not zero. Whether s or its negative is signed makes no difference to the equation.
    pub(crate) s: Fp<C::Order>,
    /// The leftmost bits of the digest, as many as the order has.
    pub(crate) z: Fp<C::Order>,
}

impl<C: Curve> Numbers<C> {
    /// Reads `r || s`, each of the width of a coordinate, and a digest; none unless
    /// `1 <= r, s < n`.
    pub(crate) fn read(signature: &[u8], digest: &[u8]) -> Option<Self> {
        let (r, s) = signature.split_at_checked(C::BITS as usize / 8)?;
        let r = Some(integer(r)).filter(|&r| r != [0; 4] && is_below(r, C::Order::PRIME))?;
        let s = Fp::from_integer(integer(s)).filter(|s| !s.is_zero())?;
        let leftmost = digest.get(..C::BITS as usize / 8).unwrap_or(digest);
        Some(Self {
            r,
            s,
            z: Fp::from_any(integer(leftmost)),
        })
    }
}

/// Reads at most 32 big-endian bytes.
pub(crate) fn integer(bytes: &[u8]) -> Limbs {
    let mut padded = [0; 32];
    padded[32 - bytes.len()..].copy_from_slice(bytes);
    let mut limbs = [0; 4];
    for (limb, word) in limbs.iter_mut().rev().zip(padded.chunks_exact(8)) {
        *limb = word
            .iter()
            .fold(0, |limb, &byte| limb << 8 | u64::from(byte));
    }
    limbs
}

/// Writes an integer in 32 big-endian bytes.
pub(crate) fn bytes(integer: Limbs) -> [u8; 32] {
    let mut bytes = [0; 32];
    for (word, limb) in bytes.chunks_exact_mut(8).zip(integer.iter().rev()) {
        word.copy_from_slice(&limb.to_be_bytes());
    }
    bytes
}
