//! Sums of limbs that cannot overflow, for reasons given where they are taken.
//!
//! Debug builds check that; release builds, where every other sum of this workspace is checked,
//! spend nothing on it. Products of two words always fit into a double word.

/// Returns a + b.
#[inline(always)]
pub(crate) const fn sum(a: u64, b: u64) -> u64 {
    debug_assert!(a.checked_add(b).is_some());
    a.wrapping_add(b)
}

/// Returns a - b.
#[inline(always)]
pub(crate) const fn difference(a: u64, b: u64) -> u64 {
    debug_assert!(a.checked_sub(b).is_some());
    a.wrapping_sub(b)
}

/// Returns a + b.
#[inline(always)]
pub(crate) const fn sum_wide(a: u128, b: u128) -> u128 {
    debug_assert!(a.checked_add(b).is_some());
    a.wrapping_add(b)
}

/// Returns a * b.
#[inline(always)]
pub(crate) const fn product(a: u64, b: u64) -> u128 {
    (a as u128).wrapping_mul(b as u128)
}

/// Returns k * a, for a small k.
#[inline(always)]
pub(crate) const fn scaled(k: u64, a: u64) -> u64 {
    debug_assert!(k.checked_mul(a).is_some());
    k.wrapping_mul(a)
}
