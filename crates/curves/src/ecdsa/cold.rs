//! Signatures of keys without tables, each key in its own lane.
//!
//! A few odd multiples of each key are computed first, in affine coordinates with shared inversions.
//! Then each lane doubles and adds in Jacobian coordinates, which takes no inversion, and at the end
//! the points of the generator are added from its table. Equal or opposite points that meet leave a Z
//! of zero, and so do all sums after them: such signatures are exceptional.

use std::marker::PhantomData;

use super::batch::{Finding, Recoded, recode};
use super::comb::{Shape, Table, odd_multiples, one_by_one};
use super::curve::Curve;
use super::field::Field;
use super::modular::{Fp, Limbs, Modulus, sum};
use super::point::{Addition, Affine, Coordinate, Doubling, Jacobian, Point, coefficient_a};
use super::scalars::Numbers;
use super::shared::invert_all;
use super::sums::Doublings;
use crate::lanes::Step;

/// Width of the windows of a scalar: 16 multiples, 51 additions and 255 doublings. [bits]
const WIDTH: u32 = 5;

/// Groups of lanes that share inversions: their multiples stay in the second-level cache.
const GROUPS: usize = 16;

/// A signature to check against a key that has no table.
#[derive(Clone, Copy)]
pub(crate) struct ColdClaim<C: Curve> {
    pub(crate) key: Point<C>,
    pub(crate) numbers: Numbers<C>,
}

/// Checks claims.
pub(crate) fn check_cold<C, F>(claims: &[ColdClaim<C>]) -> Vec<Finding>
where
    C: Curve,
    F: Field<Modulus = C::Base>,
{
    claims
        .chunks(GROUPS * F::LANES)
        .flat_map(check_chunk::<C, F>)
        .collect()
}

/// How the scalars of keys are cut.
const fn shape<C: Curve>() -> Shape {
    Shape {
        width: WIDTH,
        passes: C::BITS.div_ceil(WIDTH),
    }
}

fn check_chunk<C, F>(claims: &[ColdClaim<C>]) -> Vec<Finding>
where
    C: Curve,
    F: Field<Modulus = C::Base>,
{
    let shapes = [shape::<C>(), C::generator_table().shape()];
    let recoded = recode(claims.iter().map(|claim| claim.numbers).collect(), shapes);
    let multiples = multiples::<C, F>(claims);
    let mut findings = Vec::with_capacity(claims.len());
    for ((claims, recoded), multiples) in claims
        .chunks(F::LANES)
        .zip(recoded.chunks(F::LANES))
        .zip(multiples.chunks(F::LANES * shapes[0].points()))
    {
        let (field, generator) = (PhantomData::<F>, C::generator_table());
        let ladder = Ladder {
            recoded,
            multiples,
            generator,
            any: &multiples[0],
            field,
        };
        let [x, zz] = F::step(ladder).map(Field::to_lanes);
        for (lane, (claim, recoded)) in claims.iter().zip(recoded).enumerate() {
            findings.push(if recoded.is_none() || zz[lane].is_zero() {
                Finding::Exceptional
            } else if leaves::<C>(x[lane], zz[lane], claim.numbers.r) {
                Finding::Holds
            } else {
                Finding::Fails
            });
        }
    }
    findings
}

/// Tells whether `x / zz` leaves r modulo the order.
fn leaves<C: Curve>(x: Coordinate<C>, zz: Coordinate<C>, r: Limbs) -> bool {
    let (second, carry) = sum(r, C::Order::PRIME);
    let of = |candidate| Fp::from_integer(candidate).is_some_and(|candidate| candidate * zz == x);
    of(r) || (!carry && of(second))
}

/// Returns the odd multiples of each key, one key after the other.
fn multiples<C, F>(claims: &[ColdClaim<C>]) -> Vec<Point<C>>
where
    C: Curve,
    F: Field<Modulus = C::Base>,
{
    let (width, last) = (WIDTH as usize, claims.len() - 1);
    let groups = claims.len().div_ceil(F::LANES);
    let key = |group: usize| move |lane: usize| claims[last.min(group * F::LANES + lane)].key;
    let mut points: Vec<Affine<F>> = (0..groups)
        .map(|group| Affine::from_lanes(key(group)))
        .collect();
    let mut powers = vec![points[0]; groups * width];
    let mut products = Vec::new();
    for place in 0..width {
        if place > 0 {
            let (points, a) = (&mut points, coefficient_a::<C>());
            invert_all(&mut Doublings::<C, F> { points, a }, &mut products);
        }
        for (group, point) in points.iter().enumerate() {
            powers[group * width + place] = *point;
        }
    }
    let multiples = odd_multiples(&powers, width);
    one_by_one(&multiples, shape::<C>().points(), claims.len())
}

/// As many claims as there are lanes, or fewer. Gives X and the square of Z of the sum of each; Z is
/// zero if the sum is exceptional. Where a claim has no scalars, both may be anything.
struct Ladder<'a, C: Curve, F> {
    recoded: &'a [Recoded],
    multiples: &'a [Point<C>],
    generator: &'a Table<C>,
    /// For lanes that have nothing to add.
    any: &'a Point<C>,
    field: PhantomData<F>,
}

impl<C, F> Ladder<'_, C, F>
where
    C: Curve,
    F: Field<Modulus = C::Base>,
{
    /// Returns the multiples of keys that a window stands for.
    #[inline(always)]
    fn of_keys(&self, window: u32) -> Affine<F> {
        let per_key = shape::<C>().points();
        let (mut points, mut signs) = ([self.any; 8], [0; 8]);
        for (lane, recoded) in self.recoded.iter().enumerate() {
            if let Some([digits, _]) = recoded {
                let digit = digits.digit(window);
                points[lane] = &self.multiples[lane * per_key + digit.index];
                signs[lane] = digit.sign;
            }
        }
        Affine::gathered(points, signs)
    }

    /// Returns the multiples of the generator that a row stands for.
    #[inline(always)]
    fn of_generator(&self, row: u32) -> Affine<F> {
        let (mut points, mut signs) = ([self.any; 8], [0; 8]);
        for (lane, recoded) in self.recoded.iter().enumerate() {
            if let Some([_, digits]) = recoded {
                (points[lane], signs[lane]) = self.generator.point(row, digits.digit(row));
            }
        }
        Affine::gathered(points, signs)
    }
}

impl<C, F> Step for Ladder<'_, C, F>
where
    C: Curve,
    F: Field<Modulus = C::Base>,
{
    type Output = [F; 2];

    /// All but a few operations on cold keys are here: nothing is called.
    #[inline(always)]
    fn take(self) -> [F; 2] {
        let top = shape::<C>().passes - 1;
        let mut sum = Jacobian::from(self.of_keys(top));
        for window in (0..top).rev() {
            for _ in 0..WIDTH {
                sum = Doubling::<C, F>(&sum, PhantomData).take();
            }
            sum = Addition(&sum, &self.of_keys(window)).take();
        }
        for row in 0..self.generator.shape().rows(C::BITS) {
            sum = Addition(&sum, &self.of_generator(row)).take();
        }
        [sum.x, sum.z.square()]
    }
}
