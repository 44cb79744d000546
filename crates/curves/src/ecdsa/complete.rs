//! Verification that is right in every case, one signature at a time.
//!
//! For the curves that no well-kept crate has; the others take their crate's.

use super::batch::leaves;
use super::curve::{CoefficientA, Curve};
use super::modular::{Fp, Limbs, Modulus};
use super::point::{Affine, Jacobian, Point, coefficient_a};
use super::scalars::Numbers;

/// Checks a signature whose numbers are in range.
pub(crate) fn holds<C: Curve>(key: Point<C>, numbers: &Numbers<C>) -> bool {
    let inverse = numbers.s.invert();
    let of_key = (Fp::from_any(numbers.r) * inverse).integer();
    let of_generator = (numbers.z * inverse).integer();
    let mut sum = Jacobian::INFINITY;
    for bit in (0..C::BITS).rev() {
        sum = sum.double::<C>();
        for (scalar, point) in [(of_key, key), (of_generator, C::generator())] {
            if is_set(scalar, bit) {
                sum = sum.add::<C>(&point);
            }
        }
    }
    sum.to_affine()
        .is_some_and(|sum| leaves::<C>(sum.x.integer(), numbers.r))
}

fn is_set(integer: Limbs, bit: u32) -> bool {
    integer[bit as usize / 64] >> (bit % 64) & 1 == 1
}

/// Reads a point from its x coordinate and whether y is odd; none if the curve has none there.
///
/// For primes that leave 3 modulo 4, where a root is a power.
pub(crate) fn decompress<C: Curve>(x: Limbs, odd: bool) -> Option<Point<C>> {
    let x = Fp::<C::Base>::from_integer(x)?;
    let right = match C::A {
        CoefficientA::Zero => x.square() * x,
        _ => (x.square() + coefficient_a::<C>()) * x,
    } + Fp::from_any(C::B);
    let y = root(right)?;
    let y = if y.integer()[0] & 1 == u64::from(odd) {
        y
    } else {
        -y
    };
    Some(Affine { x, y })
}

/// Returns a square root for a prime that leaves 3 modulo 4: the power of a quarter of `p + 1`.
fn root<M: Modulus>(square: Fp<M>) -> Option<Fp<M>> {
    const { assert!(M::PRIME[0] % 4 == 3) };
    let mut root = Fp::ONE;
    // (p + 1) / 4 is p / 4 rounded up: the bits of p from the third on, plus one.
    for bit in (2..256).rev() {
        root = root.square();
        if is_set(M::PRIME, bit) {
            root = root * square;
        }
    }
    let root = root * square;
    (root.square() == square).then_some(root)
}
