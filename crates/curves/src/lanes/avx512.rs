//! The word of eight lanes in one register of AVX-512, with the products of IFMA.
//!
//! Why this is sound: every operation below is one instruction on values in registers, without
//! memory, and the only thing it asks for is that the CPU knows it. The type is private to this
//! module, and the one way in is [`run`], which is entered only after the CPU has been asked.

use std::arch::x86_64::{
    __m512i, _mm512_add_epi64, _mm512_and_si512, _mm512_madd52hi_epu64, _mm512_madd52lo_epu64,
    _mm512_or_si512, _mm512_ror_epi64, _mm512_set1_epi64, _mm512_shuffle_i64x2, _mm512_slli_epi64,
    _mm512_srai_epi64, _mm512_srli_epi64, _mm512_sub_epi64, _mm512_ternarylogic_epi64,
    _mm512_unpackhi_epi64, _mm512_unpacklo_epi64, _mm512_xor_si512,
};

use super::word::{Step, Word};
use super::{Kernel, check};

/// Eight lanes in a register.
#[derive(Clone, Copy)]
struct Avx512(__m512i);

/// Whether this CPU, and the system under it, has what [`Avx512`] is made of.
fn detected() -> bool {
    is_x86_feature_detected!("avx512f") && is_x86_feature_detected!("avx512ifma")
}

/// Runs a kernel in lanes; gives it back if the CPU has none.
pub(super) fn run<K: Kernel>(kernel: K) -> Result<K::Output, K> {
    if !detected() {
        return Err(kernel);
    }
    // SAFETY: the CPU was asked for both features a line ago.
    Ok(unsafe { run_detected(kernel) })
}

#[target_feature(enable = "avx512f,avx512ifma")]
#[inline(never)]
fn step_detected<S: Step>(step: S) -> S::Output {
    step.take()
}

/// Compares every operation with the portable word's; none if the CPU has no lanes.
pub(super) fn agrees_with_portable() -> Option<bool> {
    run(check::Operations).ok()
}

#[target_feature(enable = "avx512f,avx512ifma")]
fn run_detected<K: Kernel>(kernel: K) -> K::Output {
    kernel.run::<Avx512>()
}

/// Wraps what an intrinsic returns.
macro_rules! lanes {
    ($intrinsic:expr) => {
        // SAFETY: a value of this type exists only below `run`, on a CPU that knows the instruction.
        Self(unsafe { $intrinsic })
    };
}

impl Avx512 {
    /// Lays four words of each of eight rows side by side, which takes a third of the instructions
    /// that putting in every word by itself does.
    #[inline(always)]
    fn four_of_rows<const N: usize>(rows: [&[u64; N]; 8], at: usize) -> [Self; 4] {
        let [a, b, c, d, e, f, g, h] = rows;
        let (ac, bd) = (Self::four_of_two(a, c, at), Self::four_of_two(b, d, at));
        let (eg, fh) = (Self::four_of_two(e, g, at), Self::four_of_two(f, h, at));
        // Of the first four rows, words 0 and 2, and words 1 and 3; then of the others.
        let [even, odd] = [ac.interleaved_low(bd), ac.interleaved_high(bd)];
        let [even_below, odd_below] = [eg.interleaved_low(fh), eg.interleaved_high(fh)];
        [
            even.first_of_pairs(even_below),
            odd.first_of_pairs(odd_below),
            even.second_of_pairs(even_below),
            odd.second_of_pairs(odd_below),
        ]
    }

    #[inline(always)]
    fn four_of_two<const N: usize>(one: &[u64; N], other: &[u64; N], at: usize) -> Self {
        let [i, j, k] = [at + 1, at + 2, at + 3];
        Self::from_array([
            one[at], one[i], one[j], one[k], other[at], other[i], other[j], other[k],
        ])
    }

    #[inline(always)]
    fn interleaved_low(self, other: Self) -> Self {
        lanes!(_mm512_unpacklo_epi64(self.0, other.0))
    }

    #[inline(always)]
    fn interleaved_high(self, other: Self) -> Self {
        lanes!(_mm512_unpackhi_epi64(self.0, other.0))
    }

    // A constant names two pairs of lanes of each of both words.

    #[inline(always)]
    fn first_of_pairs(self, other: Self) -> Self {
        lanes!(_mm512_shuffle_i64x2::<0b10_00_10_00>(self.0, other.0))
    }

    #[inline(always)]
    fn second_of_pairs(self, other: Self) -> Self {
        lanes!(_mm512_shuffle_i64x2::<0b11_01_11_01>(self.0, other.0))
    }
}

#[expect(clippy::cast_possible_wrap, reason = "a lane is a pattern of bits")]
impl Word for Avx512 {
    #[inline(always)]
    fn step<S: Step>(step: S) -> S::Output {
        // SAFETY: this type is named only below `run`, on a CPU that has both features.
        unsafe { step_detected(step) }
    }

    #[inline(always)]
    fn piece<S: Step>(step: S) -> S::Output {
        step.take()
    }

    #[inline(always)]
    fn splat(value: u64) -> Self {
        lanes!(_mm512_set1_epi64(value as i64))
    }

    #[inline(always)]
    fn from_array(values: [u64; 8]) -> Self {
        // SAFETY: both are 64 bytes in which every pattern of bits is a value.
        Self(unsafe { std::mem::transmute::<[u64; 8], __m512i>(values) })
    }

    #[inline(always)]
    fn to_array(self) -> [u64; 8] {
        // SAFETY: both are 64 bytes in which every pattern of bits is a value.
        unsafe { std::mem::transmute::<__m512i, [u64; 8]>(self.0) }
    }

    #[inline(always)]
    fn from_rows<const N: usize>(rows: [&[u64; N]; 8]) -> [Self; N] {
        let mut words = [Self::splat(0); N];
        let mut at = 0;
        while at + 4 <= N {
            [words[at], words[at + 1], words[at + 2], words[at + 3]] = Self::four_of_rows(rows, at);
            at += 4;
        }
        while at < N {
            let [a, b, c, d, e, f, g, h] = rows;
            words[at] = Self::from_array([a[at], b[at], c[at], d[at], e[at], f[at], g[at], h[at]]);
            at += 1;
        }
        words
    }

    #[inline(always)]
    fn add(self, other: Self) -> Self {
        lanes!(_mm512_add_epi64(self.0, other.0))
    }

    #[inline(always)]
    fn sub(self, other: Self) -> Self {
        lanes!(_mm512_sub_epi64(self.0, other.0))
    }

    #[inline(always)]
    fn and(self, other: Self) -> Self {
        lanes!(_mm512_and_si512(self.0, other.0))
    }

    #[inline(always)]
    fn or(self, other: Self) -> Self {
        lanes!(_mm512_or_si512(self.0, other.0))
    }

    #[inline(always)]
    fn xor(self, other: Self) -> Self {
        lanes!(_mm512_xor_si512(self.0, other.0))
    }

    #[inline(always)]
    fn shift_left<const BITS: u32>(self) -> Self {
        lanes!(_mm512_slli_epi64::<BITS>(self.0))
    }

    #[inline(always)]
    fn shift_right<const BITS: u32>(self) -> Self {
        lanes!(_mm512_srli_epi64::<BITS>(self.0))
    }

    #[inline(always)]
    fn shift_right_signed<const BITS: u32>(self) -> Self {
        lanes!(_mm512_srai_epi64::<BITS>(self.0))
    }

    #[inline(always)]
    fn rotate_right<const BITS: i32>(self) -> Self {
        lanes!(_mm512_ror_epi64::<BITS>(self.0))
    }

    // The bits of a constant say what comes of each three bits, the first of them worth 4.

    #[inline(always)]
    fn select(self, other: Self, mask: Self) -> Self {
        lanes!(_mm512_ternarylogic_epi64::<0b1101_1000>(
            self.0, other.0, mask.0
        ))
    }

    #[inline(always)]
    fn xor_both(self, one: Self, other: Self) -> Self {
        lanes!(_mm512_ternarylogic_epi64::<0b1001_0110>(
            self.0, one.0, other.0
        ))
    }

    #[inline(always)]
    fn majority(self, one: Self, other: Self) -> Self {
        lanes!(_mm512_ternarylogic_epi64::<0b1110_1000>(
            self.0, one.0, other.0
        ))
    }

    #[inline(always)]
    fn madd52lo(self, a: Self, b: Self) -> Self {
        lanes!(_mm512_madd52lo_epu64(self.0, a.0, b.0))
    }

    #[inline(always)]
    fn madd52hi(self, a: Self, b: Self) -> Self {
        lanes!(_mm512_madd52hi_epu64(self.0, a.0, b.0))
    }
}
