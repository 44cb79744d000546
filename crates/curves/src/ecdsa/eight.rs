//! Eight field elements side by side, in five limbs of 52 bits.
//!
//! For the primes just below `U = 2^256`. An element is *tight* below 2 U and *loose* below 8 U;
//! products take factors whose bounds multiply to at most 16 U^2 and are tight. A limb is below
//! 2^52 between operations, since a multiplication looks at no more of it.
#![allow(clippy::needless_range_loop, reason = "limbs are taken by their place")]

use std::marker::PhantomData;
use std::ops::{Add, Mul, Neg, Sub};

use super::field::Field;
use super::modular::{Fp, Limbs, Modulus, power_of_two};
use super::steps::{Difference, Entry, Folding, Product, Rows, Sum};
use crate::lanes::{Step, Word, limbs};

const BITS: u32 = 52;
pub(super) const LIMBS: usize = 5;
const MASK: u64 = (1 << BITS) - 1;

/// An element for each of eight lanes, tight or loose.
///
/// An integer x is held as `x << 260` modulo the prime where four limbs hold it as `x << 256`, and
/// as it is where they do.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Eight<M, W>(pub(super) [W; LIMBS], PhantomData<M>);

/// Constants that follow from a modulus.
struct Derived<M>(PhantomData<M>);

impl<M: Modulus> Derived<M> {
    const PRIME: [u64; LIMBS] = split(M::PRIME);
    /// `U - p`, which U leaves modulo the prime.
    const BEYOND: Limbs = power_of_two(256, M::PRIME);
    const FOLD: [u64; LIMBS] = {
        // Sixteen times this, and what it is added to, stay below 2 U.
        assert!(Self::BEYOND[3] >> 60 == 0);
        split(Self::BEYOND)
    };
    /// Multiples of the prime with limbs no smaller than those of tight elements, but the last:
    /// 3 p, which is at least 2 U.
    const THRICE: [u64; LIMBS] = {
        let p = Self::PRIME;
        [3 * p[0], 3 * p[1], 3 * p[2], 3 * p[3], 3 * p[4]]
    };
    const INVERSE: u64 = {
        let mut inverse = 1_u64;
        let mut step = 0;
        while step < 6 {
            let error = M::PRIME[0].wrapping_mul(inverse);
            inverse = inverse.wrapping_mul(2_u64.wrapping_sub(error));
            step += 1;
        }
        inverse.wrapping_neg() & MASK
    };
    /// Whether reduction is Montgomery's.
    const MONTGOMERY: bool = M::SHIFT != 0;
    /// How far the form in lanes is from the one in four limbs. [bits]
    const FURTHER: u32 = if Self::MONTGOMERY { 4 } else { 0 };
    /// What brings an element back to the form in four limbs when multiplied with.
    const BACK: Limbs = power_of_two(M::SHIFT - Self::FURTHER as i32, M::PRIME);
}

/// Splits an integer into limbs of 52 bits.
const fn split([a, b, c, d]: Limbs) -> [u64; LIMBS] {
    [
        a & MASK,
        (a >> 52 | b << 12) & MASK,
        (b >> 40 | c << 24) & MASK,
        (c >> 28 | d << 36) & MASK,
        d >> 16,
    ]
}

impl<M: Modulus, W: Word> Eight<M, W> {
    /// Takes elements as four limbs hold them.
    #[inline(always)]
    pub(super) fn entered([a, b, c, d]: [W; 4]) -> Self {
        let mask = W::splat(MASK);
        if Derived::<M>::MONTGOMERY {
            let limbs = [
                a.shift_left::<4>().and(mask),
                a.shift_right::<48>().or(b.shift_left::<16>()).and(mask),
                b.shift_right::<36>().or(c.shift_left::<28>()).and(mask),
                c.shift_right::<24>().or(d.shift_left::<40>()).and(mask),
                d.shift_right::<12>(),
            ];
            Self(limbs, PhantomData).folded()
        } else {
            let limbs = [
                a.and(mask),
                a.shift_right::<52>().or(b.shift_left::<12>()).and(mask),
                b.shift_right::<40>().or(c.shift_left::<24>()).and(mask),
                c.shift_right::<28>().or(d.shift_left::<36>()).and(mask),
                d.shift_right::<16>(),
            ];
            Self(limbs, PhantomData)
        }
    }

    /// Returns the product.
    #[inline(always)]
    pub(super) fn multiplied(self, other: Self) -> Self {
        let wide = self.wide(other);
        if Derived::<M>::MONTGOMERY {
            Self::montgomery(wide)
        } else {
            Self::fold_wide(wide)
        }
    }

    /// Returns the sum.
    #[inline(always)]
    pub(super) fn added(self, other: Self) -> Self {
        Self::carried(limbs!(i => self.0[i].add(other.0[i])))
    }

    /// Returns the difference.
    #[inline(always)]
    pub(super) fn subtracted(self, other: Self) -> Self {
        let thrice = limbs!(i => W::splat(Derived::<M>::THRICE[i]));
        Self::carried(limbs!(i => self.0[i].add(thrice[i]).sub(other.0[i])))
    }

    /// Carries limbs over, as signed numbers.
    #[inline(always)]
    fn carried(mut limbs: [W; LIMBS]) -> Self {
        for i in 0..LIMBS - 1 {
            limbs[i + 1] = limbs[i + 1].add(limbs[i].shift_right_signed::<BITS>());
            limbs[i] = limbs[i].and(W::splat(MASK));
        }
        Self(limbs, PhantomData)
    }

    /// Returns the same element, tight, of one below 16 U.
    #[inline(always)]
    pub(super) fn folded(self) -> Self {
        let mut limbs = self.0;
        let above = limbs[4].shift_right::<48>();
        limbs[4] = limbs[4].and(W::splat((1 << 48) - 1));
        for i in 0..LIMBS {
            if Derived::<M>::FOLD[i] != 0 {
                let fold = W::splat(Derived::<M>::FOLD[i]);
                limbs[i] = limbs[i].madd52lo(above, fold);
                if i + 1 < LIMBS {
                    limbs[i + 1] = limbs[i + 1].madd52hi(above, fold);
                }
            }
        }
        Self::carried(limbs)
    }

    /// Returns the product in ten limbs, none carried over.
    #[inline(always)]
    fn wide(self, other: Self) -> [W; 2 * LIMBS] {
        let mut wide = [W::splat(0); 2 * LIMBS];
        for i in 0..LIMBS {
            for j in 0..LIMBS {
                wide[i + j] = wide[i + j].madd52lo(self.0[i], other.0[j]);
                wide[i + j + 1] = wide[i + j + 1].madd52hi(self.0[i], other.0[j]);
            }
        }
        wide
    }

    /// Divides by 2^260 modulo the prime.
    #[inline(always)]
    fn montgomery(mut wide: [W; 2 * LIMBS]) -> Self {
        let inverse = Derived::<M>::INVERSE;
        for i in 0..LIMBS {
            let factor = match inverse {
                1 => wide[i].and(W::splat(MASK)),
                _ => W::splat(0).madd52lo(wide[i], W::splat(inverse)),
            };
            for j in 0..LIMBS {
                if Derived::<M>::PRIME[j] != 0 {
                    let limb = W::splat(Derived::<M>::PRIME[j]);
                    wide[i + j] = wide[i + j].madd52lo(factor, limb);
                    wide[i + j + 1] = wide[i + j + 1].madd52hi(factor, limb);
                }
            }
            wide[i + 1] = wide[i + 1].add(wide[i].shift_right::<BITS>());
        }
        let [.., a, b, c, d, e] = wide;
        Self::carried([a, b, c, d, e])
    }

    /// Reduces with `2^260 = 16 (U - p)`, where `U - p` is less than a limb.
    #[inline(always)]
    fn fold_wide(wide: [W; 2 * LIMBS]) -> Self {
        let fold = W::splat(16 * Derived::<M>::FOLD[0]);
        let mut wide = wide;
        for i in LIMBS..2 * LIMBS - 1 {
            wide[i + 1] = wide[i + 1].add(wide[i].shift_right::<BITS>());
            wide[i] = wide[i].and(W::splat(MASK));
        }
        let [a, b, c, d, e, high @ ..] = wide;
        let mut low = [a, b, c, d, e, W::splat(0)];
        for i in 0..LIMBS {
            low[i] = low[i].madd52lo(high[i], fold);
            low[i + 1] = low[i + 1].madd52hi(high[i], fold);
        }
        // What stands above 2^260 is below 2^40, so once more makes it less than 2^260 + 2^80.
        let [a, b, c, d, e, _] = low;
        let Self(carried, _) = Self::carried([a, b, c, d, e]);
        let above = low[5].add(carried[4].shift_right::<BITS>());
        let [a, b, c, d, e] = carried;
        let e = e.and(W::splat(MASK));
        let a_again = a.madd52lo(above, fold);
        let b_again = b.madd52hi(above, fold);
        Self::carried([a_again, b_again, c, d, e]).folded()
    }
}

impl<M: Modulus, W: Word> Add for Eight<M, W> {
    type Output = Self;

    /// Adds bounds, too.
    #[inline(always)]
    fn add(self, other: Self) -> Self {
        W::piece(Sum(self, other))
    }
}

impl<M: Modulus, W: Word> Sub for Eight<M, W> {
    type Output = Self;

    /// Adds 3 U to the bound; what is subtracted must be tight.
    #[inline(always)]
    fn sub(self, other: Self) -> Self {
        W::piece(Difference(self, other))
    }
}

impl<M: Modulus, W: Word> Mul for Eight<M, W> {
    type Output = Self;

    #[inline(always)]
    fn mul(self, other: Self) -> Self {
        W::piece(Product(self, other))
    }
}

impl<M: Modulus, W: Word> Neg for Eight<M, W> {
    type Output = Self;

    #[inline(always)]
    fn neg(self) -> Self {
        Self([W::splat(0); LIMBS], PhantomData) - self
    }
}

impl<M: Modulus, W: Word> Field for Eight<M, W> {
    type Modulus = M;
    const LANES: usize = 8;

    #[inline(always)]
    fn step<S: Step>(step: S) -> S::Output {
        W::step(step)
    }

    #[inline(always)]
    fn piece<S: Step>(step: S) -> S::Output {
        W::piece(step)
    }

    #[inline(always)]
    fn splat(element: Fp<M>) -> Self {
        let [a, b, c, d] = element.held();
        Self::entered([W::splat(a), W::splat(b), W::splat(c), W::splat(d)])
    }

    #[inline(always)]
    fn from_held(elements: [&Limbs; 8]) -> Self {
        W::piece(Entry(elements, PhantomData))
    }

    #[inline(always)]
    fn square(self) -> Self {
        self * self
    }

    #[inline(always)]
    fn tidy(self) -> Self {
        W::piece(Folding(self))
    }

    #[inline(always)]
    fn negated_where(self, signs: [u64; 8]) -> Self {
        let (negated, signs) = ((-self).tidy(), W::from_array(signs));
        Self(
            limbs!(i => self.0[i].select(negated.0[i], signs)),
            PhantomData,
        )
    }

    fn from_lanes(element: impl Fn(usize) -> Fp<M>) -> Self {
        let held: [Limbs; 8] = std::array::from_fn(|lane| element(lane).held());
        W::step(Entry(held.each_ref(), PhantomData))
    }

    fn to_lanes(self) -> [Fp<M>; 8] {
        elements(&W::step(Rows(self)))
    }

    fn invert(self) -> Option<Self> {
        let inverses = inverses(&self.to_lanes())?;
        Some(Self::from_lanes(|lane| inverses[lane]))
    }
}

/// Returns the elements of tight lanes.
fn elements<M: Modulus>(tight: &[[u64; 8]; LIMBS]) -> [Fp<M>; 8] {
    std::array::from_fn(|lane| {
        let [a, b, c, d, e] = limbs!(limb => tight[limb][lane]);
        let low = [
            a | b << 52,
            b >> 12 | c << 40,
            c >> 24 | d << 28,
            d >> 36 | e << 16,
        ];
        let back = Fp::from_held(Derived::<M>::BACK);
        let element = Fp::scaled(low, back);
        if e >> 48 == 0 {
            element
        } else {
            element + Fp::scaled(Derived::<M>::BEYOND, back)
        }
    })
}

/// Inverts eight elements with one inversion; none if one of them is zero.
fn inverses<M: Modulus>(lanes: &[Fp<M>; 8]) -> Option<[Fp<M>; 8]> {
    let mut inverses = *lanes;
    let mut product = Fp::ONE;
    for (before, lane) in inverses.iter_mut().zip(lanes) {
        *before = product;
        product = product * *lane;
    }
    let mut rest = Field::invert(product)?;
    for (inverse, lane) in inverses.iter_mut().zip(lanes).rev() {
        *inverse = *inverse * rest;
        rest = rest * *lane;
    }
    Some(inverses)
}
