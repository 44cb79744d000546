//! Payments from a stated pool.

use super::RewardError;
use crate::shares::largest_remainder;

/// What a pool pays.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Paid {
    /// What each is paid, in the order of the dues. [millionths]
    pub paid_micro: Vec<i64>,
    /// What is left in the pool. [millionths]
    pub left_micro: i64,
}

/// Pays what is due, or the pool in proportion to it.
///
/// # Errors
/// [`RewardError::DueBound`].
pub fn pay(pool_micro: i64, due_micro: &[i64]) -> Result<Paid, RewardError> {
    let bound = |name, found: i128| RewardError::DueBound { name, found };
    if pool_micro < 0 {
        return Err(bound("the pool", pool_micro.into()));
    }
    let weights: Vec<u64> = due_micro
        .iter()
        .map(|&due| u64::try_from(due).map_err(|_| bound("a due", due.into())))
        .collect::<Result<_, _>>()?;
    let sum: i128 = due_micro.iter().map(|&due| i128::from(due)).sum();
    if sum <= i128::from(pool_micro) {
        return Ok(Paid {
            paid_micro: due_micro.to_vec(),
            left_micro: pool_micro - sum as i64,
        });
    }
    let paid_micro = largest_remainder(pool_micro, &weights);
    Ok(Paid {
        paid_micro: paid_micro.map_err(|_| bound("the sum of all dues", sum))?,
        left_micro: 0,
    })
}
