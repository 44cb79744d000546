//! Scalars in signed digits, read in any order and without a carry to wait for.

use crate::limbs::sum_wide;

/// Words of a scalar of at most 254 bits.
const WORDS: usize = 4;

/// How a scalar below 2^253 + 2^252 is written: digits of `width` bits, each from
/// -2^(width - 1) to 2^(width - 1), the last one not negative.
///
/// Half of the base is added at every place but the last; a digit then is what stands at its place
/// less that half. The digits sum to the scalar as an integer: nothing is added modulo an order.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Radix {
    width: u32,
    bias: [u64; WORDS],
}

/// A scalar, biased.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Digits {
    width: u32,
    /// One word more, which is 0, so that every digit can be read from two words.
    biased: [u64; WORDS + 1],
}

impl Radix {
    pub(crate) const fn new(width: u32) -> Self {
        assert!(0 < width && width <= 16);
        let mut bias = [0; WORDS];
        let mut place = 0;
        while place + 1 < Self::count_of(width) {
            let bit = width * place + width - 1;
            bias[(bit / 64) as usize] |= 1 << (bit % 64);
            place += 1;
        }
        Self { width, bias }
    }

    /// One digit holds what is left of 254 bits, so the last one never reaches half of the base.
    const fn count_of(width: u32) -> u32 {
        254_u32.div_ceil(width)
    }

    /// Returns the number of digits.
    pub(crate) const fn count(self) -> usize {
        Self::count_of(self.width) as usize
    }

    /// Returns the width of a digit. [bits]
    pub(crate) const fn width(self) -> u32 {
        self.width
    }

    /// Returns the largest magnitude of a digit.
    pub(crate) const fn magnitude_max(self) -> usize {
        1 << (self.width - 1)
    }

    /// Writes a scalar in digits.
    #[expect(clippy::cast_possible_truncation, reason = "the low word is meant")]
    pub(crate) fn digits(self, scalar: &[u64; WORDS]) -> Digits {
        let mut biased = [0; WORDS + 1];
        let mut carry = 0;
        for at in 0..WORDS {
            let total = sum_wide(u128::from(scalar[at]), u128::from(self.bias[at]));
            let total = sum_wide(total, carry);
            biased[at] = total as u64;
            carry = total >> 64;
        }
        debug_assert_eq!(carry, 0);
        Digits {
            width: self.width,
            biased,
        }
    }
}

impl Digits {
    /// Returns the digit at a place as its magnitude, and 1 if it is negative, else 0.
    #[inline(always)]
    #[expect(
        clippy::cast_possible_truncation,
        reason = "a digit is narrower than a word"
    )]
    pub(crate) fn at(&self, place: usize, last: usize) -> (usize, usize) {
        let bit = self.width * place as u32;
        let word = (bit / 64) as usize;
        let pair = u128::from(self.biased[word + 1]) << 64 | u128::from(self.biased[word]);
        let standing = (pair >> (bit % 64)) as u64 & ((1 << self.width) - 1);
        let half = if place == last {
            0
        } else {
            1 << (self.width - 1)
        };
        let negative = standing < half;
        (standing.abs_diff(half) as usize, usize::from(negative))
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// Sums digits, from the last, into an integer of 256 bits.
    fn value(radix: Radix, digits: &Digits) -> [u64; WORDS] {
        let mut value = [0_u64; WORDS];
        for place in (0..radix.count()).rev() {
            let (magnitude, negative) = digits.at(place, radix.count() - 1);
            assert!(magnitude <= radix.magnitude_max());
            let mut carry = 0_i128;
            for (at, word) in value.iter_mut().enumerate() {
                let mut total = (i128::from(*word) << radix.width()) + carry;
                if at == 0 {
                    let magnitude = magnitude as i128;
                    total += if negative == 1 { -magnitude } else { magnitude };
                }
                *word = total as u64;
                carry = total >> 64;
            }
        }
        value
    }

    proptest! {
        #[test]
        fn prop_digits_sum_to_the_scalar(words in any::<[u64; WORDS]>(), top in 0_u64..1 << 60) {
            let scalar = [words[0], words[1], words[2], top];
            for width in 1..=13 {
                let radix = Radix::new(width);
                prop_assert_eq!(value(radix, &radix.digits(&scalar)), scalar);
            }
        }
    }

    #[test]
    fn the_ends_of_the_range_are_written_too() {
        for width in 1..=13 {
            let radix = Radix::new(width);
            for scalar in [
                [0; 4],
                [1, 0, 0, 0],
                [u64::MAX, u64::MAX, u64::MAX, (1 << 61) - 1],
            ] {
                assert_eq!(
                    value(radix, &radix.digits(&scalar)),
                    scalar,
                    "width {width}"
                );
            }
        }
    }
}
