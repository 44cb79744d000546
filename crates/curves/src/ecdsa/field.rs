//! What sums of points need of a field, be it one number or eight in lanes.

use std::ops::{Add, Mul, Neg, Sub};

use super::modular::{Fp, Limbs, Modulus};
use crate::lanes::Step;

/// Field elements of one curve, one to a lane.
///
/// Operations are done in place, so on lanes only within a [`Step`]; what is not an operation may be
/// called from anywhere.
pub(crate) trait Field:
    Copy + Add<Output = Self> + Sub<Output = Self> + Mul<Output = Self> + Neg<Output = Self>
{
    /// The prime.
    type Modulus: Modulus;
    /// Elements that are worked on at once, at most eight.
    const LANES: usize;

    /// Does a step with the instructions of the lanes.
    fn step<S: Step>(step: S) -> S::Output;

    /// Does a part of a step: in place, unless the compiler would be kept busy.
    fn piece<S: Step>(step: S) -> S::Output;

    /// Puts an element into every lane: an operation.
    fn splat(element: Fp<Self::Modulus>) -> Self;

    /// Collects an element for each lane, as held: an operation.
    fn from_held(elements: [&Limbs; 8]) -> Self;

    /// Returns the square: an operation.
    fn square(self) -> Self;

    /// Returns the same elements in a form that takes part in anything: what has been added and
    /// subtracted may have become too large to be subtracted itself. An operation.
    fn tidy(self) -> Self;

    /// Negates the lanes whose sign is all ones and not zero; the result is tidy. An operation.
    fn negated_where(self, signs: [u64; 8]) -> Self;

    /// Collects an element for each lane.
    fn from_lanes(element: impl Fn(usize) -> Fp<Self::Modulus>) -> Self;

    /// Returns the element of each lane; of lanes that are not there, any.
    fn to_lanes(self) -> [Fp<Self::Modulus>; 8];

    /// Returns the inverse; none if a lane is zero.
    fn invert(self) -> Option<Self>;

    /// Returns the mask of the lanes that are zero.
    fn zeros(self) -> u8 {
        let lanes = self.to_lanes();
        (0..Self::LANES).fold(0, |mask, lane| {
            mask | u8::from(lanes[lane].is_zero()) << lane
        })
    }

    /// Puts one into the lanes of a mask.
    fn or_one(self, mask: u8) -> Self {
        let lanes = self.to_lanes();
        Self::from_lanes(|lane| match mask >> lane & 1 {
            1 => Fp::ONE,
            _ => lanes[lane],
        })
    }
}

impl<M: Modulus> Field for Fp<M> {
    type Modulus = M;
    const LANES: usize = 1;

    #[inline(always)]
    fn step<S: Step>(step: S) -> S::Output {
        step.take()
    }

    /// A call costs some hundredths of the ten multiplications of a point, which are long in code.
    #[inline(never)]
    fn piece<S: Step>(step: S) -> S::Output {
        step.take()
    }

    #[inline(always)]
    fn splat(element: Self) -> Self {
        element
    }

    #[inline(always)]
    fn from_held(elements: [&Limbs; 8]) -> Self {
        Self::from_held(*elements[0])
    }

    #[inline(always)]
    fn square(self) -> Self {
        self.square()
    }

    #[inline(always)]
    fn tidy(self) -> Self {
        self
    }

    #[inline(always)]
    fn negated_where(self, signs: [u64; 8]) -> Self {
        if signs[0] == 0 { self } else { -self }
    }

    #[inline(always)]
    fn from_lanes(element: impl Fn(usize) -> Self) -> Self {
        element(0)
    }

    #[inline(always)]
    fn to_lanes(self) -> [Self; 8] {
        [self; 8]
    }

    #[inline(always)]
    fn invert(self) -> Option<Self> {
        (!self.is_zero()).then(|| self.invert())
    }
}
