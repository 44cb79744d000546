//! What sums of points need of a field, be it one number or eight in lanes.

use std::ops::{Add, Mul, Neg, Sub};

use super::modular::{Fp, Modulus};

/// Field elements of one curve, one to a lane.
pub(crate) trait Field:
    Copy + Add<Output = Self> + Sub<Output = Self> + Mul<Output = Self> + Neg<Output = Self>
{
    /// The prime.
    type Modulus: Modulus;
    /// Elements that are worked on at once, at most eight.
    const LANES: usize;

    /// Returns one in every lane.
    fn one() -> Self;

    /// Collects an element for each lane.
    fn from_lanes(element: impl Fn(usize) -> Fp<Self::Modulus>) -> Self;

    /// Returns the element of each lane; of lanes that are not there, any.
    fn to_lanes(self) -> [Fp<Self::Modulus>; 8];

    /// Returns the square.
    fn square(self) -> Self;

    /// Returns the inverse; none of the lanes may be zero.
    fn invert(self) -> Self;

    /// Returns the same elements in a form that takes part in anything: what has been added and
    /// subtracted may have become too large to be subtracted itself.
    fn tidy(self) -> Self;

    /// Returns the mask of the lanes that are zero.
    fn zeros(self) -> u8;

    /// Puts one into the lanes of a mask.
    fn or_one(self, mask: u8) -> Self;
}

impl<M: Modulus> Field for Fp<M> {
    type Modulus = M;
    const LANES: usize = 1;

    #[inline(always)]
    fn one() -> Self {
        Self::ONE
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
    fn square(self) -> Self {
        self.square()
    }

    fn invert(self) -> Self {
        self.invert()
    }

    #[inline(always)]
    fn tidy(self) -> Self {
        self
    }

    #[inline(always)]
    fn zeros(self) -> u8 {
        u8::from(self.is_zero())
    }

    #[inline(always)]
    fn or_one(self, mask: u8) -> Self {
        if mask == 0 { self } else { Self::ONE }
    }
}
