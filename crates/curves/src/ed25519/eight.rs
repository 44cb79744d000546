//! The field of 2^255 - 19 in eight lanes, in five limbs of 51 bits each.
//!
//! A product of 52-bit words comes in two halves, so limbs must stay below 2^52: every operation
//! ends by passing on what limbs have above 51 bits, and its result is *tight*, which here is below
//! 2^51 + 2^16. Sums and differences are passed on too, so all elements are tight.

use std::ops::{Add, Mul, Sub};

use super::arithmetic::Field;
use super::field::FieldElement;
use crate::lanes::{Step, Word, limbs};

/// Eight elements, one a lane.
#[derive(Clone, Copy)]
pub(crate) struct Eight<W>([W; 5]);

const BITS: u32 = 51;
const MASK: u64 = (1 << BITS) - 1;

/// 2 p, limb by limb.
const TWICE_P: [u64; 5] = [2 * MASK - 36, 2 * MASK, 2 * MASK, 2 * MASK, 2 * MASK];

/// A product.
struct Product<W>(Eight<W>, Eight<W>);

impl<W: Word> Step for Product<W> {
    type Output = Eight<W>;

    #[inline(always)]
    fn take(self) -> Eight<W> {
        let Self(Eight(left), Eight(right)) = self;
        let (mut low, mut high) = ([W::splat(0); 9], [W::splat(0); 9]);
        for i in 0..5 {
            for j in 0..5 {
                low[i + j] = low[i + j].madd52lo(left[i], right[j]);
                high[i + j] = high[i + j].madd52hi(left[i], right[j]);
            }
        }
        Eight::folded(low, high)
    }
}

/// A square.
struct Square<W>(Eight<W>);

impl<W: Word> Step for Square<W> {
    type Output = Eight<W>;

    /// Products of two different limbs are taken once and doubled.
    #[inline(always)]
    fn take(self) -> Eight<W> {
        let Self(Eight(limbs)) = self;
        let (mut low, mut high) = ([W::splat(0); 9], [W::splat(0); 9]);
        for i in 0..5 {
            for j in i + 1..5 {
                low[i + j] = low[i + j].madd52lo(limbs[i], limbs[j]);
                high[i + j] = high[i + j].madd52hi(limbs[i], limbs[j]);
            }
        }
        for place in 0..9 {
            low[place] = low[place].shift_left::<1>();
            high[place] = high[place].shift_left::<1>();
        }
        for i in 0..5 {
            low[2 * i] = low[2 * i].madd52lo(limbs[i], limbs[i]);
            high[2 * i] = high[2 * i].madd52hi(limbs[i], limbs[i]);
        }
        Eight::folded(low, high)
    }
}

impl<W: Word> Eight<W> {
    /// Reads four little-endian words a lane; the top bit is not looked at.
    #[inline(always)]
    pub(crate) fn from_words(words: [W; 4]) -> Self {
        let [a, b, c, d] = words;
        let mask = W::splat(MASK);
        Self([
            a.and(mask),
            a.shift_right::<51>().or(b.shift_left::<13>()).and(mask),
            b.shift_right::<38>().or(c.shift_left::<26>()).and(mask),
            c.shift_right::<25>().or(d.shift_left::<39>()).and(mask),
            d.shift_right::<12>().and(mask),
        ])
    }

    /// Puts a tight element into each lane.
    #[inline(always)]
    pub(crate) fn from_lanes(elements: [FieldElement; 8]) -> Self {
        Self::from_limbs(&elements.map(|element| element.0))
    }

    /// Puts the limbs of a tight element into each lane.
    #[inline(always)]
    pub(crate) fn from_limbs(elements: &[[u64; 5]; 8]) -> Self {
        Self(W::from_rows(elements.each_ref()))
    }

    /// Returns the limbs as they lie in memory.
    #[inline(always)]
    pub(crate) fn to_rows(self) -> [[u64; 8]; 5] {
        limbs!(at => self.0[at].to_array())
    }

    /// Returns the representatives below p, as four little-endian words.
    #[inline(always)]
    pub(crate) fn to_words(self) -> [W; 4] {
        let mask = W::splat(MASK);
        let Self(mut limbs) = Self::passed_on(Self::passed_on(self.0).0);
        // Now below 2^255 + 19 or so; p is taken off if 19 more would reach 2^255.
        let mut carry = W::splat(19);
        for limb in &limbs {
            carry = limb.add(carry).shift_right::<BITS>();
        }
        carry = W::splat(0).madd52lo(carry, W::splat(19));
        for limb in &mut limbs {
            let all = limb.add(carry);
            carry = all.shift_right::<BITS>();
            *limb = all.and(mask);
        }
        let [a, b, c, d, e] = limbs;
        [
            a.or(b.shift_left::<51>()),
            b.shift_right::<13>().or(c.shift_left::<38>()),
            c.shift_right::<26>().or(d.shift_left::<25>()),
            d.shift_right::<39>().or(e.shift_left::<12>()),
        ]
    }

    /// Returns the elements, each tight.
    #[inline(always)]
    pub(crate) fn to_lanes(self) -> [FieldElement; 8] {
        let limbs = self.to_rows();
        std::array::from_fn(|lane| FieldElement(limbs.map(|limb| limb[lane])))
    }

    /// Passes on what limbs below 2^62 have above 51 bits.
    #[inline(always)]
    fn passed_on(limbs: [W; 5]) -> Self {
        let mask = W::splat(MASK);
        let [a, b, c, d, e] = limbs!(at => limbs[at].and(mask));
        let carry = limbs!(at => limbs[at].shift_right::<BITS>());
        Self([
            a.madd52lo(carry[4], W::splat(19)),
            b.add(carry[0]),
            c.add(carry[1]),
            d.add(carry[2]),
            e.add(carry[3]),
        ])
    }

    /// Closes a product whose halves are summed by place: the high half of place k belongs to place
    /// k + 1 with a factor 2, and places from 5 on come in again below with a factor 19.
    ///
    /// Halves are sums of at most five words of 52 bits, so places are below 2^56 and limbs 2^61.
    #[inline(always)]
    fn folded(low: [W; 9], high: [W; 9]) -> Self {
        let mut places = [low[0]; 10];
        for at in 1..9 {
            places[at] = low[at].add(high[at - 1].shift_left::<1>());
        }
        places[9] = high[8].shift_left::<1>();
        Self::passed_on(limbs!(at => {
            let above = places[at + 5];
            let twice = above.shift_left::<1>();
            let times_16 = above.shift_left::<4>();
            places[at].add(above).add(twice.add(times_16))
        }))
    }
}

impl<W: Word> Add for Eight<W> {
    type Output = Self;

    #[inline(always)]
    fn add(self, other: Self) -> Self {
        Self::passed_on(limbs!(at => self.0[at].add(other.0[at])))
    }
}

impl<W: Word> Sub for Eight<W> {
    type Output = Self;

    /// 2 p is above every tight element, limb by limb.
    #[inline(always)]
    fn sub(self, other: Self) -> Self {
        Self::passed_on(limbs!(at => self.0[at].add(W::splat(TWICE_P[at])).sub(other.0[at])))
    }
}

impl<W: Word> Mul for Eight<W> {
    type Output = Self;

    #[inline(always)]
    fn mul(self, other: Self) -> Self {
        W::piece(Product(self, other))
    }
}

impl<W: Word> Field for Eight<W> {
    /// All ones in the lanes to negate.
    type Sign = W;

    #[inline(always)]
    fn positive() -> W {
        W::splat(0)
    }

    #[inline(always)]
    fn zero() -> Self {
        Self([W::splat(0); 5])
    }

    #[inline(always)]
    fn one() -> Self {
        Self::from_constant(FieldElement::one())
    }

    #[inline(always)]
    fn from_constant(element: FieldElement) -> Self {
        Self(limbs!(at => W::splat(element.0[at])))
    }

    #[inline(always)]
    fn square(self) -> Self {
        W::piece(Square(self))
    }

    /// Nothing to do: sums and differences are tight.
    #[inline(always)]
    fn carried(self) -> Self {
        self
    }

    #[inline(always)]
    fn minus_sum(self, other: Self) -> Self {
        self - other
    }

    #[inline(always)]
    fn swapped([one, other]: [Self; 2], sign: W) -> [Self; 2] {
        let turned = limbs!(at => one.0[at].xor(other.0[at]).and(sign));
        [
            Self(limbs!(at => one.0[at].xor(turned[at]))),
            Self(limbs!(at => other.0[at].xor(turned[at]))),
        ]
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::lanes::Portable;

    /// Limbs at the edges of tight, and between.
    fn tight() -> impl Strategy<Value = FieldElement> {
        let limb = prop_oneof![
            Just(0),
            Just(1),
            Just(MASK),
            Just(MASK - 18),
            Just((1 << 51) + (1 << 13) - 1),
            0..=MASK
        ];
        prop::array::uniform5(limb).prop_map(FieldElement)
    }

    fn elements() -> impl Strategy<Value = [FieldElement; 8]> {
        prop::array::uniform8(tight())
    }

    fn is_tight(eight: Eight<Portable>) -> bool {
        let lanes = eight.to_lanes();
        lanes
            .iter()
            .all(|element| element.0.iter().all(|&limb| limb < (1 << 51) + (1 << 16)))
    }

    proptest! {
        #[test]
        fn prop_lanes_compute_what_single_elements_do(a in elements(), b in elements()) {
            let (left, right) = (Eight::<Portable>::from_lanes(a), Eight::from_lanes(b));
            let expect = |eight: Eight<Portable>, each: &dyn Fn(usize) -> FieldElement| {
                assert!(is_tight(eight));
                for (lane, found) in eight.to_lanes().into_iter().enumerate() {
                    assert_eq!(found, each(lane), "lane {lane}");
                }
            };
            expect(left + right, &|lane| a[lane] + b[lane]);
            expect(left - right, &|lane| a[lane] - b[lane]);
            expect(left * right, &|lane| a[lane] * b[lane]);
            expect(left.square(), &|lane| a[lane].square());
            let signs = Portable::from_array([0, u64::MAX, 0, 0, u64::MAX, u64::MAX, 0, u64::MAX]);
            let [one, other] = Eight::swapped([left, right], signs);
            let turned = |lane| [1, 4, 5, 7].contains(&lane);
            expect(one, &|lane| if turned(lane) { b[lane] } else { a[lane] });
            expect(other, &|lane| if turned(lane) { a[lane] } else { b[lane] });
            let words = a.map(FieldElement::to_words);
            let rows = Portable::from_rows(words.each_ref());
            expect(Eight::from_words(rows), &|lane| a[lane]);
            let canonical = left.to_words().map(Portable::to_array);
            for (lane, expected) in words.iter().enumerate() {
                prop_assert_eq!(canonical.map(|word| word[lane]), *expected);
            }
            // The widest inputs a product can meet.
            let widest = Eight::<Portable>([Portable::splat((1 << 51) + (1 << 16) - 1); 5]);
            prop_assert!(is_tight(widest * widest) && is_tight(widest.square()));
            prop_assert!(is_tight(widest - Eight::zero()) && is_tight(widest + widest));
        }
    }
}
