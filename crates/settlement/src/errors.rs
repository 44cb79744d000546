//! Why a period cannot be settled.

use gridrig_quantity::QuantityError;

use crate::{METERS_MAX, READINGS_APART_MAX_S, TRADES_MAX};

/// Rules a period can break, in the order in which they are checked.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SettlementError {
    /// The two readings of a period are of different meters.
    #[error("opening reading is of meter {opening:?}, closing reading of {closing:?}")]
    MeterMismatch {
        /// Meter of the opening reading.
        opening: String,
        /// Meter of the closing reading.
        closing: String,
    },
    /// The closing reading is not later than the opening one.
    #[error("meter {meter:?} closes at {closing_ms} ms UTC, not later than {opening_ms} ms")]
    NotForward {
        /// The meter.
        meter: String,
        /// Time of the opening reading. [UTC ms]
        opening_ms: i64,
        /// Time of the closing reading. [UTC ms]
        closing_ms: i64,
    },
    /// A reading lacks one of the two registers that a period is settled on.
    #[error("a reading of meter {meter:?} has no {register} register")]
    RegisterMissing {
        /// The meter.
        meter: String,
        /// Import or export.
        register: &'static str,
    },
    /// A register of the closing reading counts less than that of the opening one.
    #[error("a register of meter {meter:?} fell within the period")]
    RegisterFell {
        /// The meter.
        meter: String,
    },
    /// A period is to be parted at a time that is not within it, or not after the time before.
    #[error("meter {meter:?} is parted at {edge_ms} ms UTC, not after {from_ms} to {to_ms} ms")]
    SplitOutside {
        /// The meter.
        meter: String,
        /// Where it is to be parted. [UTC ms]
        edge_ms: i64,
        /// Beginning of the part. [UTC ms]
        from_ms: i64,
        /// End of the period. [UTC ms]
        to_ms: i64,
    },
    /// More meters or trades than one period takes.
    #[error("{meters} meters and {trades} trades, at most {METERS_MAX} and {TRADES_MAX}")]
    TooMany {
        /// How many meters there are.
        meters: usize,
        /// How many trades there are.
        trades: usize,
    },
    /// A participant has no name, or that of an account of the house.
    #[error("participant name {participant:?} is empty or reserved")]
    NameReserved {
        /// The name.
        participant: String,
    },
    /// A meter stands for more than one pair of readings.
    #[error("meter {meter:?} is given twice")]
    MeterRepeated {
        /// The meter.
        meter: String,
    },
    /// Meters with synchronised clocks were read at different times.
    #[error(
        "meter {meter:?} was read {apart_ms} ms apart from the others, \
         limit {READINGS_APART_MAX_S} s"
    )]
    ReadingsApart {
        /// The meter furthest from the head, or from the first meter if the head keeps no time.
        meter: String,
        /// How far. [ms]
        apart_ms: i64,
    },
    /// A trade number stands for more than one trade.
    #[error("trade {trade_id} is given twice")]
    TradeRepeated {
        /// The trade.
        trade_id: u64,
    },
    /// A trade has no energy.
    #[error("trade {trade_id} is of {energy_milliwh} mWh, which is not positive")]
    TradeEmpty {
        /// The trade.
        trade_id: u64,
        /// Its energy. [mWh]
        energy_milliwh: i64,
    },
    /// A participant traded and has no meter.
    #[error("participant {participant:?} of trade {trade_id} has no meter")]
    ParticipantUnmetered {
        /// The trade.
        trade_id: u64,
        /// Who traded.
        participant: String,
    },
    /// The trades buy more or less than they sell.
    #[error("trades buy {bought_milliwh} mWh and sell {sold_milliwh} mWh")]
    TradesUnbalanced {
        /// Sum of the bids. [mWh]
        bought_milliwh: i128,
        /// Sum of the offers. [mWh]
        sold_milliwh: i128,
    },
    /// Being short would cost less than being long pays.
    #[error("short price {short} micro/kWh is below long price {long} micro/kWh")]
    ShortBelowLong {
        /// The short price. [millionths/kWh]
        short: i64,
        /// The long price. [millionths/kWh]
        long: i64,
    },
    /// Being short would be cheaper than having bought.
    #[error("short price {short} micro/kWh is below {traded} micro/kWh of trade {trade_id}")]
    ShortBelowTrade {
        /// The short price. [millionths/kWh]
        short: i64,
        /// Price of the trade. [millionths/kWh]
        traded: i64,
        /// The trade.
        trade_id: u64,
    },
    /// Being long would pay more than having sold.
    #[error("long price {long} micro/kWh is above {traded} micro/kWh of trade {trade_id}")]
    LongAboveTrade {
        /// The long price. [millionths/kWh]
        long: i64,
        /// Price of the trade. [millionths/kWh]
        traded: i64,
        /// The trade.
        trade_id: u64,
    },
    /// A sum or difference left its bound.
    #[error("{0}")]
    Quantity(#[from] QuantityError),
}

impl SettlementError {
    /// Returns the stable name of the rule.
    pub fn code(&self) -> &'static str {
        match self {
            Self::MeterMismatch { .. } => "settlement.meter_mismatch",
            Self::NotForward { .. } => "settlement.not_forward",
            Self::RegisterMissing { .. } => "settlement.register_missing",
            Self::RegisterFell { .. } => "settlement.register_fell",
            Self::SplitOutside { .. } => "settlement.split_outside",
            Self::TooMany { .. } => "settlement.too_many",
            Self::NameReserved { .. } => "settlement.name_reserved",
            Self::MeterRepeated { .. } => "settlement.meter_repeated",
            Self::ReadingsApart { .. } => "settlement.readings_apart",
            Self::TradeRepeated { .. } => "settlement.trade_repeated",
            Self::TradeEmpty { .. } => "settlement.trade_empty",
            Self::ParticipantUnmetered { .. } => "settlement.participant_unmetered",
            Self::TradesUnbalanced { .. } => "settlement.trades_unbalanced",
            Self::ShortBelowLong { .. } => "settlement.short_below_long",
            Self::ShortBelowTrade { .. } => "settlement.short_below_trade",
            Self::LongAboveTrade { .. } => "settlement.long_above_trade",
            Self::Quantity(_) => "settlement.quantity_bound",
        }
    }
}
