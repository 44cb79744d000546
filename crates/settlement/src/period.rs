//! What the settlement of a period is a function of, and what it gives.

use std::sync::Arc;

use gridrig_market::Trade;
use gridrig_quantity::{Amount, DeliveryPeriod, Energy, Price};

use crate::{AccountId, Entry, MeterPeriod, Quality, SettlementPrices, SettlementRules};

/// Most meters one period takes, the feeder head among them.
pub const METERS_MAX: usize = 2_000_000;

/// Most trades one period takes.
pub const TRADES_MAX: usize = 8_000_000;

/// How far the ends of what a meter counted may be off those of the period, where its clock is
/// synchronised. [s]
pub const READINGS_APART_MAX_S: i64 = 60;

/// What a link between two zones of the market carried in a period.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct LinkFlow {
    /// Name of the link.
    pub link: Arc<str>,
    /// Energy carried, either way, not negative.
    pub energy: Energy,
    /// Charged for it, not negative.
    pub fee: Price,
}

/// Money a participant pays in or is paid out in a period.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Deposit {
    /// Whose it is.
    pub participant: Arc<str>,
    /// Paid in, or, if negative, paid out.
    pub amount: Amount,
}

/// Everything the settlement of a period is a function of, in any order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PeriodInputs {
    /// The delivery period.
    pub period: DeliveryPeriod,
    /// When it begins. [UTC ms]
    pub from_ms: i64,
    /// When it ends. [UTC ms]
    pub to_ms: i64,
    /// 0 when first settled, then counted up with every change of what follows.
    pub revision: u32,
    /// Whether the period had no main grid.
    pub island: bool,
    /// What every meter counted, except that at the feeder head.
    pub meters: Vec<MeterPeriod>,
    /// What the meter at the feeder head counted, whose participant is the main grid: its export
    /// register counts what flows into the feeder. None where there is no main grid at all.
    pub head: Option<MeterPeriod>,
    /// The trades of the period.
    pub trades: Vec<Trade>,
    /// The flows of a market in zones.
    pub links: Vec<LinkFlow>,
    /// Money paid in and out.
    pub deposits: Vec<Deposit>,
}

impl PeriodInputs {
    /// Returns the inputs of a period without meters, trades or money.
    pub const fn new(period: DeliveryPeriod, from_ms: i64, to_ms: i64) -> Self {
        Self {
            period,
            from_ms,
            to_ms,
            revision: 0,
            island: false,
            meters: Vec::new(),
            head: None,
            trades: Vec::new(),
            links: Vec::new(),
            deposits: Vec::new(),
        }
    }
}

/// A settled period: what every line of it comes to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Settled {
    /// The delivery period.
    pub period: DeliveryPeriod,
    /// When it begins. [UTC ms]
    pub from_ms: i64,
    /// When it ends. [UTC ms]
    pub to_ms: i64,
    /// Counted from 0.
    pub revision: u32,
    /// Whether the period had no main grid.
    pub island: bool,
    /// The rules it was settled by.
    pub rules: SettlementRules,
    /// The prices of energy outside trades that follow from them and the trades.
    pub prices: SettlementPrices,
    /// Names of the accounts: those of the house, then participants by name, then links by name.
    pub accounts: Vec<Arc<str>>,
    /// The meters, by participant and name, the feeder head among them.
    pub meters: Vec<MeterPeriod>,
    /// Place of the meter at the feeder head.
    pub head: Option<u32>,
    /// The trades, by number.
    pub trades: Vec<Trade>,
    /// The flows of links, by name.
    pub links: Vec<LinkFlow>,
    /// Money paid in and out, by participant.
    pub deposits: Vec<Deposit>,
    /// The entries, in canonical order; the number of an entry is its place, counted from 1.
    pub entries: Vec<Entry>,
    /// Sum of all imports, the feeder head among them.
    pub imported: Energy,
    /// Sum of all exports, the feeder head among them.
    pub exported: Energy,
    /// Exported less imported.
    pub losses: Energy,
}

impl Settled {
    /// Returns the name of an account.
    pub fn account(&self, id: AccountId) -> &Arc<str> {
        &self.accounts[id.place()]
    }

    /// Returns the lowest and the highest number of its trades; none without a trade.
    pub fn trade_span(&self) -> Option<(u64, u64)> {
        Some((self.trades.first()?.trade_id, self.trades.last()?.trade_id))
    }

    /// Returns the meter whose readings back an entry, if one does.
    pub fn meter_of(&self, entry: &Entry) -> Option<&MeterPeriod> {
        entry.meter.map(|place| &self.meters[place as usize])
    }

    /// Tells whether an estimate is behind the period.
    pub fn is_estimated(&self) -> bool {
        let qualities = self.meters.iter().map(MeterPeriod::quality);
        qualities.max() == Some(Quality::Estimated)
    }
}
