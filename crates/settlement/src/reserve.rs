//! What a trade can cost at most, to be reserved when it is made.

use gridrig_quantity::{Amount, Energy, Price, QuantityError, Side};

use crate::{SettlementError, SettlementRules};

/// A milliwatt-hour at a millionth per kilowatt-hour is 10^-6 of a millionth.
const MILLIWH_PER_KWH: i128 = 1_000_000;

/// Returns the most a trade can cost whoever made it, whatever its meters count.
///
/// It is the dearer of the two ends: everything delivered or taken, at the trade price and with
/// fees; or nothing, at the worst short or long price the rules allow. What lies between costs no
/// more. Rounded up, with half a millionth for every line there can be: one a meter and one more for
/// the trade, two a meter for the fees.
///
/// # Errors
/// [`SettlementError::Quantity`] beyond 64 bits.
pub fn reserve(
    side: Side,
    energy: Energy,
    price: Price,
    meters: u32,
    rules: &SettlementRules,
) -> Result<Amount, SettlementError> {
    let per_kwh = |price: Price| i128::from(price.micro_per_kwh());
    let tariffs = [rules.tariff, rules.island_tariff];
    let price = per_kwh(price);
    let (met, unmet) = match side {
        Side::Offer => {
            let shorts = tariffs.into_iter().map(|tariff| per_kwh(tariff.short));
            let short = shorts.fold(per_kwh(rules.ceiling), i128::max);
            (per_kwh(rules.operator_fee) - price, short - price)
        }
        Side::Bid => {
            let longs = tariffs.into_iter().map(|tariff| per_kwh(tariff.long));
            let long = longs.fold(per_kwh(rules.floor), i128::min);
            let fees = per_kwh(rules.operator_fee) + per_kwh(rules.grid_fee);
            (price + fees, price - long)
        }
    };
    let dearest = met.max(unmet).max(0) * i128::from(energy.milliwh());
    let lines = 3 * i128::from(meters) + 1;
    let found = (dearest + MILLIWH_PER_KWH - 1) / MILLIWH_PER_KWH + (lines + 1) / 2;
    let micro = i64::try_from(found).map_err(|_| QuantityError::AmountBound { found })?;
    Ok(Amount::from_micro(micro))
}
