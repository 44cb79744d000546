//! Laws of a settled period over signed readings, drawn trades and drawn prices.

#![allow(clippy::unwrap_used, reason = "what is wrong here fails the test")]

mod support;

use std::collections::BTreeMap;

use gridrig_market::Trade;
use gridrig_quantity::{DeliveryPeriod, Side};
use gridrig_settlement::{Entry, EntryKind, MeterPeriod, Settled, settle_period};
use proptest::prelude::*;
use support::{READINGS, periods, prices, trade};

/// A period's meters, balanced trades and prices that enclose every trade price.
#[derive(Debug, Clone)]
struct Drawn {
    meters: Vec<MeterPeriod>,
    trades: Vec<Trade>,
    long: i64,
    short: i64,
}

fn drawn() -> impl Strategy<Value = Drawn> {
    let window = (0..READINGS - 1).prop_flat_map(|from| (Just(from), from + 1..READINGS));
    let one = (
        0..4usize,
        0..4usize,
        1i64..4_000_000,
        1i64..4_000_000,
        -300_000i64..900_000,
    );
    let trades = prop::collection::vec(one, 0..5);
    (window, trades, 0i64..300_000, 0i64..300_000).prop_map(|((from, to), pairs, below, above)| {
        let who = ["alice", "bob", "carol", "grid"];
        let mut trades = Vec::new();
        // One seller against two fills of one buyer, numbered downwards so that sorting matters.
        for (n, (seller, buyer, first, second, price)) in pairs.into_iter().enumerate() {
            let id = 100 - 3 * n as u64;
            trades.push(trade(id, who[seller], Side::Offer, first + second, price));
            trades.push(trade(id - 1, who[buyer], Side::Bid, first, price));
            trades.push(trade(id - 2, who[buyer], Side::Bid, second, price));
        }
        let traded = || trades.iter().map(|trade| trade.price.micro_per_kwh());
        let long = traded().min().unwrap_or(0) - below;
        let short = traded().max().unwrap_or(0) + above;
        Drawn {
            meters: periods(from, to),
            trades,
            long,
            short,
        }
    })
}

fn settle(drawn: &Drawn) -> Settled {
    let (head, others) = drawn.meters.split_last().unwrap();
    let period = DeliveryPeriod::from_number(1);
    settle_period(
        period,
        others,
        &drawn.trades,
        head,
        prices(drawn.long, drawn.short),
    )
    .unwrap()
}

fn balances(settled: &Settled) -> BTreeMap<&str, i128> {
    let mut balances = BTreeMap::new();
    for entry in &settled.entries {
        let amount = i128::from(entry.amount.micro());
        *balances.entry(entry.debit.as_str()).or_insert(0) -= amount;
        *balances.entry(entry.credit.as_str()).or_insert(0) += amount;
    }
    balances
}

fn energy(entries: &[Entry], keep: impl Fn(&Entry) -> bool) -> i64 {
    entries
        .iter()
        .filter(|entry| keep(entry))
        .map(|entry| entry.energy.milliwh())
        .sum()
}

/// Sum of one side's trades of a participant: energy, and energy x price.
fn traded(drawn: &Drawn, participant: &str, side: Side) -> (i128, i128) {
    drawn
        .trades
        .iter()
        .filter(|t| t.participant == participant && t.side == side)
        .fold((0, 0), |(energy, value), trade| {
            let milliwh = i128::from(trade.energy.milliwh());
            (
                energy + milliwh,
                value + milliwh * i128::from(trade.price.micro_per_kwh()),
            )
        })
}

proptest! {
    #[test]
    fn prop_the_sum_over_all_accounts_is_zero_and_no_amount_is_negative(drawn in drawn()) {
        let settled = settle(&drawn);
        prop_assert_eq!(balances(&settled).values().sum::<i128>(), 0);
        for (place, entry) in settled.entries.iter().enumerate() {
            prop_assert!(entry.amount.micro() >= 0 && entry.debit != entry.credit);
            prop_assert!([&entry.debit, &entry.credit].contains(&&"clearing".to_owned()));
            prop_assert_eq!(entry.entry_id, place as u64 + 1);
        }
    }

    #[test]
    fn prop_energy_closes_to_the_milliwatt_hour(drawn in drawn()) {
        use EntryKind::{Delivered, Excess, Losses, Shortfall, Surplus, Taken, Untaken};
        let settled = settle(&drawn);
        let entries = &settled.entries;
        for meter in &drawn.meters {
            let of = |kinds: [EntryKind; 2]| {
                energy(entries, |e| e.meter == meter.meter() && kinds.contains(&e.kind))
            };
            prop_assert_eq!(of([Delivered, Surplus]), meter.export().milliwh());
            prop_assert_eq!(of([Taken, Excess]), meter.import().milliwh());
        }
        for trade in &drawn.trades {
            prop_assert_eq!(
                energy(entries, |e| e.trade_id == Some(trade.trade_id)),
                trade.energy.milliwh()
            );
            let kinds = match trade.side {
                Side::Offer => [Delivered, Shortfall],
                Side::Bid => [Taken, Untaken],
            };
            let mut own = entries.iter().filter(|e| e.trade_id == Some(trade.trade_id));
            prop_assert!(own.all(|e| kinds.contains(&e.kind)));
        }
        let exported: i64 = drawn.meters.iter().map(|m| m.export().milliwh()).sum();
        let imported: i64 = drawn.meters.iter().map(|m| m.import().milliwh()).sum();
        prop_assert_eq!(settled.exported.milliwh(), exported);
        prop_assert_eq!(settled.imported.milliwh(), imported);
        prop_assert_eq!(settled.losses.milliwh(), exported - imported);
        prop_assert_eq!(energy(entries, |e| e.kind == Losses), exported - imported);
    }

    /// Each participant's balance, by another road: its trades in full, what is missing bought at
    /// the short price, what is left sold at the long price; exact, before any rounding.
    #[test]
    fn prop_balances_are_trades_in_full_plus_imbalance_within_the_rounding(drawn in drawn()) {
        let settled = settle(&drawn);
        let (long, short) = (i128::from(drawn.long), i128::from(drawn.short));
        let balances = balances(&settled);
        for participant in ["alice", "bob", "carol", "grid"] {
            let own = drawn.meters.iter().filter(|m| m.participant() == participant);
            let (mut import, mut export) = (0, 0);
            for meter in own {
                import += i128::from(meter.import().milliwh());
                export += i128::from(meter.export().milliwh());
            }
            let (sold, revenue) = traded(&drawn, participant, Side::Offer);
            let (bought, cost) = traded(&drawn, participant, Side::Bid);
            let exact = revenue - cost
                - short * ((sold - export).max(0) + (import - bought).max(0))
                + long * ((export - sold).max(0) + (bought - import).max(0));
            let touches = |e: &&Entry| e.debit == participant || e.credit == participant;
            let lines = settled.entries.iter().filter(touches).count() as i128;
            let found = balances.get(participant).copied().unwrap_or(0) * 1_000_000;
            let apart = (found - exact).abs();
            prop_assert!(apart <= lines * 500_000, "{participant}: {found} {exact}");
        }
    }

    #[test]
    fn prop_every_entry_names_readings_of_its_meter(drawn in drawn()) {
        for entry in settle(&drawn).entries {
            let meter = drawn.meters.iter().find(|m| m.meter() == entry.meter).unwrap();
            prop_assert_eq!(&entry.opening_digest, meter.opening().digest());
            prop_assert_eq!(&entry.closing_digest, meter.closing().digest());
            let account = if entry.debit == "clearing" { &entry.credit } else { &entry.debit };
            prop_assert!(account == meter.participant() || entry.kind == EntryKind::Losses);
        }
    }

    #[test]
    fn prop_the_order_of_the_inputs_changes_nothing(
        (drawn, trades) in drawn().prop_flat_map(|d| {
            let trades = d.trades.clone();
            (Just(d), Just(trades).prop_shuffle())
        })
    ) {
        let mut shuffled = drawn.clone();
        shuffled.trades = trades;
        shuffled.meters[..4].reverse();
        prop_assert_eq!(settle(&drawn), settle(&shuffled));
    }

    #[test]
    fn prop_a_joined_period_is_parted_evenly_and_to_the_milliwatt_hour(
        meter in 0..5usize,
        cuts in prop::collection::btree_set(1i64..6_300_000, 0..9),
    ) {
        let whole = &periods(0, READINGS - 1)[meter];
        let (opening_ms, closing_ms) = (whole.from_ms(), whole.to_ms());
        let edges: Vec<i64> = cuts.iter().map(|cut| opening_ms + cut).collect();
        let parts = whole.split(&edges).unwrap();
        prop_assert_eq!(parts.len(), edges.len() + 1);
        for of in [MeterPeriod::import, MeterPeriod::export] {
            let sum: i64 = parts.iter().map(|part| of(part).milliwh()).sum();
            prop_assert_eq!(sum, of(whole).milliwh());
            for part in &parts {
                let span = i128::from(closing_ms - opening_ms);
                let share = i128::from(of(whole).milliwh()) * i128::from(part.to_ms() - part.from_ms());
                let off = i128::from(of(part).milliwh()) * span - share;
                prop_assert!(of(part).milliwh() >= 0 && off.abs() < span);
            }
        }
        // Parting a part is parting the whole.
        if let Some((&last, before)) = edges.split_last() {
            let again = whole.split(before).unwrap().pop().unwrap().split(&[last]).unwrap();
            prop_assert_eq!(&again[..], &parts[parts.len() - 2..]);
        }
    }
}

#[test]
fn a_period_is_parted_only_within_itself_and_forwards() {
    let whole = &periods(0, 1)[0];
    let inside = whole.from_ms() + 1;
    for edges in [
        vec![whole.from_ms()],
        vec![whole.to_ms()],
        vec![inside, inside],
        vec![inside + 1, inside],
    ] {
        let refused = whole.split(&edges).unwrap_err();
        assert_eq!(refused.code(), "settlement.split_outside", "{edges:?}");
    }
}
