//! What a clearing in zones gives, and who owes what for it.

use gridrig_quantity::{Amount, Energy, Price, QuantityError};

use super::clear::clear_zones;
use super::network::ZoneNetwork;
use super::prices::Way;
use crate::auction::{Interned, Refusal, rejections};
use crate::{AuctionRules, MarketError, Order, OrderColumns, Rejection, Residual, Trade};

/// What happened in one zone.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ZoneCleared {
    /// The price of all its trades; none if it has no trades.
    pub price: Option<Price>,
    /// Energy its bids got.
    pub bought: Energy,
    /// Energy its offers gave.
    pub sold: Energy,
}

/// What one link carries.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LinkFlow {
    /// Net energy, forward positive.
    pub net: Energy,
    /// Charged for it: |net| x fee, one line.
    pub fee: Amount,
    /// Exact sum of the fee, unrounded. [10^-12 of the currency]
    pub(super) fee_pico: i128,
}

impl LinkFlow {
    pub(super) fn of(way: &Way) -> Result<Self, MarketError> {
        let found = way.flow_milliwh;
        let net = i64::try_from(found).map_err(|_| QuantityError::EnergyBound { found })?;
        let fee = Price::from_micro_per_kwh(way.fee())?;
        Ok(Self {
            net: Energy::from_milliwh(net)?,
            fee: Amount::of(Energy::from_milliwh(net.abs())?, fee),
            fee_pico: found.abs() * i128::from(way.fee()),
        })
    }
}

/// Outcome of a clearing in zones, by row of its orders.
///
/// `payments = receipts + fees + rent`, to the last unit.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ZonalColumns {
    /// By zone.
    pub zones: Vec<ZoneCleared>,
    /// By link.
    pub links: Vec<LinkFlow>,
    /// Energy bought in all zones, which is the energy sold.
    pub volume: Energy,
    /// Sum of energy x (bid limit - offer limit) less fees. [10^-12 of the currency]
    pub welfare_pico: i128,
    /// What each order traded, 0 for one refused. [mWh]
    pub filled_milliwh: Vec<i64>,
    /// Orders refused, by arrival.
    pub refusals: Vec<Refusal>,
    /// What the buyers pay: one line an order.
    pub payments: Amount,
    /// What the sellers receive: one line an order.
    pub receipts: Amount,
    /// What the links charge: one line a link.
    pub fees: Amount,
    /// What is left: the congestion rent, and with it what the rounding of the lines leaves over.
    pub rent: Amount,
}

impl ZonalColumns {
    /// Joins fills, prices and flows; `zones` are the zones so far and the price of each.
    pub(super) fn of(
        orders: &OrderColumns<'_>,
        zone: &[u32],
        filled_milliwh: Vec<i64>,
        refusals: Vec<Refusal>,
        (mut zones, prices): (Vec<ZoneCleared>, &[Price]),
        volume: Energy,
        links: Vec<LinkFlow>,
    ) -> Result<Self, MarketError> {
        for (cleared, &price) in zones.iter_mut().zip(prices) {
            let trades = cleared.bought > Energy::ZERO || cleared.sold > Energy::ZERO;
            cleared.price = trades.then_some(price);
        }
        let mut welfare_pico = -links.iter().map(|link| link.fee_pico).sum::<i128>();
        let (mut payments, mut receipts) = (0i128, 0i128);
        for (row, &filled) in filled_milliwh.iter().enumerate().filter(|(_, f)| **f > 0) {
            let line = Amount::of(Energy::from_milliwh(filled)?, prices[zone[row] as usize]);
            let worth = i128::from(filled) * i128::from(orders.price_micro_per_kwh[row]);
            if orders.is_bid[row] {
                welfare_pico += worth;
                payments += i128::from(line.micro());
            } else {
                welfare_pico -= worth;
                receipts += i128::from(line.micro());
            }
        }
        let fees: i128 = links.iter().map(|link| i128::from(link.fee.micro())).sum();
        Ok(Self {
            zones,
            links,
            volume,
            welfare_pico,
            filled_milliwh,
            refusals,
            payments: amount(payments)?,
            receipts: amount(receipts)?,
            fees: amount(fees)?,
            rent: amount(payments - receipts - fees)?,
        })
    }
}

fn amount(found: i128) -> Result<Amount, MarketError> {
    let micro = i64::try_from(found).map_err(|_| QuantityError::AmountBound { found })?;
    Ok(Amount::from_micro(micro))
}

/// Outcome of a clearing in zones, order by order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ZonalClearing {
    /// One an order filled in whole or in part, by arrival, at the price of its zone.
    pub trades: Vec<Trade>,
    /// Orders refused, by arrival.
    pub rejections: Vec<Rejection>,
    /// What orders taken did not trade, by arrival.
    pub residuals: Vec<Residual>,
    /// The rest, and the fills by place in the slice of orders.
    pub columns: ZonalColumns,
}

/// Clears orders in zones, `zone` one for each; as [`clear_zones`].
///
/// # Errors
/// As [`clear_zones`]. An order refused is no error, see [`ZonalClearing::rejections`].
pub fn clear_zonal(
    orders: &[Order],
    zone: &[u32],
    network: &ZoneNetwork,
    rules: impl Into<AuctionRules>,
) -> Result<ZonalClearing, MarketError> {
    let interned = Interned::of(orders)?;
    let columns = clear_zones(&interned.columns(), zone, network, rules)?;
    // An order that is filled has a zone, and its zone a price.
    let none = Price::from_micro_per_kwh(0)?;
    let price_of = |row: usize| columns.zones[zone[row] as usize].price.unwrap_or(none);
    Ok(ZonalClearing {
        trades: interned.trades(&columns.filled_milliwh, price_of)?,
        rejections: rejections(orders, &columns.refusals),
        residuals: interned.residuals(&columns.filled_milliwh, &columns.refusals)?,
        columns,
    })
}
