//! Laws of a settled period over signed readings, drawn trades, rules and prices.

#![allow(clippy::unwrap_used, reason = "what is wrong here fails the test")]

mod support;

use std::collections::BTreeMap;
use std::sync::Arc;

use gridrig_market::Trade;
use gridrig_quantity::{DeliveryPeriod, Side};
use gridrig_settlement::{
    Correction, Entry, EntryKind, LossesRule, MeterPeriod, PostedEntry, PostedLines, Quality,
    Settled, SettlementRules, Standing, meter_period, reserve, settle_period,
};
use proptest::prelude::*;
use support::{PARTICIPANTS, READINGS, inputs, periods, price, readings, rules, trade, try_settle};

const NAMES: [&str; 4] = ["alice", "bob", "carol", "grid"];

/// A period's meters, balanced trades and rules.
#[derive(Debug, Clone)]
struct Drawn {
    meters: Vec<MeterPeriod>,
    trades: Vec<Trade>,
    rules: SettlementRules,
}

fn drawn_rules() -> impl Strategy<Value = SettlementRules> {
    let tariff = (-100_000i64..300_000, 0i64..500_000);
    let fees = (0i64..90_000, 0i64..90_000);
    (tariff, fees, any::<bool>()).prop_map(|((long, above), (grid, operator), shared)| {
        let mut agreed = rules(long, long + above);
        agreed.grid_fee = price(grid);
        agreed.operator_fee = price(operator);
        agreed.losses = if shared {
            LossesRule::Importers
        } else {
            LossesRule::House
        };
        agreed
    })
}

fn drawn() -> impl Strategy<Value = Drawn> {
    let window = (0..READINGS - 1).prop_flat_map(|from| (Just(from), from + 1..READINGS));
    // Lots of one to a few, and of thousands: both more trades than energy and fewer.
    let lots = || prop_oneof![1i64..3, 1i64..4_000];
    let one = (0..4usize, 0..4usize, lots(), lots(), -300i64..900);
    let trades = prop::collection::vec(one, 0..8);
    (window, trades, drawn_rules()).prop_map(|((from, to), pairs, rules)| {
        let mut trades = Vec::new();
        // One seller against two fills of one buyer, numbered downwards so that sorting matters.
        for (n, (seller, buyer, first, second, price)) in pairs.into_iter().enumerate() {
            let (id, price) = (100 - 3 * n as u64, 1_000 * price);
            let (first, second) = (1_000 * first, 1_000 * second);
            trades.push(trade(id, NAMES[seller], Side::Offer, first + second, price));
            trades.push(trade(id - 1, NAMES[buyer], Side::Bid, first, price));
            trades.push(trade(id - 2, NAMES[buyer], Side::Bid, second, price));
        }
        Drawn {
            meters: periods(from, to),
            trades,
            rules,
        }
    })
}

fn settle(drawn: &Drawn) -> Settled {
    try_settle(&drawn.meters, &drawn.trades, &drawn.rules).unwrap()
}

fn add_balances(balances: &mut BTreeMap<String, i128>, entries: &[Entry], accounts: &[Arc<str>]) {
    for entry in entries {
        let amount = i128::from(entry.amount.micro());
        *balances
            .entry(accounts[entry.debit.place()].to_string())
            .or_insert(0) -= amount;
        *balances
            .entry(accounts[entry.credit.place()].to_string())
            .or_insert(0) += amount;
    }
}

fn balances(settled: &Settled) -> BTreeMap<String, i128> {
    let mut balances = BTreeMap::new();
    add_balances(&mut balances, &settled.entries, &settled.accounts);
    balances.retain(|_, sum| *sum != 0);
    balances
}

fn energy(entries: &[Entry], keep: impl Fn(&Entry) -> bool) -> i64 {
    let kept = entries.iter().filter(|entry| keep(entry));
    kept.map(|entry| entry.energy.milliwh()).sum()
}

/// Sum of one side's trades of a participant: energy, and energy x price.
fn traded(drawn: &Drawn, participant: &str, side: Side) -> (i128, i128) {
    let own = drawn
        .trades
        .iter()
        .filter(|t| t.participant == participant && t.side == side);
    own.fold((0, 0), |(energy, value), trade| {
        let milliwh = i128::from(trade.energy.milliwh());
        (
            energy + milliwh,
            value + milliwh * i128::from(trade.price.micro_per_kwh()),
        )
    })
}

/// What a participant's meters counted: (import, export). [mWh]
fn counted(meters: &[MeterPeriod], participant: &str) -> (i128, i128) {
    let own = meters
        .iter()
        .filter(|meter| &**meter.participant() == participant);
    own.fold((0, 0), |(import, export), meter| {
        (
            import + i128::from(meter.import().milliwh()),
            export + i128::from(meter.export().milliwh()),
        )
    })
}

/// A journal's rows of entries become the lines of a period again.
fn add_rows(
    lines: &mut PostedLines,
    entries: &[Entry],
    accounts: &[Arc<str>],
    meters: &[MeterPeriod],
) {
    for entry in entries {
        lines
            .add(&PostedEntry {
                kind: entry.kind,
                debit: &accounts[entry.debit.place()],
                credit: &accounts[entry.credit.place()],
                amount: entry.amount,
                energy: entry.energy,
                price: entry.price,
                trade_id: entry.trade_id,
                meter: entry.meter.map(|place| &**meters[place as usize].meter()),
            })
            .unwrap();
    }
}

/// Entries, their accounts and the meters of one post.
type Posted = (Vec<Entry>, Vec<Arc<str>>, Vec<MeterPeriod>);

proptest! {
    #[test]
    fn prop_all_accounts_sum_to_zero_clearing_by_itself_and_no_amount_is_negative(drawn in drawn()) {
        let settled = settle(&drawn);
        let balances = balances(&settled);
        prop_assert_eq!(balances.values().sum::<i128>(), 0);
        prop_assert_eq!(balances.get("clearing"), None);
        for entry in &settled.entries {
            prop_assert!(entry.amount.micro() >= 0 && entry.debit != entry.credit);
        }
        let mut keys: Vec<_> = settled
            .entries
            .iter()
            .map(|e| (e.kind, e.debit.min(e.credit), e.debit.max(e.credit), e.trade_id, e.meter))
            .collect();
        keys.sort();
        keys.dedup();
        prop_assert_eq!(keys.len(), settled.entries.len(), "a line is booked once");
    }

    #[test]
    fn prop_energy_closes_to_the_milliwatt_hour(drawn in drawn()) {
        use EntryKind::{Delivered, Excess, Losses, Shortfall, Surplus, Taken, Untaken};
        let settled = settle(&drawn);
        let entries = &settled.entries;
        for (place, meter) in (0..).zip(&settled.meters) {
            let of = |kinds: [EntryKind; 2]| {
                energy(entries, |e| e.meter == Some(place) && kinds.contains(&e.kind))
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
    /// the short price, what is left sold at the long price, fees on top; exact, before any
    /// rounding. However many trades it is parted into, no more lines round than meters cut.
    #[test]
    fn prop_balances_are_trades_in_full_plus_imbalance_within_the_rounding(drawn in drawn()) {
        let mut drawn = drawn;
        drawn.rules.losses = LossesRule::House;
        let settled = settle(&drawn);
        let per_kwh = |price: gridrig_quantity::Price| i128::from(price.micro_per_kwh());
        let (long, short) = (per_kwh(settled.prices.long), per_kwh(settled.prices.short));
        let balances = balances(&settled);
        for participant in NAMES {
            let (import, export) = counted(&drawn.meters, participant);
            let (sold, revenue) = traded(&drawn, participant, Side::Offer);
            let (bought, cost) = traded(&drawn, participant, Side::Bid);
            let fees = per_kwh(drawn.rules.operator_fee) * (sold.min(export) + bought.min(import))
                + if participant == "grid" { 0 } else { per_kwh(drawn.rules.grid_fee) * import };
            let exact = revenue - cost - fees
                - short * ((sold - export).max(0) + (import - bought).max(0))
                + long * ((export - sold).max(0) + (bought - import).max(0));
            let meters = PARTICIPANTS.iter().filter(|owner| **owner == participant).count() as i128;
            let rounding_lines = 2 * (3 * meters + 1) + 2 * meters;
            let found = balances.get(participant).copied().unwrap_or(0) * 1_000_000;
            let apart = (found - exact).abs();
            prop_assert!(apart <= rounding_lines * 500_000, "{participant}: {found} {exact}");
        }
    }

    #[test]
    fn prop_every_entry_of_a_meter_is_settled_with_its_participant(drawn in drawn()) {
        let settled = settle(&drawn);
        for entry in &settled.entries {
            let Some(meter) = settled.meter_of(entry) else { continue };
            let parties = [settled.account(entry.debit), settled.account(entry.credit)];
            let house_pays = entry.kind == EntryKind::Losses && parties.iter().any(|p| ***p == *"losses");
            prop_assert!(parties.contains(&meter.participant()) || house_pays);
            prop_assert_eq!(meter.quality(), Quality::Measured);
        }
    }

    #[test]
    fn prop_the_order_of_the_inputs_changes_nothing(
        (drawn, trades, meters) in drawn().prop_flat_map(|d| {
            let (trades, meters) = (d.trades.clone(), d.meters[..4].to_vec());
            (Just(d), Just(trades).prop_shuffle(), Just(meters).prop_shuffle())
        })
    ) {
        let mut shuffled = drawn.clone();
        shuffled.trades = trades;
        shuffled.meters[..4].clone_from_slice(&meters);
        prop_assert_eq!(settle(&drawn), settle(&shuffled));
    }

    /// Posted entries plus those of corrections are the period settled at once, account by account
    /// and line by line, whatever changed between: readings, trades, prices.
    #[test]
    fn prop_corrections_turn_what_was_posted_into_what_is_known_last(
        first in drawn(), second in drawn(), third in drawn(),
    ) {
        let mut sums = BTreeMap::new();
        let posted = settle(&first);
        add_balances(&mut sums, &posted.entries, &posted.accounts);
        let mut rows = vec![(posted.entries, posted.accounts, posted.meters)];
        let lines_of = |rows: &[Posted]| {
            let mut lines = PostedLines::empty(posted.period, rows.len() as u32 - 1);
            for (entries, accounts, meters) in rows {
                add_rows(&mut lines, entries, accounts, meters);
            }
            lines
        };
        for (revision, drawn) in [(1, &second), (2, &third)] {
            let mut inputs = inputs(7, &drawn.meters, &drawn.trades);
            inputs.revision = revision;
            let mut settled = settle_period(inputs, &drawn.rules).unwrap();
            let open = DeliveryPeriod::from_number(7 + revision);
            let correction = Correction::between(&lines_of(&rows), &settled, open).unwrap();
            add_balances(&mut sums, &correction.entries, &correction.accounts);
            rows.push((correction.entries, correction.accounts, correction.meters));
            sums.retain(|_, sum| *sum != 0);
            prop_assert_eq!(&sums, &balances(&settled));
            settled.revision += 1;
            let again = Correction::between(&lines_of(&rows), &settled, open).unwrap();
            prop_assert_eq!(again.entries, vec![]);
        }
    }

    /// Whatever a meter counts, a trade costs no more than was reserved for it.
    #[test]
    fn prop_trades_cost_no_more_than_their_reserves(drawn in drawn()) {
        use EntryKind::{Delivered, OperatorFee, Shortfall, Taken, Untaken};
        let settled = settle(&drawn);
        for participant in NAMES {
            let own_meters = PARTICIPANTS.iter().filter(|owner| **owner == participant).count();
            let own = drawn.trades.iter().filter(|t| t.participant == participant);
            let reserved: i128 = own
                .map(|t| {
                    let meters = own_meters as u32;
                    reserve(t.side, t.energy, t.price, meters, &drawn.rules).unwrap().micro()
                })
                .map(i128::from)
                .sum();
            let kinds = [Delivered, Shortfall, Taken, Untaken, OperatorFee];
            let cost: i128 = settled
                .entries
                .iter()
                .filter(|e| kinds.contains(&e.kind))
                .map(|e| {
                    let micro = i128::from(e.amount.micro());
                    let is = |id| &**settled.account(id) == participant;
                    i128::from(is(e.debit)) * micro - i128::from(is(e.credit)) * micro
                })
                .sum();
            let (bought, _) = traded(&drawn, participant, Side::Bid);
            let (import, _) = counted(&drawn.meters, participant);
            let taken = bought.min(import);
            let grid_fee = i128::from(drawn.rules.grid_fee.micro_per_kwh()) * taken / 1_000_000;
            prop_assert!(cost + grid_fee <= reserved, "{participant}: {cost} of {reserved}");
        }
    }

    /// What is held and owed in the end does not depend on the order in which periods come.
    #[test]
    fn prop_balance_and_debt_depend_on_the_sum_of_what_is_posted(
        (drawn, shuffled) in prop::collection::vec(drawn(), 1..4)
            .prop_flat_map(|d| (Just(d.clone()), Just(d).prop_shuffle())),
        deposit in 0i64..2_000_000,
    ) {
        let run = |order: &[Drawn]| {
            let mut standings: BTreeMap<String, Standing> = NAMES
                .into_iter()
                .map(|name| (name.to_owned(), Standing { balance: deposit, owed: 0 }))
                .collect();
            for drawn in order {
                let settled = settle(drawn).with_receivables(&[], &standings).unwrap();
                let mut sums = BTreeMap::new();
                add_balances(&mut sums, &settled.entries, &settled.accounts);
                let micro = |sum: i128| i64::try_from(sum).unwrap();
                for (name, standing) in &mut standings {
                    let sum = |name: &str| sums.get(name).copied().unwrap_or(0);
                    standing.balance += micro(sum(name));
                    standing.owed -= micro(sum(&format!("receivable:{name}")));
                    prop_assert!(standing.balance >= 0 && standing.owed >= 0);
                    prop_assert!(standing.balance == 0 || standing.owed == 0);
                }
            }
            Ok(standings)
        };
        prop_assert_eq!(run(&drawn)?, run(&shuffled)?);
    }

    /// Whichever readings come, and in whichever order: periods one after the other sum to what the
    /// registers counted between the first and the last of them, and what all tell is the same late
    /// as at once.
    #[test]
    fn prop_periods_sum_to_the_registers_whatever_was_lost(
        meter in 0..5usize,
        kept in prop::collection::btree_set(1..READINGS - 1, 0..READINGS),
        (order, seed) in (Just((0..READINGS).collect::<Vec<_>>()).prop_shuffle(), any::<bool>()),
    ) {
        let all: Vec<Arc<_>> = readings()[meter].iter().cloned().map(Arc::new).collect();
        let (participant, name) = (PARTICIPANTS[meter].into(), Arc::from(support::METERS[meter]));
        let came: Vec<Arc<_>> = order
            .iter()
            .filter(|place| [0, READINGS - 1].contains(place) || kept.contains(place))
            .map(|&place| Arc::clone(&all[place]))
            .collect();
        let of = |readings: &[Arc<_>]| -> Vec<MeterPeriod> {
            let ends = all.windows(2).map(|pair| (pair[0].time_ms(), pair[1].time_ms()));
            ends.map(|ends| meter_period(&participant, &name, readings, ends).unwrap()).collect()
        };
        let found = of(&came);
        let whole = MeterPeriod::new(PARTICIPANTS[meter], Arc::clone(&all[0]), Arc::clone(&all[READINGS - 1]));
        let whole = whole.unwrap();
        for direction in [MeterPeriod::import, MeterPeriod::export] {
            let sum: i64 = found.iter().map(|period| direction(period).milliwh()).sum();
            prop_assert_eq!(sum, direction(&whole).milliwh());
        }
        for (n, period) in found.iter().enumerate() {
            let both = [n, n + 1].iter().all(|place| {
                [0, READINGS - 1].contains(place) || kept.contains(place)
            });
            let expected = if both { Quality::Measured } else { Quality::Interpolated };
            prop_assert_eq!(period.quality(), expected);
        }
        // The last ones missing: estimates, then the same as if they had been there at once.
        let early = of(&all[..READINGS / 2]);
        prop_assert!(early.iter().any(|period| period.quality() == Quality::Estimated));
        let mut late = all.clone();
        if seed { late.reverse(); }
        prop_assert_eq!(of(&late), of(&all));
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
