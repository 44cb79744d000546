//! The lines of one participant: what its meters counted against what it traded.

use gridrig_market::Trade;
use gridrig_quantity::{Energy, Price, Side};

use crate::entry::Entries;
use crate::{EntryKind, MeterPeriod, SettlementError, SettlementPrices};

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

/// Energy of one meter in the direction of one side.
fn metered(meter: &MeterPeriod, side: Side) -> Energy {
    match side {
        Side::Offer => meter.export(),
        Side::Bid => meter.import(),
    }
}

/// Books one side of one participant.
///
/// The metered energy is a row of slices, the trades another; both are consumed from the front, as
/// in a merge. `meters` is not empty and sorted by name; `trades` are of this side and sorted by
/// number.
pub(crate) fn book_side(
    entries: &mut Entries,
    side: Side,
    meters: &[&MeterPeriod],
    trades: &[&Trade],
    prices: SettlementPrices,
) -> Result<(), SettlementError> {
    let rules = SideRules::of(side, prices);
    let mut slices = meters.iter().map(|meter| (*meter, metered(meter, side)));
    let Some(mut slice) = slices.next() else {
        return Ok(());
    };
    for trade in trades {
        let account = trade.participant.as_str();
        let mut open = trade.energy;
        while open > Energy::ZERO {
            if slice.1 == Energy::ZERO {
                match slices.next() {
                    Some(next) => slice = next,
                    None => break,
                }
                continue;
            }
            let energy = open.min(slice.1);
            entries.book(
                rules.met,
                account,
                energy,
                trade.price,
                Some(trade.trade_id),
                slice.0,
            );
            open = open.minus(energy)?;
            slice.1 = slice.1.minus(energy)?;
        }
        let penalty = match side {
            Side::Offer => prices.short.minus(trade.price)?,
            Side::Bid => trade.price.minus(prices.long)?,
        };
        entries.book(
            rules.unmet,
            account,
            open,
            penalty,
            Some(trade.trade_id),
            slice.0,
        );
    }
    for (meter, energy) in std::iter::once(slice).chain(slices) {
        let account = meter.participant();
        entries.book(
            rules.beyond,
            account,
            energy,
            rules.beyond_price,
            None,
            meter,
        );
    }
    Ok(())
}
