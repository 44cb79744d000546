//! The inverse of a number modulo a prime.
#![allow(clippy::needless_range_loop, reason = "limbs are taken by their place")]

use super::modular::{Fp, Limbs, Modulus, power_of_two};

/// Division steps per round; a round's factors fit a signed word.
const STEPS: u32 = 62;
/// Rounds after which the greatest common divisor of any two 256-bit numbers is found: 590 steps
/// are enough (P. Wuille, "A formal bound on the number of division steps", 2021).
const ROUNDS: u32 = 10;
const LIMB_MASK: u64 = u64::MAX >> (64 - STEPS);

/// What a round does to a pair: `[[u, v], [q, r]] / 2^62`.
#[derive(Clone, Copy)]
struct Factors {
    u: i64,
    v: i64,
    q: i64,
    r: i64,
}

/// Runs a round of division steps on the low words of f and g; `zeta` is -(delta + 1/2).
#[inline(always)]
fn division_steps(zeta: &mut i64, mut f: u64, mut g: u64) -> Factors {
    let (mut u, mut v, mut q, mut r) = (1_u64, 0_u64, 0_u64, 1_u64);
    let mut left = STEPS;
    loop {
        let zeros = (g | u64::MAX << left).trailing_zeros();
        g >>= zeros;
        u <<= zeros;
        v <<= zeros;
        *zeta = zeta.wrapping_sub(i64::from(zeros));
        left -= zeros;
        if left == 0 {
            return Factors {
                u: u as i64,
                v: v as i64,
                q: q as i64,
                r: r as i64,
            };
        }
        if *zeta < 0 {
            *zeta = -*zeta - 1;
            (f, g) = (g, f.wrapping_neg());
            (u, q) = (q, u.wrapping_neg());
            (v, r) = (r, v.wrapping_neg());
        }
        // As many low bits of g as the steps before the next swap may clear, six at most.
        let bits = (*zeta + 1).min(i64::from(left)).min(6) as u32;
        let negative_inverse = f.wrapping_mul(f.wrapping_mul(f).wrapping_sub(2));
        let multiple = g.wrapping_mul(negative_inverse) & ((1 << bits) - 1);
        g = g.wrapping_add(f.wrapping_mul(multiple));
        q = q.wrapping_add(u.wrapping_mul(multiple));
        r = r.wrapping_add(v.wrapping_mul(multiple));
    }
}

/// A number in signed limbs of 62 bits.
type Signed = [i64; 5];

fn signed([a, b, c, d]: Limbs) -> Signed {
    [
        (a & LIMB_MASK) as i64,
        ((a >> 62 | b << 2) & LIMB_MASK) as i64,
        ((b >> 60 | c << 4) & LIMB_MASK) as i64,
        ((c >> 58 | d << 6) & LIMB_MASK) as i64,
        (d >> 56) as i64,
    ]
}

/// Returns `(a * f + b * g) >> 62`, whose low bits are zero.
#[inline(always)]
fn combine(a: i64, f: &Signed, b: i64, g: &Signed) -> Signed {
    let product = |x: i64, y: i64| i128::from(x).wrapping_mul(i128::from(y));
    let mut combined = [0; 5];
    let mut carry = product(a, f[0]).wrapping_add(product(b, g[0])) >> STEPS;
    for i in 1..5 {
        carry = carry
            .wrapping_add(product(a, f[i]))
            .wrapping_add(product(b, g[i]));
        combined[i - 1] = (carry as u64 & LIMB_MASK) as i64;
        carry >>= STEPS;
    }
    combined[4] = carry as i64;
    combined
}

impl<M: Modulus> Fp<M> {
    /// Makes up for the divisions by 2^62 that the rounds leave out and for those by `1 << SHIFT`
    /// that their multiplications bring, and puts the inverse of a held integer into its form.
    const START: Self = {
        let (rounds, steps) = (ROUNDS as i32, STEPS as i32);
        Self::from_held(power_of_two(
            (rounds + 2) * M::SHIFT - rounds * steps,
            M::PRIME,
        ))
    };

    /// Returns the inverse; of zero, zero.
    ///
    /// Source: D. J. Bernstein and B.-Y. Yang, "Fast constant-time gcd computation and modular
    /// inversion", TCHES 2019; the half-delta variant, in variable time. The two cofactors are
    /// field elements here, so a round costs four multiplications and no reduction of its own.
    #[inline(never)]
    pub(crate) fn invert(self) -> Self {
        let word = |factor: i64| {
            let magnitude = Self::from_held([factor.unsigned_abs(), 0, 0, 0]);
            if factor < 0 { -magnitude } else { magnitude }
        };
        let (mut f, mut g) = (signed(M::PRIME), signed(self.held()));
        let (mut d, mut e) = (Self::ZERO, Self::START);
        let mut zeta = -1;
        for _ in 0..ROUNDS {
            let low = |x: &Signed| x[0] as u64 | (x[1] as u64) << STEPS;
            let Factors { u, v, q, r } = division_steps(&mut zeta, low(&f), low(&g));
            (f, g) = (combine(u, &f, v, &g), combine(q, &f, r, &g));
            (d, e) = (d * word(u) + e * word(v), d * word(q) + e * word(r));
        }
        if f[4] < 0 { -d } else { d }
    }
}
