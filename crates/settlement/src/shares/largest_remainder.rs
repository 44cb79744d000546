//! The division itself.

use super::ShareError;

/// Parts `total_micro` by weight; see the rule of the module.
///
/// # Errors
/// [`ShareError::NobodyToPay`], [`ShareError::WeightBound`].
///
/// ```
/// use gridrig_settlement::shares::largest_remainder;
/// assert_eq!(largest_remainder(100, &[1, 1, 1]), Ok(vec![34, 33, 33]));
/// assert_eq!(largest_remainder(-100, &[1, 1, 1]), Ok(vec![-34, -33, -33]));
/// ```
pub fn largest_remainder(total_micro: i64, weights: &[u64]) -> Result<Vec<i64>, ShareError> {
    let sum: u128 = weights.iter().map(|&weight| u128::from(weight)).sum();
    if sum == 0 {
        if total_micro == 0 {
            return Ok(vec![0; weights.len()]);
        }
        let parties = weights.len();
        return Err(ShareError::NobodyToPay {
            total_micro,
            parties,
        });
    }
    if sum > i64::MAX as u128 {
        return Err(ShareError::WeightBound { found: sum });
    }
    // Below 2^63 each, so that a product fits 127 bits.
    let magnitude = u128::from(total_micro.unsigned_abs());
    let mut parts: Vec<u128> = Vec::with_capacity(weights.len());
    let mut remainders: Vec<(u128, usize)> = Vec::with_capacity(weights.len());
    for (place, &weight) in weights.iter().enumerate() {
        let exact = magnitude * u128::from(weight);
        parts.push(exact / sum);
        remainders.push((exact % sum, place));
    }
    let left = magnitude - parts.iter().sum::<u128>();
    remainders.sort_unstable_by(|a, b| b.0.cmp(&a.0).then(a.1.cmp(&b.1)));
    for &(_, place) in remainders.iter().take(left as usize) {
        parts[place] += 1;
    }
    let sign = i128::from(total_micro.signum());
    // No part is larger than the total in magnitude.
    Ok(parts
        .iter()
        .map(|&part| (part as i128 * sign) as i64)
        .collect())
}
