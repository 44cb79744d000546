//! Every path to a verdict, with tables and without, scalar and in lanes, where its corners are.

use super::batch::{Claim, Finding, check_all};
use super::cold::{ColdClaim, check_cold};
use super::comb::{Digits, Shape, Table};
use super::complete;
use super::curve::{Brainpool256, Curve, P256, Secp256k1};
use super::eight::Eight;
use super::modular::{Fp, Limbs, Modulus, subtract, sum};
use super::point::{Jacobian, Point};
use super::scalars::Numbers;
use super::tables::Tabulated;
use super::tests::{SHAPES, mirrored, multiply};
use crate::lanes::Portable;

/// Returns numbers that hold for the key `private * G` and have the scalars asked for.
pub(crate) fn with_scalars<C: Curve>(
    private: Fp<C::Order>,
    of_generator: Fp<C::Order>,
    of_key: Fp<C::Order>,
) -> Numbers<C> {
    let point = multiply::<C>(of_generator + of_key * private, C::generator());
    // At infinity nothing holds, and any r will do.
    let r = Fp::<C::Order>::from_any(point.map_or([5, 0, 0, 0], |point| point.x.integer()));
    let s = r * of_key.invert();
    Numbers {
        r: r.integer(),
        s,
        z: of_generator * s,
    }
}

/// A way to check a batch: in four limbs, in portable lanes, or with what the machine has.
pub(crate) type Way<C> = fn(&[Claim<'_, C>]) -> Vec<Finding>;
/// The same for keys without tables.
pub(crate) type ColdWay<C> = fn(&[ColdClaim<C>]) -> Vec<Finding>;

enum Path<C: Curve> {
    Warm(Way<C>),
    Cold(ColdWay<C>),
}

/// Every way to check signatures of a curve that has lanes.
fn paths<C: Tabulated>() -> [Path<C>; 6] {
    [
        Path::Warm(check_all::<_, Fp<_>>),
        Path::Warm(check_all::<_, Eight<_, Portable>>),
        Path::Warm(C::check),
        Path::Cold(check_cold::<_, Fp<_>>),
        Path::Cold(check_cold::<_, Eight<_, Portable>>),
        Path::Cold(C::check_cold),
    ]
}

/// Puts numbers at each place among good ones of another key, and says what is found of them.
fn found_among_good<C: Curve>(path: &Path<C>, key: Point<C>, odd_one: &Numbers<C>) -> Finding {
    let private = Fp::from_any([99, 88, 77, 66]);
    let keys = [multiply::<C>(private, C::generator()).expect("a key"), key];
    let tables = keys.map(|key| Table::new(key, SHAPES[2]));
    let good: Vec<Numbers<C>> = (3..20)
        .map(|i| {
            with_scalars(
                private,
                Fp::from_any([i, 7, i, 7]),
                Fp::from_any([9, i, 9, i]),
            )
        })
        .collect();
    let mut found = Vec::new();
    for place in 0..good.len() {
        let at = |at: usize| match at == place {
            true => (1, *odd_one),
            false => (0, good[at]),
        };
        let claims = (0..good.len()).map(at);
        let mut findings = match path {
            Path::Warm(check) => {
                let claim = |(key, numbers): (usize, _)| Claim {
                    table: &tables[key],
                    numbers,
                };
                check(&claims.map(claim).collect::<Vec<_>>())
            }
            Path::Cold(check) => {
                let claim = |(key, numbers): (usize, _)| ColdClaim {
                    key: keys[key],
                    numbers,
                };
                check(&claims.map(claim).collect::<Vec<_>>())
            }
        };
        found.push(findings.remove(place));
        assert!(
            findings.iter().all(|finding| *finding == Finding::Holds),
            "{findings:?}"
        );
    }
    assert!(
        found.iter().all(|finding| *finding == found[0]),
        "{found:?}"
    );
    found[0]
}

fn two_to_the<M: Modulus>(exponent: u32) -> Fp<M> {
    let mut integer = [0; 4];
    integer[exponent as usize / 64] = 1 << (exponent % 64);
    Fp::from_any(integer)
}

fn exceptions_are_found<C: Curve>(path: &Path<C>) {
    let private = Fp::from_any([11, 22, 33, 44]);
    let of_key = Fp::from_any([1, 2, 3, 4]);
    let cases = [
        // The sum of the key's points is that of the generator's, or opposite to it.
        (Fp::ONE, of_key, of_key, true),
        (Fp::ONE, -of_key, of_key, false),
        (private, -(of_key * private), of_key, false),
        // A digest of zero.
        (private, Fp::ZERO, of_key, true),
    ];
    for (private, of_generator, of_key, holds) in cases {
        let numbers = with_scalars::<C>(private, of_generator, of_key);
        let key = multiply::<C>(private, C::generator()).expect("a key");
        assert_eq!(complete::holds(key, &numbers), holds);
        let found = found_among_good(path, key, &numbers);
        assert!(found != Finding::Holds || holds);
        assert!(found != Finding::Fails || !holds);
    }
    let forced = match path {
        Path::Warm(_) => meeting_in_tables::<C>(),
        Path::Cold(_) => meeting_on_ladders::<C>(),
    };
    for (private, numbers) in forced {
        let key = multiply::<C>(private, C::generator()).expect("a key");
        assert!(complete::holds(key, &numbers));
        assert_eq!(found_among_good(path, key, &numbers), Finding::Exceptional);
    }
}

/// Private keys with signatures that hold.
type Forced<C> = Vec<(Fp<<C as Curve>::Order>, Numbers<C>)>;

/// Table points that meet at once. The first layer adds row `kept + i` to row i, so the first row of
/// the generator to a row of the key, whose own first point is made to be the generator.
fn meeting_in_tables<C: Curve>() -> Forced<C> {
    let (of_key, of_generator) = (SHAPES[2], C::generator_table().shape());
    let kept = (of_key.rows(C::BITS) + of_generator.rows(C::BITS)).div_ceil(2);
    let row = of_key.rows(C::BITS) - kept;
    let private = two_to_the(of_key.width * row).invert();
    // A window with its top bit alone is the digit 1, with all others the digit -1.
    let one = |shape: Shape, row: u32| two_to_the(shape.width * (row + 1)) + Fp::ONE;
    let minus_one = one(of_key, row) - two_to_the(of_key.width * row + 1);
    [one(of_key, row), minus_one]
        .map(|scalar| (private, with_scalars(private, one(of_generator, 0), scalar)))
        .to_vec()
}

/// Keys whose multiple, when a ladder comes to the first or the last point of the generator, is that
/// point or its opposite.
fn meeting_on_ladders<C: Curve>() -> Forced<C> {
    let (of_generator, of_key) = (Fp::from_any([5, 6, 7, 8]), Fp::from_any([1, 2, 3, 4]));
    let shape = C::generator_table().shape();
    let digits = Digits::new::<C>(Fp::<C::Order>::integer(of_generator), shape);
    let point = |row: u32| {
        let digit = digits.digit(row);
        let odd = Fp::from_any([2 * digit.index as u64 + 1, 0, 0, 0]);
        let multiple = odd * two_to_the(shape.width * row);
        if digit.sign == 0 { multiple } else { -multiple }
    };
    let last = shape.rows(C::BITS) - 1;
    let below = (0..last).fold(Fp::ZERO, |sum, row| sum + point(row));
    assert_eq!(below + point(last), of_generator);
    [point(0), -point(0), point(last) - below]
        .map(|multiple| {
            let private = multiple * of_key.invert();
            (private, with_scalars(private, of_generator, of_key))
        })
        .to_vec()
}

#[test]
fn equal_and_opposite_points_are_found_wherever_they_meet() {
    paths::<P256>().iter().for_each(exceptions_are_found);
    paths::<Secp256k1>().iter().for_each(exceptions_are_found);
    exceptions_are_found(&Path::Warm(check_all::<Brainpool256, Fp<_>>));
    exceptions_are_found(&Path::Cold(check_cold::<Brainpool256, Fp<_>>));
}

/// Each lane is given numbers that are false in every way; the other seven must not see it.
fn bad_numbers_stay_in_their_lane<C: Curve>(path: &Path<C>) {
    let private = Fp::from_any([5, 6, 7, 8]);
    let key = multiply::<C>(private, C::generator()).expect("a key");
    let good = with_scalars(
        private,
        Fp::from_any([1, 2, 3, 4]),
        Fp::from_any([4, 3, 2, 1]),
    );
    let kinds: [fn(&mut Numbers<C>); 6] = [
        |numbers| numbers.r[0] ^= 2,
        |numbers| numbers.r = [1, 0, 0, 0],
        |numbers| numbers.s = numbers.s + Fp::ONE,
        |numbers| numbers.s = Fp::ONE,
        |numbers| numbers.z = numbers.z + Fp::ONE,
        |numbers| numbers.z = -numbers.z,
    ];
    for kind in kinds {
        let mut bad = good;
        kind(&mut bad);
        assert_eq!(found_among_good(path, key, &bad), Finding::Fails);
    }
    // A good signature, of another key.
    let other = mirrored(C::generator(), true);
    assert_eq!(found_among_good(path, other, &good), Finding::Fails);
}

#[test]
fn a_bad_signature_in_any_lane_leaves_the_others_as_they_were() {
    paths::<P256>()
        .iter()
        .for_each(bad_numbers_stay_in_their_lane);
    paths::<Secp256k1>()
        .iter()
        .for_each(bad_numbers_stay_in_their_lane);
}

/// Makes r of the x coordinate of a point, and says what is found of a signature whose sum it is.
fn found_of_x<C: Curve>(path: &Path<C>, x: Limbs, r: Limbs) -> Finding {
    let point = complete::decompress::<C>(x, false).expect("it was looked for");
    let (of_generator, of_key) = (Fp::from_any([1, 2, 3, 4]), Fp::from_any([4, 3, 2, 1]));
    // The key is the point less the generator's multiple, over its own scalar.
    let less = multiply::<C>(-of_generator, C::generator()).expect("not infinity");
    let multiple = Jacobian::from(point).add::<C>(&less).to_affine();
    let key = multiply::<C>(of_key.invert(), multiple.expect("not infinity"));
    let s = Fp::from_any(r) * of_key.invert();
    let z = of_generator * s;
    let (key, numbers) = (key.expect("not infinity"), Numbers { r, s, z });
    let found = found_among_good(path, key, &numbers);
    assert_eq!(complete::holds(key, &numbers), found == Finding::Holds);
    found
}

fn x_is_taken_modulo_the_order<C: Curve>(path: &Path<C>) {
    let is_x = |x: &Limbs| complete::decompress::<C>(*x, false).is_some();
    let small = |k: u64| [k, 0, 0, 0];
    // Just above the order: r is small, and x is r + n.
    let k = (1..200)
        .find(|&k| is_x(&sum(C::Order::PRIME, small(k)).0))
        .expect("half of all numbers are an x");
    let x = sum(C::Order::PRIME, small(k)).0;
    assert_eq!(found_of_x(path, x, small(k)), Finding::Holds);
    assert_eq!(found_of_x(path, x, small(k + 1)), Finding::Fails);
    // Just above zero: r + n is x + p, which is not to be taken modulo p.
    let x = (1..200).map(small).find(is_x).expect("as above");
    let r = sum(subtract(C::Base::PRIME, C::Order::PRIME).0, x).0;
    assert_eq!(found_of_x(path, x, r), Finding::Fails);
}

#[test]
fn an_x_above_the_order_leaves_r_and_an_r_plus_the_order_stays_below_the_prime() {
    paths::<P256>().iter().for_each(x_is_taken_modulo_the_order);
    paths::<Secp256k1>()
        .iter()
        .for_each(x_is_taken_modulo_the_order);
}
