//! Points: affine ones, and Jacobian ones for the path that is right in every case.

use super::curve::{CoefficientA, Curve};
use super::field::Field;
use super::modular::{Fp, Limbs, Modulus};

/// A point other than the one at infinity, or one point for each lane.
///
/// On a curve over four limbs it fills one line of the cache.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(align(64))]
pub(crate) struct Affine<F> {
    pub(crate) x: F,
    pub(crate) y: F,
}

impl<F: Field> Affine<F> {
    /// Returns this point plus another, given the inverse of the difference of their x.
    #[inline(always)]
    pub(crate) fn add(self, other: Self, inverse: F) -> Self {
        self.third((other.y - self.y) * inverse, other.x)
    }

    /// Returns the third point of the line through this one with a slope, mirrored.
    #[inline(always)]
    pub(crate) fn third(self, slope: F, other_x: F) -> Self {
        let x = (slope.square() - self.x - other_x).tidy();
        Self {
            x,
            y: (slope * (self.x - x) - self.y).tidy(),
        }
    }
}

/// The element of a curve's field.
pub(crate) type Coordinate<C> = Fp<<C as Curve>::Base>;
/// A single point of a curve.
pub(crate) type Point<C> = Affine<Coordinate<C>>;

/// Reads a point from its coordinates; none unless they are below the prime and on the curve.
pub(crate) fn point_from_integers<C: Curve>(x: Limbs, y: Limbs) -> Option<Point<C>> {
    let (x, y) = (Fp::from_integer(x)?, Fp::from_integer(y)?);
    let right = match C::A {
        CoefficientA::Zero => x.square() * x,
        _ => (x.square() + coefficient_a::<C>()) * x,
    } + Fp::from_any(C::B);
    (y.square() == right).then_some(Affine { x, y })
}

/// Returns the coefficient of x.
pub(crate) fn coefficient_a<C: Curve>() -> Coordinate<C> {
    match C::A {
        CoefficientA::Zero => Fp::ZERO,
        CoefficientA::MinusThree => -(Fp::ONE + Fp::ONE + Fp::ONE),
        CoefficientA::Other(a) => Fp::from_any(a),
    }
}

/// The point (X / Z^2, Y / Z^3), or infinity if Z is zero.
#[derive(Clone, Copy)]
pub(crate) struct Jacobian<C: Curve> {
    pub(crate) x: Coordinate<C>,
    pub(crate) y: Coordinate<C>,
    pub(crate) z: Coordinate<C>,
}

impl<C: Curve> From<Point<C>> for Jacobian<C> {
    fn from(Affine { x, y }: Point<C>) -> Self {
        Self { x, y, z: Fp::ONE }
    }
}

impl<C: Curve> Jacobian<C> {
    pub(crate) const INFINITY: Self = Self {
        x: Fp::ONE,
        y: Fp::ONE,
        z: Fp::ZERO,
    };

    /// Returns twice the point; no point of a curve of odd order is its own negative.
    #[inline(never)]
    pub(crate) fn double(self) -> Self {
        let Self { x, y, z } = self;
        let (zz, yy) = (z.square(), y.square());
        let three_xx_plus_a = match C::A {
            CoefficientA::MinusThree => triple((x - zz) * (x + zz)),
            CoefficientA::Zero => triple(x.square()),
            CoefficientA::Other(_) => triple(x.square()) + coefficient_a::<C>() * zz.square(),
        };
        let xyy4 = double(double(x * yy));
        let new_x = three_xx_plus_a.square() - double(xyy4);
        let yyyy8 = double(double(double(yy.square())));
        Self {
            x: new_x,
            y: three_xx_plus_a * (xyy4 - new_x) - yyyy8,
            z: double(y * z),
        }
    }

    /// Returns this point plus an affine one, whatever they are.
    pub(crate) fn add(self, other: Point<C>) -> Self {
        let Self { x, y, z } = self;
        if z.is_zero() {
            return other.into();
        }
        let zz = z.square();
        let h = other.x * zz - x;
        let slope = other.y * zz * z - y;
        if h.is_zero() {
            return if slope.is_zero() {
                self.double()
            } else {
                Self::INFINITY
            };
        }
        let hh = h.square();
        let (hhh, xhh) = (h * hh, x * hh);
        let new_x = slope.square() - hhh - double(xhh);
        Self {
            x: new_x,
            y: slope * (xhh - new_x) - y * hhh,
            z: z * h,
        }
    }
}

#[inline(always)]
fn double<M: Modulus>(value: Fp<M>) -> Fp<M> {
    value + value
}

#[inline(always)]
fn triple<M: Modulus>(value: Fp<M>) -> Fp<M> {
    value + value + value
}
