//! Signatures of one curve, verified many at a time.

use super::comb::{Digits, Shape, Table};
use super::curve::Curve;
use super::field::Field;
use super::inversion::for_each_inverse;
use super::modular::{Fp, Limbs, Modulus, sum};
use super::point::Affine;
use super::scalars::Numbers;
use super::sums::Sums;

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

/// The two scalars of a claim, recoded; none if one is zero.
type Recoded = Option<[Digits; 2]>;

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
        let recoded = recode(claims, shapes);
        self.sums.clear(claims.len().div_ceil(F::LANES));
        self.add_key_points(claims, &recoded, shapes[0]);
        self.add_generator_points::<C>(&recoded, shapes[1]);
        let groups = self.sums.exceptional.len();
        self.sums.add_rows(groups);
        for (group, (claims, recoded)) in claims
            .chunks(F::LANES)
            .zip(recoded.chunks(F::LANES))
            .enumerate()
        {
            let x = self.sums.points[group].x.to_lanes();
            let exceptional = self.sums.exceptional[group];
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
            let groups = self.sums.exceptional.len();
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

    /// Gathers a point for every claim; whoever has no scalars has the first claim's point.
    #[inline(always)]
    fn gather(
        &mut self,
        recoded: &[Recoded],
        point: impl Fn(usize, &[Digits; 2]) -> Affine<Fp<F::Modulus>>,
    ) {
        for group in 0..self.sums.exceptional.len() {
            let points: [Affine<Fp<F::Modulus>>; 8] = std::array::from_fn(|lane| {
                let claim = (group * F::LANES + lane).min(recoded.len() - 1);
                match &recoded[claim] {
                    Some(digits) if lane < F::LANES => point(claim, digits),
                    _ => Affine {
                        x: Fp::ONE,
                        y: Fp::ONE,
                    },
                }
            });
            self.sums.points.push(Affine {
                x: F::from_lanes(|lane| points[lane].x),
                y: F::from_lanes(|lane| points[lane].y),
            });
        }
    }
}

/// Computes and recodes `r / s` and `z / s` for every claim.
fn recode<C: Curve>(claims: &[Claim<'_, C>], shapes: [Shape; 2]) -> Vec<Recoded> {
    let mut recoded = vec![None; claims.len()];
    for_each_inverse(
        &mut recoded,
        claims.len(),
        &mut Vec::new(),
        |_, i| claims[i].numbers.s,
        |recoded, i, inverse| {
            let Numbers { r, z, .. } = claims[i].numbers;
            let [of_key, of_generator] = [Fp::from_any(r) * inverse, z * inverse];
            if !of_generator.is_zero() {
                recoded[i] = Some([
                    Digits::new::<C>(of_key.integer(), shapes[0]),
                    Digits::new::<C>(of_generator.integer(), shapes[1]),
                ]);
            }
        },
        |_, _, _| {},
    );
    recoded
}

/// Tells whether an x coordinate leaves r modulo the order.
pub(crate) fn leaves<C: Curve>(x: Limbs, r: Limbs) -> bool {
    let (second, carry) = sum(r, C::Order::PRIME);
    // x is below the prime, so what equals it is so too.
    x == r || (!carry && x == second)
}
