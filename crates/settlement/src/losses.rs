//! Losses laid on those who imported.

use gridrig_quantity::Energy;

use crate::{MeterPeriod, SettlementError};

/// Returns each meter's share of the losses by its import, the head's being nothing; none if nobody
/// imported.
///
/// Largest remainder: each share is rounded down by magnitude, and the milliwatt-hours that are left
/// go one each to the largest remainders, of equal ones to the first meter.
pub(crate) fn shares(
    losses: Energy,
    meters: &[MeterPeriod],
    head: Option<u32>,
) -> Result<Option<Vec<Energy>>, SettlementError> {
    let import = |place: usize| {
        let is_head = head == Some(place as u32);
        if is_head {
            0
        } else {
            i128::from(meters[place].import().milliwh())
        }
    };
    let total: i128 = (0..meters.len()).map(import).sum();
    if total == 0 {
        return Ok(None);
    }
    let magnitude = i128::from(losses.milliwh()).abs();
    let mut shares: Vec<i128> = (0..meters.len())
        .map(|m| magnitude * import(m) / total)
        .collect();
    let mut remainders: Vec<(i128, usize)> = (0..meters.len())
        .map(|place| (-(magnitude * import(place) % total), place))
        .collect();
    // Fewer than there are meters with a remainder.
    let left = magnitude - shares.iter().sum::<i128>();
    let left = usize::try_from(left)
        .unwrap_or(usize::MAX)
        .min(meters.len());
    if left > 0 {
        remainders.select_nth_unstable(left - 1);
        for (_, place) in &remainders[..left] {
            shares[*place] += 1;
        }
    }
    let sign = i128::from(losses.milliwh().signum());
    let energy = |share: i128| {
        // A share is no more than the whole, which fits.
        let milliwh = i64::try_from(sign * share).unwrap_or(i64::MAX);
        Ok(Energy::from_milliwh(milliwh)?)
    };
    shares
        .into_iter()
        .map(energy)
        .collect::<Result<_, _>>()
        .map(Some)
}
