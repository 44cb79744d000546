//! The lines of one participant: what its meters counted against what it traded.

use gridrig_market::Trade;
use gridrig_quantity::{Amount, Energy, Price, Side};

use crate::{AccountId, Entry, EntryKind, MeterPeriod, SettlementError, SettlementPrices};

/// A participant's meters, each with its place, and its account.
#[derive(Clone, Copy)]
pub(crate) struct Holding<'a> {
    pub(crate) account: AccountId,
    pub(crate) meters: &'a [MeterPeriod],
    /// Place of the first of them.
    pub(crate) first: u32,
}

/// How one side of the market settles.
struct SideRules {
    met: EntryKind,
    unmet: EntryKind,
    beyond: EntryKind,
    beyond_price: Price,
}

impl SideRules {
    const fn of(side: Side, prices: SettlementPrices) -> Self {
        match side {
            Side::Offer => Self {
                met: EntryKind::Delivered,
                unmet: EntryKind::Shortfall,
                beyond: EntryKind::Surplus,
                beyond_price: prices.long,
            },
            Side::Bid => Self {
                met: EntryKind::Taken,
                unmet: EntryKind::Untaken,
                beyond: EntryKind::Excess,
                beyond_price: prices.short,
            },
        }
    }
}

/// Returns what is paid for each energy of a trade that is not delivered, or not taken.
pub(crate) fn penalty(
    side: Side,
    traded: Price,
    prices: SettlementPrices,
) -> Result<Price, SettlementError> {
    Ok(match side {
        Side::Offer => prices.short.minus(traded)?,
        Side::Bid => traded.minus(prices.long)?,
    })
}

/// Energy of one meter in the direction of one side.
fn metered(meter: &MeterPeriod, side: Side) -> Energy {
    match side {
        Side::Offer => meter.export(),
        Side::Bid => meter.import(),
    }
}

/// Entries in the making.
#[derive(Default)]
pub(crate) struct Lines {
    pub(crate) entries: Vec<Entry>,
}

impl Lines {
    /// Books an energy at a price between an account and the house; no energy books nothing.
    pub(crate) fn book(
        &mut self,
        kind: EntryKind,
        account: AccountId,
        energy: Energy,
        price: Price,
        trade_id: Option<u64>,
        meter: Option<u32>,
    ) {
        if energy == Energy::ZERO {
            return;
        }
        self.entries.push(Entry {
            trade_id,
            meter,
            ..Entry::with_house(kind, account, Amount::of(energy, price), energy, price)
        });
    }

    /// Books a fee, unless it is none.
    pub(crate) fn book_priced(
        &mut self,
        kind: EntryKind,
        account: AccountId,
        energy: Energy,
        fee: Price,
        meter: Option<u32>,
    ) {
        if fee.micro_per_kwh() != 0 {
            self.book(kind, account, energy, fee, None, meter);
        }
    }

    /// Books an amount that no energy is behind; nothing books nothing.
    pub(crate) fn book_amount(&mut self, kind: EntryKind, account: AccountId, amount: Amount) {
        if amount != Amount::ZERO {
            let entry = Entry::with_house(kind, account, amount, Energy::ZERO, Price::ZERO);
            self.entries.push(entry);
        }
    }

    /// Books one side of one participant, and adds to `met` how much of its trades each meter met.
    ///
    /// The metered energy is a row of slices, the trades another; both are consumed from the front,
    /// as in a merge. The meters are by name, the trades of this side and by number.
    pub(crate) fn book_side<'a>(
        &mut self,
        side: Side,
        own: Holding<'_>,
        trades: impl Iterator<Item = &'a Trade>,
        prices: SettlementPrices,
        met: &mut [Energy],
    ) -> Result<(), SettlementError> {
        let rules = SideRules::of(side, prices);
        let mut place = 0;
        let Some(mut left) = own.meters.first().map(|meter| metered(meter, side)) else {
            return Ok(());
        };
        let meter_at = |place: usize| Some(own.first + place as u32);
        for trade in trades {
            let (id, mut open) = (Some(trade.trade_id), trade.energy);
            while open > Energy::ZERO {
                if left == Energy::ZERO {
                    let Some(next) = own.meters.get(place + 1) else {
                        break;
                    };
                    (place, left) = (place + 1, metered(next, side));
                    continue;
                }
                let energy = open.min(left);
                let meter = meter_at(place);
                self.book(rules.met, own.account, energy, trade.price, id, meter);
                met[place] = met[place].plus(energy)?;
                open = open.minus(energy)?;
                left = left.minus(energy)?;
            }
            let penalty = penalty(side, trade.price, prices)?;
            self.book(rules.unmet, own.account, open, penalty, id, meter_at(place));
        }
        for (place, energy) in std::iter::once((place, left)).chain(
            own.meters
                .iter()
                .enumerate()
                .skip(place + 1)
                .map(|(place, meter)| (place, metered(meter, side))),
        ) {
            let meter = meter_at(place);
            self.book(
                rules.beyond,
                own.account,
                energy,
                rules.beyond_price,
                None,
                meter,
            );
        }
        Ok(())
    }
}
