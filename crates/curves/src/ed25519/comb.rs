//! Tables of a point's multiples, and multiplication by walking through them.
//!
//! A scalar is written in signed digits d(i) of `width` bits. With n tables, table j holding
//! 1, 2, ... 2^(width - 1) times 2^(width * passes * j) P, the digits d(j * passes + t) of one pass
//! t cost an addition each, and between two passes the sum is doubled `width` times. One pass means
//! no doubling at all; as many passes as digits mean one table and the usual windows.

use super::arithmetic::{Field, invert_all};
use super::field::FieldElement;
use super::point::{Addend, Point};
use crate::digits::{Digits, Radix};

/// How a table is laid out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Shape {
    radix: Radix,
    passes: usize,
}

impl Shape {
    pub(crate) const fn new(width: u32, passes: usize) -> Self {
        let radix = Radix::new(width);
        assert!(0 < passes && passes <= radix.count());
        Self { radix, passes }
    }

    /// As many passes as digits: one table.
    pub(crate) const fn windows(width: u32) -> Self {
        Self::new(width, Radix::new(width).count())
    }

    pub(crate) const fn tables(self) -> usize {
        self.radix.count().div_ceil(self.passes)
    }

    /// Returns the number of multiples in a table.
    pub(crate) const fn per_table(self) -> usize {
        self.radix.magnitude_max()
    }

    /// Returns the number of multiples in all tables together.
    pub(crate) const fn multiples(self) -> usize {
        self.tables() * self.per_table()
    }

    /// Writes a scalar in the digits of this shape.
    pub(crate) fn digits(self, scalar: &[u64; 4]) -> Digits {
        self.radix.digits(scalar)
    }

    /// Computes the first multiple of each table: 2^(width * passes * j) P.
    pub(crate) fn firsts(self, point: &Point) -> Vec<Point> {
        let apart = self.radix.width() * self.passes as u32;
        let mut firsts = vec![*point];
        while firsts.len() < self.tables() {
            firsts.push(firsts[firsts.len() - 1].double_times(apart));
        }
        firsts
    }

    /// Computes the multiples in a table, or in eight, given the first.
    #[inline(always)]
    pub(crate) fn multiples_from<F: Field>(self, first: Point<F>) -> Vec<Point<F>> {
        let addend = first.to_addend();
        let mut multiples = Vec::with_capacity(self.radix.magnitude_max());
        let mut multiple = first;
        multiples.push(multiple);
        for _ in 1..self.radix.magnitude_max() {
            multiple = multiple.add(&addend, F::positive());
            multiples.push(multiple);
        }
        multiples
    }

    /// Computes all multiples of a point, in the order of the tables.
    pub(crate) fn multiples_of(self, point: &Point) -> Vec<Point> {
        let mut multiples = self.multiples_from(*point);
        while let Some(last) = multiples
            .last()
            .filter(|_| multiples.len() < self.multiples())
        {
            // The last one is 2^(width - 1) times the first of its table.
            let first = last.double_times(self.radix.width() * (self.passes as u32 - 1) + 1);
            multiples.extend(self.multiples_from(first));
        }
        multiples
    }

    /// Returns `start` times 2^(width * (passes - 1)), plus for each digit what `add` adds, which is
    /// given the place of the digit and knows its multiple.
    #[inline(always)]
    pub(crate) fn add_digits<F: Field>(
        self,
        start: Point<F>,
        mut add: impl FnMut(&Point<F>, usize) -> Point<F>,
    ) -> Point<F> {
        let mut sum = start;
        for pass in (0..self.passes).rev() {
            if pass + 1 < self.passes {
                sum = sum.double_times(self.radix.width());
            }
            for place in (pass..self.radix.count()).step_by(self.passes) {
                sum = add(&sum, place);
            }
        }
        sum
    }

    /// Returns `start` times 2^(width * (passes - 1)), plus a scalar times the tables' point.
    #[inline(always)]
    pub(crate) fn add_multiple<M: Multiple>(
        self,
        tables: &[M],
        digits: &Digits,
        start: Point,
    ) -> Point {
        self.add_digits(start, |sum, place| match self.multiple_at(digits, place) {
            Some((at, negative)) => tables[at].add_to(sum, negative),
            None => *sum,
        })
    }

    /// Returns where in the tables the multiple of a digit is, and 1 if it is to be subtracted.
    #[inline(always)]
    pub(crate) fn multiple_at(self, digits: &Digits, place: usize) -> Option<(usize, usize)> {
        let (magnitude, negative) = digits.at(place, self.radix.count() - 1);
        let table = place / self.passes;
        let at = table * self.radix.magnitude_max() + magnitude.checked_sub(1)?;
        Some((at, negative))
    }

    /// Asks for every multiple that a scalar will need.
    pub(crate) fn touch(self, tables: &[Affine], digits: &Digits) {
        for place in 0..self.radix.count() {
            if let Some((at, _)) = self.multiple_at(digits, place) {
                crate::lanes::prefetch(&tables[at]);
            }
        }
    }
}

/// What a table holds of a multiple.
pub(crate) trait Multiple {
    /// Returns sum + self, or sum - self if `negative` is 1 and not 0.
    fn add_to(&self, sum: &Point, negative: usize) -> Point;
}

impl Multiple for Addend {
    #[inline(always)]
    fn add_to(&self, sum: &Point, negative: usize) -> Point {
        sum.add(self, negative)
    }
}

/// y + x, y - x and 2 d x y of an affine point, each below p and in four words.
///
/// 96 bytes; aligned so that one never lies in more than two cache lines.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(align(32))]
pub(crate) struct Affine(pub(crate) [u64; 12]);

impl Affine {
    /// The identity, which adds nothing.
    pub(crate) const IDENTITY: Self = Self([1, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0]);

    /// Normalises points, all with one inversion.
    pub(crate) fn of_all(points: &[Point]) -> Box<[Self]> {
        let mut inverses: Vec<FieldElement> = points.iter().map(|point| point.z).collect();
        invert_all(&mut inverses);
        let of = |(point, inverse): (&Point, FieldElement)| {
            let affine = Point {
                x: point.x * inverse,
                y: point.y * inverse,
                z: FieldElement::one(),
                t: point.t * inverse,
            };
            let Addend {
                y_plus_minus_x: [plus, minus],
                xy2d,
                ..
            } = affine.to_addend();
            let words = [plus, minus, xy2d].map(FieldElement::to_words);
            Self(std::array::from_fn(|at| words[at / 4][at % 4]))
        };
        points.iter().zip(inverses).map(of).collect()
    }
}

impl Multiple for Affine {
    #[inline(always)]
    fn add_to(&self, sum: &Point, negative: usize) -> Point {
        let [a, b, c, d, e, f, g, h, i, j, k, l] = self.0;
        sum.add_with(
            [
                FieldElement::from_words(&[a, b, c, d]),
                FieldElement::from_words(&[e, f, g, h]),
            ],
            FieldElement::from_words(&[i, j, k, l]),
            sum.z + sum.z,
            negative,
        )
    }
}
