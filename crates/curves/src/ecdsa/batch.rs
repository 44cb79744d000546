//! Signatures of one curve, verified many at a time.

use super::comb::{Digits, Shape, Table};
use super::curve::Curve;
use super::field::Field;
use super::modular::{Fp, Limbs, Modulus, sum};
use super::point::Affine;
use super::scalars::Numbers;
use super::shared::{Work, invert_all};
use super::sums::Sums;
use crate::lanes::Step;

type Point<M> = Affine<Fp<M>>;

/// A signature to check against a key, with the key's table.
#[derive(Clone, Copy)]
pub(crate) struct Claim<'a, C: Curve> {
    pub(crate) table: &'a Table<C>,
    pub(crate) numbers: Numbers<C>,
}

/// What the arithmetic of a batch says of a claim.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Finding {
    /// The equation holds.
    Holds,
    /// It does not.
    Fails,
    /// A scalar was zero, or equal or opposite points met: ask the path that is right in all cases.
    Exceptional,
}

/// What the points worked on at once take; with what belongs to them they stay in the second-level
/// cache. [bytes]
const POINT_BYTES: usize = 3 << 17;

/// Checks claims whose tables are cut alike.
pub(crate) fn check_all<C, F>(claims: &[Claim<'_, C>]) -> Vec<Finding>
where
    C: Curve,
    F: Field<Modulus = C::Base>,
{
    let mut findings = Vec::with_capacity(claims.len());
    let Some(first) = claims.first() else {
        return findings;
    };
    let shapes = [first.table.shape(), C::generator_table().shape()];
    let rows: u32 = shapes
        .iter()
        .map(|shape| shape.rows(C::BITS) * shape.passes)
        .sum();
    let points = POINT_BYTES / size_of::<Affine<F>>();
    let groups = (points / rows as usize).max(1);
    let mut batch = Batch::<F>::new();
    for chunk in claims.chunks(groups * F::LANES) {
        batch.check(chunk, shapes, &mut findings);
    }
    findings
}

/// The sums of a chunk of claims.
struct Batch<F> {
    sums: Sums<F>,
}

impl<F: Field> Batch<F> {
    const fn new() -> Self {
        Self { sums: Sums::new() }
    }

    fn check<C>(&mut self, claims: &[Claim<'_, C>], shapes: [Shape; 2], findings: &mut Vec<Finding>)
    where
        C: Curve<Base = F::Modulus>,
    {
        let recoded = recode(claims.iter().map(|claim| claim.numbers).collect(), shapes);
        self.sums.clear(claims.len().div_ceil(F::LANES));
        self.add_key_points(claims, &recoded, shapes[0]);
        self.add_generator_points::<C>(&recoded, shapes[1]);
        let groups = self.sums.groups();
        self.sums.add_rows(groups);
        for (group, (claims, recoded)) in claims
            .chunks(F::LANES)
            .zip(recoded.chunks(F::LANES))
            .enumerate()
        {
            let (sum, exceptional) = self.sums.of_group(group);
            let x = sum.x.to_lanes();
            findings.extend(claims.iter().zip(recoded).enumerate().map(
                |(lane, (claim, recoded))| {
                    if recoded.is_none() || exceptional >> lane & 1 == 1 {
                        Finding::Exceptional
                    } else if leaves::<C>(x[lane].integer(), claim.numbers.r) {
                        Finding::Holds
                    } else {
                        Finding::Fails
                    }
                },
            ));
        }
    }

    /// Gathers the points whose sums are the keys times their scalars, and leaves those sums or,
    /// if there are no passes to join, the points.
    fn add_key_points<C>(&mut self, claims: &[Claim<'_, C>], recoded: &[Recoded], shape: Shape)
    where
        C: Curve<Base = F::Modulus>,
    {
        for window in 0..shape.rows(C::BITS) * shape.passes {
            let row = window / shape.passes;
            self.gather(recoded, |claim, [digits, _]| {
                claims[claim].table.point(row, digits.digit(window))
            });
        }
        if shape.passes > 1 {
            let groups = self.sums.groups();
            self.sums.add_rows(groups * shape.passes as usize);
            self.sums
                .join_passes::<C>(shape.passes as usize, shape.width);
        }
    }

    fn add_generator_points<C>(&mut self, recoded: &[Recoded], shape: Shape)
    where
        C: Curve<Base = F::Modulus>,
    {
        let table = C::generator_table();
        for row in 0..shape.rows(C::BITS) {
            self.gather(recoded, |_, [_, digits]| {
                table.point(row, digits.digit(row))
            });
        }
    }

    /// Gathers a point for every claim. Lanes left over take the last claim again; a claim without
    /// scalars has some point, and is exceptional.
    #[inline(always)]
    fn gather<'p>(
        &mut self,
        recoded: &[Recoded],
        point: impl Fn(usize, &[Digits; 2]) -> (&'p Point<F::Modulus>, u64),
    ) {
        let (x, y) = (Fp::ONE, Fp::ONE);
        let any = Affine { x, y };
        for (group, to) in self.sums.add_row().iter_mut().enumerate() {
            let (mut points, mut signs) = ([&any; 8], [0; 8]);
            for lane in 0..F::LANES {
                let claim = (group * F::LANES + lane).min(recoded.len() - 1);
                if let Some(digits) = &recoded[claim] {
                    (points[lane], signs[lane]) = point(claim, digits);
                }
            }
            F::step(Gathering { to, points, signs });
        }
    }
}

/// Points to lay side by side, mirrored where a sign is all ones and not zero.
struct Gathering<'a, F: Field> {
    to: &'a mut Affine<F>,
    points: [&'a Point<F::Modulus>; 8],
    signs: [u64; 8],
}

impl<F: Field> Step for Gathering<'_, F> {
    type Output = ();

    #[inline(always)]
    fn take(self) {
        *self.to = Affine::gathered(self.points, self.signs);
    }
}

/// The two scalars of a signature, recoded; none if one is zero.
pub(super) type Recoded = Option<[Digits; 2]>;

/// Computes and recodes `r / s` and `z / s` of signatures.
pub(super) fn recode<C: Curve>(numbers: Vec<Numbers<C>>, shapes: [Shape; 2]) -> Vec<Recoded> {
    let recoded = vec![None; numbers.len()];
    let mut recoding = Recoding {
        numbers,
        shapes,
        recoded,
    };
    invert_all(&mut recoding, &mut Vec::new());
    recoding.recoded
}

struct Recoding<C: Curve> {
    numbers: Vec<Numbers<C>>,
    shapes: [Shape; 2],
    recoded: Vec<Recoded>,
}

impl<C: Curve> Work for Recoding<C> {
    type Field = Fp<C::Order>;

    #[inline(always)]
    fn count(&self) -> usize {
        self.numbers.len()
    }

    #[inline(always)]
    fn denominator(&self, at: usize) -> Fp<C::Order> {
        self.numbers[at].s
    }

    #[inline(always)]
    fn finish(&mut self, at: usize, inverse: Fp<C::Order>) {
        let Numbers { r, z, .. } = self.numbers[at];
        let [of_key, of_generator] = [Fp::from_any(r) * inverse, z * inverse];
        if !of_generator.is_zero() {
            self.recoded[at] = Some([
                Digits::new::<C>(of_key.integer(), self.shapes[0]),
                Digits::new::<C>(of_generator.integer(), self.shapes[1]),
            ]);
        }
    }

    /// No s is zero.
    fn zero(&mut self, _: usize, _: u8) {}
}

/// Tells whether an x coordinate leaves r modulo the order.
pub(crate) fn leaves<C: Curve>(x: Limbs, r: Limbs) -> bool {
    let (second, carry) = sum(r, C::Order::PRIME);
    // x is below the prime, so what equals it is so too.
    x == r || (!carry && x == second)
}
