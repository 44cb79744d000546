//! Integers modulo L, the order of the base point, as four little-endian words.

use crate::limbs::{product, sum_wide};

/// An integer below L.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Scalar(pub(crate) [u64; 4]);

/// L = 2^252 + 27742317777372353535851937790883648493.
pub(crate) const ORDER: [u64; 4] = [
    0x5812_631a_5cf5_d3ed,
    0x14de_f9de_a2f7_9cd6,
    0,
    0x1000_0000_0000_0000,
];

/// 2^512 / L, rounded down.
const RECIPROCAL: [u64; 5] = [
    0xed9c_e5a3_0a2c_131b,
    0x2106_215d_0863_29a7,
    0xffff_ffff_ffff_ffeb,
    0xffff_ffff_ffff_ffff,
    0xf,
];

impl Scalar {
    pub(crate) const ZERO: Self = Self([0; 4]);

    /// Reads an integer; none if it is L or more.
    pub(crate) fn from_canonical_bytes(bytes: &[u8; 32]) -> Option<Self> {
        let words = super::field::words(bytes);
        (words.iter().rev().lt(ORDER.iter().rev())).then_some(Self(words))
    }

    /// Reduces 512 bits, little-endian (Barrett; Menezes, van Oorschot, Vanstone, 14.42).
    pub(crate) fn from_digest(digest: &[u8; 64]) -> Self {
        let mut wide = [0; 8];
        for (word, bytes) in wide.iter_mut().zip(digest.chunks_exact(8)) {
            *word = bytes
                .iter()
                .rev()
                .fold(0, |word, byte| word << 8 | u64::from(*byte));
        }
        let mut estimate = [0; 10];
        multiply(&wide[3..], &RECIPROCAL, &mut estimate);
        let mut multiple = [0; 9];
        multiply(&estimate[5..], &ORDER, &mut multiple);
        // The quotient is at most 2 too small, so five words hold the whole remainder.
        let mut rest = [wide[0], wide[1], wide[2], wide[3], wide[4]];
        subtract(&mut rest, &multiple[..5]);
        let order = [ORDER[0], ORDER[1], ORDER[2], ORDER[3], 0];
        while !rest.iter().rev().lt(order.iter().rev()) {
            subtract(&mut rest, &order);
        }
        let [a, b, c, d, _] = rest;
        Self([a, b, c, d])
    }
}

/// Multiplies into `result`, which is as long as both together and 0.
#[expect(clippy::cast_possible_truncation, reason = "the low word is meant")]
fn multiply(a: &[u64], b: &[u64], result: &mut [u64]) {
    for (i, &left) in a.iter().enumerate() {
        let mut carry = 0;
        for (j, &right) in b.iter().enumerate() {
            // (2^64 - 1)^2 + 2 (2^64 - 1) is below 2^128.
            let term = sum_wide(product(left, right), u128::from(result[i + j]));
            let term = sum_wide(term, u128::from(carry));
            result[i + j] = term as u64;
            carry = (term >> 64) as u64;
        }
        result[i + b.len()] = carry;
    }
}

/// Subtracts words modulo 2^(64 n).
fn subtract(a: &mut [u64], b: &[u64]) {
    let mut borrow = false;
    for (left, right) in a.iter_mut().zip(b) {
        let (first, one) = left.overflowing_sub(*right);
        let (second, two) = first.overflowing_sub(u64::from(borrow));
        (*left, borrow) = (second, one || two);
    }
}

#[cfg(test)]
mod tests {
    use curve25519_dalek::Scalar as Oracle;
    use proptest::prelude::*;

    use super::*;

    fn as_bytes(scalar: &Scalar) -> [u8; 32] {
        super::super::field::bytes(&scalar.0)
    }

    #[test]
    fn only_integers_below_the_order_are_canonical() {
        let mut words = ORDER;
        let read = |words| Scalar::from_canonical_bytes(&super::super::field::bytes(&words));
        assert_eq!(read(words), None);
        words[0] += 1;
        assert_eq!(read(words), None);
        words[0] -= 2;
        assert_eq!(read(words), Some(Scalar(words)));
        assert!(read([u64::MAX, u64::MAX, u64::MAX, 0x0fff_ffff_ffff_ffff]).is_some());
        assert_eq!(read([0, 0, 1, 0x1000_0000_0000_0000]), None);
    }

    fn agrees_with_the_oracle(digest: [u8; 64]) {
        let expected = Oracle::from_bytes_mod_order_wide(&digest).to_bytes();
        assert_eq!(as_bytes(&Scalar::from_digest(&digest)), expected);
    }

    #[test]
    fn the_ends_of_the_range_are_reduced() {
        agrees_with_the_oracle([0; 64]);
        agrees_with_the_oracle([0xff; 64]);
        // Multiples of L and their neighbours: where an estimate of the quotient is off by one.
        for quotient in [1_u64, 2, 3, u64::MAX] {
            for place in 0..4 {
                let mut words = [0; 8];
                let mut factor = [0; 4];
                factor[place] = quotient;
                multiply(&factor, &ORDER, &mut words);
                let digest = |words: [u64; 8]| {
                    let mut digest = [0; 64];
                    for (bytes, word) in digest.chunks_exact_mut(8).zip(words) {
                        bytes.copy_from_slice(&word.to_le_bytes());
                    }
                    digest
                };
                agrees_with_the_oracle(digest(words));
                subtract(&mut words, &[1, 0, 0, 0, 0, 0, 0, 0]);
                agrees_with_the_oracle(digest(words));
            }
        }
    }

    proptest! {
        #[test]
        fn prop_digests_are_reduced_as_the_oracle_does(
            low in any::<[u8; 32]>(), high in any::<[u8; 32]>(),
        ) {
            let mut digest = [0; 64];
            digest[..32].copy_from_slice(&low);
            digest[32..].copy_from_slice(&high);
            agrees_with_the_oracle(digest);
        }
    }
}
