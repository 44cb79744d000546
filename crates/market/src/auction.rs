//! The merge of the two merit orders and the one price that comes of it.

use std::cmp::Reverse;

use gridrig_quantity::{Energy, Price, Side};

use crate::admission::{Admitted, admit};
use crate::{MarketError, MarketRules, ORDERS_MAX, Order, Rejection};

/// What one order traded, against the clearing house.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Trade {
    /// Counted from 1 in each clearing.
    pub trade_id: u64,
    /// The order that was filled.
    pub order_id: u64,
    /// Who traded.
    pub participant: String,
    /// Bought (bid) or sold (offer).
    pub side: Side,
    /// Energy traded, positive.
    pub energy: Energy,
    /// The clearing price.
    pub price: Price,
}

/// Energy of an order that stayed untraded.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Residual {
    /// The order.
    pub order_id: u64,
    /// What is left of it, positive.
    pub energy: Energy,
}

/// Outcome of one auction.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Clearing {
    /// The one price, or none if nothing traded.
    pub price: Option<Price>,
    /// Energy bought, which is the energy sold.
    pub volume: Energy,
    /// Sum of energy x (bid limit - offer limit) over what traded. [10^-12 of the currency]
    pub welfare_pico: i128,
    /// One trade per order filled in whole or in part, by arrival.
    pub trades: Vec<Trade>,
    /// Orders refused, by arrival.
    pub rejections: Vec<Rejection>,
    /// What orders taken did not trade, by arrival.
    pub residuals: Vec<Residual>,
}

/// An order taken and how much of it is filled so far.
struct Filling<'a> {
    order: Admitted<'a>,
    filled_milliwh: i64,
}

impl Filling<'_> {
    fn left_milliwh(&self) -> i64 {
        self.order.energy.milliwh() - self.filled_milliwh
    }
}

/// Clears the orders of one delivery period at one price.
///
/// # Errors
/// [`MarketError::TooManyOrders`] before anything is read; [`MarketError::Volume`] if the cleared
/// volume is beyond the bound of an energy. An order refused is no error, see
/// [`Clearing::rejections`].
pub fn clear_pay_as_clear(orders: &[Order], rules: MarketRules) -> Result<Clearing, MarketError> {
    if orders.len() > ORDERS_MAX {
        return Err(MarketError::TooManyOrders {
            found: orders.len(),
        });
    }
    let (admitted, rejections) = admit(orders, rules);
    let (mut bids, mut offers): (Vec<_>, Vec<_>) = admitted
        .into_iter()
        .map(|order| Filling {
            order,
            filled_milliwh: 0,
        })
        .partition(|filling| filling.order.side == Side::Bid);
    bids.sort_by_key(|bid| (Reverse(bid.order.price), bid.order.order_id));
    offers.sort_by_key(|offer| (offer.order.price, offer.order.order_id));

    let price = merge(&mut bids, &mut offers, rules)?;
    let volume = Energy::sum(filled_energies(&bids)?)?;
    let welfare_pico = value_pico(&bids) - value_pico(&offers);
    let mut fillings = bids;
    fillings.append(&mut offers);
    fillings.sort_by_key(|filling| filling.order.order_id);
    let (trades, residuals) = part(&fillings, price)?;
    Ok(Clearing {
        price,
        volume,
        welfare_pico,
        trades,
        rejections,
        residuals,
    })
}

/// Fills the best bid from the best offer until they no longer meet; returns the price.
fn merge(
    bids: &mut [Filling<'_>],
    offers: &mut [Filling<'_>],
    rules: MarketRules,
) -> Result<Option<Price>, MarketError> {
    let (mut b, mut o) = (0, 0);
    let mut last = None;
    while let (Some(bid), Some(offer)) = (bids.get_mut(b), offers.get_mut(o)) {
        if bid.order.price < offer.order.price {
            break;
        }
        let energy_milliwh = bid.left_milliwh().min(offer.left_milliwh());
        bid.filled_milliwh += energy_milliwh;
        offer.filled_milliwh += energy_milliwh;
        last = Some((offer.order.price, bid.order.price));
        b += usize::from(bid.left_milliwh() == 0);
        o += usize::from(offer.left_milliwh() == 0);
    }
    let Some((offer_price, bid_price)) = last else {
        return Ok(None);
    };
    let lower = bids
        .get(b)
        .map_or(offer_price, |left| offer_price.max(left.order.price));
    let upper = offers
        .get(o)
        .map_or(bid_price, |left| bid_price.min(left.order.price));
    // Both ends are whole ticks, so the floored middle cannot fall below the lower one.
    let tick = rules.tick_micro_per_kwh();
    let twice_the_middle = lower.micro_per_kwh() + upper.micro_per_kwh();
    let price = Price::from_micro_per_kwh(twice_the_middle.div_euclid(2 * tick) * tick)?;
    debug_assert!(lower <= price && price <= upper);
    Ok(Some(price))
}

fn filled_energies(side: &[Filling<'_>]) -> Result<Vec<Energy>, MarketError> {
    Ok(side
        .iter()
        .map(|f| Energy::from_milliwh(f.filled_milliwh))
        .collect::<Result<_, _>>()?)
}

/// Sums filled energy x limit price. [10^-12 of the currency]
fn value_pico(side: &[Filling<'_>]) -> i128 {
    side.iter()
        .map(|f| i128::from(f.filled_milliwh) * i128::from(f.order.price.micro_per_kwh()))
        .sum()
}

/// Turns fillings, given by arrival, into trades and residuals.
fn part(
    fillings: &[Filling<'_>],
    price: Option<Price>,
) -> Result<(Vec<Trade>, Vec<Residual>), MarketError> {
    let (mut trades, mut residuals) = (Vec::new(), Vec::new());
    for filling in fillings {
        let Admitted {
            order_id,
            participant,
            side,
            ..
        } = filling.order;
        if let (Some(price), true) = (price, filling.filled_milliwh > 0) {
            trades.push(Trade {
                trade_id: trades.len() as u64 + 1,
                order_id,
                participant: participant.to_owned(),
                side,
                energy: Energy::from_milliwh(filling.filled_milliwh)?,
                price,
            });
        }
        if filling.left_milliwh() > 0 {
            let energy = Energy::from_milliwh(filling.left_milliwh())?;
            residuals.push(Residual { order_id, energy });
        }
    }
    Ok((trades, residuals))
}
