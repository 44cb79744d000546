//! Points: affine ones, and Jacobian ones for the path that is right in every case.

use std::marker::PhantomData;

use super::curve::{CoefficientA, Curve};
use super::field::Field;
use super::modular::{Fp, Limbs, Modulus};
use crate::lanes::Step;

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
    /// Collects a point for each lane, mirrored where its sign is all ones and not zero.
    #[inline(always)]
    pub(crate) fn gathered(points: [&Affine<Fp<F::Modulus>>; 8], signs: [u64; 8]) -> Self {
        let [a, b, c, d, e, f, g, h] = points;
        Self {
            x: F::from_held([
                a.x.as_held(),
                b.x.as_held(),
                c.x.as_held(),
                d.x.as_held(),
                e.x.as_held(),
                f.x.as_held(),
                g.x.as_held(),
                h.x.as_held(),
            ]),
            y: F::from_held([
                a.y.as_held(),
                b.y.as_held(),
                c.y.as_held(),
                d.y.as_held(),
                e.y.as_held(),
                f.y.as_held(),
                g.y.as_held(),
                h.y.as_held(),
            ])
            .negated_where(signs),
        }
    }

    /// Collects a point for each lane.
    pub(crate) fn from_lanes(point: impl Fn(usize) -> Affine<Fp<F::Modulus>>) -> Self {
        Self {
            x: F::from_lanes(|lane| point(lane).x),
            y: F::from_lanes(|lane| point(lane).y),
        }
    }

    /// Returns this point plus another, given the inverse of the difference of their x.
    #[inline(always)]
    pub(crate) fn add(&self, other: &Self, inverse: F) -> Self {
        self.third((other.y - self.y) * inverse, other.x)
    }

    /// Returns the third point of the line through this one with a slope, mirrored.
    #[inline(always)]
    pub(crate) fn third(&self, slope: F, other_x: F) -> Self {
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

/// The points (X / Z^2, Y / Z^3), one to a lane, or infinity where Z is zero.
#[derive(Clone, Copy)]
pub(crate) struct Jacobian<F> {
    pub(crate) x: F,
    pub(crate) y: F,
    pub(crate) z: F,
}

impl<F: Field> From<Affine<F>> for Jacobian<F> {
    #[inline(always)]
    fn from(Affine { x, y }: Affine<F>) -> Self {
        let z = F::splat(Fp::ONE);
        Self { x, y, z }
    }
}

impl<F: Field> Jacobian<F> {
    /// Returns twice the point; no point of a curve of odd order is its own negative.
    #[inline(always)]
    pub(crate) fn double<C: Curve<Base = F::Modulus>>(&self) -> Self {
        F::piece(Doubling::<C, F>(self, PhantomData))
    }

    /// Returns this point plus an affine one, if the two are neither equal nor opposite and this one
    /// is not infinity. Else Z is zero, and stays so whatever is done to the point.
    #[inline(always)]
    pub(crate) fn add_other(&self, other: &Affine<F>) -> Self {
        F::piece(Addition(self, other))
    }
}

/// Twice a point, in place where it is taken.
pub(crate) struct Doubling<'a, C, F>(pub(crate) &'a Jacobian<F>, pub(crate) PhantomData<C>);

impl<C: Curve<Base = F::Modulus>, F: Field> Step for Doubling<'_, C, F> {
    type Output = Jacobian<F>;

    #[inline(always)]
    fn take(self) -> Jacobian<F> {
        let Jacobian { x, y, z } = *self.0;
        let yy = y.square();
        let three_xx_plus_a = match C::A {
            CoefficientA::MinusThree => {
                let zz = z.square();
                triple((x - zz).tidy() * (x + zz))
            }
            CoefficientA::Zero => triple(x.square()),
            CoefficientA::Other(_) => {
                triple(x.square()) + F::splat(coefficient_a::<C>()) * z.square().square()
            }
        }
        .tidy();
        let xyy4 = double(double(x * yy)).tidy();
        let new_x = (three_xx_plus_a.square() - xyy4 - xyy4).tidy();
        let yyyy4 = double(yy).square();
        Jacobian {
            x: new_x,
            y: (three_xx_plus_a * (xyy4 - new_x) - yyyy4 - yyyy4).tidy(),
            z: double(y) * z,
        }
    }
}

/// A point and another, affine one, in place where their sum is taken.
pub(crate) struct Addition<'a, F>(pub(crate) &'a Jacobian<F>, pub(crate) &'a Affine<F>);

impl<F: Field> Step for Addition<'_, F> {
    type Output = Jacobian<F>;

    #[inline(always)]
    fn take(self) -> Jacobian<F> {
        let Self(point, other) = self;
        let Jacobian { x, y, z } = *point;
        let zz = z.square();
        let h = (other.x * zz - x).tidy();
        let slope = (other.y * (zz * z) - y).tidy();
        let hh = h.square();
        let (hhh, xhh) = (h * hh, x * hh);
        let new_x = (slope.square() - hhh - xhh - xhh).tidy();
        Jacobian {
            x: new_x,
            y: (slope * (xhh - new_x) - y * hhh).tidy(),
            z: z * h,
        }
    }
}

impl<M: Modulus> Jacobian<Fp<M>> {
    pub(crate) const INFINITY: Self = Self {
        x: Fp::ONE,
        y: Fp::ONE,
        z: Fp::ZERO,
    };

    /// Returns this point plus an affine one, whatever they are.
    pub(crate) fn add<C: Curve<Base = M>>(&self, other: &Point<C>) -> Self {
        if self.z.is_zero() {
            return (*other).into();
        }
        let sum = self.add_other(other);
        if !sum.z.is_zero() {
            return sum;
        }
        if other.y * self.z.square() * self.z == self.y {
            self.double::<C>()
        } else {
            Self::INFINITY
        }
    }

    /// Returns the affine point; none of infinity.
    pub(crate) fn to_affine(self) -> Option<Affine<Fp<M>>> {
        let inverse = Field::invert(self.z)?;
        let square = inverse.square();
        Some(Affine {
            x: self.x * square,
            y: self.y * square * inverse,
        })
    }
}

#[inline(always)]
fn double<F: Field>(value: F) -> F {
    value + value
}

#[inline(always)]
fn triple<F: Field>(value: F) -> F {
    value + value + value
}
