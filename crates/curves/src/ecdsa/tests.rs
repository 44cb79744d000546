//! Arithmetic against long division, and tables against doubling and adding.

use proptest::prelude::*;

use super::comb::{Digits, Shape, Table};
use super::curve::{Brainpool256, Curve, P256, Secp192k1, Secp192r1, Secp256k1};
use super::eight::Eight;
use super::field::Field;
use super::modular::{Fp, Limbs, Modulus, subtract};
use super::point::{Affine, Jacobian, Point};
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
    let inverses = a.or_one(a.zeros()).invert().expect("no lane is zero");
    let signs = [0, 1, 0, 1, 1, 0, 1, 0].map(|sign| 0_u64.wrapping_sub(sign));
    let [differences, loose, squares, inverses, negated] = [
        differences,
        loose,
        squares,
        inverses,
        a.negated_where(signs),
    ]
    .map(Field::to_lanes);
    assert_eq!(a.invert().is_none(), a.zeros() != 0);
    for (lane, (a, b)) in pairs.into_iter().enumerate() {
        assert_eq!(differences[lane], (a - b) * b);
        assert_eq!(loose[lane], -b);
        assert_eq!(squares[lane], (a + b + a + b).square());
        let nonzero = if a.is_zero() { Fp::ONE } else { a };
        assert_eq!(inverses[lane], nonzero.invert());
        assert_eq!(negated[lane], if signs[lane] == 0 { a } else { -a });
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
    let mut sum = Jacobian::INFINITY;
    for bit in (0..256).rev() {
        sum = sum.double::<C>();
        if scalar[bit / 64] >> (bit % 64) & 1 == 1 {
            sum = sum.add::<C>(&point);
        }
    }
    sum.to_affine()
}

pub(super) const SHAPES: [Shape; 4] = [
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
        let mut sum = Jacobian::INFINITY;
        for window in (0..shape.passes).rev() {
            for _ in 0..if window + 1 == shape.passes {
                0
            } else {
                shape.width
            } {
                sum = sum.double::<C>();
            }
            for row in 0..shape.rows(C::BITS) {
                let (point, sign) = table.point(row, digits.digit(row * shape.passes + window));
                sum = sum.add::<C>(&mirrored(*point, sign != 0));
            }
        }
        assert_eq!(sum.to_affine(), multiply::<C>(scalar, C::generator()));
    }
}

pub(super) fn mirrored<M: Modulus>(Affine { x, y }: Affine<Fp<M>>, mirror: bool) -> Affine<Fp<M>> {
    let y = if mirror { -y } else { y };
    Affine { x, y }
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
