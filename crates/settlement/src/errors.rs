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
    /// Only one of two readings has a register, or neither has any, or a reading is of no interval.
    #[error("a reading of meter {meter:?} has no {register}")]
    RegisterMissing {
        /// The meter.
        meter: String,
        /// Import, export or interval.
        register: &'static str,
    },
    /// A register of the closing reading counts less than that of the opening one.
    #[error("a register of meter {meter:?} fell within the period")]
    RegisterFell {
        /// The meter.
        meter: String,
    },
    /// What the registers stood at when the meter was mounted is not enrolled.
    #[error("meter {meter:?} has no start registers, so what it counted since then is unknown")]
    StartUnknown {
        /// The meter.
        meter: String,
    },
    /// Parts of a period do not follow each other, or there is none.
    #[error(
        "a part of meter {meter:?} begins at {begins_ms} ms UTC, the one before ends at {ends_ms} ms"
    )]
    PartsNotJoined {
        /// The meter of the later part.
        meter: String,
        /// End of the earlier part. [UTC ms]
        ends_ms: i64,
        /// Beginning of the later part. [UTC ms]
        begins_ms: i64,
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
    /// A word is none of those of its set.
    #[error("{name} {found:?} is none of {expected}")]
    Word {
        /// What it stands for.
        name: &'static str,
        /// The word.
        found: String,
        /// Those that are.
        expected: String,
    },
    /// A full lot at a whole tick would not be a whole amount, so that trades could be parted until
    /// they round to nothing.
    #[error(
        "lot {lot_milliwh} mWh x tick {tick_micro_per_kwh} micro/kWh is not a positive multiple of \
         10^6, so a lot has no exact amount"
    )]
    LotInexact {
        /// The lot. [mWh]
        lot_milliwh: i64,
        /// The tick. [millionths/kWh]
        tick_micro_per_kwh: i64,
    },
    /// Being short would cost less than being long pays.
    #[error("short price {short} micro/kWh is below long price {long} micro/kWh")]
    ShortBelowLong {
        /// The short price. [millionths/kWh]
        short: i64,
        /// The long price. [millionths/kWh]
        long: i64,
    },
    /// A price is not between the lowest and highest allowed.
    #[error("price {price} micro/kWh is not from {floor} to {ceiling} micro/kWh")]
    PriceOutside {
        /// The price. [millionths/kWh]
        price: i64,
        /// Lowest price. [millionths/kWh]
        floor: i64,
        /// Highest price. [millionths/kWh]
        ceiling: i64,
    },
    /// A fee would pay whoever uses more.
    #[error("{fee} fee {found} micro/kWh is negative")]
    FeeNegative {
        /// Which fee.
        fee: &'static str,
        /// The fee. [millionths/kWh]
        found: i64,
    },
    /// More meters or trades than one period takes.
    #[error("{meters} meters and {trades} trades, at most {METERS_MAX} and {TRADES_MAX}")]
    TooMany {
        /// How many meters there are.
        meters: usize,
        /// How many trades there are.
        trades: usize,
    },
    /// A participant or link has no name, or a participant that of an account of the house.
    #[error("name {name:?} is empty or reserved")]
    NameReserved {
        /// The name.
        name: String,
    },
    /// A meter stands for more than one period.
    #[error("meter {meter:?} is given twice")]
    MeterRepeated {
        /// The meter.
        meter: String,
    },
    /// What a meter counted is of another time than that of the period.
    #[error(
        "meter {meter:?} begins or ends {off_ms} ms off the period, limit {READINGS_APART_MAX_S} s"
    )]
    ReadingsApart {
        /// The meter furthest off.
        meter: String,
        /// How far. [ms]
        off_ms: i64,
    },
    /// Energy went through the head in a period that is settled as an island.
    #[error(
        "head {meter:?} of an island imports {import_milliwh} and exports {export_milliwh} mWh"
    )]
    IslandCrossed {
        /// The meter at the feeder head.
        meter: String,
        /// Its import. [mWh]
        import_milliwh: i64,
        /// Its export. [mWh]
        export_milliwh: i64,
    },
    /// A trade number stands for more than one trade.
    #[error("trade {trade_id} is given twice")]
    TradeRepeated {
        /// The trade.
        trade_id: u64,
    },
    /// A trade is not of whole lots, at least one.
    #[error(
        "trade {trade_id} is of {energy_milliwh} mWh, not a positive multiple of {lot_milliwh}"
    )]
    TradeOffLot {
        /// The trade.
        trade_id: u64,
        /// Its energy. [mWh]
        energy_milliwh: i64,
        /// The lot. [mWh]
        lot_milliwh: i64,
    },
    /// A trade price is not of whole ticks, or beyond the prices allowed.
    #[error(
        "trade {trade_id} is at {price} micro/kWh, not a multiple of {tick} from {floor} to {ceiling}"
    )]
    TradePrice {
        /// The trade.
        trade_id: u64,
        /// Its price. [millionths/kWh]
        price: i64,
        /// The tick. [millionths/kWh]
        tick: i64,
        /// Lowest price. [millionths/kWh]
        floor: i64,
        /// Highest price. [millionths/kWh]
        ceiling: i64,
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
    /// A link stands for more than one flow, or its flow or fee is negative.
    #[error("link {link:?} is given twice, or its flow or fee is negative")]
    LinkFlow {
        /// The link.
        link: String,
    },
    /// A deposit is of somebody without a meter, or given twice.
    #[error("deposit of {participant:?}, who has no meter or another deposit")]
    DepositRepeated {
        /// Who pays in or is paid out.
        participant: String,
    },
    /// A correction is not of a later revision of the same period, or is booked before it.
    #[error(
        "period {period} revision {revision}, booked in {booked_in}, does not follow revision {last}"
    )]
    RevisionOrder {
        /// The period corrected.
        period: u32,
        /// The revision of the correction.
        revision: u32,
        /// The period in which it is to be booked.
        booked_in: u32,
        /// The revision in force.
        last: u32,
    },
    /// A correction leaves out a meter that was settled.
    #[error("meter {meter:?} of period {period} is not in its correction")]
    MeterDropped {
        /// The period.
        period: u32,
        /// The meter.
        meter: String,
    },
    /// Accounts of the house that come to zero in every period do not.
    #[error("accounts do not come to zero: {}", accounts.join(", "))]
    Unbalanced {
        /// Each account, and what it comes to.
        accounts: Vec<String>,
    },
    /// A sum or difference left its bound.
    #[error("{0}")]
    Quantity(#[from] QuantityError),
}

impl SettlementError {
    pub(crate) fn word<'a>(
        name: &'static str,
        found: &str,
        expected: impl Iterator<Item = &'a str>,
    ) -> Self {
        Self::Word {
            name,
            found: found.to_owned(),
            expected: expected.collect::<Vec<_>>().join(", "),
        }
    }

    /// Returns the stable name of the rule.
    pub fn code(&self) -> &'static str {
        match self {
            Self::MeterMismatch { .. } => "settlement.meter_mismatch",
            Self::NotForward { .. } => "settlement.not_forward",
            Self::RegisterMissing { .. } => "settlement.register_missing",
            Self::RegisterFell { .. } => "settlement.register_fell",
            Self::SplitOutside { .. } => "settlement.split_outside",
            Self::StartUnknown { .. } => "settlement.start_unknown",
            Self::PartsNotJoined { .. } => "settlement.parts_not_joined",
            Self::Word { .. } => "settlement.word",
            Self::LotInexact { .. } => "settlement.lot_inexact",
            Self::ShortBelowLong { .. } => "settlement.short_below_long",
            Self::PriceOutside { .. } => "settlement.price_outside",
            Self::FeeNegative { .. } => "settlement.fee_negative",
            Self::TooMany { .. } => "settlement.too_many",
            Self::NameReserved { .. } => "settlement.name_reserved",
            Self::MeterRepeated { .. } => "settlement.meter_repeated",
            Self::ReadingsApart { .. } => "settlement.readings_apart",
            Self::IslandCrossed { .. } => "settlement.island_crossed",
            Self::TradeRepeated { .. } => "settlement.trade_repeated",
            Self::TradeOffLot { .. } => "settlement.trade_off_lot",
            Self::TradePrice { .. } => "settlement.trade_price",
            Self::ParticipantUnmetered { .. } => "settlement.participant_unmetered",
            Self::TradesUnbalanced { .. } => "settlement.trades_unbalanced",
            Self::LinkFlow { .. } => "settlement.link_flow",
            Self::DepositRepeated { .. } => "settlement.deposit_repeated",
            Self::RevisionOrder { .. } => "settlement.revision_order",
            Self::MeterDropped { .. } => "settlement.meter_dropped",
            Self::Unbalanced { .. } => "settlement.unbalanced",
            Self::Quantity(_) => "settlement.quantity_bound",
        }
    }
}
