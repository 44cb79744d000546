//! The curves: `y^2 = x^3 + a x + b` over a prime field, of prime order.

use std::sync::OnceLock;

use super::comb::Table;
use super::modular::{Fp, Limbs, Modulus, fold_reduce};
use super::point::Affine;

/// The coefficient a.
#[derive(Clone, Copy)]
pub(crate) enum CoefficientA {
    Zero,
    MinusThree,
    Other(Limbs),
}

/// A curve of prime order with its generator.
///
/// The order is below the field's prime, which is below twice the order: an x coordinate that
/// leaves r modulo the order is r or r plus the order.
pub(crate) trait Curve: Copy + Eq + std::fmt::Debug + Send + Sync + 'static {
    /// The field of the coordinates.
    type Base: Modulus;
    /// The field of the scalars.
    type Order: Modulus;
    /// Bits of the order.
    const BITS: u32;
    /// Coefficient of x.
    const A: CoefficientA;
    /// The constant coefficient.
    const B: Limbs;
    /// Coordinates of the generator.
    const GENERATOR: [Limbs; 2];

    /// Returns the table of the generator, computed at its first use.
    fn generator_table() -> &'static Table<Self>;

    /// Returns the generator.
    fn generator() -> Affine<Fp<Self::Base>> {
        let [x, y] = Self::GENERATOR.map(Fp::from_any);
        Affine { x, y }
    }
}

/// Reads big-endian hexadecimal digits.
const fn limbs(digits: &str) -> Limbs {
    let bytes = digits.as_bytes();
    let mut value = [0_u64; 4];
    let mut i = 0;
    while i < bytes.len() {
        let digit = match bytes[i] {
            digit @ b'0'..=b'9' => digit - b'0',
            digit @ b'a'..=b'f' => digit - b'a' + 10,
            _ => panic!("not a hexadecimal digit"),
        };
        let from_end = bytes.len() - 1 - i;
        value[from_end / 16] |= (digit as u64) << (from_end % 16 * 4);
        i += 1;
    }
    value
}

/// Defines a curve's types; the digits are those of its standard.
macro_rules! curve {
    (
        $(#[$doc:meta])* $curve:ident over $base:ident of order $order:ident,
        bits: $bits:literal, p: $p:literal, a: $a:expr, b: $b:literal,
        g: [$x:literal, $y:literal], n: $n:literal $(, fold: $fold:literal)?
    ) => {
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq)]
        pub(crate) struct $curve;

        /// The field of the curve's coordinates.
        #[derive(Debug, Clone, Copy, PartialEq, Eq)]
        pub(crate) struct $base;

        /// The field of the curve's scalars.
        #[derive(Debug, Clone, Copy, PartialEq, Eq)]
        pub(crate) struct $order;

        impl Modulus for $base {
            const PRIME: Limbs = limbs($p);
            $(
                const SHIFT: i32 = 0;

                #[inline(always)]
                fn reduce(wide: [u64; 8]) -> Limbs {
                    fold_reduce::<Self>(wide, $fold)
                }
            )?
        }

        impl Modulus for $order {
            const PRIME: Limbs = limbs($n);
        }

        impl Curve for $curve {
            type Base = $base;
            type Order = $order;
            const BITS: u32 = $bits;
            const A: CoefficientA = $a;
            const B: Limbs = limbs($b);
            const GENERATOR: [Limbs; 2] = [limbs($x), limbs($y)];

            fn generator_table() -> &'static Table<Self> {
                static TABLE: OnceLock<Table<$curve>> = OnceLock::new();
                TABLE.get_or_init(Table::of_generator)
            }
        }
    };
}

curve! {
    /// NIST P-256, also secp256r1 and prime256v1 (SEC 2, 2.4.2).
    P256 over P256Base of order P256Order,
    bits: 256,
    p: "ffffffff00000001000000000000000000000000ffffffffffffffffffffffff",
    a: CoefficientA::MinusThree,
    b: "5ac635d8aa3a93e7b3ebbd55769886bc651d06b0cc53b0f63bce3c3e27d2604b",
    g: [
        "6b17d1f2e12c4247f8bce6e563a440f277037d812deb33a0f4a13945d898c296",
        "4fe342e2fe1a7f9b8ee7eb4a7c0f9e162bce33576b315ececbb6406837bf51f5"
    ],
    n: "ffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551"
}

curve! {
    /// secp256k1 (SEC 2, 2.4.1).
    Secp256k1 over Secp256k1Base of order Secp256k1Order,
    bits: 256,
    p: "fffffffffffffffffffffffffffffffffffffffffffffffffffffffefffffc2f",
    a: CoefficientA::Zero,
    b: "7",
    g: [
        "79be667ef9dcbbac55a06295ce870b07029bfcdb2dce28d959f2815b16f81798",
        "483ada7726a3c4655da4fbfc0e1108a8fd17b448a68554199c47d08ffb10d4b8"
    ],
    n: "fffffffffffffffffffffffffffffffebaaedce6af48a03bbfd25e8cd0364141",
    fold: 0x1_0000_03d1
}

curve! {
    /// brainpoolP256r1 (RFC 5639, 3.4).
    Brainpool256 over Brainpool256Base of order Brainpool256Order,
    bits: 256,
    p: "a9fb57dba1eea9bc3e660a909d838d726e3bf623d52620282013481d1f6e5377",
    a: CoefficientA::Other(limbs(
        "7d5a0975fc2c3057eef67530417affe7fb8055c126dc5c6ce94a4b44f330b5d9"
    )),
    b: "26dc5c6ce94a4b44f330b5d9bbd77cbf958416295cf7e1ce6bccdc18ff8c07b6",
    g: [
        "8bd2aeb9cb7e57cb2c4b482ffc81b7afb9de27e1e3bd23c23a4453bd9ace3262",
        "547ef835c3dac4fd97f8461a14611dc9c27745132ded8e545c1d54c72f046997"
    ],
    n: "a9fb57dba1eea9bc3e660a909d838d718c397aa3b561a6f7901e0e82974856a7"
}

curve! {
    /// secp192r1, also NIST P-192 (SEC 2, 2.2.2 of version 1).
    Secp192r1 over Secp192r1Base of order Secp192r1Order,
    bits: 192,
    p: "fffffffffffffffffffffffffffffffeffffffffffffffff",
    a: CoefficientA::MinusThree,
    b: "64210519e59c80e70fa7e9ab72243049feb8deecc146b9b1",
    g: [
        "188da80eb03090f67cbf20eb43a18800f4ff0afd82ff1012",
        "07192b95ffc8da78631011ed6b24cdd573f977a11e794811"
    ],
    n: "ffffffffffffffffffffffff99def836146bc9b1b4d22831"
}

curve! {
    /// secp192k1 (SEC 2, 2.2.1).
    Secp192k1 over Secp192k1Base of order Secp192k1Order,
    bits: 192,
    p: "fffffffffffffffffffffffffffffffffffffffeffffee37",
    a: CoefficientA::Zero,
    b: "3",
    g: [
        "db4ff10ec057e9ae26b07d0280b7f4341da5d1b1eae06c7d",
        "9b2f2f6d9c5628a7844163d015be86344082aa88d95e2f9d"
    ],
    n: "fffffffffffffffffffffffe26f2fc170f69466a74defd8d"
}
