//! Integers modulo a prime of at most 256 bits, in four limbs.
//!
//! One multiplication serves every curve: a wide product, then the reduction of the modulus, which
//! is Montgomery's unless its prime has a better one. Everything is variable time: keys, messages
//! and signatures are public.
#![allow(clippy::needless_range_loop, reason = "limbs are taken by their place")]

use std::marker::PhantomData;
use std::ops::{Add, Mul, Neg, Sub};

/// Limbs of an integer, the least significant first.
pub(crate) type Limbs = [u64; 4];

/// An odd prime and the way integers modulo it are represented and reduced.
pub(crate) trait Modulus: Copy + Eq + std::fmt::Debug + Send + Sync + 'static {
    /// The prime.
    const PRIME: Limbs;
    /// An integer x is held as `x << SHIFT` modulo the prime: 256 for Montgomery, 0 for as it is.
    const SHIFT: i32 = 256;

    /// Divides a product of two held integers by `1 << SHIFT`, modulo the prime.
    #[inline(always)]
    fn reduce(wide: [u64; 8]) -> Limbs {
        montgomery_reduce::<Self>(wide)
    }
}

/// Constants that follow from a modulus.
struct Derived<M>(PhantomData<M>);

impl<M: Modulus> Derived<M> {
    /// The negative inverse of the prime modulo 2^64, by Newton's iteration.
    const INVERSE: u64 = {
        let mut inverse = 1_u64;
        let mut step = 0;
        while step < 6 {
            let error = M::PRIME[0].wrapping_mul(inverse);
            inverse = inverse.wrapping_mul(2_u64.wrapping_sub(error));
            step += 1;
        }
        inverse.wrapping_neg()
    };
    /// One, as held.
    const ONE: Limbs = power_of_two(M::SHIFT, M::PRIME);
    /// What brings an integer into its representation when multiplied with.
    const ENTRY: Limbs = power_of_two(2 * M::SHIFT, M::PRIME);
}

/// Returns 2^exponent modulo a prime.
pub(crate) const fn power_of_two(exponent: i32, prime: Limbs) -> Limbs {
    let mut power = [1, 0, 0, 0];
    let mut step = 0;
    while step < exponent {
        power = add(power, power, prime);
        step += 1;
    }
    while step > exponent {
        power = half(power, prime);
        step -= 1;
    }
    power
}

const fn half(value: Limbs, prime: Limbs) -> Limbs {
    let odd = value[0] & 1 == 1;
    let ([a, b, c, d], carry) = sum(value, if odd { prime } else { [0; 4] });
    [
        a >> 1 | b << 63,
        b >> 1 | c << 63,
        c >> 1 | d << 63,
        d >> 1 | (carry as u64) << 63,
    ]
}

#[inline(always)]
const fn add_carry(a: u64, b: u64, carry: bool) -> (u64, bool) {
    let (sum, first) = a.overflowing_add(b);
    let (sum, second) = sum.overflowing_add(carry as u64);
    (sum, first | second)
}

#[inline(always)]
const fn sub_borrow(a: u64, b: u64, borrow: bool) -> (u64, bool) {
    let (difference, first) = a.overflowing_sub(b);
    let (difference, second) = difference.overflowing_sub(borrow as u64);
    (difference, first | second)
}

/// Returns low and high word of `a + b * c + carry`, which always fits.
#[inline(always)]
pub(crate) const fn multiply_add(a: u64, b: u64, c: u64, carry: u64) -> (u64, u64) {
    let product = (b as u128).wrapping_mul(c as u128);
    let sum = product.wrapping_add(a as u128).wrapping_add(carry as u128);
    (sum as u64, (sum >> 64) as u64)
}

/// Subtracts; the second value is the borrow.
#[inline(always)]
pub(crate) const fn subtract(a: Limbs, b: Limbs) -> (Limbs, bool) {
    let (l0, borrow) = sub_borrow(a[0], b[0], false);
    let (l1, borrow) = sub_borrow(a[1], b[1], borrow);
    let (l2, borrow) = sub_borrow(a[2], b[2], borrow);
    let (l3, borrow) = sub_borrow(a[3], b[3], borrow);
    ([l0, l1, l2, l3], borrow)
}

/// Tells whether an integer is below another.
#[inline(always)]
pub(crate) const fn is_below(a: Limbs, b: Limbs) -> bool {
    subtract(a, b).1
}

/// Adds; the second value is the carry.
#[inline(always)]
pub(crate) const fn sum(a: Limbs, b: Limbs) -> (Limbs, bool) {
    let (l0, carry) = add_carry(a[0], b[0], false);
    let (l1, carry) = add_carry(a[1], b[1], carry);
    let (l2, carry) = add_carry(a[2], b[2], carry);
    let (l3, carry) = add_carry(a[3], b[3], carry);
    ([l0, l1, l2, l3], carry)
}

/// Takes the prime away once if `carry * 2^256 + value` is not below it.
#[inline(always)]
const fn subtract_once(value: Limbs, carry: bool, prime: Limbs) -> Limbs {
    let (reduced, borrow) = subtract(value, prime);
    let keep = 0_u64.wrapping_sub((borrow & !carry) as u64);
    [
        reduced[0] ^ (keep & (reduced[0] ^ value[0])),
        reduced[1] ^ (keep & (reduced[1] ^ value[1])),
        reduced[2] ^ (keep & (reduced[2] ^ value[2])),
        reduced[3] ^ (keep & (reduced[3] ^ value[3])),
    ]
}

#[inline(always)]
const fn add(a: Limbs, b: Limbs, prime: Limbs) -> Limbs {
    let (total, carry) = sum(a, b);
    subtract_once(total, carry, prime)
}

#[inline(always)]
const fn sub(a: Limbs, b: Limbs, prime: Limbs) -> Limbs {
    let (difference, borrow) = subtract(a, b);
    let mask = 0_u64.wrapping_sub(borrow as u64);
    sum(
        difference,
        [
            prime[0] & mask,
            prime[1] & mask,
            prime[2] & mask,
            prime[3] & mask,
        ],
    )
    .0
}

/// Multiplies by a word; five limbs.
#[inline(always)]
fn multiply_word(a: u64, b: Limbs) -> [u64; 5] {
    // A closure, and so `map`, might be left a function of its own, in the innermost of loops.
    let (l0, h0) = multiply_add(0, a, b[0], 0);
    let (l1, h1) = multiply_add(0, a, b[1], 0);
    let (l2, h2) = multiply_add(0, a, b[2], 0);
    let (l3, h3) = multiply_add(0, a, b[3], 0);
    let (l1, carry) = add_carry(l1, h0, false);
    let (l2, carry) = add_carry(l2, h1, carry);
    let (l3, carry) = add_carry(l3, h2, carry);
    [l0, l1, l2, l3, h3.wrapping_add(carry as u64)]
}

#[inline(always)]
fn multiply_wide(a: Limbs, b: Limbs) -> [u64; 8] {
    let [w0, mut w1, mut w2, mut w3, mut w4] = multiply_word(a[0], b);
    let mut wide = [w0, 0, 0, 0, 0, 0, 0, 0];
    for i in 1..4 {
        let row = multiply_word(a[i], b);
        let (l0, carry) = add_carry(w1, row[0], false);
        let (l1, carry) = add_carry(w2, row[1], carry);
        let (l2, carry) = add_carry(w3, row[2], carry);
        let (l3, carry) = add_carry(w4, row[3], carry);
        wide[i] = l0;
        (w1, w2, w3, w4) = (l1, l2, l3, row[4].wrapping_add(carry as u64));
    }
    [wide[4], wide[5], wide[6], wide[7]] = [w1, w2, w3, w4];
    wide
}

#[inline(always)]
fn square_wide(a: Limbs) -> [u64; 8] {
    let mut wide = [0; 8];
    for i in 0..3 {
        let mut carry = 0;
        for j in i + 1..4 {
            (wide[i + j], carry) = multiply_add(wide[i + j], a[i], a[j], carry);
        }
        wide[i + 4] = carry;
    }
    for i in (1..8).rev() {
        wide[i] = wide[i] << 1 | wide[i - 1] >> 63;
    }
    let mut carry = false;
    for i in 0..4 {
        let square = (a[i] as u128).wrapping_mul(a[i] as u128);
        (wide[2 * i], carry) = add_carry(wide[2 * i], square as u64, carry);
        (wide[2 * i + 1], carry) = add_carry(wide[2 * i + 1], (square >> 64) as u64, carry);
    }
    wide
}

/// Montgomery's reduction: divides by 2^256 modulo the prime.
#[inline(always)]
fn montgomery_reduce<M: Modulus>(mut wide: [u64; 8]) -> Limbs {
    let mut above = false;
    for i in 0..4 {
        let factor = wide[i].wrapping_mul(Derived::<M>::INVERSE);
        let mut carry = 0;
        for j in 0..4 {
            (wide[i + j], carry) = multiply_add(wide[i + j], factor, M::PRIME[j], carry);
        }
        (wide[i + 4], above) = add_carry(wide[i + 4], carry, above);
    }
    subtract_once([wide[4], wide[5], wide[6], wide[7]], above, M::PRIME)
}

/// Reduction for the prime `2^256 - fold`, whose integers are held as they are.
#[inline(always)]
pub(crate) fn fold_reduce<M: Modulus>(wide: [u64; 8], fold: u64) -> Limbs {
    let row = multiply_word(fold, [wide[4], wide[5], wide[6], wide[7]]);
    let low = [wide[0], wide[1], wide[2], wide[3]];
    let (low, carry) = sum(low, [row[0], row[1], row[2], row[3]]);
    // The top word is at most the fold, so its product fits two words.
    let again = (row[4].wrapping_add(carry as u64) as u128).wrapping_mul(fold as u128);
    let (low, above) = sum(low, [again as u64, (again >> 64) as u64, 0, 0]);
    // At most one more fold, which then cannot carry: what is left is small.
    let (low, _) = sum(low, [if above { fold } else { 0 }, 0, 0, 0]);
    subtract_once(low, false, M::PRIME)
}

/// An integer modulo the prime of `M`, fully reduced.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Fp<M>(Limbs, PhantomData<M>);

impl<M: Modulus> Fp<M> {
    pub(crate) const ZERO: Self = Self([0; 4], PhantomData);
    pub(crate) const ONE: Self = Self(Derived::<M>::ONE, PhantomData);

    /// Takes limbs as they are held, which must be below the prime.
    #[inline(always)]
    pub(crate) const fn from_held(limbs: Limbs) -> Self {
        Self(limbs, PhantomData)
    }

    /// Returns the limbs as they are held.
    #[inline(always)]
    pub(crate) const fn held(self) -> Limbs {
        self.0
    }

    /// Returns where the limbs lie, as they are held.
    #[inline(always)]
    pub(crate) const fn as_held(&self) -> &Limbs {
        &self.0
    }

    /// Reads an integer; none unless it is below the prime.
    pub(crate) fn from_integer(integer: Limbs) -> Option<Self> {
        is_below(integer, M::PRIME).then(|| Self::from_any(integer))
    }

    /// Reads an integer modulo the prime.
    #[inline(always)]
    pub(crate) fn from_any(integer: Limbs) -> Self {
        Self::scaled(integer, Self::from_held(Derived::<M>::ENTRY))
    }

    /// Returns an element times any integer over `1 << SHIFT`.
    #[inline(always)]
    pub(crate) fn scaled(integer: Limbs, element: Self) -> Self {
        Self::from_held(integer) * element
    }

    /// Returns the integer, below the prime.
    #[inline(always)]
    pub(crate) fn integer(self) -> Limbs {
        let [a, b, c, d] = self.0;
        Self(M::reduce([a, b, c, d, 0, 0, 0, 0]), PhantomData).0
    }

    #[inline(always)]
    pub(crate) fn square(self) -> Self {
        Self(M::reduce(square_wide(self.0)), PhantomData)
    }

    #[inline(always)]
    pub(crate) fn is_zero(self) -> bool {
        self.0 == [0; 4]
    }
}

impl<M: Modulus> Add for Fp<M> {
    type Output = Self;
    #[inline(always)]
    fn add(self, other: Self) -> Self {
        Self(add(self.0, other.0, M::PRIME), PhantomData)
    }
}

impl<M: Modulus> Sub for Fp<M> {
    type Output = Self;
    #[inline(always)]
    fn sub(self, other: Self) -> Self {
        Self(sub(self.0, other.0, M::PRIME), PhantomData)
    }
}

impl<M: Modulus> Mul for Fp<M> {
    type Output = Self;
    #[inline(always)]
    fn mul(self, other: Self) -> Self {
        Self(M::reduce(multiply_wide(self.0, other.0)), PhantomData)
    }
}

impl<M: Modulus> Neg for Fp<M> {
    type Output = Self;
    #[inline(always)]
    fn neg(self) -> Self {
        Self::ZERO - self
    }
}
