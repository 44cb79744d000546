//! E1 and E2: bids and offers of households for one auction, with few price levels and with many.

use std::hint;
use std::time::{Duration, Instant};

use gridrig_market::{MarketError, MarketRules, OrderColumns, pay_as_clear};
use gridrig_quantity::Side;
use rand_mt::Mt;

use crate::lcg::Lcg;

const SEED: u32 = 42;
const LOT_MILLIWH: i64 = 1_000;
/// E1's rates are in hundredths of the currency: one is so many millionths.
const MICRO_PER_CENT: i64 = 10_000;
/// E2's rates are spread over 10^8 prices, so that even a million orders hardly share one.
const MICRO_PER_CENT_SPREAD: f64 = 10_000_000.0;
const MILLIWH_PER_KWH: f64 = 1_000_000.0;
const MILLIWH_PER_HUNDREDTH_KWH: i64 = 10_000;

/// An order of an auction; every order has its own trader.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct AuctionOrder {
    /// Bid or offer, in turn.
    pub side: Side,
    /// Most energy to trade. [mWh]
    pub energy_milliwh: i64,
    /// Limit. [millionths/kWh]
    pub price_micro_per_kwh: i64,
}

/// Makes E1: rates of 21 levels on each side, whole hundredths of a kWh.
pub fn e1(orders: usize) -> Vec<AuctionOrder> {
    let mut random = Lcg::seeded(u64::from(SEED));
    let order = |i: usize| {
        let (side, base) = side_and_base(i);
        let cents = base + random.draw_step(21);
        AuctionOrder {
            side,
            price_micro_per_kwh: cents * MICRO_PER_CENT,
            energy_milliwh: (random.draw_step(100) + 1) * MILLIWH_PER_HUNDREDTH_KWH,
        }
    };
    (0..orders).map(order).collect()
}

/// Makes E2: rates spread evenly over 20 ct, energies of whole Wh up to 1 kWh.
///
/// The numbers are those of Python's `random.Random(42)`; the rates of the workload are floats, of
/// which the seven digits after a hundredth of the currency are kept here.
pub fn e2(orders: usize) -> Vec<AuctionOrder> {
    let mut random = PythonRandom(Mt::new_with_key([SEED]));
    let order = |i: usize| {
        let (side, base) = side_and_base(i);
        let cents = base as f64 + 20.0 * random.draw();
        let energy_kwh = (random.draw() * 1_000.0).round_ties_even() / 1_000.0 + 0.001;
        AuctionOrder {
            side,
            price_micro_per_kwh: (cents * MICRO_PER_CENT_SPREAD).round() as i64,
            energy_milliwh: (energy_kwh * MILLIWH_PER_KWH).round() as i64,
        }
    };
    (0..orders).map(order).collect()
}

const fn side_and_base(i: usize) -> (Side, i64) {
    if i.is_multiple_of(2) {
        (Side::Bid, 10)
    } else {
        (Side::Offer, 5)
    }
}

/// `random.Random` of CPython: 53 bits of two draws of the Mersenne Twister.
struct PythonRandom(Mt);

impl PythonRandom {
    fn draw(&mut self) -> f64 {
        let high = f64::from(self.0.next_u32() >> 5);
        let low = f64::from(self.0.next_u32() >> 6);
        (high * 67_108_864.0 + low) / 9_007_199_254_740_992.0
    }
}

/// Clears orders at one price and returns how long that took, from columns of orders to columns of
/// fills.
///
/// # Errors
/// [`MarketError`] if there are more orders than an auction takes.
pub fn clearing_time(orders: &[AuctionOrder]) -> Result<Duration, MarketError> {
    let traders = 0..orders.len() as u32;
    let order_id: Vec<u64> = traders.clone().map(u64::from).collect();
    let participant: Vec<u32> = traders.collect();
    let is_bid: Vec<bool> = orders.iter().map(|one| one.side == Side::Bid).collect();
    let energy_milliwh: Vec<i64> = orders.iter().map(|one| one.energy_milliwh).collect();
    let price_micro_per_kwh: Vec<i64> = orders.iter().map(|one| one.price_micro_per_kwh).collect();
    let columns = OrderColumns {
        order_id: &order_id,
        participant: &participant,
        is_bid: &is_bid,
        energy_milliwh: &energy_milliwh,
        price_micro_per_kwh: &price_micro_per_kwh,
    };
    let rules = MarketRules::new(LOT_MILLIWH, 1)?;
    let began = Instant::now();
    let cleared = pay_as_clear(&columns, rules)?;
    let took = began.elapsed();
    drop(hint::black_box(cleared));
    Ok(took)
}
