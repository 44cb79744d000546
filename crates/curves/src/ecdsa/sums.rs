//! Sums of many points at once, in affine coordinates.
//!
//! Adding two affine points takes an inversion and three multiplications, half of what Jacobian
//! coordinates take, and sharing the inversion costs three more. Points are therefore added in
//! pairs, those of one signature among themselves and those of a batch side by side.

use super::curve::{CoefficientA, Curve};
use super::field::Field;
use super::modular::Fp;
use super::point::{Affine, Coordinate, coefficient_a};
use super::shared::{Work, invert_all};

/// Rows of points, as wide as there are sums to form; a lane of a point belongs to its own sum.
pub(crate) struct Sums<F> {
    points: Vec<Affine<F>>,
    /// How many of the points count; the others are room that was used before.
    used: usize,
    /// Of each group of lanes, those whose sum met equal or opposite points. They hold nothing.
    exceptional: Vec<u8>,
    products: Vec<F>,
}

impl<F: Field> Sums<F> {
    pub(crate) const fn new() -> Self {
        Self {
            points: Vec::new(),
            used: 0,
            exceptional: Vec::new(),
            products: Vec::new(),
        }
    }

    /// Forgets all points and makes room for a number of groups.
    pub(crate) fn clear(&mut self, groups: usize) {
        self.used = 0;
        self.exceptional.clear();
        self.exceptional.resize(groups, 0);
    }

    /// Returns the number of groups.
    pub(crate) const fn groups(&self) -> usize {
        self.exceptional.len()
    }

    /// Returns the first point of a group, and the mask of its lanes that hold nothing.
    pub(crate) fn of_group(&self, group: usize) -> (&Affine<F>, u8) {
        (&self.points[group], self.exceptional[group])
    }

    /// Adds a row, a point for each group, which are to be written.
    pub(crate) fn add_row(&mut self) -> &mut [Affine<F>] {
        let (from, to) = (self.used, self.used + self.groups());
        if self.points.len() < to {
            let one = F::from_lanes(|_| Fp::ONE);
            self.points.resize(to, Affine { x: one, y: one });
        }
        self.used = to;
        &mut self.points[from..to]
    }

    /// Adds up all rows of some width, which must be a multiple of the number of groups.
    pub(crate) fn add_rows(&mut self, width: usize) {
        while self.used > width {
            let rows = self.used / width;
            let kept = rows.div_ceil(2) * width;
            self.add(0, kept, self.used - kept);
            self.used = kept;
        }
    }

    /// Adds to the first pass each other one times `2^(width * its place)`; a pass is a point
    /// for each group.
    pub(crate) fn join_passes<C>(&mut self, passes: usize, width: u32)
    where
        C: Curve<Base = F::Modulus>,
    {
        let groups = self.groups();
        for pass in (1..passes).rev() {
            for _ in 0..width {
                self.double::<C>(pass * groups);
            }
            self.add((pass - 1) * groups, pass * groups, groups);
        }
        self.used = groups;
    }

    /// Adds a number of points to as many others.
    fn add(&mut self, to: usize, from: usize, count: usize) {
        let (sums, addends) = self.points.split_at_mut(from);
        let mut additions = Additions {
            sums: &mut sums[to..to + count],
            addends: &addends[..count],
            exceptional: &mut self.exceptional,
        };
        invert_all(&mut additions, &mut self.products);
    }

    /// Doubles a point of each group.
    fn double<C: Curve<Base = F::Modulus>>(&mut self, at: usize) {
        let mut doublings = Doublings::<C, F> {
            points: &mut self.points[at..at + self.exceptional.len()],
            a: coefficient_a::<C>(),
        };
        invert_all(&mut doublings, &mut self.products);
    }
}

/// Points to add to as many others.
struct Additions<'a, F> {
    sums: &'a mut [Affine<F>],
    addends: &'a [Affine<F>],
    exceptional: &'a mut [u8],
}

impl<F: Field> Work for Additions<'_, F> {
    type Field = F;

    #[inline(always)]
    fn count(&self) -> usize {
        self.sums.len()
    }

    #[inline(always)]
    fn denominator(&self, at: usize) -> F {
        self.addends[at].x - self.sums[at].x
    }

    #[inline(always)]
    fn finish(&mut self, at: usize, inverse: F) {
        self.sums[at] = self.sums[at].add(&self.addends[at], inverse);
    }

    fn zero(&mut self, at: usize, lanes: u8) {
        let groups = self.exceptional.len();
        self.exceptional[at % groups] |= lanes;
    }
}

/// Points to double. No y is zero on a curve of odd order.
pub(crate) struct Doublings<'a, C: Curve, F> {
    pub(crate) points: &'a mut [Affine<F>],
    pub(crate) a: Coordinate<C>,
}

impl<C: Curve, F: Field<Modulus = C::Base>> Work for Doublings<'_, C, F> {
    type Field = F;

    #[inline(always)]
    fn count(&self) -> usize {
        self.points.len()
    }

    #[inline(always)]
    fn denominator(&self, at: usize) -> F {
        self.points[at].y + self.points[at].y
    }

    #[inline(always)]
    fn finish(&mut self, at: usize, inverse: F) {
        let point = self.points[at];
        let xx = point.x.square();
        let triple = xx + xx + xx;
        let slope = match C::A {
            CoefficientA::Zero => triple,
            _ => triple + F::splat(self.a),
        } * inverse;
        self.points[at] = point.third(slope, point.x);
    }

    fn zero(&mut self, _: usize, _: u8) {}
}
