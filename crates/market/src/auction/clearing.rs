//! The auctions order by order: names in, trades out.

use std::collections::HashMap;

use gridrig_quantity::{Energy, Price, Side};

use super::columns::{OrderColumns, Refusal};
use super::options::AuctionRules;
use super::pay_as_bid::pay_as_bid;
use super::pay_as_clear::pay_as_clear;
use crate::{MarketError, Order, Rejection};

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
    /// The price it traded at.
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
    /// The one price; none if nothing traded, or if each trade has its own.
    pub price: Option<Price>,
    /// Energy bought, which is the energy sold.
    pub volume: Energy,
    /// Sum of energy x (bid limit - offer limit) over what traded. [10^-12 of the currency]
    pub welfare_pico: i128,
    /// Pay-as-clear: one an order filled in whole or in part, by arrival. Pay-as-bid: two a pair,
    /// the bid's first, pairs in merit order.
    pub trades: Vec<Trade>,
    /// Orders refused, by arrival.
    pub rejections: Vec<Rejection>,
    /// What orders taken did not trade, by arrival.
    pub residuals: Vec<Residual>,
}

/// Clears the orders of one delivery period at one price; as [`pay_as_clear`].
///
/// # Errors
/// As [`pay_as_clear`]. An order refused is no error, see [`Clearing::rejections`].
pub fn clear_pay_as_clear(
    orders: &[Order],
    rules: impl Into<AuctionRules>,
) -> Result<Clearing, MarketError> {
    let interned = Interned::of(orders)?;
    let cleared = pay_as_clear(&interned.columns(), rules)?;
    let trades = match cleared.price {
        None => Vec::new(),
        Some(price) => interned.trades(&cleared.filled_milliwh, |_| price)?,
    };
    Ok(Clearing {
        price: cleared.price,
        volume: cleared.volume,
        welfare_pico: cleared.welfare_pico,
        trades,
        rejections: rejections(orders, &cleared.refusals),
        residuals: interned.residuals(&cleared.filled_milliwh, &cleared.refusals)?,
    })
}

/// Clears the orders of one delivery period in pairs, each at its bid; as [`pay_as_bid`].
///
/// # Errors
/// As [`pay_as_bid`]. An order refused is no error, see [`Clearing::rejections`].
pub fn clear_pay_as_bid(
    orders: &[Order],
    rules: impl Into<AuctionRules>,
) -> Result<Clearing, MarketError> {
    let interned = Interned::of(orders)?;
    let cleared = pay_as_bid(&interned.columns(), rules)?;
    let mut trades = Vec::with_capacity(2 * cleared.bid_row.len());
    for pair in 0..cleared.bid_row.len() {
        let energy = Energy::from_milliwh(cleared.energy_milliwh[pair])?;
        let price = Price::from_micro_per_kwh(cleared.price_micro_per_kwh[pair])?;
        for row in [cleared.bid_row[pair], cleared.offer_row[pair]] {
            let order = &orders[row as usize];
            trades.push(trade(order, trades.len(), energy, price));
        }
    }
    Ok(Clearing {
        price: None,
        volume: cleared.volume,
        welfare_pico: cleared.welfare_pico,
        trades,
        rejections: rejections(orders, &cleared.refusals),
        residuals: interned.residuals(&cleared.filled_milliwh, &cleared.refusals)?,
    })
}

/// Orders with their participants as numbers.
pub(crate) struct Interned<'a> {
    orders: &'a [Order],
    order_id: Vec<u64>,
    participant: Vec<u32>,
    is_bid: Vec<bool>,
    energy_milliwh: Vec<i64>,
    price_micro_per_kwh: Vec<i64>,
}

impl<'a> Interned<'a> {
    pub(crate) fn of(orders: &'a [Order]) -> Result<Self, MarketError> {
        if orders.len() > crate::ORDERS_MAX {
            let found = orders.len();
            return Err(MarketError::TooManyOrders { found });
        }
        // Looked up only, never walked: its order is nobody's.
        let mut numbers: HashMap<&str, u32> = HashMap::new();
        let participant = orders
            .iter()
            .map(|order| {
                let next = numbers.len() as u32;
                *numbers.entry(order.participant.as_str()).or_insert(next)
            })
            .collect();
        Ok(Self {
            orders,
            order_id: orders.iter().map(|order| order.order_id).collect(),
            participant,
            is_bid: orders.iter().map(|o| o.side == Side::Bid).collect(),
            energy_milliwh: orders.iter().map(|o| o.energy_milliwh).collect(),
            price_micro_per_kwh: orders.iter().map(|o| o.price_micro_per_kwh).collect(),
        })
    }

    pub(crate) fn columns(&self) -> OrderColumns<'_> {
        OrderColumns {
            order_id: &self.order_id,
            participant: &self.participant,
            is_bid: &self.is_bid,
            energy_milliwh: &self.energy_milliwh,
            price_micro_per_kwh: &self.price_micro_per_kwh,
        }
    }

    /// Returns the rows by arrival.
    fn by_arrival(&self) -> Vec<usize> {
        let mut rows: Vec<usize> = (0..self.orders.len()).collect();
        rows.sort_by_key(|&row| self.order_id[row]);
        rows
    }

    /// Makes one trade of each fill, by arrival; `price_of` a row.
    pub(crate) fn trades(
        &self,
        filled_milliwh: &[i64],
        price_of: impl Fn(usize) -> Price,
    ) -> Result<Vec<Trade>, MarketError> {
        let mut trades = Vec::new();
        for row in self.by_arrival() {
            if filled_milliwh[row] > 0 {
                let energy = Energy::from_milliwh(filled_milliwh[row])?;
                trades.push(trade(
                    &self.orders[row],
                    trades.len(),
                    energy,
                    price_of(row),
                ));
            }
        }
        Ok(trades)
    }

    /// Lists what the orders taken did not trade, by arrival.
    pub(crate) fn residuals(
        &self,
        filled_milliwh: &[i64],
        refusals: &[Refusal],
    ) -> Result<Vec<Residual>, MarketError> {
        let mut taken = vec![true; self.orders.len()];
        for refusal in refusals {
            taken[refusal.row as usize] = false;
        }
        let mut residuals = Vec::new();
        for row in self.by_arrival() {
            let left = if taken[row] {
                self.energy_milliwh[row] - filled_milliwh[row]
            } else {
                0
            };
            if left > 0 {
                let (order_id, energy) = (self.order_id[row], Energy::from_milliwh(left)?);
                residuals.push(Residual { order_id, energy });
            }
        }
        Ok(residuals)
    }
}

pub(crate) fn rejections(orders: &[Order], refusals: &[Refusal]) -> Vec<Rejection> {
    let named = |refusal: &Refusal| Rejection {
        order_id: orders[refusal.row as usize].order_id,
        reason: refusal.reason,
    };
    refusals.iter().map(named).collect()
}

fn trade(order: &Order, before: usize, energy: Energy, price: Price) -> Trade {
    Trade {
        trade_id: before as u64 + 1,
        order_id: order.order_id,
        participant: order.participant.clone(),
        side: order.side,
        energy,
        price,
    }
}
