//! Bids meet offers in merit order, and each pair trades at its bid.

use gridrig_quantity::Energy;

use super::columns::{OrderColumns, Refusal};
use super::merit::Ranked;
use super::options::AuctionRules;
use super::pay_as_clear::Matched;
use crate::MarketError;

/// Outcome of a pay-as-bid auction: one trade a pair of orders, by rows of its orders.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BilateralColumns {
    /// Energy bought, which is the energy sold.
    pub volume: Energy,
    /// Sum of energy x (bid limit - offer limit) over what traded. [10^-12 of the currency]
    pub welfare_pico: i128,
    /// Row of the bid of each trade, in merit order.
    pub bid_row: Vec<u32>,
    /// Row of the offer of each trade.
    pub offer_row: Vec<u32>,
    /// Energy of each trade. [mWh]
    pub energy_milliwh: Vec<i64>,
    /// What the buyer pays and the seller receives: the bid. [millionths/kWh]
    pub price_micro_per_kwh: Vec<i64>,
    /// What each order traded, by row. [mWh]
    pub filled_milliwh: Vec<i64>,
    /// Orders refused, by arrival.
    pub refusals: Vec<Refusal>,
}

/// Clears the orders of one delivery period, the dearest bid with the cheapest offer first.
///
/// Exactly the orders trade that pay-as-clear would fill, so the welfare is as large; who gains of
/// it is another matter: the sellers, all of it.
///
/// # Errors
/// As [`crate::pay_as_clear`].
pub fn pay_as_bid(
    orders: &OrderColumns<'_>,
    rules: impl Into<AuctionRules>,
) -> Result<BilateralColumns, MarketError> {
    let matched = Matched::of(orders, rules.into())?;
    let admitted = &matched.admitted;
    let rows = |side: &[Ranked]| -> Vec<usize> {
        let traded = |row: &usize| matched.filled_milliwh[*row] > 0;
        side.iter()
            .map(|&o| admitted.row(o))
            .filter(traded)
            .collect()
    };
    let (bids, offers) = (rows(&admitted.bids), rows(&admitted.offers));
    let trades = bids.len() + offers.len();
    let mut it = BilateralColumns {
        volume: matched.volume,
        welfare_pico: matched.welfare_pico(orders),
        bid_row: Vec::with_capacity(trades),
        offer_row: Vec::with_capacity(trades),
        energy_milliwh: Vec::with_capacity(trades),
        price_micro_per_kwh: Vec::with_capacity(trades),
        filled_milliwh: Vec::new(),
        refusals: Vec::new(),
    };
    let (mut b, mut o) = (0, 0);
    let (mut bid_met, mut offer_met) = (0, 0);
    while let (Some(&bid), Some(&offer)) = (bids.get(b), offers.get(o)) {
        let bid_left = matched.filled_milliwh[bid] - bid_met;
        let offer_left = matched.filled_milliwh[offer] - offer_met;
        let met = bid_left.min(offer_left);
        it.bid_row.push(bid as u32);
        it.offer_row.push(offer as u32);
        it.energy_milliwh.push(met);
        it.price_micro_per_kwh.push(orders.price_micro_per_kwh[bid]);
        bid_met = if met == bid_left { 0 } else { bid_met + met };
        offer_met = if met == offer_left {
            0
        } else {
            offer_met + met
        };
        b += usize::from(met == bid_left);
        o += usize::from(met == offer_left);
    }
    debug_assert_eq!(
        (b, o),
        (bids.len(), offers.len()),
        "both sides end together"
    );
    it.filled_milliwh = matched.filled_milliwh;
    it.refusals = matched.admitted.refusals;
    Ok(it)
}
