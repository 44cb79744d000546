//! Examples of a settled period, worked by hand, and every refusal once in the order of the enum.

#![allow(clippy::unwrap_used, reason = "what is wrong here fails the test")]

mod support;

use std::collections::BTreeMap;
use std::sync::Arc;

use gridrig_market::Trade;
use gridrig_quantity::{Amount, DeliveryPeriod, Energy, Side};
use gridrig_settlement::{
    Correction, Deposit, LinkFlow, LossesRule, METERS_MAX, MeterPeriod, PostedLines, Quality,
    Settled, SettlementError, SettlementRules, Standing, TRADES_MAX, meter_period, settle_period,
};
use support::{
    Bench, Line, METERS, PARTICIPANTS, inputs, line, lines, periods, price, quarter, readings,
    rules, trade, try_settle,
};

/// A period in which each meter counts the given (import, export). [mWh]
fn metered(counts: [(i64, i64); 5]) -> Vec<MeterPeriod> {
    let mut bench = Bench::new();
    let pair = |(meter, (import, export)): (usize, (i64, i64))| {
        let opening = bench.read(meter, 1, &quarter(0), 500, 700);
        let closing = bench.read(meter, 2, &quarter(1), 500 + import, 700 + export);
        MeterPeriod::new(PARTICIPANTS[meter], opening, closing).unwrap()
    };
    counts.into_iter().enumerate().map(pair).collect()
}

fn settle(meters: &[MeterPeriod], trades: &[Trade], long: i64, short: i64) -> Settled {
    try_settle(meters, trades, &rules(long, short)).unwrap()
}

fn refused(meters: &[MeterPeriod], trades: &[Trade]) -> &'static str {
    try_settle(meters, trades, &rules(0, 9_000))
        .unwrap_err()
        .code()
}

#[test]
fn a_period_worked_by_hand() {
    // Alice sold 2 kWh at 0.20 and exported 1.5: 0.5 short. Bob has two meters, bought 1.2 kWh and
    // imported 0.7 + 0.9: 0.4 too much. Carol bought 0.8 and imported 0.5: 0.3 untaken. The grid
    // delivered 0.7 unsold. Exports 2.2, imports 2.1: 0.1 kWh lost.
    let kwh = 1_000_000;
    let meters = metered([
        (0, 3 * kwh / 2),
        (7 * kwh / 10, 0),
        (9 * kwh / 10, 0),
        (kwh / 2, 0),
        (0, 7 * kwh / 10),
    ]);
    let trades = [
        trade(1, "alice", Side::Offer, 2 * kwh, 200_000),
        trade(2, "bob", Side::Bid, 12 * kwh / 10, 200_000),
        trade(3, "carol", Side::Bid, 8 * kwh / 10, 200_000),
    ];
    let settled = settle(&meters, &trades, 50_000, 400_000);
    assert_eq!(settled.losses.milliwh(), 100_000);
    assert_eq!(
        lines(&settled),
        [
            (
                "delivered",
                "clearing",
                "alice",
                300_000,
                1_500_000,
                200_000,
                Some(1),
                "m-alice"
            ),
            (
                "shortfall",
                "alice",
                "clearing",
                100_000,
                500_000,
                200_000,
                Some(1),
                "m-alice"
            ),
            (
                "taken",
                "bob",
                "clearing",
                140_000,
                700_000,
                200_000,
                Some(2),
                "m-bob"
            ),
            (
                "taken",
                "bob",
                "clearing",
                100_000,
                500_000,
                200_000,
                Some(2),
                "m-bob-2"
            ),
            (
                "excess", "bob", "clearing", 160_000, 400_000, 400_000, None, "m-bob-2"
            ),
            (
                "taken",
                "carol",
                "clearing",
                100_000,
                500_000,
                200_000,
                Some(3),
                "m-carol"
            ),
            (
                "untaken",
                "carol",
                "clearing",
                45_000,
                300_000,
                150_000,
                Some(3),
                "m-carol"
            ),
            (
                "surplus", "clearing", "grid", 35_000, 700_000, 50_000, None, "m-head"
            ),
            (
                "losses", "losses", "clearing", 40_000, 100_000, 400_000, None, "m-head"
            ),
            ("residual", "clearing", "operator", 350_000, 0, 0, None, ""),
        ]
    );
}

#[test]
fn negative_amounts_swap_debit_and_credit() {
    let meters = metered([(0, 1_000_000), (1_100_000, 0), (0, 0), (0, 0), (0, 0)]);
    let trades = [
        trade(1, "alice", Side::Offer, 1_000_000, -30_000),
        trade(2, "bob", Side::Bid, 1_000_000, -30_000),
    ];
    let settled = settle(&meters, &trades, -50_000, 100_000);
    assert_eq!(
        lines(&settled),
        [
            (
                "delivered",
                "alice",
                "clearing",
                30_000,
                1_000_000,
                -30_000,
                Some(1),
                "m-alice"
            ),
            (
                "taken",
                "clearing",
                "bob",
                30_000,
                1_000_000,
                -30_000,
                Some(2),
                "m-bob"
            ),
            (
                "excess", "bob", "clearing", 10_000, 100_000, 100_000, None, "m-bob"
            ),
            (
                "losses", "clearing", "losses", 10_000, -100_000, 100_000, None, "m-head"
            ),
        ]
    );
}

#[test]
fn an_idle_period_has_no_entries() {
    let settled = settle(&metered([(0, 0); 5]), &[], 0, 0);
    assert!(settled.entries.is_empty());
    assert_eq!(settled.meters.len(), 5);
}

#[test]
fn readings_that_are_no_pair_are_refused() {
    let read = readings();
    let pair = |opening: &gridrig_metering::VerifiedReading, closing: &_| {
        MeterPeriod::new("alice", opening.clone(), Clone::clone(closing))
            .map_err(|error: SettlementError| error.code())
            .err()
    };
    assert_eq!(
        pair(&read[0][0], &read[1][1]),
        Some("settlement.meter_mismatch")
    );
    assert_eq!(
        pair(&read[0][1], &read[0][0]),
        Some("settlement.not_forward")
    );
    assert_eq!(
        pair(&read[0][0], &read[0][0]),
        Some("settlement.not_forward")
    );
    // Registers of one key cannot fall past the verifier; those of two verifiers can.
    let opening = Bench::new().read(0, 1, &quarter(0), 10, 10);
    let closing = Bench::new().read(0, 2, &quarter(1), 10, 9);
    assert_eq!(pair(&opening, &closing), Some("settlement.register_fell"));
    let of_interval = MeterPeriod::of_interval("alice", read[0][0].clone());
    assert_eq!(
        of_interval.unwrap_err().code(),
        "settlement.register_missing"
    );
    let mounted = MeterPeriod::since_mounted("alice", 0, read[0][0].clone());
    assert_eq!(mounted.unwrap_err().code(), "settlement.start_unknown");
    let (first, third) = (periods(0, 1).remove(0), periods(2, 3).remove(0));
    for parts in [
        vec![],
        vec![first.clone(), third],
        vec![first, periods(1, 2).remove(1)],
    ] {
        let joined = MeterPeriod::join(parts).unwrap_err();
        assert_eq!(joined.code(), "settlement.parts_not_joined");
    }
}

#[test]
fn rules_that_do_not_fit_each_other_are_refused() {
    let refused = |change: &dyn Fn(&mut SettlementRules)| {
        let mut changed = rules(20_000, 400_000);
        change(&mut changed);
        changed.check().unwrap_err().code()
    };
    let inexact = |r: &mut SettlementRules| r.lot = Energy::from_milliwh(999).unwrap();
    assert_eq!(refused(&inexact), "settlement.lot_inexact");
    assert_eq!(refused(&|r| r.tick = price(0)), "settlement.lot_inexact");
    assert_eq!(
        refused(&|r| r.tariff.short = price(0)),
        "settlement.short_below_long"
    );
    assert_eq!(
        refused(&|r| r.floor = price(500_000_001)),
        "settlement.price_outside"
    );
    assert_eq!(
        refused(&|r| r.grid_fee = price(-1)),
        "settlement.fee_negative"
    );
    assert_eq!(
        refused(&|r| r.ceiling = price(900_000_000)),
        "settlement.quantity_bound"
    );
    assert_eq!(
        LossesRule::named("nobody").unwrap_err().code(),
        "settlement.word"
    );
}

#[test]
fn each_rule_refuses_its_period() {
    let meters = periods(0, 1);
    let named = |participant: &str| {
        let (opening, closing) = (readings()[0][0].clone(), readings()[0][1].clone());
        let mut meters = meters.clone();
        meters[0] = MeterPeriod::new(participant, opening, closing).unwrap();
        meters
    };
    for reserved in [
        "",
        "clearing",
        "losses",
        "operator",
        "cash",
        "receivable:bob",
        "link:a",
    ] {
        assert_eq!(refused(&named(reserved), &[]), "settlement.name_reserved");
    }
    let mut twice = meters.clone();
    twice[1] = twice[0].clone();
    assert_eq!(refused(&twice, &[]), "settlement.meter_repeated");
    let mut apart = meters.clone();
    apart[2] = periods(0, 2).remove(2);
    assert_eq!(refused(&apart, &[]), "settlement.readings_apart");
    let crossing = metered([(0, 0), (0, 0), (0, 0), (0, 0), (0, 1)]);
    let mut island = inputs(7, &crossing, &[]);
    island.island = true;
    let crossed = settle_period(island, &rules(0, 9_000)).unwrap_err();
    assert_eq!(crossed.code(), "settlement.island_crossed");

    let sold = |id, energy, price| trade(id, "alice", Side::Offer, energy, price);
    let bought = |id, energy, price| trade(id, "bob", Side::Bid, energy, price);
    let (lot, tick) = (1_000, 1_000);
    let codes = [
        (
            vec![sold(1, lot, tick), bought(1, lot, tick)],
            "settlement.trade_repeated",
        ),
        (
            vec![sold(1, 0, tick), bought(2, 0, tick)],
            "settlement.trade_off_lot",
        ),
        (
            vec![sold(1, 1_500, tick), bought(2, 1_500, tick)],
            "settlement.trade_off_lot",
        ),
        (
            vec![sold(1, lot, 1_001), bought(2, lot, 1_001)],
            "settlement.trade_price",
        ),
        (vec![sold(1, lot, 500_001_000)], "settlement.trade_price"),
        (
            vec![sold(1, lot, tick), trade(2, "dave", Side::Bid, lot, tick)],
            "settlement.participant_unmetered",
        ),
        (
            vec![sold(1, lot, tick), bought(2, 2 * lot, tick)],
            "settlement.trades_unbalanced",
        ),
    ];
    for (trades, code) in codes {
        assert_eq!(refused(&meters, &trades), code);
    }
    let many: Vec<Trade> = std::iter::repeat_n(sold(1, lot, tick), TRADES_MAX + 1).collect();
    assert_eq!(refused(&meters, &many), "settlement.too_many");
    const {
        assert!(
            METERS_MAX >= 1_000_001,
            "a million homes and their feeder head"
        )
    };
}

#[test]
fn links_and_deposits_are_checked_by_name() {
    let meters = periods(0, 1);
    let flow = |link: &str, milliwh, fee| LinkFlow {
        link: link.into(),
        energy: Energy::from_milliwh(milliwh).unwrap(),
        fee: price(fee),
    };
    let with_links = |links| {
        let inputs = gridrig_settlement::PeriodInputs {
            links,
            ..inputs(7, &meters, &[])
        };
        settle_period(inputs, &rules(0, 9_000)).map_err(|error| error.code())
    };
    let code = "settlement.link_flow";
    assert_eq!(
        with_links(vec![flow("a", 1, 1), flow("a", 1, 1)]),
        Err(code)
    );
    assert_eq!(with_links(vec![flow("a", -1, 1)]), Err(code));
    assert_eq!(
        with_links(vec![flow("", 1, 1)]),
        Err("settlement.name_reserved")
    );
    for who in [vec!["dave"], vec!["bob", "bob"], vec!["operator"]] {
        let deposit = |name: &str| Deposit {
            participant: name.into(),
            amount: Amount::from_micro(1),
        };
        let deposits = who.into_iter().map(deposit).collect();
        let inputs = gridrig_settlement::PeriodInputs {
            deposits,
            ..inputs(7, &meters, &[])
        };
        let refused = settle_period(inputs, &rules(0, 9_000)).unwrap_err();
        assert_eq!(refused.code(), "settlement.deposit_repeated");
    }
}

#[test]
fn clocks_that_are_not_synchronised_do_not_stop_a_settlement() {
    let mut bench = Bench::new();
    let mut meters = metered([(0, 0); 5]);
    let late = |n: usize| quarter(n + 1).replace(" S", " U");
    let opening = bench.read(1, 1, &late(0), 0, 0);
    let closing = bench.read(1, 2, &late(1), 5, 0);
    meters[1] = MeterPeriod::new("bob", opening, closing).unwrap();
    assert_eq!(settle(&meters, &[], 0, 0).imported.milliwh(), 5);
    assert_eq!(METERS[1], &**meters[1].meter());
}

fn of_kind<'a>(settled: &'a Settled, kinds: &[&str]) -> Vec<Line<'a>> {
    lines(settled)
        .into_iter()
        .filter(|line| kinds.contains(&line.0))
        .collect()
}

#[test]
fn fees_and_losses_go_by_the_stated_rules() {
    // Bob's meters import 3 and 2 mWh, Carol's 2; 10 mWh are lost: 4.3, 2.9 and 2.9 of them, so the
    // two that are left go to Bob's second meter and to Carol's.
    let meters = metered([(0, 17), (3, 0), (2, 0), (2, 0), (0, 0)]);
    let mut agreed = rules(0, 500_000_000);
    agreed.losses = LossesRule::Importers;
    agreed.grid_fee = price(500_000);
    agreed.operator_fee = price(250_000);
    let settled = try_settle(&meters, &[], &agreed).unwrap();
    let lost = of_kind(&settled, &["losses"]);
    let shares: Vec<_> = lost.iter().map(|line| (line.1, line.4, line.7)).collect();
    assert_eq!(
        shares,
        [
            ("bob", 4, "m-bob"),
            ("bob", 3, "m-bob-2"),
            ("carol", 3, "m-carol")
        ]
    );
    let fees = of_kind(&settled, &["grid_fee"]);
    let fees: Vec<_> = fees.iter().map(|line| (line.1, line.2, line.3)).collect();
    assert_eq!(
        fees,
        [
            ("bob", "grid-fees", 2),
            ("bob", "grid-fees", 1),
            ("carol", "grid-fees", 1)
        ]
    );
    assert!(
        of_kind(&settled, &["operator_fee"]).is_empty(),
        "nothing was traded"
    );
    let trades = [
        trade(1, "alice", Side::Offer, 1_000, 1_000),
        trade(2, "bob", Side::Bid, 1_000, 1_000),
    ];
    let settled = try_settle(&meters, &trades, &agreed).unwrap();
    let fees = of_kind(&settled, &["operator_fee"]);
    let fees: Vec<_> = fees.iter().map(|line| (line.1, line.2, line.4)).collect();
    let expected = [
        ("alice", "operator", 17),
        ("bob", "operator", 3),
        ("bob", "operator", 2),
    ];
    assert_eq!(fees, expected);
}

#[test]
fn the_house_pays_losses_that_nobody_imported() {
    let mut agreed = rules(0, 400_000);
    agreed.losses = LossesRule::Importers;
    let settled = try_settle(
        &metered([(0, 9), (0, 0), (0, 0), (0, 0), (0, 0)]),
        &[],
        &agreed,
    );
    assert_eq!(of_kind(&settled.unwrap(), &["losses"])[0].1, "losses");
}

#[test]
fn the_rent_of_zones_is_what_buyers_agreed_to_pay_beyond_sellers_and_links() {
    // 1 kWh from a zone at 0.10 to one at 0.25, over a link that charges 0.04: 0.11 of rent.
    let kwh = 1_000_000;
    let meters = metered([(0, kwh), (kwh, 0), (0, 0), (0, 0), (0, 0)]);
    let trades = [
        trade(1, "alice", Side::Offer, kwh, 100_000),
        trade(2, "bob", Side::Bid, kwh, 250_000),
    ];
    let mut zoned = inputs(7, &meters, &trades);
    zoned.links = vec![LinkFlow {
        link: "west-east".into(),
        energy: Energy::from_milliwh(kwh).unwrap(),
        fee: price(40_000),
    }];
    let settled = settle_period(zoned, &rules(20_000, 400_000)).unwrap();
    assert_eq!(
        of_kind(&settled, &["link_fee", "rent", "residual"]),
        [
            (
                "link_fee",
                "clearing",
                "link:west-east",
                40_000,
                kwh,
                40_000,
                None,
                ""
            ),
            (
                "rent",
                "clearing",
                "congestion-rent",
                110_000,
                0,
                0,
                None,
                ""
            ),
        ]
    );
}

#[test]
fn an_island_has_prices_of_its_own_and_needs_no_head() {
    let meters = metered([(0, 1_000_000), (900_000, 0), (0, 0), (0, 0), (0, 0)]);
    let mut agreed = rules(20_000, 400_000);
    agreed.island_tariff.long = price(60_000);
    agreed.island_tariff.short = price(700_000);
    for head in [None, Some(meters[4].clone())] {
        let mut island = inputs(7, &meters, &[]);
        (island.island, island.head) = (true, head);
        let settled = settle_period(island, &agreed).unwrap();
        let paid: Vec<_> = lines(&settled)
            .iter()
            .map(|line| (line.0, line.3))
            .collect();
        let expected = [
            ("surplus", 60_000),
            ("excess", 630_000),
            ("losses", 70_000),
            ("residual", 640_000),
        ];
        assert_eq!(paid, expected);
    }
}

#[test]
fn an_estimate_is_marked_and_trued_up_by_a_correction() {
    // Carol imports 1 Wh in the first quarter, and 2 and then 4 in those after it; the reading
    // between the last two comes late.
    let mut bench = Bench::new();
    let read: Vec<Arc<_>> = [0, 1_000, 3_000, 7_000]
        .into_iter()
        .enumerate()
        .map(|(n, import)| Arc::new(bench.read(3, n + 1, &quarter(n), import, 0)))
        .collect();
    let ends = (read[1].time_ms(), read[2].time_ms());
    let known = |places: &[usize]| {
        let readings: Vec<_> = places
            .iter()
            .map(|&place| Arc::clone(&read[place]))
            .collect();
        meter_period(&"carol".into(), &"m-carol".into(), &readings, ends).unwrap()
    };
    let said = |period: &MeterPeriod| (period.import().milliwh(), period.quality());
    assert_eq!(said(&known(&[0, 1])), (1_000, Quality::Estimated));
    assert_eq!(said(&known(&[3, 0, 1])), (3_000, Quality::Interpolated));
    assert_eq!(said(&known(&[3, 2, 1, 0])), (2_000, Quality::Measured));
    assert_eq!(said(&known(&[])), (0, Quality::Estimated));

    let others = metered([(0, 0); 5]);
    let settled = |revision: u32, carol: MeterPeriod| {
        let mut inputs = inputs(7, &others, &[]);
        (inputs.from_ms, inputs.to_ms) = ends;
        inputs.revision = revision;
        inputs.head = None;
        inputs.meters = vec![carol];
        settle_period(inputs, &rules(0, 1_000_000)).unwrap()
    };
    let first = settled(0, known(&[0, 1]));
    assert!(first.is_estimated());
    let posted = PostedLines::of(&first);
    let open = DeliveryPeriod::from_number(9);
    let second = settled(1, known(&[0, 1, 3]));
    let correction = Correction::between(&posted, &second, open).unwrap();
    let corrected: Vec<_> = correction
        .entries
        .iter()
        .map(|entry| {
            (
                entry.kind.word(),
                entry.amount.micro(),
                entry.energy.milliwh(),
            )
        })
        .collect();
    // By account: carol's excess, the losses that go with it, and the operator's residual.
    assert_eq!(
        corrected,
        [("excess", 2_000, 2_000), ("losses", 2_000, -2_000)],
        "what was posted is 1 Wh, what it comes to is 3"
    );
    assert_eq!(
        (correction.period, correction.booked_in),
        (first.period, open)
    );
    // The same inputs again change nothing, and a revision is not posted twice.
    let again = Correction::between(
        &PostedLines::of(&second),
        &settled(2, known(&[0, 1, 3])),
        open,
    );
    assert!(again.unwrap().entries.is_empty());
    let stale = Correction::between(&posted, &first, open).unwrap_err();
    assert_eq!(stale.code(), "settlement.revision_order");
    let closed = Correction::between(&posted, &second, first.period).unwrap_err();
    assert_eq!(closed.code(), "settlement.revision_order");
    let mut without = settled(1, known(&[0, 1, 3]));
    (without.meters, without.entries) = (vec![], vec![]);
    let dropped = Correction::between(&posted, &without, open).unwrap_err();
    assert_eq!(dropped.code(), "settlement.meter_dropped");
}

#[test]
fn what_is_owed_beyond_the_balance_is_a_receivable_and_is_paid_back_first() {
    let meters = metered([(0, 0), (0, 0), (0, 0), (1_000_000, 0), (0, 1_000_000)]);
    let settled = || settle(&meters, &[], 100_000, 300_000);
    let standing =
        |balance, owed| BTreeMap::from([("carol".to_owned(), Standing { balance, owed })]);
    let bear = |standings| settled().with_receivables(&[], &standings).unwrap();
    let kinds = ["receivable", "recovered"];
    let booked = |settled: &Settled| {
        let own = settled
            .entries
            .iter()
            .filter(|entry| kinds.contains(&entry.kind.word()));
        own.map(|entry| {
            let (kind, debit, credit, amount, ..) = line(settled, entry);
            format!("{kind} {debit} {credit} {amount}")
        })
        .collect::<Vec<_>>()
    };
    // 1 kWh at the short price is 300,000.
    let expected = ["receivable receivable:carol carol 299000"];
    assert_eq!(booked(&bear(standing(1_000, 0))), expected);
    assert!(booked(&bear(standing(300_000, 0))).is_empty());
    let back = |owed| {
        let standings = BTreeMap::from([("grid".to_owned(), Standing { balance: 0, owed })]);
        let mut settled = bear(standings);
        settled
            .entries
            .retain(|entry| entry.kind.word() == "recovered");
        booked(&settled)
    };
    assert_eq!(back(40_000), ["recovered grid receivable:grid 40000"]);
    assert_eq!(back(140_000), ["recovered grid receivable:grid 100000"]);
}
