//! Fixed-window tables of a point, and the digits of scalars that walk them.
//!
//! An odd scalar is written with odd signed digits, so no digit is zero and every window gives
//! one table point: there is no infinity to treat. The digits cost nothing: with `L` bits in all,
//! the windows of `c = (k >> 1) + 2^(L - 1)` hold them, since `k` is the sum of `2^i` times
//! plus or minus one after the bits of `c`. An even scalar is replaced by its negative.

use super::curve::Curve;
use super::field::Field;
use super::modular::{Fp, Limbs, Modulus, subtract};
use super::point::{Affine, Jacobian, Point};
use super::shared::{Work, invert_all};

/// How a table is cut: its windows are `width` bits wide, and of every `passes` windows one is
/// tabulated; the others are reached by doubling, `(passes - 1) * width` times per verification.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct Shape {
    pub(crate) width: u32,
    pub(crate) passes: u32,
}

impl Shape {
    /// Returns how many windows are tabulated for scalars of a number of bits.
    pub(crate) const fn rows(self, bits: u32) -> u32 {
        bits.div_ceil(self.width * self.passes)
    }

    /// Returns how many points the table has for scalars of a number of bits.
    pub(crate) const fn points_of(self, bits: u32) -> usize {
        self.rows(bits) as usize * self.points()
    }

    /// Returns how many points a window holds: the odd multiples of one, up to `2^width - 1`.
    pub(crate) const fn points(self) -> usize {
        1 << (self.width - 1)
    }
}

/// Multiples of a point: `(2 j + 1) * 2^(width * passes * i) * P` for every row i and index j.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Table<C: Curve> {
    shape: Shape,
    points: Vec<Point<C>>,
}

impl<C: Curve> Table<C> {
    /// Tabulates the generator, for all keys of the curve.
    pub(crate) fn of_generator() -> Self {
        Self::new(
            C::generator(),
            Shape {
                width: 11,
                passes: 1,
            },
        )
    }

    /// Tabulates a point, one row at a time.
    pub(crate) fn new(point: Point<C>, shape: Shape) -> Self {
        Self::tabulated::<Fp<C::Base>>(point, shape)
    }

    /// Tabulates a point, with a row in each lane.
    pub(crate) fn tabulated<F>(point: Point<C>, shape: Shape) -> Self
    where
        F: Field<Modulus = C::Base>,
    {
        let (width, rows) = (shape.width as usize, shape.rows(C::BITS) as usize);
        let powers = doublings::<C>(point, width, (shape.width * shape.passes) as usize, rows);
        let powers = side_by_side::<C, F>(&powers, width);
        let points = one_by_one(&odd_multiples(&powers, width), shape.points(), rows);
        Self { shape, points }
    }

    /// Returns how the table is cut.
    pub(crate) const fn shape(&self) -> Shape {
        self.shape
    }

    /// Returns the point of a digit of a row, and whether to mirror it: all ones or zero.
    #[inline(always)]
    pub(crate) fn point(&self, row: u32, digit: Digit) -> (&Point<C>, u64) {
        let at = row as usize * self.shape.points() + digit.index;
        (&self.points[at], digit.sign)
    }
}

/// Returns `2^(stride * row + i)` times the point for each row and each i below the width.
fn doublings<C: Curve>(point: Point<C>, width: usize, stride: usize, rows: usize) -> Vec<Point<C>> {
    let mut power = Jacobian::from(point);
    let mut powers = Vec::with_capacity(width * rows);
    for step in 0..(rows - 1) * stride + width {
        if step % stride < width {
            powers.push(power);
        }
        power = power.double::<C>();
    }
    let points = vec![point; powers.len()];
    let mut normalised = Normalisation { powers, points };
    invert_all(&mut normalised, &mut Vec::new());
    normalised.points
}

/// Points to make affine.
struct Normalisation<F> {
    powers: Vec<Jacobian<F>>,
    points: Vec<Affine<F>>,
}

impl<F: Field> Work for Normalisation<F> {
    type Field = F;

    #[inline(always)]
    fn count(&self) -> usize {
        self.powers.len()
    }

    #[inline(always)]
    fn denominator(&self, at: usize) -> F {
        self.powers[at].z
    }

    #[inline(always)]
    fn finish(&mut self, at: usize, inverse: F) {
        let (power, square) = (&self.powers[at], inverse.square());
        self.points[at] = Affine {
            x: power.x * square,
            y: power.y * square * inverse,
        };
    }

    fn zero(&mut self, _: usize, _: u8) {}
}

/// Puts as many rows side by side as there are lanes; lanes left over take the last row again.
fn side_by_side<C: Curve, F: Field<Modulus = C::Base>>(
    powers: &[Point<C>],
    width: usize,
) -> Vec<Affine<F>> {
    let rows = powers.len() / width;
    let mut grouped = Vec::with_capacity(rows.div_ceil(F::LANES) * width);
    for group in 0..rows.div_ceil(F::LANES) {
        for place in 0..width {
            let row = |lane: usize| usize::min(group * F::LANES + lane, rows - 1);
            grouped.push(Affine::from_lanes(|lane| powers[row(lane) * width + place]));
        }
    }
    grouped
}

/// Returns the odd multiples of points up to `2^width - 1`, given of each the multiples by the powers
/// of two below that.
pub(crate) fn odd_multiples<F: Field>(powers: &[Affine<F>], width: usize) -> Vec<Affine<F>> {
    let groups = powers.len() / width;
    let per_row = 1 << (width - 1);
    let mut points = vec![powers[0]; groups * per_row];
    for group in 0..groups {
        points[group * per_row] = powers[group * width];
    }
    let mut products = Vec::with_capacity(groups * per_row / 2);
    for level in 1..width {
        let mut level = Level {
            points: &mut points,
            powers,
            width,
            level,
        };
        invert_all(&mut level, &mut products);
    }
    points
}

/// From the first `2^(level - 1)` odd multiples the next as many: `2^level` times the point on.
struct Level<'a, F> {
    points: &'a mut [Affine<F>],
    powers: &'a [Affine<F>],
    width: usize,
    level: usize,
}

impl<F> Level<'_, F> {
    /// Returns where a multiple stands, and the power to add to it.
    #[inline(always)]
    fn place(&self, at: usize) -> (usize, usize) {
        let (group, known) = (at >> (self.level - 1), 1 << (self.level - 1));
        let first = group << (self.width - 1);
        (first + at % known, group * self.width + self.level)
    }
}

impl<F: Field> Work for Level<'_, F> {
    type Field = F;

    #[inline(always)]
    fn count(&self) -> usize {
        (self.powers.len() / self.width) << (self.level - 1)
    }

    #[inline(always)]
    fn denominator(&self, at: usize) -> F {
        let (from, power) = self.place(at);
        self.powers[power].x - self.points[from].x
    }

    #[inline(always)]
    fn finish(&mut self, at: usize, inverse: F) {
        let (from, power) = self.place(at);
        let known = 1 << (self.level - 1);
        self.points[from + known] = self.points[from].add(&self.powers[power], inverse);
    }

    fn zero(&mut self, _: usize, _: u8) {}
}

/// Lays rows that stand side by side one after the other.
pub(crate) fn one_by_one<F: Field>(
    points: &[Affine<F>],
    per_row: usize,
    rows: usize,
) -> Vec<Affine<Fp<F::Modulus>>> {
    let (x, y) = (Fp::ZERO, Fp::ZERO);
    let mut laid = vec![Affine { x, y }; rows * per_row];
    for (at, point) in points.iter().enumerate() {
        let (x, y) = (point.x.to_lanes(), point.y.to_lanes());
        let first = at / per_row * F::LANES;
        for row in first..rows.min(first + F::LANES) {
            let (x, y) = (x[row - first], y[row - first]);
            laid[row * per_row + at % per_row] = Affine { x, y };
        }
    }
    laid
}

/// A digit: the index of its odd magnitude, and its sign.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Digit {
    pub(crate) index: usize,
    /// All ones if it is negative, else zero.
    pub(crate) sign: u64,
}

/// A scalar other than zero, recoded for tables of one cut.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Digits {
    recoded: [u64; 5],
    width: u32,
    /// All ones if the scalar is negative, else zero.
    sign: u64,
}

impl Digits {
    /// Recodes a scalar other than zero.
    #[inline(always)]
    pub(crate) fn new<C: Curve>(scalar: Limbs, shape: Shape) -> Self {
        let negative = scalar[0] & 1 == 0;
        let odd = if negative {
            subtract(C::Order::PRIME, scalar).0
        } else {
            scalar
        };
        let mut recoded = [
            odd[0] >> 1 | odd[1] << 63,
            odd[1] >> 1 | odd[2] << 63,
            odd[2] >> 1 | odd[3] << 63,
            odd[3] >> 1,
            0,
        ];
        let top = shape.width * shape.passes * shape.rows(C::BITS) - 1;
        recoded[top as usize / 64] |= 1 << (top % 64);
        Self {
            recoded,
            width: shape.width,
            sign: 0_u64.wrapping_sub(u64::from(negative)),
        }
    }

    /// Returns the digit of a window.
    #[inline(always)]
    pub(crate) fn digit(&self, window: u32) -> Digit {
        let (limb, shift) = (
            (window * self.width) as usize / 64,
            window * self.width % 64,
        );
        let mut bits = self.recoded[limb] >> shift;
        if shift + self.width > 64 {
            bits |= self.recoded[limb + 1] << (64 - shift);
        }
        let half = 1 << (self.width - 1);
        let bits = bits as usize & (2 * half - 1);
        let below = bits < half;
        Digit {
            index: if below { half - 1 - bits } else { bits - half },
            sign: self.sign ^ 0_u64.wrapping_sub(u64::from(below)),
        }
    }
}
