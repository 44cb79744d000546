//! Sums of many points at once, in affine coordinates.
//!
//! Adding two affine points takes an inversion and three multiplications, half of what Jacobian
//! coordinates take, and sharing the inversion costs three more. Points are therefore added in
//! pairs, those of one signature among themselves and those of a batch side by side.

use super::curve::{CoefficientA, Curve};
use super::field::Field;
use super::inversion::for_each_inverse;
use super::point::{Affine, coefficient_a};

/// Rows of points, as wide as there are sums to form; a lane of a point belongs to its own sum.
pub(crate) struct Sums<F> {
    pub(crate) points: Vec<Affine<F>>,
    /// Of each group of lanes, those whose sum met equal or opposite points. They hold nothing.
    pub(crate) exceptional: Vec<u8>,
    products: Vec<F>,
}

impl<F: Field> Sums<F> {
    pub(crate) const fn new() -> Self {
        Self {
            points: Vec::new(),
            exceptional: Vec::new(),
            products: Vec::new(),
        }
    }

    /// Forgets all points and makes room for a number of groups.
    pub(crate) fn clear(&mut self, groups: usize) {
        self.points.clear();
        self.exceptional.clear();
        self.exceptional.resize(groups, 0);
    }

    /// Adds up all rows of some width, which must be a multiple of the number of groups.
    pub(crate) fn add_rows(&mut self, width: usize) {
        while self.points.len() > width {
            let rows = self.points.len() / width;
            let kept = rows.div_ceil(2) * width;
            let added = self.points.len() - kept;
            self.add(0, kept, added);
            self.points.truncate(kept);
        }
    }

    /// Adds to the first pass each other one times `2^(width * its place)`; a pass is a point
    /// for each group.
    pub(crate) fn join_passes<C>(&mut self, passes: usize, width: u32)
    where
        C: Curve<Base = F::Modulus>,
    {
        let groups = self.exceptional.len();
        for pass in (1..passes).rev() {
            for _ in 0..width {
                self.double::<C>(pass * groups);
            }
            self.add((pass - 1) * groups, pass * groups, groups);
        }
        self.points.truncate(groups);
    }

    /// Adds a number of points to as many others.
    fn add(&mut self, to: usize, from: usize, count: usize) {
        let Self {
            points,
            exceptional,
            products,
        } = self;
        let groups = exceptional.len();
        for_each_inverse(
            points.as_mut_slice(),
            count,
            products,
            |points, i| points[from + i].x - points[to + i].x,
            |points, i, inverse| points[to + i] = points[to + i].add(points[from + i], inverse),
            |_, i, lanes| exceptional[i % groups] |= lanes,
        );
    }

    /// Doubles a point of each group.
    fn double<C: Curve<Base = F::Modulus>>(&mut self, at: usize) {
        let Self {
            points,
            exceptional,
            products,
        } = self;
        let a: Option<F> = match C::A {
            CoefficientA::Zero => None,
            _ => Some(F::from_lanes(|_| coefficient_a::<C>())),
        };
        for_each_inverse(
            points.as_mut_slice(),
            exceptional.len(),
            products,
            |points, i| points[at + i].y + points[at + i].y,
            |points, i, inverse| {
                let point = points[at + i];
                let xx = point.x.square();
                let triple = xx + xx + xx;
                let slope = a.map_or(triple, |a| triple + a) * inverse;
                points[at + i] = point.third(slope, point.x);
            },
            |_, i, lanes| exceptional[i] |= lanes,
        );
    }
}
