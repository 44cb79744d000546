//! Orders in, trades out: the auctions of one delivery period, in one place or in zones.
//!
//! # Mechanisms
//! - [`pay_as_clear`]: one price for everybody, by sort and merge.
//! - [`pay_as_bid`]: the same orders trade in pairs, in merit order, each pair at its bid.
//! - [`clear_zones`]: zones joined by links with limits and fees; one price a zone.
//!
//! Each takes columns and gives columns; [`clear_pay_as_clear`], [`clear_pay_as_bid`] and
//! [`clear_zonal`] take and give orders and trades with names.
//!
//! The continuous order book has a page of its own: [`book`].
//!
//! # Invariants
//! - The energy bought equals the energy sold, and no cleared set of orders has a larger welfare;
//!   with fees, welfare is net of them.
//! - Nobody trades at a price worse than its limit, or more energy than it asked for, or with itself.
//! - Every trade is a whole number of lots, and its price a whole number of ticks.
//! - The outcome is a function of the *set* of orders: the arrival of an order is its number, not
//!   its place in the slice.
//!
//! # Ordering
//! Bids by falling price, offers by rising price; equal prices by arrival, the lower `order_id`
//! first, or pro rata ([`Ties`]). Of several best clearings the one with the most energy, in zones
//! then the one with the least flow, then by arrival across zones. Trades, rejections and residuals
//! are listed by arrival (trades of pay-as-bid in merit order). Trades are numbered from 1.
//!
//! # Price rule
//! The prices at which the cleared quantities are what everybody wants form an interval: from the
//! dearest of (last filled offer, best bid left over) to the cheapest of (last filled bid, best
//! offer left over). The price is its middle, floored to a tick, or one of its ends ([`PriceRule`]).
//! An order filled in part is both filled and left over, so it sets the price alone. Nothing
//! traded: no price. In zones the interval is that between the lowest and the highest price vector.
//!
//! # Money in zones
//! Each line is energy x price / 10^6, half up by magnitude: one an order at its zone's price, one a
//! link for its fee. Rent is what the buyers pay less what sellers and links receive: the price
//! differences over full links, and what the rounding of the lines leaves over.
//!
//! # Limits
//! [`ORDERS_MAX`] orders of [`PARTICIPANTS_MAX`] participants, [`ZONES_MAX`] zones, [`LINKS_MAX`]
//! links; energies, prices and the cleared volume as in `gridrig-quantity`.
//!
//! # Known gaps
//! No blocks or minimum acceptance. In zones, equals share pro rata within a zone only.
//!
//! # Cost
//! O(n log n) time for the sorts, O(n) memory. Zones add a number of maximum flows on the network of
//! zones that depends on its size and on the largest price, but not on the number of orders.

#![forbid(unsafe_code)]

pub mod book;

mod auction;
mod order;
mod rules;
mod zones;

pub use auction::{
    AuctionRules, BilateralColumns, ClearedColumns, Clearing, OrderColumns, PARTICIPANTS_MAX,
    PriceRule, Refusal, Residual, Ties, Trade, clear_pay_as_bid, clear_pay_as_clear, pay_as_bid,
    pay_as_clear,
};
pub use order::{Order, Rejection, RejectionReason};
pub use rules::{MarketRules, ORDERS_MAX};
pub use zones::{
    LINKS_MAX, Link, LinkFlow, ZONES_MAX, ZonalClearing, ZonalColumns, Zone, ZoneCleared,
    ZoneNetwork, clear_zonal, clear_zones,
};

use gridrig_quantity::QuantityError;

/// The auction itself is ill posed; an order refused is a [`Rejection`] and no error.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum MarketError {
    /// The lot is not between 1 mWh and the bound of an energy.
    #[error("lot {lot_milliwh} mWh is not a positive energy within bounds")]
    Lot {
        /// The lot refused. [mWh]
        lot_milliwh: i64,
    },
    /// The tick is not between 1 micro/kWh and the bound of a price.
    #[error("tick {tick_micro_per_kwh} micro/kWh is not a positive price within bounds")]
    Tick {
        /// The tick refused. [millionths/kWh]
        tick_micro_per_kwh: i64,
    },
    /// There are more orders than one auction takes.
    #[error("{found} orders are more than the {ORDERS_MAX} one auction takes")]
    TooManyOrders {
        /// How many there are.
        found: usize,
    },
    /// A column has not one value a row.
    #[error("column {column} has {found} values for {rows} orders")]
    Column {
        /// The column.
        column: &'static str,
        /// How many values it has.
        found: usize,
        /// How many orders there are.
        rows: usize,
    },
    /// A participant's number is too large.
    #[error("participant {found} is not below {PARTICIPANTS_MAX}")]
    Participant {
        /// The number.
        found: u32,
    },
    /// There are no zones, or too many.
    #[error("{found} zones, expected 1 to {ZONES_MAX}")]
    Zones {
        /// How many there are.
        found: usize,
    },
    /// There are too many links.
    #[error("{found} links, expected at most {LINKS_MAX}")]
    Links {
        /// How many there are.
        found: usize,
    },
    /// A zone's limit is negative or beyond the bound of an energy.
    #[error("zone {zone}: limit {found} mWh is not an energy from 0")]
    ZoneLimit {
        /// The zone.
        zone: usize,
        /// The limit. [mWh]
        found: i64,
    },
    /// A link does not join two zones.
    #[error("link {link} from zone {from} to zone {to} does not join two of the {zones} zones")]
    LinkEnd {
        /// The link.
        link: usize,
        /// Where it begins.
        from: u32,
        /// Where it ends.
        to: u32,
        /// How many zones there are.
        zones: usize,
    },
    /// A link's limit is negative or beyond the bound of an energy.
    #[error("link {link}: limit {found} mWh is not an energy from 0")]
    LinkLimit {
        /// The link.
        link: usize,
        /// The limit. [mWh]
        found: i64,
    },
    /// A link's fee is negative or beyond the bound of a price.
    #[error("link {link}: fee {found} micro/kWh is not a price from 0")]
    LinkFee {
        /// The link.
        link: usize,
        /// The fee. [millionths/kWh]
        found: i64,
    },
    /// A link's fee is not a whole number of ticks.
    #[error("link {link}: fee {found} micro/kWh is not a multiple of tick {tick_micro_per_kwh}")]
    LinkFeeOffTick {
        /// The link.
        link: usize,
        /// The fee. [millionths/kWh]
        found: i64,
        /// The tick of the market. [millionths/kWh]
        tick_micro_per_kwh: i64,
    },
    /// The cleared flow has no prices: an error in this crate, told rather than hidden.
    #[error("the cleared flow has no prices that support it")]
    ZonePrices,
    /// The cleared volume is beyond the bound of an energy.
    #[error("cleared volume: {0}")]
    Volume(#[from] QuantityError),
}

impl MarketError {
    /// Returns the stable name of the failure.
    pub fn code(&self) -> &'static str {
        match self {
            Self::Lot { .. } => "market.rules_lot",
            Self::Tick { .. } => "market.rules_tick",
            Self::TooManyOrders { .. } => "market.too_many_orders",
            Self::Column { .. } => "market.column_length",
            Self::Participant { .. } => "market.participant_bound",
            Self::Zones { .. } => "market.zones_bound",
            Self::Links { .. } => "market.links_bound",
            Self::ZoneLimit { .. } => "market.zone_limit",
            Self::LinkEnd { .. } => "market.link_end",
            Self::LinkLimit { .. } => "market.link_limit",
            Self::LinkFee { .. } => "market.link_fee",
            Self::LinkFeeOffTick { .. } => "market.link_fee_off_tick",
            Self::ZonePrices => "market.zone_prices",
            Self::Volume(_) => "market.volume_bound",
        }
    }
}
