//! A merit order as sorted integers: price and arrival packed into one key.

use gridrig_quantity::PRICE_MICRO_PER_KWH_MAX;

use crate::ORDERS_MAX;

/// Bits of an arrival position.
const POSITION_BITS: u32 = 20;
const _: () = assert!(ORDERS_MAX <= 1 << POSITION_BITS);

/// Makes every price of the market a number from 0. [millionths/kWh]
pub(crate) const PRICE_BIAS: i64 = PRICE_MICRO_PER_KWH_MAX;

/// One order of a side: sorting puts the best price first, and of equals the earlier.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Ranked(u64);

impl Ranked {
    /// Ranks an order by its limit price and its place among the arrivals.
    pub(crate) fn new(is_bid: bool, price: i64, position: u32) -> Self {
        let rank = PRICE_BIAS + if is_bid { -price } else { price };
        Self((rank as u64) << POSITION_BITS | u64::from(position))
    }

    /// Returns the place among the arrivals.
    pub(crate) const fn position(self) -> u32 {
        (self.0 & ((1 << POSITION_BITS) - 1)) as u32
    }

    /// Returns the limit price; the side is the one it was ranked with. [millionths/kWh]
    pub(crate) const fn price(self, is_bid: bool) -> i64 {
        let rank = (self.0 >> POSITION_BITS) as i64 - PRICE_BIAS;
        if is_bid { -rank } else { rank }
    }

    /// Returns whether both have the same price, being of one side.
    pub(crate) const fn ties_with(self, other: Self) -> bool {
        self.0 >> POSITION_BITS == other.0 >> POSITION_BITS
    }
}
