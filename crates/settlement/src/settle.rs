//! The settlement of one delivery period.

use std::collections::{BTreeMap, BTreeSet};

use gridrig_market::Trade;
use gridrig_metering::{ClockStatus, VerifiedReading};
use gridrig_quantity::{DeliveryPeriod, Energy, Price, Side};

use crate::entry::Entries;
use crate::lines::book_side;
use crate::{CLEARING, Entry, EntryKind, LOSSES, MeterPeriod, SettlementError};

/// Most meters one period takes.
pub const METERS_MAX: usize = 100_000;

/// Most trades one period takes.
pub const TRADES_MAX: usize = 1_000_000;

/// How far apart the meters of a period may have been read, where their clocks are synchronised.
/// [s]
pub const READINGS_APART_MAX_S: i64 = 60;

/// Prices of energy outside trades.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SettlementPrices {
    /// Paid for energy exported and not sold, or bought and not taken.
    pub long: Price,
    /// Charged for energy imported and not bought, or sold and not delivered.
    pub short: Price,
}

/// A settled period.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Settled {
    /// The delivery period.
    pub period: DeliveryPeriod,
    /// The prices it was settled at.
    pub prices: SettlementPrices,
    /// Its entries, in the order of their numbers.
    pub entries: Vec<Entry>,
    /// The meters it was settled on, by name, the feeder head among them.
    pub meters: Vec<MeterPeriod>,
    /// Sum of all imports, the feeder head among them.
    pub imported: Energy,
    /// Sum of all exports, the feeder head among them.
    pub exported: Energy,
    /// Exported less imported.
    pub losses: Energy,
}

/// Settles one period: trades against what verified readings say was delivered.
///
/// `head` is the meter at the feeder head, whose participant is the main grid: its export register
/// counts what flows into the feeder. It settles like everybody else.
///
/// # Errors
/// [`SettlementError`], the first rule broken in the order of the enum; nothing is booked then.
pub fn settle_period(
    period: DeliveryPeriod,
    meters: &[MeterPeriod],
    trades: &[Trade],
    head: &MeterPeriod,
    prices: SettlementPrices,
) -> Result<Settled, SettlementError> {
    if meters.len() >= METERS_MAX || trades.len() > TRADES_MAX {
        let (meters, trades) = (meters.len().saturating_add(1), trades.len());
        return Err(SettlementError::TooMany { meters, trades });
    }
    let mut all: Vec<&MeterPeriod> = meters.iter().chain([head]).collect();
    all.sort_by_key(|meter| meter.meter());
    check_meters(&all, head)?;
    let mut by_number: Vec<&Trade> = trades.iter().collect();
    by_number.sort_by_key(|trade| trade.trade_id);
    let mut participants: BTreeMap<&str, Vec<&MeterPeriod>> = BTreeMap::new();
    for meter in &all {
        participants
            .entry(meter.participant())
            .or_default()
            .push(meter);
    }
    check_trades(&by_number, &participants)?;
    check_prices(&by_number, prices)?;

    let imported = Energy::sum(all.iter().map(|meter| meter.import()))?;
    let exported = Energy::sum(all.iter().map(|meter| meter.export()))?;
    let losses = exported.minus(imported)?;
    let mut traded: BTreeMap<(&str, Side), Vec<&Trade>> = BTreeMap::new();
    for trade in by_number {
        traded
            .entry((&trade.participant, trade.side))
            .or_default()
            .push(trade);
    }
    let mut entries = Entries::new(period);
    for (participant, own) in &participants {
        for side in [Side::Offer, Side::Bid] {
            let trades = traded
                .get(&(*participant, side))
                .map_or(&[][..], Vec::as_slice);
            book_side(&mut entries, side, own, trades, prices)?;
        }
    }
    entries.book(EntryKind::Losses, LOSSES, losses, prices.short, None, head);
    let meters = all.into_iter().cloned().collect();
    let entries = entries.into_vec();
    Ok(Settled {
        period,
        prices,
        entries,
        meters,
        imported,
        exported,
        losses,
    })
}

/// Checks the meters, given by name.
fn check_meters(all: &[&MeterPeriod], head: &MeterPeriod) -> Result<(), SettlementError> {
    for meter in all {
        if ["", CLEARING, LOSSES].contains(&meter.participant()) {
            let participant = meter.participant().to_owned();
            return Err(SettlementError::NameReserved { participant });
        }
    }
    if let Some(twice) = all
        .windows(2)
        .find(|pair| pair[0].meter() == pair[1].meter())
    {
        return Err(SettlementError::MeterRepeated {
            meter: twice[0].meter().to_owned(),
        });
    }
    check_simultaneous(all, head, MeterPeriod::opening, MeterPeriod::from_ms)?;
    check_simultaneous(all, head, MeterPeriod::closing, MeterPeriod::to_ms)
}

/// Energy closes only over one stretch of time. A clock that is not synchronised proves nothing
/// either way, so its meter is taken at its word.
fn check_simultaneous(
    all: &[&MeterPeriod],
    head: &MeterPeriod,
    end: fn(&MeterPeriod) -> &VerifiedReading,
    at_ms: fn(&MeterPeriod) -> i64,
) -> Result<(), SettlementError> {
    let synchronised =
        |meter: &&MeterPeriod| end(meter).clock_status() == ClockStatus::Synchronised;
    let keeps_time = || {
        std::iter::once(head)
            .chain(all.iter().copied())
            .filter(synchronised)
    };
    let Some(reference_ms) = keeps_time().next().map(at_ms) else {
        return Ok(());
    };
    let apart_ms = |meter: &MeterPeriod| (at_ms(meter) - reference_ms).abs();
    match keeps_time().max_by_key(|meter| apart_ms(meter)) {
        Some(meter) if apart_ms(meter) > READINGS_APART_MAX_S * 1000 => {
            let apart_ms = apart_ms(meter);
            Err(SettlementError::ReadingsApart {
                meter: meter.meter().to_owned(),
                apart_ms,
            })
        }
        _ => Ok(()),
    }
}

/// Checks the trades, given by number.
fn check_trades(
    trades: &[&Trade],
    participants: &BTreeMap<&str, Vec<&MeterPeriod>>,
) -> Result<(), SettlementError> {
    let mut seen = BTreeSet::new();
    if let Some(twice) = trades.iter().find(|trade| !seen.insert(trade.trade_id)) {
        return Err(SettlementError::TradeRepeated {
            trade_id: twice.trade_id,
        });
    }
    if let Some(empty) = trades.iter().find(|trade| trade.energy <= Energy::ZERO) {
        let (trade_id, energy_milliwh) = (empty.trade_id, empty.energy.milliwh());
        return Err(SettlementError::TradeEmpty {
            trade_id,
            energy_milliwh,
        });
    }
    let unmetered = |trade: &&&Trade| !participants.contains_key(trade.participant.as_str());
    if let Some(trade) = trades.iter().find(unmetered) {
        let (trade_id, participant) = (trade.trade_id, trade.participant.clone());
        return Err(SettlementError::ParticipantUnmetered {
            trade_id,
            participant,
        });
    }
    let sum = |side| -> i128 {
        let of_side = trades.iter().filter(|trade| trade.side == side);
        of_side
            .map(|trade| i128::from(trade.energy.milliwh()))
            .sum()
    };
    let (bought_milliwh, sold_milliwh) = (sum(Side::Bid), sum(Side::Offer));
    if bought_milliwh != sold_milliwh {
        return Err(SettlementError::TradesUnbalanced {
            bought_milliwh,
            sold_milliwh,
        });
    }
    Ok(())
}

/// Nobody may gain by not keeping what it traded.
fn check_prices(trades: &[&Trade], prices: SettlementPrices) -> Result<(), SettlementError> {
    let (long, short) = (prices.long.micro_per_kwh(), prices.short.micro_per_kwh());
    if short < long {
        return Err(SettlementError::ShortBelowLong { short, long });
    }
    for trade in trades {
        let (trade_id, traded) = (trade.trade_id, trade.price.micro_per_kwh());
        if short < traded {
            return Err(SettlementError::ShortBelowTrade {
                short,
                traded,
                trade_id,
            });
        }
        if long > traded {
            return Err(SettlementError::LongAboveTrade {
                long,
                traded,
                trade_id,
            });
        }
    }
    Ok(())
}
