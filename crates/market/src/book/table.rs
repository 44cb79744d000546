//! Tables of a fixed size, whose memory is asked for before it is relied on.

use super::BookError;

/// Returns a vector of `entries` copies of `value`.
///
/// # Errors
/// [`BookError::Memory`] if the system does not give that much.
pub(super) fn filled<T: Clone>(value: T, entries: usize) -> Result<Vec<T>, BookError> {
    let mut table = empty(entries)?;
    table.resize(entries, value);
    Ok(table)
}

/// Returns a vector with room for `entries`.
///
/// # Errors
/// [`BookError::Memory`] if the system does not give that much.
pub(super) fn empty<T>(entries: usize) -> Result<Vec<T>, BookError> {
    let mut table = Vec::new();
    let refused = |_| BookError::Memory {
        bytes: entries.saturating_mul(size_of::<T>()),
    };
    table.try_reserve_exact(entries).map_err(refused)?;
    Ok(table)
}
