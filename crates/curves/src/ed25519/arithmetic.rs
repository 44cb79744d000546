//! What the formulas of the curve ask of a field, one element at a time or eight in lanes.

use std::ops::{Add, Mul, Sub};

use super::field::FieldElement;

/// An element of the field of 2^255 - 19, or eight.
///
/// *Tight* elements may be added and subtracted once before they are multiplied; products are tight.
pub(crate) trait Field:
    Copy + Add<Output = Self> + Sub<Output = Self> + Mul<Output = Self>
{
    /// Whether to negate, for each element.
    type Sign: Copy;

    /// The sign of what is to be added.
    fn positive() -> Self::Sign;

    /// 0
    fn zero() -> Self;

    /// 1
    fn one() -> Self;

    /// Puts a constant, which is tight, in every place.
    fn from_constant(element: FieldElement) -> Self;

    /// Returns the square.
    fn square(self) -> Self;

    /// Returns the same element, tight.
    fn carried(self) -> Self;

    /// Returns self - other, if `other` is a sum or a difference of two tight elements and `self`
    /// one of them or a sum.
    fn minus_sum(self, other: Self) -> Self;

    /// Swaps the two where the sign is negative.
    fn swapped(pair: [Self; 2], sign: Self::Sign) -> [Self; 2];

    /// Squares `times` times.
    #[inline(always)]
    fn square_times(self, times: u32) -> Self {
        let mut power = self;
        for _ in 0..times {
            power = power.square();
        }
        power
    }

    /// Returns the powers 2^250 - 1 and 11, of which both roots and inverses are made.
    #[inline(always)]
    fn ladder(self) -> (Self, Self) {
        let power_2 = self.square();
        let power_9 = self * power_2.square_times(2);
        let power_11 = power_9 * power_2;
        let ones_5 = power_11.square() * power_9;
        let ones_10 = ones_5.square_times(5) * ones_5;
        let ones_20 = ones_10.square_times(10) * ones_10;
        let ones_40 = ones_20.square_times(20) * ones_20;
        let ones_50 = ones_40.square_times(10) * ones_10;
        let ones_100 = ones_50.square_times(50) * ones_50;
        let ones_200 = ones_100.square_times(100) * ones_100;
        (ones_200.square_times(50) * ones_50, power_11)
    }

    /// Returns the inverse, the power p - 2; 0 for 0.
    #[inline(always)]
    fn inverse(self) -> Self {
        let (ones_250, power_11) = self.ladder();
        ones_250.square_times(5) * power_11
    }

    /// Returns the power (p - 5) / 8.
    #[inline(always)]
    fn power_p58(self) -> Self {
        self.ladder().0.square_times(2) * self
    }
}

/// Inverts every element, which must not be 0, for three products each and one inversion.
#[inline(always)]
pub(crate) fn invert_all<F: Field>(elements: &mut [F]) {
    let mut before = Vec::with_capacity(elements.len());
    let mut running = F::one();
    for element in elements.iter() {
        before.push(running);
        running = running * *element;
    }
    let mut rest = running.inverse();
    for (element, before) in elements.iter_mut().zip(before).rev() {
        let inverse = rest * before;
        rest = rest * *element;
        *element = inverse;
    }
}
