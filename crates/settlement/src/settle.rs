//! The settlement of one delivery period.

use std::collections::HashMap;
use std::sync::Arc;

use gridrig_market::Trade;
use gridrig_quantity::{Amount, DeliveryPeriod, Energy, Price, QuantityError, Side};

use crate::accounts::{CLEARING_ID, CONGESTION_RENT_ID, LOSSES_ID, OPERATOR_ID, house_names};
use crate::lines::{Holding, Lines};
use crate::name_order::places_in_order;
use crate::{
    AccountId, Entry, EntryKind, LINK_PREFIX, LossesRule, MeterPeriod, Quality, SettlementError,
    SettlementPrices, SettlementRules,
};
use crate::{checks, losses};

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

/// Settles one period: trades against what verified readings say was delivered.
///
/// The outcome is a function of the inputs as sets: their order, threads and clocks have no part in
/// it.
///
/// # Errors
/// [`SettlementError`], the first rule broken in the order of the enum; nothing is booked then.
pub fn settle_period(
    inputs: PeriodInputs,
    rules: &SettlementRules,
) -> Result<Settled, SettlementError> {
    rules.check()?;
    checks::check_counts(&inputs)?;
    let mut inputs = inputs;
    inputs.trades.sort_by_key(|trade| trade.trade_id);
    inputs.links.sort_by(|one, other| one.link.cmp(&other.link));
    inputs
        .deposits
        .sort_by(|one, other| one.participant.cmp(&other.participant));
    let head_meter = inputs.head.as_ref().map(|head| Arc::clone(head.meter()));
    checks::check_head(&inputs)?;
    let meters = by_participant(inputs.meters.into_iter().chain(inputs.head).collect());
    checks::check_meters(&meters, inputs.from_ms, inputs.to_ms)?;
    let head = head_meter.and_then(|name| meters.iter().position(|meter| *meter.meter() == name));
    let head = head.map(|place| place as u32);

    let mut accounts = house_names();
    let owners = owners_of(&meters, &mut accounts);
    let place_of: HashMap<&str, u32> = (0..)
        .zip(&owners)
        .map(|(place, owner)| (&**owner.name(&meters), place))
        .collect();
    let traders = checks::check_trades(&inputs.trades, &place_of, rules)?;
    checks::check_links(&inputs.links)?;
    let depositors = checks::check_deposits(&inputs.deposits, &place_of)?;
    let prices = rules.prices_of(inputs.island, &inputs.trades);

    let imported = Energy::sum(meters.iter().map(MeterPeriod::import))?;
    let exported = Energy::sum(meters.iter().map(MeterPeriod::export))?;
    let lost = exported.minus(imported)?;
    let shares = match rules.losses {
        LossesRule::House => None,
        LossesRule::Importers => losses::shares(lost, &meters, head)?,
    };

    let traded = Traded::new(&inputs.trades, &traders, owners.len());
    let mut lines = Lines::default();
    lines
        .entries
        .reserve(2 * meters.len() + 2 * inputs.trades.len());
    let mut met = Vec::new();
    for (place, owner) in owners.iter().enumerate() {
        let own = owner.holding(&meters);
        met.clear();
        met.resize(own.meters.len(), Energy::ZERO);
        for side in [Side::Offer, Side::Bid] {
            let trades = traded
                .of(place, side)
                .map(|trade| &inputs.trades[trade as usize]);
            lines.book_side(side, own, trades, prices, &mut met)?;
        }
        for (meter, met) in (own.first..).zip(&met) {
            let import = meters[meter as usize].import();
            let at = Some(meter);
            if Some(meter) != head {
                let fee = rules.grid_fee;
                lines.book_priced(EntryKind::GridFee, own.account, import, fee, at);
            }
            lines.book_priced(
                EntryKind::OperatorFee,
                own.account,
                *met,
                rules.operator_fee,
                at,
            );
            if let Some(shares) = &shares {
                let share = shares[meter as usize];
                lines.book(
                    EntryKind::Losses,
                    own.account,
                    share,
                    prices.short,
                    None,
                    at,
                );
            }
        }
    }
    if shares.is_none() {
        lines.book(EntryKind::Losses, LOSSES_ID, lost, prices.short, None, head);
    }
    let mut fees = 0;
    for flow in &inputs.links {
        let account = AccountId(accounts.len() as u32);
        accounts.push(format!("{LINK_PREFIX}{}", flow.link).into());
        lines.book(
            EntryKind::LinkFee,
            account,
            flow.energy,
            flow.fee,
            None,
            None,
        );
        fees += i128::from(Amount::of(flow.energy, flow.fee).micro());
    }
    let rent = amount(rent_micro(&inputs.trades) - fees)?;
    lines.book_amount(EntryKind::Rent, CONGESTION_RENT_ID, rent);
    let left = amount(checks::sum_of(&lines.entries, CLEARING_ID))?;
    lines.book_amount(EntryKind::Residual, OPERATOR_ID, left);
    for (deposit, &owner) in inputs.deposits.iter().zip(&depositors) {
        let account = owners[owner as usize].account;
        lines.book_amount(EntryKind::Deposit, account, deposit.amount);
    }
    let entries = lines.entries;
    checks::check_balance(&entries, &accounts)?;
    Ok(Settled {
        period: inputs.period,
        from_ms: inputs.from_ms,
        to_ms: inputs.to_ms,
        revision: inputs.revision,
        island: inputs.island,
        rules: *rules,
        prices,
        accounts,
        meters,
        head,
        trades: inputs.trades,
        links: inputs.links,
        deposits: inputs.deposits,
        entries,
        imported,
        exported,
        losses: lost,
    })
}

/// Sorts meters by participant and name.
fn by_participant(meters: Vec<MeterPeriod>) -> Vec<MeterPeriod> {
    let key = |meter: &MeterPeriod| (Arc::clone(meter.participant()), Arc::clone(meter.meter()));
    if meters.is_sorted_by(|one, other| {
        (one.participant(), one.meter()) <= (other.participant(), other.meter())
    }) {
        return meters;
    }
    let places = places_in_order(meters.len(), |place| meters[place].participant());
    let mut slots: Vec<Option<MeterPeriod>> = meters.into_iter().map(Some).collect();
    let mut sorted: Vec<MeterPeriod> = places
        .into_iter()
        .filter_map(|place| slots[place as usize].take())
        .collect();
    for own in sorted.chunk_by_mut(|one, other| one.participant() == other.participant()) {
        if own.len() > 1 {
            own.sort_by_cached_key(key);
        }
    }
    sorted
}

/// One participant: its account, and its meters as a range of places.
struct Owner {
    account: AccountId,
    first: u32,
    count: u32,
}

impl Owner {
    fn meters<'a>(&self, meters: &'a [MeterPeriod]) -> &'a [MeterPeriod] {
        &meters[self.first as usize..][..self.count as usize]
    }

    fn name<'a>(&self, meters: &'a [MeterPeriod]) -> &'a Arc<str> {
        meters[self.first as usize].participant()
    }

    fn holding<'a>(&self, meters: &'a [MeterPeriod]) -> Holding<'a> {
        Holding {
            account: self.account,
            meters: self.meters(meters),
            first: self.first,
        }
    }
}

/// Lists the participants of sorted meters and gives each an account.
fn owners_of(meters: &[MeterPeriod], accounts: &mut Vec<Arc<str>>) -> Vec<Owner> {
    let mut owners = Vec::new();
    let mut first = 0;
    for own in meters.chunk_by(|one, other| one.participant() == other.participant()) {
        let count = own.len() as u32;
        let account = AccountId(accounts.len() as u32);
        accounts.push(Arc::clone(own[0].participant()));
        owners.push(Owner {
            account,
            first,
            count,
        });
        first += count;
    }
    owners
}

/// Trades by participant and side, each by number.
struct Traded {
    /// Places of trades.
    places: Vec<u32>,
    /// Where each participant's offers, then its bids, begin in `places`.
    begins: Vec<u32>,
}

impl Traded {
    /// Sorts by counting: trades come by number, and stay so within a participant and side.
    fn new(trades: &[Trade], traders: &[u32], owners: usize) -> Self {
        let bucket =
            |trade: &Trade, trader: u32| 2 * trader as usize + usize::from(trade.side == Side::Bid);
        let mut begins = vec![0u32; 2 * owners + 1];
        for (trade, &trader) in trades.iter().zip(traders) {
            begins[bucket(trade, trader) + 1] += 1;
        }
        for place in 1..begins.len() {
            begins[place] += begins[place - 1];
        }
        let mut next = begins.clone();
        let mut places = vec![0; trades.len()];
        for (place, (trade, &trader)) in (0..).zip(trades.iter().zip(traders)) {
            let slot = &mut next[bucket(trade, trader)];
            places[*slot as usize] = place;
            *slot += 1;
        }
        Self { places, begins }
    }

    fn of(&self, owner: usize, side: Side) -> impl Iterator<Item = u32> {
        let bucket = 2 * owner + usize::from(side == Side::Bid);
        let range = self.begins[bucket] as usize..self.begins[bucket + 1] as usize;
        self.places[range].iter().copied()
    }
}

/// What buyers agreed to pay less what sellers agreed to be paid.
fn rent_micro(trades: &[Trade]) -> i128 {
    let signed = |trade: &Trade| {
        let agreed = i128::from(Amount::of(trade.energy, trade.price).micro());
        match trade.side {
            Side::Bid => agreed,
            Side::Offer => -agreed,
        }
    };
    trades.iter().map(signed).sum()
}

fn amount(found: i128) -> Result<Amount, SettlementError> {
    let micro = i64::try_from(found).map_err(|_| QuantityError::AmountBound { found })?;
    Ok(Amount::from_micro(micro))
}
