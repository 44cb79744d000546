//! What a participant sends to the market, and why the market may refuse it.

use gridrig_quantity::{ENERGY_MILLIWH_MAX, PRICE_MICRO_PER_KWH_MAX, Side};

/// Intent to buy or sell energy in the delivery period, at a limit price.
///
/// The numbers are as received: an order is checked by the auction, not where it is made.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Order {
    /// Arrival number: of two orders at one price the lower is served first.
    pub order_id: u64,
    /// Who sends it.
    pub participant: String,
    /// Which way it points.
    pub side: Side,
    /// Most energy to trade. [mWh]
    pub energy_milliwh: i64,
    /// Worst price accepted; may be negative. [millionths/kWh]
    pub price_micro_per_kwh: i64,
}

/// An order the market does not take.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Rejection {
    /// The order refused.
    pub order_id: u64,
    /// The first rule it broke.
    pub reason: RejectionReason,
}

/// Rules an order can break, in the order in which they are checked; the first broken is reported.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum RejectionReason {
    /// Another order has the same number. Nobody can tell which came first, so all of them go.
    #[error("order number is not unique")]
    OrderIdRepeated,
    /// The energy is zero or negative.
    #[error("energy {energy_milliwh} mWh is not positive")]
    EnergyNotPositive {
        /// The energy asked for. [mWh]
        energy_milliwh: i64,
    },
    /// The energy is beyond its bound.
    #[error("energy {energy_milliwh} mWh is beyond the bound of {ENERGY_MILLIWH_MAX} mWh")]
    EnergyBound {
        /// The energy asked for. [mWh]
        energy_milliwh: i64,
    },
    /// The energy is not a whole number of lots.
    #[error("energy {energy_milliwh} mWh is not a multiple of lot {lot_milliwh} mWh")]
    Lot {
        /// The energy asked for. [mWh]
        energy_milliwh: i64,
        /// The lot of the market. [mWh]
        lot_milliwh: i64,
    },
    /// The price is beyond its bound.
    #[error(
        "price {price_micro_per_kwh} micro/kWh is beyond the bound of \
         {PRICE_MICRO_PER_KWH_MAX} micro/kWh"
    )]
    PriceBound {
        /// The limit price. [millionths/kWh]
        price_micro_per_kwh: i64,
    },
    /// The price is not a whole number of ticks.
    #[error(
        "price {price_micro_per_kwh} micro/kWh is not a multiple of tick \
         {tick_micro_per_kwh} micro/kWh"
    )]
    PriceOffTick {
        /// The limit price. [millionths/kWh]
        price_micro_per_kwh: i64,
        /// The tick of the market. [millionths/kWh]
        tick_micro_per_kwh: i64,
    },
    /// In a market with zones: it names a zone that there is not.
    #[error("zone {zone} is none of the {zones} zones, numbered from 0")]
    ZoneUnknown {
        /// The zone named.
        zone: u32,
        /// How many there are.
        zones: u32,
    },
    /// It could trade with an earlier order of the same participant; the earlier one stays.
    #[error("price {price_micro_per_kwh} micro/kWh crosses the participant's own order {against}")]
    SelfCross {
        /// The limit price. [millionths/kWh]
        price_micro_per_kwh: i64,
        /// The earlier order it would meet.
        against: u64,
    },
}

impl RejectionReason {
    /// Returns the stable name of the rule.
    pub fn code(&self) -> &'static str {
        match self {
            Self::OrderIdRepeated => "market.order_id_repeated",
            Self::EnergyNotPositive { .. } => "market.energy_not_positive",
            Self::EnergyBound { .. } => "market.energy_bound",
            Self::Lot { .. } => "market.lot",
            Self::PriceBound { .. } => "market.price_bound",
            Self::PriceOffTick { .. } => "market.price_off_tick",
            Self::ZoneUnknown { .. } => "market.zone_unknown",
            Self::SelfCross { .. } => "market.self_cross",
        }
    }
}
