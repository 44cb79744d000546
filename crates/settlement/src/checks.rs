//! What the inputs of a period have to be, and what its entries have to come to.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use gridrig_market::Trade;
use gridrig_quantity::{Energy, Side};

use crate::accounts::{CLEARING_ID, is_reserved};
use crate::{
    AccountId, Deposit, Entry, LinkFlow, METERS_MAX, MeterPeriod, PeriodInputs,
    READINGS_APART_MAX_S, SettlementError, SettlementRules, TRADES_MAX,
};

pub(crate) fn check_counts(inputs: &PeriodInputs) -> Result<(), SettlementError> {
    let meters = inputs.meters.len() + usize::from(inputs.head.is_some());
    let trades = inputs.trades.len();
    if meters > METERS_MAX || trades > TRADES_MAX {
        return Err(SettlementError::TooMany { meters, trades });
    }
    Ok(())
}

/// Checks that nothing went through the head of an island.
pub(crate) fn check_head(inputs: &PeriodInputs) -> Result<(), SettlementError> {
    match &inputs.head {
        Some(head)
            if inputs.island && (head.import() > Energy::ZERO || head.export() > Energy::ZERO) =>
        {
            Err(SettlementError::IslandCrossed {
                meter: head.meter().to_string(),
                import_milliwh: head.import().milliwh(),
                export_milliwh: head.export().milliwh(),
            })
        }
        _ => Ok(()),
    }
}

/// Checks the meters of the period between two times, sorted by participant and name.
pub(crate) fn check_meters(
    meters: &[MeterPeriod],
    from_ms: i64,
    to_ms: i64,
) -> Result<(), SettlementError> {
    if let Some(meter) = meters.iter().find(|meter| is_reserved(meter.participant())) {
        let name = meter.participant().to_string();
        return Err(SettlementError::NameReserved { name });
    }
    let mut seen = HashSet::with_capacity(meters.len());
    if let Some(twice) = meters.iter().find(|meter| !seen.insert(&**meter.meter())) {
        let meter = twice.meter().to_string();
        return Err(SettlementError::MeterRepeated { meter });
    }
    let furthest = meters
        .iter()
        .map(|meter| (meter.off_ms(from_ms, to_ms), meter))
        .max_by_key(|(off_ms, _)| *off_ms);
    match furthest {
        Some((off_ms, meter)) if off_ms > READINGS_APART_MAX_S * 1000 => {
            let meter = meter.meter().to_string();
            Err(SettlementError::ReadingsApart { meter, off_ms })
        }
        _ => Ok(()),
    }
}

/// Checks the trades, given by number, and returns the place of each one's participant.
pub(crate) fn check_trades(
    trades: &[Trade],
    place_of: &HashMap<&str, u32>,
    rules: &SettlementRules,
) -> Result<Vec<u32>, SettlementError> {
    let twice = trades
        .windows(2)
        .find(|pair| pair[0].trade_id == pair[1].trade_id);
    if let Some([trade, _]) = twice {
        let trade_id = trade.trade_id;
        return Err(SettlementError::TradeRepeated { trade_id });
    }
    let lot_milliwh = rules.lot.milliwh();
    let off_lot =
        |trade: &&Trade| trade.energy <= Energy::ZERO || trade.energy.milliwh() % lot_milliwh != 0;
    if let Some(trade) = trades.iter().find(off_lot) {
        return Err(SettlementError::TradeOffLot {
            trade_id: trade.trade_id,
            energy_milliwh: trade.energy.milliwh(),
            lot_milliwh,
        });
    }
    let tick = rules.tick.micro_per_kwh();
    let allowed = rules.floor..=rules.ceiling;
    let off_tick =
        |trade: &&Trade| trade.price.micro_per_kwh() % tick != 0 || !allowed.contains(&trade.price);
    if let Some(trade) = trades.iter().find(off_tick) {
        return Err(SettlementError::TradePrice {
            trade_id: trade.trade_id,
            price: trade.price.micro_per_kwh(),
            tick,
            floor: rules.floor.micro_per_kwh(),
            ceiling: rules.ceiling.micro_per_kwh(),
        });
    }
    let place = |trade: &Trade| {
        let place = place_of.get(trade.participant.as_str()).copied();
        place.ok_or_else(|| SettlementError::ParticipantUnmetered {
            trade_id: trade.trade_id,
            participant: trade.participant.clone(),
        })
    };
    let traders = trades.iter().map(place).collect::<Result<Vec<u32>, _>>()?;
    let (mut bought_milliwh, mut sold_milliwh) = (0i128, 0i128);
    for trade in trades {
        let milliwh = i128::from(trade.energy.milliwh());
        match trade.side {
            Side::Bid => bought_milliwh += milliwh,
            Side::Offer => sold_milliwh += milliwh,
        }
    }
    if bought_milliwh != sold_milliwh {
        return Err(SettlementError::TradesUnbalanced {
            bought_milliwh,
            sold_milliwh,
        });
    }
    Ok(traders)
}

/// Checks the flows of links, given by name.
pub(crate) fn check_links(links: &[LinkFlow]) -> Result<(), SettlementError> {
    if links.iter().any(|flow| flow.link.is_empty()) {
        return Err(SettlementError::NameReserved {
            name: String::new(),
        });
    }
    let twice = links
        .windows(2)
        .find(|pair| pair[0].link == pair[1].link)
        .map(|pair| &pair[0]);
    let negative = |flow: &&LinkFlow| flow.energy < Energy::ZERO || flow.fee.micro_per_kwh() < 0;
    match twice.or_else(|| links.iter().find(negative)) {
        Some(flow) => Err(SettlementError::LinkFlow {
            link: flow.link.to_string(),
        }),
        None => Ok(()),
    }
}

/// Checks the deposits, given by participant, and returns the place of each one's participant.
pub(crate) fn check_deposits(
    deposits: &[Deposit],
    place_of: &HashMap<&str, u32>,
) -> Result<Vec<u32>, SettlementError> {
    let refused = |deposit: &Deposit| SettlementError::DepositRepeated {
        participant: deposit.participant.to_string(),
    };
    if let Some(pair) = deposits
        .windows(2)
        .find(|pair| pair[0].participant == pair[1].participant)
    {
        return Err(refused(&pair[0]));
    }
    let place = |deposit: &Deposit| {
        let place = place_of.get(&*deposit.participant).copied();
        place.ok_or_else(|| refused(deposit))
    };
    deposits.iter().map(place).collect()
}

/// Returns what an account is paid less what it pays. [millionths]
pub(crate) fn sum_of(entries: &[Entry], account: AccountId) -> i128 {
    let signed = |entry: &Entry| {
        let micro = i128::from(entry.amount.micro());
        if entry.credit == account {
            micro
        } else if entry.debit == account {
            -micro
        } else {
            0
        }
    };
    entries.iter().map(signed).sum()
}

/// Checks that clearing comes to zero, and every other account to a number of 64 bits.
pub(crate) fn check_balance(
    entries: &[Entry],
    accounts: &[Arc<str>],
) -> Result<(), SettlementError> {
    let mut sums = vec![0i128; accounts.len()];
    for entry in entries {
        let micro = i128::from(entry.amount.micro());
        sums[entry.debit.place()] -= micro;
        sums[entry.credit.place()] += micro;
    }
    let is_wrong = |place: usize, sum: i128| {
        i64::try_from(sum).is_err() || (place == CLEARING_ID.place() && sum != 0)
    };
    let wrong = sums
        .iter()
        .enumerate()
        .filter(|(place, sum)| is_wrong(*place, **sum));
    let accounts: Vec<String> = wrong
        .map(|(place, sum)| format!("{} {sum} micro", accounts[place]))
        .collect();
    if accounts.is_empty() {
        Ok(())
    } else {
        Err(SettlementError::Unbalanced { accounts })
    }
}
