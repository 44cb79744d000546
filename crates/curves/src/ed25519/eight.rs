//! The field of 2^255 - 19 in eight lanes, in five limbs of 51 bits each.
//!
//! A product of 52-bit words comes in two halves, so limbs must stay below 2^52: every operation
//! ends by passing on what limbs have above 51 bits, and its result is *tight*, which here is below
//! 2^51 + 2^16. Sums and differences are passed on too, so all elements are tight.

use std::ops::{Add, Mul, Sub};

use super::arithmetic::Field;
use super::field::FieldElement;
use crate::lanes::{Step, Word};

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
        for (i, &one) in left.iter().enumerate() {
            for (j, &other) in right.iter().enumerate() {
                low[i + j] = low[i + j].madd52lo(one, other);
                high[i + j] = high[i + j].madd52hi(one, other);
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
        low = low.map(W::shift_left::<1>);
        high = high.map(W::shift_left::<1>);
        for (i, &limb) in limbs.iter().enumerate() {
            low[2 * i] = low[2 * i].madd52lo(limb, limb);
            high[2 * i] = high[2 * i].madd52hi(limb, limb);
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
    #[cfg(test)]
    pub(crate) fn from_lanes(elements: [FieldElement; 8]) -> Self {
        Self(std::array::from_fn(|limb| {
            W::from_array(elements.map(|element| element.0[limb]))
        }))
    }

    /// Returns the elements, each tight.
    #[inline(always)]
    pub(crate) fn to_lanes(self) -> [FieldElement; 8] {
        let limbs = self.0.map(W::to_array);
        std::array::from_fn(|lane| FieldElement(limbs.map(|limb| limb[lane])))
    }

    /// Passes on what limbs below 2^62 have above 51 bits.
    #[inline(always)]
    fn carried(limbs: [W; 5]) -> Self {
        let mask = W::splat(MASK);
        let [a, b, c, d, e] = limbs.map(|limb| limb.and(mask));
        let carry = limbs.map(W::shift_right::<BITS>);
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
        let place = |at: usize| match at {
            0 => low[0],
            9 => high[8].add(high[8]),
            _ => low[at].add(high[at - 1].shift_left::<1>()),
        };
        Self::carried(std::array::from_fn(|at| {
            let above = place(at + 5);
            let twice = above.shift_left::<1>();
            let times_16 = above.shift_left::<4>();
            place(at).add(above).add(twice).add(times_16)
        }))
    }
}

impl<W: Word> Add for Eight<W> {
    type Output = Self;

    #[inline(always)]
    fn add(self, other: Self) -> Self {
        Self::carried(std::array::from_fn(|at| self.0[at].add(other.0[at])))
    }
}

impl<W: Word> Sub for Eight<W> {
    type Output = Self;

    /// 2 p is above every tight element, limb by limb.
    #[inline(always)]
    fn sub(self, other: Self) -> Self {
        let at = |at: usize| self.0[at].add(W::splat(TWICE_P[at])).sub(other.0[at]);
        Self::carried(std::array::from_fn(at))
    }
}

impl<W: Word> Mul for Eight<W> {
    type Output = Self;

    #[inline(always)]
    fn mul(self, other: Self) -> Self {
        W::step(Product(self, other))
    }
}

impl<W: Word> Field for Eight<W> {
    /// All ones in the lanes to negate.
    type Sign = W;

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
        Self(element.0.map(W::splat))
    }

    #[inline(always)]
    fn square(self) -> Self {
        W::step(Square(self))
    }

    #[inline(always)]
    fn minus_sum(self, other: Self) -> Self {
        self - other
    }

    #[inline(always)]
    fn swapped([one, other]: [Self; 2], sign: W) -> [Self; 2] {
        let turned = std::array::from_fn(|at| one.0[at].xor(other.0[at]).and(sign));
        let apply = |limbs: [W; 5], turned: [W; 5]| {
            Self(std::array::from_fn(|at| limbs[at].xor(turned[at])))
        };
        [apply(one.0, turned), apply(other.0, turned)]
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
            // The widest inputs a product can meet.
            let widest = Eight::<Portable>([Portable::splat((1 << 51) + (1 << 16) - 1); 5]);
            prop_assert!(is_tight(widest * widest) && is_tight(widest.square()));
            prop_assert!(is_tight(widest - Eight::zero()) && is_tight(widest + widest));
        }
    }
}
