//! Arithmetic against long division; batches, scalar and in lanes, against the complete path.

use proptest::prelude::*;

use super::batch::{Claim, Finding, check_all};
use super::comb::{Digits, Shape, Table};
use super::complete;
use super::curve::{Brainpool256, Curve, P256, Secp192k1, Secp192r1, Secp256k1};
use super::eight::Eight;
use super::field::Field;
use super::modular::{Fp, Limbs, Modulus, subtract};
use super::point::{Affine, Jacobian, Point};
use super::scalars::Numbers;
use super::tables::Tabulated;
use crate::lanes::Portable;

/// Any integer, and often one at an end of a limb or of the range.
fn integers() -> impl Strategy<Value = Limbs> {
    let limb = prop_oneof![
        3 => any::<u64>(),
        1 => prop_oneof![Just(0), Just(1), Just(u64::MAX), Just(u64::MAX << 32)],
    ];
    proptest::array::uniform4(limb)
}

/// Returns an element, and sometimes one next to the prime.
fn element<M: Modulus>(limbs: Limbs) -> Fp<M> {
    match limbs[0] % 8 {
        0 => -Fp::from_any([limbs[1] % 4, 0, 0, 0]),
        _ => Fp::from_any(limbs),
    }
}

/// Returns a product modulo a prime: one bit of it at a time, shifted in and subtracted from.
fn long_division(a: Limbs, b: Limbs, prime: Limbs) -> Limbs {
    let mut rest = [0; 4];
    for bit in (0..256).rev() {
        for addend in [
            rest,
            if a[bit / 64] >> (bit % 64) & 1 == 1 {
                b
            } else {
                [0; 4]
            },
        ] {
            let (mut total, mut carry) = ([0; 4], 0);
            for (at, limb) in total.iter_mut().enumerate() {
                let sum = u128::from(rest[at]) + u128::from(addend[at]) + carry;
                (*limb, carry) = (sum as u64, sum >> 64);
            }
            let (less, borrow) = subtract(total, prime);
            rest = if carry == 1 || !borrow { less } else { total };
        }
    }
    rest
}

fn arithmetic_agrees<M: Modulus>(a: Limbs, b: Limbs) {
    let (a, b) = (element::<M>(a), element::<M>(b));
    let product = long_division(a.integer(), b.integer(), M::PRIME);
    assert_eq!((a * b).integer(), product);
    assert_eq!(Fp::from_integer(product), Some(a * b));
    assert_eq!(a.square(), a * a);
    assert_eq!((a + b) * (a - b), a.square() - b.square());
    let expected = if a.is_zero() { Fp::ZERO } else { Fp::ONE };
    assert_eq!(a * a.invert(), expected);
}

/// Every lane holds another pair, and must agree with the four limbs.
fn lanes_agree<M: Modulus>(pairs: [(Limbs, Limbs); 8]) {
    let pairs = pairs.map(|(a, b)| (element::<M>(a), element::<M>(b)));
    let a = Eight::<M, Portable>::from_lanes(|lane| pairs[lane].0);
    let b = Eight::<M, Portable>::from_lanes(|lane| pairs[lane].1);
    let differences = (a - b) * b;
    let loose = (a - b - a).tidy();
    let squares = (a + b + a + b).square();
    let inverses = a.or_one(a.zeros()).invert();
    let [differences, loose, squares, inverses] =
        [differences, loose, squares, inverses].map(Field::to_lanes);
    for (lane, (a, b)) in pairs.into_iter().enumerate() {
        assert_eq!(differences[lane], (a - b) * b);
        assert_eq!(loose[lane], -b);
        assert_eq!(squares[lane], (a + b + a + b).square());
        let nonzero = if a.is_zero() { Fp::ONE } else { a };
        assert_eq!(inverses[lane], nonzero.invert());
    }
}

proptest! {
    #[test]
    fn prop_arithmetic_is_that_of_long_division(a in integers(), b in integers()) {
        arithmetic_agrees::<<P256 as Curve>::Base>(a, b);
        arithmetic_agrees::<<P256 as Curve>::Order>(a, b);
        arithmetic_agrees::<<Secp256k1 as Curve>::Base>(a, b);
        arithmetic_agrees::<<Secp256k1 as Curve>::Order>(a, b);
        arithmetic_agrees::<<Brainpool256 as Curve>::Base>(a, b);
        arithmetic_agrees::<<Brainpool256 as Curve>::Order>(a, b);
        arithmetic_agrees::<<Secp192r1 as Curve>::Base>(a, b);
        arithmetic_agrees::<<Secp192r1 as Curve>::Order>(a, b);
        arithmetic_agrees::<<Secp192k1 as Curve>::Base>(a, b);
        arithmetic_agrees::<<Secp192k1 as Curve>::Order>(a, b);
    }

    #[test]
    fn prop_eight_lanes_do_what_four_limbs_do(
        pairs in proptest::array::uniform8((integers(), integers())),
    ) {
        lanes_agree::<<P256 as Curve>::Base>(pairs);
        lanes_agree::<<Secp256k1 as Curve>::Base>(pairs);
    }
}

/// Multiplies by doubling and adding; none for infinity.
pub(crate) fn multiply<C: Curve>(scalar: Fp<C::Order>, point: Point<C>) -> Option<Point<C>> {
    let scalar = scalar.integer();
    let mut sum = Jacobian::<C>::INFINITY;
    for bit in (0..256).rev() {
        sum = sum.double();
        if scalar[bit / 64] >> (bit % 64) & 1 == 1 {
            sum = sum.add(point);
        }
    }
    let inverse = sum.z.invert();
    let square = inverse.square();
    let affine = Affine {
        x: sum.x * square,
        y: sum.y * square * inverse,
    };
    (!inverse.is_zero()).then_some(affine)
}

const SHAPES: [Shape; 4] = [
    Shape {
        width: 4,
        passes: 4,
    },
    Shape {
        width: 5,
        passes: 1,
    },
    Shape {
        width: 8,
        passes: 1,
    },
    Shape {
        width: 4,
        passes: 64,
    },
];

fn tables_hold_what_digits_mean<C: Curve>(scalar: Limbs) {
    let scalar = element::<C::Order>(scalar);
    for shape in SHAPES {
        let table = Table::<C>::new(C::generator(), shape);
        let digits = Digits::new::<C>(scalar.integer(), shape);
        let mut sum = Jacobian::<C>::INFINITY;
        for window in (0..shape.passes).rev() {
            for _ in 0..if window + 1 == shape.passes {
                0
            } else {
                shape.width
            } {
                sum = sum.double();
            }
            for row in 0..shape.rows(C::BITS) {
                let digit = digits.digit(row * shape.passes + window);
                sum = sum.add(table.point(row, digit));
            }
        }
        let x = sum.x * sum.z.invert().square();
        assert_eq!(
            Some(x),
            multiply::<C>(scalar, C::generator()).map(|point| point.x)
        );
    }
}

#[test]
fn table_points_of_the_digits_sum_to_the_multiple() {
    for scalar in [
        [1, 0, 0, 0],
        [2, 0, 0, 0],
        [7, 8, 9, 10],
        [8, 3, 0, 0],
        [8, 1, 0, 0],
    ] {
        tables_hold_what_digits_mean::<P256>(scalar);
        tables_hold_what_digits_mean::<Secp256k1>(scalar);
        tables_hold_what_digits_mean::<Brainpool256>(scalar);
        tables_hold_what_digits_mean::<Secp192r1>(scalar);
        tables_hold_what_digits_mean::<Secp192k1>(scalar);
    }
}

#[test]
fn the_order_times_the_generator_is_infinity() {
    fn check<C: Curve>() {
        let minus_one = multiply::<C>(-Fp::ONE, C::generator()).expect("not infinity");
        assert_eq!(
            minus_one,
            Affine {
                x: C::generator().x,
                y: -C::generator().y
            }
        );
    }
    check::<P256>();
    check::<Secp256k1>();
    check::<Brainpool256>();
    check::<Secp192r1>();
    check::<Secp192k1>();
}

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

fn findings<C: Curve>(way: Way<C>, table: &Table<C>, numbers: &[Numbers<C>]) -> Vec<Finding> {
    let claims: Vec<_> = numbers
        .iter()
        .map(|&numbers| Claim { table, numbers })
        .collect();
    way(&claims)
}

/// Puts numbers at each place among good ones, and says what is found of them.
fn found_among_good<C: Curve>(way: Way<C>, private: Fp<C::Order>, odd_one: &Numbers<C>) -> Finding {
    let key = multiply::<C>(private, C::generator()).expect("a key");
    let table = Table::new(key, SHAPES[2]);
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
        let mut batch = good.clone();
        batch[place] = *odd_one;
        let mut findings = findings(way, &table, &batch);
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

fn exceptions_are_found<C: Curve>(way: Way<C>) {
    let two_to_the = |exponent: u32| {
        let mut integer = [0; 4];
        integer[exponent as usize / 64] = 1 << (exponent % 64);
        Fp::<C::Order>::from_any(integer)
    };
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
        let found = found_among_good(way, private, &numbers);
        assert!(found != Finding::Holds || holds);
        assert!(found != Finding::Fails || !holds);
    }
    // Table points that meet at once. The first layer adds row `kept + i` to row i, so the first
    // row of the generator to a row of the key, whose own first point is made to be the generator.
    let (of_key, of_generator) = (SHAPES[2], C::generator_table().shape());
    let kept = (of_key.rows(C::BITS) + of_generator.rows(C::BITS)).div_ceil(2);
    let row = of_key.rows(C::BITS) - kept;
    let private = two_to_the(of_key.width * row).invert();
    // A window with its top bit alone is the digit 1, with all others the digit -1.
    let one = |shape: Shape, row: u32| two_to_the(shape.width * (row + 1)) + Fp::ONE;
    let minus_one = one(of_key, row) - two_to_the(of_key.width * row + 1);
    for scalar_of_key in [one(of_key, row), minus_one] {
        let numbers = with_scalars::<C>(private, one(of_generator, 0), scalar_of_key);
        let key = multiply::<C>(private, C::generator()).expect("a key");
        assert!(complete::holds(key, &numbers));
        assert_eq!(
            found_among_good(way, private, &numbers),
            Finding::Exceptional
        );
    }
}

#[test]
fn equal_and_opposite_points_are_found_wherever_they_meet() {
    exceptions_are_found::<P256>(check_all::<_, Fp<_>>);
    exceptions_are_found::<P256>(check_all::<_, Eight<_, Portable>>);
    exceptions_are_found::<P256>(P256::check);
    exceptions_are_found::<Secp256k1>(check_all::<_, Fp<_>>);
    exceptions_are_found::<Secp256k1>(check_all::<_, Eight<_, Portable>>);
    exceptions_are_found::<Secp256k1>(Secp256k1::check);
    exceptions_are_found::<Brainpool256>(check_all::<_, Fp<_>>);
}

/// Each lane is given numbers that are false in every way; the other seven must not see it.
fn bad_numbers_stay_in_their_lane<C: Curve>(way: Way<C>) {
    let private = Fp::from_any([5, 6, 7, 8]);
    let kinds: [fn(&mut Numbers<C>); 6] = [
        |numbers| numbers.r[0] ^= 2,
        |numbers| numbers.r = [1, 0, 0, 0],
        |numbers| numbers.s = numbers.s + Fp::ONE,
        |numbers| numbers.s = Fp::ONE,
        |numbers| numbers.z = numbers.z + Fp::ONE,
        |numbers| numbers.z = -numbers.z,
    ];
    for kind in kinds {
        let mut bad = with_scalars(
            private,
            Fp::from_any([1, 2, 3, 4]),
            Fp::from_any([4, 3, 2, 1]),
        );
        kind(&mut bad);
        assert_eq!(found_among_good(way, private, &bad), Finding::Fails);
    }
}

#[test]
fn a_bad_signature_in_any_lane_leaves_the_others_as_they_were() {
    bad_numbers_stay_in_their_lane::<P256>(check_all::<_, Fp<_>>);
    bad_numbers_stay_in_their_lane::<P256>(P256::check);
    bad_numbers_stay_in_their_lane::<Secp256k1>(check_all::<_, Fp<_>>);
    bad_numbers_stay_in_their_lane::<Secp256k1>(Secp256k1::check);
}

fn tables_agree<C: Tabulated>() {
    for shape in SHAPES {
        let one_by_one = Table::<C>::new(C::generator(), shape);
        assert!(
            one_by_one == C::tabulate(C::generator(), shape),
            "{shape:?}"
        );
    }
}

#[test]
fn tables_in_lanes_are_those_computed_row_by_row() {
    tables_agree::<P256>();
    tables_agree::<Secp256k1>();
    let shape = SHAPES[1];
    let portable = Table::<P256>::tabulated::<Eight<_, Portable>>(P256::generator(), shape);
    assert!(portable == Table::new(P256::generator(), shape));
}
