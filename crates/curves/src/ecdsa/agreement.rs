//! Batches in four limbs and in lanes against the crates, on random and adversarial signatures.
//!
//! `GRIDRIG_CASES` is how many signatures of each curve; `GRIDRIG_CASES=1000000 cargo test --release
//! -p gridrig-curves agreement` takes an hour or so, most of it in the crates.

use super::batch::{Claim, Finding, check_all};
use super::cold::{ColdClaim, check_cold};
use super::comb::{Shape, Table};
use super::complete;
use super::curve::{Brainpool256, Curve, P256, Secp192k1, Secp192r1, Secp256k1};
use super::eight::Eight;
use super::modular::{Fp, Limbs, Modulus};
use super::paths::{ColdWay, Way, with_scalars};
use super::public_key::PublicKey;
use super::scalars::{Numbers, bytes};
use super::tables::Tabulated;
use super::tests::multiply;
use crate::lanes::Portable;
use crate::{Scheme, Signature, SignatureEncoding};

const CASES: usize = 300;
const PER_BATCH: usize = 43;

/// SplitMix64 (Steele, Lea, Flood, 2014).
struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (self.0 ^ self.0 >> 30).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ mixed >> 27).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ mixed >> 31
    }

    fn limbs(&mut self) -> Limbs {
        std::array::from_fn(|_| self.next())
    }

    /// Returns a scalar other than zero; one of three is next to zero, a power of two or its
    /// inverse, such as make table points meet.
    fn scalar<M: Modulus>(&mut self) -> Fp<M> {
        let power = {
            let mut limbs = [0; 4];
            let exponent = self.next() as usize % 190;
            limbs[exponent / 64] = 1 << (exponent % 64);
            Fp::from_any(limbs)
        };
        let scalar = match self.next() % 12 {
            0 => Fp::from_any([1 + self.next() % 16, 0, 0, 0]),
            1 => -Fp::from_any([1 + self.next() % 16, 0, 0, 0]),
            2 => power,
            3 => power.invert(),
            _ => Fp::from_any(self.limbs()),
        };
        if scalar.is_zero() { Fp::ONE } else { scalar }
    }
}

/// Makes most of the signatures false, in every way that leaves the numbers in range.
fn spoil<C: Curve>(random: &mut Random, mut numbers: Numbers<C>) -> Numbers<C> {
    let flip = |random: &mut Random, scalar: Fp<C::Order>| {
        let mut limbs = scalar.integer();
        limbs[random.next() as usize % C::BITS as usize / 64] ^= 1 << (random.next() % 64);
        let flipped = Fp::from_any(limbs);
        if flipped.is_zero() { Fp::ONE } else { flipped }
    };
    match random.next() % 8 {
        0 => numbers.s = -numbers.s,
        1 => numbers.s = flip(random, numbers.s),
        2 => numbers.z = flip(random, numbers.z),
        3 => numbers.r = flip(random, Fp::from_any(numbers.r)).integer(),
        4 => numbers.s = random.scalar(),
        5 => numbers.r = random.scalar::<C::Order>().integer(),
        _ => {}
    }
    numbers
}

fn crate_says<C: Curve>(scheme: Scheme, key: &PublicKey, numbers: &Numbers<C>) -> bool {
    let width = C::BITS as usize / 8;
    let cut = |integer: Limbs| bytes(integer)[32 - width..].to_vec();
    let fixed = [cut(numbers.r), cut(numbers.s.integer())].concat();
    let signature = Signature::read(scheme, SignatureEncoding::Fixed, &fixed).expect("the width");
    key.verify(&cut(numbers.z.integer()), &signature).is_ok()
}

/// Compares findings of some batches with the crate's verdicts, and with those of other ways.
fn agree<C: Tabulated>(scheme: Scheme, seed: u64, others: &[Way<C>], cold: &[ColdWay<C>]) {
    let wanted = std::env::var("GRIDRIG_CASES").map_or(CASES, |text| text.parse().expect("number"));
    let mut random = Random(seed);
    let mut seen = [[0_usize; 3]; 2];
    for round in 0..wanted.div_ceil(PER_BATCH) {
        let private = random.scalar::<C::Order>();
        let point = multiply::<C>(private, C::generator()).expect("a key");
        let width = C::BITS as usize / 8;
        let [x, y] = [point.x, point.y].map(|value| bytes(value.integer())[32 - width..].to_vec());
        let (key, _) = PublicKey::from_sec1(scheme, &[&[4], &x[..], &y].concat()).expect("a key");
        let passes = [1, 1, 4, C::BITS / 4][round % 4];
        let shape = Shape {
            width: if passes == 1 { 4 + round as u32 % 5 } else { 4 },
            passes,
        };
        let table = Table::new(point, shape);
        let numbers: Vec<Numbers<C>> = (0..PER_BATCH)
            .map(|_| {
                let (of_generator, of_key) = (random.scalar(), random.scalar());
                let of_generator = if random.next().is_multiple_of(16) {
                    Fp::ZERO
                } else {
                    of_generator
                };
                let good = with_scalars(private, of_generator, of_key);
                spoil(&mut random, good)
            })
            .collect();
        let claims: Vec<_> = numbers
            .iter()
            .map(|&numbers| Claim {
                table: &table,
                numbers,
            })
            .collect();
        let findings = check_all::<C, Fp<C::Base>>(&claims);
        for other in others {
            assert_eq!(
                findings,
                other(&claims),
                "{scheme}, round {round}, seed {seed}"
            );
        }
        let cold_claims: Vec<_> = numbers
            .iter()
            .map(|&numbers| ColdClaim {
                key: point,
                numbers,
            })
            .collect();
        let cold_findings = C::check_cold(&cold_claims);
        for other in cold {
            assert_eq!(
                cold_findings,
                other(&cold_claims),
                "{scheme}, cold, round {round}, seed {seed}"
            );
        }
        for (at, numbers) in numbers.iter().enumerate() {
            let says = crate_says(scheme, &key, numbers);
            for (way, finding) in [findings[at], cold_findings[at]].into_iter().enumerate() {
                seen[way][finding as usize] += 1;
                let holds = match finding {
                    Finding::Holds => true,
                    Finding::Fails => false,
                    Finding::Exceptional => complete::holds(point, numbers),
                };
                assert_eq!(
                    holds, says,
                    "{scheme}, way {way}, round {round}, seed {seed}, {numbers:?}"
                );
            }
        }
    }
    assert!(
        seen.iter().flatten().all(|&count| count > 0),
        "{scheme}: {seen:?} of each finding, with tables and without"
    );
}

/// Agrees on a curve that has lanes, in every way there is.
fn agree_in_lanes<C: Tabulated>(scheme: Scheme, seed: u64) {
    agree::<C>(
        scheme,
        seed,
        &[check_all::<_, Eight<_, Portable>>, C::check],
        &[check_cold::<_, Fp<_>>, check_cold::<_, Eight<_, Portable>>],
    );
}

#[test]
fn p256_agrees_with_its_crate() {
    agree_in_lanes::<P256>(Scheme::EcdsaP256, 1);
}

#[test]
fn secp256k1_agrees_with_its_crate() {
    agree_in_lanes::<Secp256k1>(Scheme::EcdsaSecp256k1, 2);
}

#[test]
fn brainpool256_agrees_with_its_crate() {
    agree::<Brainpool256>(Scheme::EcdsaBrainpool256r1, 3, &[], &[]);
}

#[test]
fn secp192_curves_agree_with_the_complete_path() {
    agree::<Secp192r1>(Scheme::EcdsaSecp192r1, 4, &[], &[]);
    agree::<Secp192k1>(Scheme::EcdsaSecp192k1, 5, &[], &[]);
}
