//! Energies as lots and prices as ticks, with one multiplication instead of a division.

use gridrig_quantity::{ENERGY_MILLIWH_MAX, PRICE_MICRO_PER_KWH_MAX, Side};

use super::{ExchangeConfig, ORDER_LOTS_MAX, Refusal};

/// Exact division by a constant: the multiplicative inverse of its odd part modulo 2^64.
///
/// # Source
/// H. S. Warren, "Hacker's Delight," 2nd ed., Addison-Wesley, 2012, section 10-17.
#[derive(Debug, Clone, Copy)]
struct Step {
    inverse: u64,
    shift: u32,
    quotient_max: u64,
}

impl Step {
    fn new(step: u64) -> Self {
        let shift = step.trailing_zeros();
        let odd = step >> shift;
        // Newton's iteration doubles the correct bits; an odd number is its own inverse modulo 8.
        let mut inverse = odd;
        for _ in 0..5 {
            inverse = inverse.wrapping_mul(2_u64.wrapping_sub(odd.wrapping_mul(inverse)));
        }
        Self {
            inverse,
            shift,
            quotient_max: u64::MAX / step,
        }
    }

    /// Returns `number / step` if nothing is left over.
    #[inline(always)]
    fn quotient(&self, number: u64) -> Option<u64> {
        let quotient = number.wrapping_mul(self.inverse).rotate_right(self.shift);
        (quotient <= self.quotient_max).then_some(quotient)
    }
}

/// The grid of a market. A tick index is counted from 1 at the lowest price there is.
#[derive(Debug, Clone, Copy)]
pub(super) struct Grid {
    lot: Step,
    tick: Step,
    lot_milliwh: i64,
    tick_micro: i64,
    /// The price of tick index 0, which is below the bound. [millionths/kWh]
    price_origin: i64,
    energy_milliwh_max: i64,
}

impl Grid {
    pub(super) fn new(config: &ExchangeConfig) -> Self {
        let lot_milliwh = config.rules.lot_milliwh();
        let tick_micro = config.rules.tick_micro_per_kwh();
        // With this bound the energies of all orders together fit 64 bits.
        let share = i64::MAX / (i64::from(config.capacity.orders) + 1);
        let lots = lot_milliwh.saturating_mul(i64::from(ORDER_LOTS_MAX));
        Self {
            lot: Step::new(lot_milliwh.unsigned_abs()),
            tick: Step::new(tick_micro.unsigned_abs()),
            lot_milliwh,
            tick_micro,
            price_origin: -(PRICE_MICRO_PER_KWH_MAX / tick_micro + 1) * tick_micro,
            energy_milliwh_max: ENERGY_MILLIWH_MAX.min(share).min(lots),
        }
    }

    /// Returns the lots of an energy that is not negative.
    #[inline(always)]
    pub(super) fn lots(&self, energy_milliwh: i64) -> Result<u32, Refusal> {
        if energy_milliwh > self.energy_milliwh_max {
            return Err(Refusal::EnergyBound);
        }
        match self.lot.quotient(energy_milliwh.unsigned_abs()) {
            Some(lots) => Ok(lots as u32),
            None => Err(Refusal::Lot),
        }
    }

    #[inline(always)]
    pub(super) fn energy_milliwh(&self, lots: u32) -> i64 {
        i64::from(lots) * self.lot_milliwh
    }

    pub(super) fn energy_milliwh_of(&self, lots: u64) -> i64 {
        lots as i64 * self.lot_milliwh
    }

    /// Returns the tick index of a price.
    #[inline(always)]
    pub(super) fn tick(&self, price_micro: i32) -> Result<u32, Refusal> {
        let price = i64::from(price_micro);
        if price.abs() > PRICE_MICRO_PER_KWH_MAX {
            return Err(Refusal::PriceBound);
        }
        match self
            .tick
            .quotient((price - self.price_origin).unsigned_abs())
        {
            Some(tick) => Ok(tick as u32),
            None => Err(Refusal::PriceOffTick),
        }
    }

    /// Returns the tick indices of a collar, rounded inward.
    pub(super) fn collar(&self, min: i32, max: i32) -> Result<(u32, u32), Refusal> {
        let (min, max) = (i64::from(min), i64::from(max));
        if min < -PRICE_MICRO_PER_KWH_MAX || max > PRICE_MICRO_PER_KWH_MAX || min > max {
            return Err(Refusal::LimitsInvalid);
        }
        let above = |price: i64| (price - self.price_origin) / self.tick_micro;
        let tick_min = above(min + self.tick_micro - 1);
        let tick_max = above(max);
        if tick_min > tick_max {
            return Err(Refusal::LimitsInvalid);
        }
        Ok((tick_min as u32, tick_max as u32))
    }

    /// Returns whether a tick index is one of a price within the bound.
    pub(super) fn has_tick(&self, tick: u32) -> bool {
        let price = self.price_origin + i64::from(tick) * self.tick_micro;
        tick > 0 && price <= PRICE_MICRO_PER_KWH_MAX
    }

    /// Returns whether an order can hold that many lots.
    pub(super) fn has_lots(&self, leaves: u32, filled: u32) -> bool {
        let lots = u64::from(leaves) + u64::from(filled);
        u32::try_from(lots).is_ok_and(|lots| self.energy_milliwh(lots) <= self.energy_milliwh_max)
    }

    #[inline(always)]
    pub(super) fn price(&self, tick: u32) -> i32 {
        (self.price_origin + i64::from(tick) * self.tick_micro) as i32
    }
}

/// Place of a price in the ranking of its side: on both sides the lowest key is the best price.
///
/// A bid has the complement of its tick, so one comparison serves both sides, and the complement
/// of a limit is the worst key that it reaches on the other side.
#[inline(always)]
pub(super) fn key(tick: u32, side: Side) -> u32 {
    tick ^ (side as u32).wrapping_sub(1)
}

/// Returns the tick of a key; the same exclusive or, the other way.
#[inline(always)]
pub(super) fn tick_of(key: u32, side: Side) -> u32 {
    key ^ (side as u32).wrapping_sub(1)
}

// `key` relies on these two.
const _: () = assert!(Side::Bid as u32 == 0 && Side::Offer as u32 == 1);

#[cfg(test)]
mod tests {
    use super::Step;

    #[test]
    fn a_quotient_exists_exactly_for_multiples() {
        for step in [1, 2, 3, 5, 6, 7, 10, 12, 1000, 4096, 999_983, 1_000_000_000] {
            let by = Step::new(step);
            for number in
                (0..3000).chain([1 << 40, (1 << 40) + 1, u64::MAX, u64::MAX / step * step])
            {
                let expected = (number % step == 0).then_some(number / step);
                assert_eq!(by.quotient(number), expected, "{number} / {step}");
            }
        }
    }
}
