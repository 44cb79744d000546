//! Eight words side by side: kernels are written once, over any [`Word`].
//!
//! The portable word runs everywhere and is what kernels are tested with; [`run`] takes the word of
//! the machine. This is the one module with `unsafe` code: intrinsics in `avx512`, each a single
//! instruction on registers, reached only on a CPU that was asked, and a hint to the caches.
#![allow(unsafe_code)]

#[cfg(target_arch = "x86_64")]
mod avx512;
mod check;
mod prefetch;
mod word;

use std::sync::LazyLock;
use std::sync::atomic::{AtomicBool, Ordering};

pub(crate) use prefetch::prefetch;
#[cfg(test)]
pub(crate) use word::Portable;
pub(crate) use word::{Step, Word};

/// Whether batches are verified eight signatures at a time, in the lanes of AVX-512 IFMA.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Lanes {
    /// The CPU has lanes, and each of their operations agreed with the portable one.
    Used,
    /// The CPU, or the system under it, has none.
    Missing,
    /// An operation disagreed with the portable one, so that the portable path is taken.
    Refused,
    /// The portable path was asked for, by [`want_lanes`].
    Unwanted,
}

impl std::fmt::Display for Lanes {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Used => "AVX-512 IFMA, eight lanes",
            Self::Missing => "portable, no AVX-512 IFMA on this machine",
            Self::Refused => "portable, AVX-512 IFMA disagreed with the portable word",
            Self::Unwanted => "portable, as asked for",
        })
    }
}

/// Asked and checked once a process.
static LANES: LazyLock<Lanes> = LazyLock::new(|| {
    #[cfg(target_arch = "x86_64")]
    let agrees = avx512::agrees_with_portable();
    #[cfg(not(target_arch = "x86_64"))]
    let agrees = None;
    match agrees {
        Some(true) => Lanes::Used,
        Some(false) => Lanes::Refused,
        None => Lanes::Missing,
    }
});

static UNWANTED: AtomicBool = AtomicBool::new(false);

/// Says whether this process verifies in lanes.
pub fn lanes() -> Lanes {
    if UNWANTED.load(Ordering::Relaxed) {
        return Lanes::Unwanted;
    }
    *LANES
}

/// Has lanes used where the machine has them, which is the rule, or the portable path taken in their
/// place, to measure it. No verdict depends on it.
pub fn want_lanes(wanted: bool) {
    UNWANTED.store(!wanted, Ordering::Relaxed);
}

/// Writes an expression for each of five limbs. A closure might be left a function of its own, which is
/// compiled without the instructions of the word.
macro_rules! limbs {
    ($at:ident => $limb:expr) => {
        [
            {
                let $at = 0;
                $limb
            },
            {
                let $at = 1;
                $limb
            },
            {
                let $at = 2;
                $limb
            },
            {
                let $at = 3;
                $limb
            },
            {
                let $at = 4;
                $limb
            },
        ]
    };
}

pub(crate) use limbs;

/// Work written over any word of eight lanes.
///
/// All that `run` calls must be `#[inline(always)]`, or a [`Step`]: what is not inlined is compiled
/// without the instructions of the word, and is slow. Closures, and so `map` and `from_fn` of arrays,
/// may stay functions of their own: nothing in them may be done to a word but a step.
pub(crate) trait Kernel {
    /// What it computes.
    type Output;

    /// Does the work.
    fn run<W: Word>(self) -> Self::Output;
}

/// Runs a kernel in the lanes of the machine; gives it back if they are not used.
#[inline]
pub(crate) fn run<K: Kernel>(kernel: K) -> Result<K::Output, K> {
    match lanes() {
        #[cfg(target_arch = "x86_64")]
        Lanes::Used => avx512::run(kernel),
        _ => Err(kernel),
    }
}
