//! The field of 2^255 - 19, in five limbs of 51 bits.
//!
//! Limbs may run over. An element is *tight* if its limbs are below 2^51 + 2^13, *loose* if they
//! are below 2^54. Products take loose elements and give tight ones; a sum of two tight elements,
//! or the difference of two, is loose. Nothing is constant in time: all is public.

use std::ops::{Add, Mul, Neg, Sub};

use super::arithmetic::Field;
use crate::lanes::limbs;
use crate::limbs::{difference, product, scaled, sum, sum_wide};

/// An element, at most loose.
#[derive(Debug, Clone, Copy)]
pub(crate) struct FieldElement(pub(crate) [u64; 5]);

const MASK: u64 = (1 << 51) - 1;

/// 2 p, limb by limb: what a difference adds to stay positive.
const TWICE_P: [u64; 5] = [2 * MASK - 36, 2 * MASK, 2 * MASK, 2 * MASK, 2 * MASK];

impl FieldElement {
    /// Reads four little-endian words; the top bit is not looked at.
    pub(crate) const fn from_words(words: &[u64; 4]) -> Self {
        let [a, b, c, d] = *words;
        Self([
            a & MASK,
            (a >> 51 | b << 13) & MASK,
            (b >> 38 | c << 26) & MASK,
            (c >> 25 | d << 39) & MASK,
            d >> 12 & MASK,
        ])
    }

    /// Returns the one representative below p, as four little-endian words.
    pub(crate) fn to_words(self) -> [u64; 4] {
        let [a, b, c, d, e] = self.canonical();
        [
            a | b << 51,
            b >> 13 | c << 38,
            c >> 26 | d << 25,
            d >> 39 | e << 12,
        ]
    }

    /// Reads 32 little-endian bytes; the top bit is not looked at.
    pub(crate) fn from_bytes(bytes: &[u8; 32]) -> Self {
        Self::from_words(&words(bytes))
    }

    /// Returns the one representative below p, as 32 little-endian bytes.
    pub(crate) fn to_bytes(self) -> [u8; 32] {
        bytes(&self.to_words())
    }

    /// Returns the limbs of the representative below p.
    fn canonical(self) -> [u64; 5] {
        let mut limbs = self.carried().carried().0;
        // Now below 2^255 + 19 or so; p is taken off if 19 more would reach 2^255.
        let mut carry = 19;
        for limb in limbs {
            carry = sum(limb, carry) >> 51;
        }
        carry = scaled(19, carry);
        for limb in &mut limbs {
            *limb = sum(*limb, carry);
            carry = *limb >> 51;
            *limb &= MASK;
        }
        limbs
    }

    /// Closes a product: the carry out of the last column, which has no factor 19 and so is below
    /// 2^60, comes in again at the first.
    #[inline(always)]
    const fn folded(limbs: [u64; 5], carry: u64) -> Self {
        let [a, b, c, d, e] = limbs;
        let a = sum(a, scaled(19, carry));
        Self([a & MASK, sum(b, a >> 51), c, d, e])
    }

    /// Returns self - other, without carrying, if the limbs of `other` are below `twice` times
    /// 2^52 - 38: adds up to `twice` times 2^52 to the limbs.
    #[inline(always)]
    fn minus(self, other: Self, twice: u64) -> Self {
        let [a, b] = [self.0, other.0];
        let at = |at: usize| difference(sum(a[at], scaled(twice, TWICE_P[at])), b[at]);
        Self([at(0), at(1), at(2), at(3), at(4)])
    }

    /// Returns the square of a loose element.
    #[inline(always)]
    fn squared(self) -> Self {
        let [a, b, c, d, e] = self.0;
        let (a2, b2, c2, d2) = (scaled(2, a), scaled(2, b), scaled(2, c), scaled(2, d));
        let (d19, e19) = (scaled(19, d), scaled(19, e));
        let (p, carry) = column(0, [product(a, a), product(b2, e19), product(c2, d19)]);
        let (q, carry) = column(carry, [product(a2, b), product(c2, e19), product(d, d19)]);
        let (r, carry) = column(carry, [product(a2, c), product(b, b), product(d2, e19)]);
        let (s, carry) = column(carry, [product(a2, d), product(b2, c), product(e, e19)]);
        let (t, carry) = column(carry, [product(a2, e), product(b2, d), product(c, c)]);
        Self::folded([p, q, r, s, t], carry)
    }

    /// Tells whether the element is 0.
    pub(crate) fn is_zero(self) -> bool {
        self.canonical() == [0; 5]
    }

    /// Tells whether the representative below p is odd, which RFC 8032 calls negative.
    pub(crate) fn is_negative(self) -> bool {
        self.canonical()[0] & 1 == 1
    }
}

impl Field for FieldElement {
    type Sign = usize;

    #[inline(always)]
    fn positive() -> usize {
        0
    }

    #[inline(always)]
    fn zero() -> Self {
        Self([0; 5])
    }

    #[inline(always)]
    fn one() -> Self {
        Self([1, 0, 0, 0, 0])
    }

    #[inline(always)]
    fn from_constant(element: FieldElement) -> Self {
        element
    }

    #[inline(always)]
    fn square(self) -> Self {
        self.squared()
    }

    /// Passes on what each limb has above 51 bits: gives a tight element for any limbs.
    #[inline(always)]
    fn carried(self) -> Self {
        let carry = limbs!(at => self.0[at] >> 51);
        let kept = limbs!(at => self.0[at] & MASK);
        Self([
            sum(kept[0], scaled(19, carry[4])),
            sum(kept[1], carry[0]),
            sum(kept[2], carry[1]),
            sum(kept[3], carry[2]),
            sum(kept[4], carry[3]),
        ])
    }

    #[inline(always)]
    fn minus_sum(self, other: Self) -> Self {
        self.minus(other, 2)
    }

    #[inline(always)]
    fn swapped([one, other]: [Self; 2], sign: usize) -> [Self; 2] {
        let both = [one, other];
        [both[sign & 1], both[!sign & 1]]
    }
}

impl Add for FieldElement {
    type Output = Self;

    /// Adds without carrying.
    #[inline(always)]
    fn add(self, other: Self) -> Self {
        let [a, b] = [self.0, other.0];
        Self([
            sum(a[0], b[0]),
            sum(a[1], b[1]),
            sum(a[2], b[2]),
            sum(a[3], b[3]),
            sum(a[4], b[4]),
        ])
    }
}

impl Sub for FieldElement {
    type Output = Self;

    /// Subtracts a tight element without carrying: adds up to 2^52 to the limbs.
    #[inline(always)]
    fn sub(self, other: Self) -> Self {
        self.minus(other, 1)
    }
}

impl Neg for FieldElement {
    type Output = Self;

    /// Negates a tight element, to a tight one.
    fn neg(self) -> Self {
        (Self::zero() - self).carried()
    }
}

impl Mul for FieldElement {
    type Output = Self;

    /// Multiplies loose elements.
    #[inline(always)]
    fn mul(self, other: Self) -> Self {
        let [a, b] = [self.0, other.0];
        let b19 = limbs!(at => scaled(19, b[at]));
        let x = |i: usize, factor: u64| product(a[i], factor);
        let terms = [
            x(0, b[0]),
            x(1, b19[4]),
            x(2, b19[3]),
            x(3, b19[2]),
            x(4, b19[1]),
        ];
        let (p, carry) = column(0, terms);
        let terms = [
            x(0, b[1]),
            x(1, b[0]),
            x(2, b19[4]),
            x(3, b19[3]),
            x(4, b19[2]),
        ];
        let (q, carry) = column(carry, terms);
        let terms = [
            x(0, b[2]),
            x(1, b[1]),
            x(2, b[0]),
            x(3, b19[4]),
            x(4, b19[3]),
        ];
        let (r, carry) = column(carry, terms);
        let terms = [x(0, b[3]), x(1, b[2]), x(2, b[1]), x(3, b[0]), x(4, b19[4])];
        let (s, carry) = column(carry, terms);
        let terms = [x(0, b[4]), x(1, b[3]), x(2, b[2]), x(3, b[1]), x(4, b[0])];
        let (t, carry) = column(carry, terms);
        Self::folded([p, q, r, s, t], carry)
    }
}

impl PartialEq for FieldElement {
    fn eq(&self, other: &Self) -> bool {
        self.canonical() == other.canonical()
    }
}

impl Eq for FieldElement {}

/// Sums a column of products, in all below 2^115, and the carry from the one before: returns its
/// low 51 bits and the carry to the next.
#[inline(always)]
#[expect(clippy::cast_possible_truncation, reason = "a column has 115 bits")]
#[expect(
    clippy::needless_range_loop,
    reason = "an iterator might not be inlined"
)]
fn column<const N: usize>(carry: u64, products: [u128; N]) -> (u64, u64) {
    let mut total = u128::from(carry);
    for at in 0..N {
        total = sum_wide(total, products[at]);
    }
    (total as u64 & MASK, (total >> 51) as u64)
}

/// Reads 32 little-endian bytes as words.
pub(crate) fn words(bytes: &[u8; 32]) -> [u64; 4] {
    std::array::from_fn(|at| {
        let mut word = [0; 8];
        word.copy_from_slice(&bytes[8 * at..8 * at + 8]);
        u64::from_le_bytes(word)
    })
}

/// Writes words as 32 little-endian bytes.
pub(crate) fn bytes(words: &[u64; 4]) -> [u8; 32] {
    let mut bytes = [0; 32];
    for (bytes, word) in bytes.chunks_exact_mut(8).zip(words) {
        bytes.copy_from_slice(&word.to_le_bytes());
    }
    bytes
}
