//! The merge of the two merit orders, and the one price that comes of it.

use gridrig_quantity::{ENERGY_MILLIWH_MAX, Energy, Price, QuantityError};

use super::admission::{Admitted, admit};
use super::columns::{OrderColumns, Refusal};
use super::merit::Ranked;
use super::options::{AuctionRules, Ties};
use super::ties::share_pro_rata;
use crate::MarketError;

/// Outcome of a pay-as-clear auction, by row of its orders.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ClearedColumns {
    /// The one price, or none if nothing traded.
    pub price: Option<Price>,
    /// Energy bought, which is the energy sold.
    pub volume: Energy,
    /// Sum of energy x (bid limit - offer limit) over what traded. [10^-12 of the currency]
    pub welfare_pico: i128,
    /// What each order traded, 0 for one refused. [mWh]
    pub filled_milliwh: Vec<i64>,
    /// Orders refused, by arrival.
    pub refusals: Vec<Refusal>,
}

/// Clears the orders of one delivery period at one price.
///
/// # Errors
/// [`MarketError::TooManyOrders`], [`MarketError::Column`], [`MarketError::Participant`] before an
/// order is read; [`MarketError::Volume`] if the cleared volume is beyond the bound of an energy.
pub fn pay_as_clear(
    orders: &OrderColumns<'_>,
    rules: impl Into<AuctionRules>,
) -> Result<ClearedColumns, MarketError> {
    let rules = rules.into();
    let matched = Matched::of(orders, rules)?;
    let price = match matched.interval {
        None => None,
        Some((lower, upper)) => {
            let tick = rules.market.tick_micro_per_kwh();
            let chosen = rules.price.choose(lower, upper, tick);
            debug_assert!(lower <= chosen && chosen <= upper);
            Some(Price::from_micro_per_kwh(chosen)?)
        }
    };
    Ok(ClearedColumns {
        price,
        volume: matched.volume,
        welfare_pico: matched.welfare_pico(orders),
        filled_milliwh: matched.filled_milliwh,
        refusals: matched.admitted.refusals,
    })
}

/// What trades, before anybody has named a price: the same under every pricing.
pub(super) struct Matched {
    /// Its merit orders are sorted.
    pub(super) admitted: Admitted,
    /// By row. [mWh]
    pub(super) filled_milliwh: Vec<i64>,
    pub(super) volume: Energy,
    /// Prices at which everybody gets what it wants, if anything trades. [millionths/kWh]
    interval: Option<(i64, i64)>,
}

impl Matched {
    pub(super) fn of(orders: &OrderColumns<'_>, rules: AuctionRules) -> Result<Self, MarketError> {
        let mut admitted = admit(orders, rules.market, None)?;
        admitted.bids.sort_unstable();
        admitted.offers.sort_unstable();
        let crossing = Crossing::of(orders, &admitted)?;
        let mut matched = Self {
            filled_milliwh: vec![0; orders.len()],
            volume: Energy::from_milliwh(crossing.volume_milliwh)?,
            interval: crossing.interval(&admitted),
            admitted,
        };
        let Admitted { bids, offers, .. } = &matched.admitted;
        for (side, margin) in [(bids, crossing.bids), (offers, crossing.offers)] {
            fill(
                orders,
                &matched.admitted,
                side,
                margin,
                rules,
                &mut matched.filled_milliwh,
            );
        }
        Ok(matched)
    }

    /// Sums energy x limit price, bids less offers. [10^-12 of the currency]
    pub(super) fn welfare_pico(&self, orders: &OrderColumns<'_>) -> i128 {
        let value = |row: usize| {
            let worth =
                i128::from(self.filled_milliwh[row]) * i128::from(orders.price_micro_per_kwh[row]);
            if orders.is_bid[row] { worth } else { -worth }
        };
        // A refused order has no fill, and its price may be anything: 0 x anything is 0.
        (0..orders.len()).map(value).sum()
    }
}

/// How far into a merit order the trades reach.
#[derive(Clone, Copy, Default)]
struct Margin {
    /// Orders filled wholly.
    whole: usize,
    /// Fill of the next one. [mWh]
    part_milliwh: i64,
}

/// Where the two merit orders stop meeting.
struct Crossing {
    bids: Margin,
    offers: Margin,
    volume_milliwh: i64,
    /// Limits of the last bid and offer that met. [millionths/kWh]
    last: Option<(i64, i64)>,
}

impl Crossing {
    /// Fills the best bid from the best offer until they no longer meet.
    fn of(orders: &OrderColumns<'_>, admitted: &Admitted) -> Result<Self, MarketError> {
        let energy = |order: Ranked| orders.energy_milliwh[admitted.row(order)];
        let mut it = Self {
            bids: Margin::default(),
            offers: Margin::default(),
            volume_milliwh: 0,
            last: None,
        };
        while let (Some(&bid), Some(&offer)) = (
            admitted.bids.get(it.bids.whole),
            admitted.offers.get(it.offers.whole),
        ) {
            let (bid_price, offer_price) = (bid.price(true), offer.price(false));
            if bid_price < offer_price {
                break;
            }
            let bid_left = energy(bid) - it.bids.part_milliwh;
            let offer_left = energy(offer) - it.offers.part_milliwh;
            let met = bid_left.min(offer_left);
            it.bids.advance(met, bid_left);
            it.offers.advance(met, offer_left);
            it.volume_milliwh += met;
            if it.volume_milliwh > ENERGY_MILLIWH_MAX {
                let found = i128::from(it.volume_milliwh);
                return Err(MarketError::Volume(QuantityError::EnergyBound { found }));
            }
            it.last = Some((bid_price, offer_price));
        }
        Ok(it)
    }

    /// From the dearest of (last offer filled, best bid left over) to the cheapest of (last bid
    /// filled, best offer left over).
    fn interval(&self, admitted: &Admitted) -> Option<(i64, i64)> {
        let (bid_price, offer_price) = self.last?;
        let bid_left = admitted.bids.get(self.bids.whole).map(|b| b.price(true));
        let offer_left = admitted.offers.get(self.offers.whole);
        let lower = bid_left.map_or(offer_price, |left| offer_price.max(left));
        let upper = offer_left.map_or(bid_price, |left| bid_price.min(left.price(false)));
        Some((lower, upper))
    }
}

impl Margin {
    fn advance(&mut self, met: i64, left: i64) {
        if met == left {
            self.whole += 1;
            self.part_milliwh = 0;
        } else {
            self.part_milliwh += met;
        }
    }
}

/// Writes the fills of one side, the price level at the margin shared as the rules say.
fn fill(
    orders: &OrderColumns<'_>,
    admitted: &Admitted,
    side: &[Ranked],
    margin: Margin,
    rules: AuctionRules,
    filled_milliwh: &mut [i64],
) {
    for &order in &side[..margin.whole] {
        let row = admitted.row(order);
        filled_milliwh[row] = orders.energy_milliwh[row];
    }
    let Some(&next) = side.get(margin.whole) else {
        return;
    };
    filled_milliwh[admitted.row(next)] = margin.part_milliwh;
    let Ties::ProRata { seed } = rules.ties else {
        return;
    };
    let first = side[..margin.whole]
        .iter()
        .rposition(|order| !order.ties_with(next))
        .map_or(0, |before| before + 1);
    let after = side[margin.whole..]
        .iter()
        .position(|order| !order.ties_with(next))
        .map_or(side.len(), |count| margin.whole + count);
    let rows: Vec<usize> = side[first..after]
        .iter()
        .map(|&order| admitted.row(order))
        .collect();
    share_pro_rata(
        orders,
        &rows,
        rules.market.lot_milliwh(),
        seed,
        filled_milliwh,
    );
}
