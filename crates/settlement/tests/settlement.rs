//! Examples of a settled period, worked by hand, and every refusal once in the order of the enum.

#![allow(clippy::unwrap_used, reason = "what is wrong here fails the test")]

mod support;

use gridrig_market::Trade;
use gridrig_quantity::{DeliveryPeriod, Side};
use gridrig_settlement::{Entry, MeterPeriod, Settled, SettlementError, settle_period};
use support::{Bench, METERS, PARTICIPANTS, periods, prices, quarter, readings, trade};

const PERIOD: DeliveryPeriod = DeliveryPeriod::from_number(7);

/// A period in which each meter counts the given (import, export). [mWh]
fn metered(counts: [(i64, i64); 5]) -> Vec<MeterPeriod> {
    let mut bench = Bench::new();
    let pair = |(meter, (import, export)): (usize, (i64, i64))| {
        let opening = bench.read(meter, 1, &quarter(0), 500, 700);
        let closing = bench.read(meter, 2, &quarter(1), 500 + import, 700 + export);
        MeterPeriod::new(PARTICIPANTS[meter].to_owned(), opening, closing).unwrap()
    };
    counts.into_iter().enumerate().map(pair).collect()
}

fn settle(meters: &[MeterPeriod], trades: &[Trade], long: i64, short: i64) -> Settled {
    let (head, others) = meters.split_last().unwrap();
    settle_period(PERIOD, others, trades, head, prices(long, short)).unwrap()
}

fn refused(meters: &[MeterPeriod], trades: &[Trade], long: i64, short: i64) -> &'static str {
    let (head, others) = meters.split_last().unwrap();
    settle_period(PERIOD, others, trades, head, prices(long, short))
        .unwrap_err()
        .code()
}

type Line<'a> = (
    &'a str,
    &'a str,
    &'a str,
    i64,
    i64,
    i64,
    Option<u64>,
    &'a str,
);

fn line(entry: &Entry) -> Line<'_> {
    (
        entry.kind.word(),
        &entry.debit,
        &entry.credit,
        entry.amount.micro(),
        entry.energy.milliwh(),
        entry.price.micro_per_kwh(),
        entry.trade_id,
        &entry.meter,
    )
}

fn lines(settled: &Settled) -> Vec<Line<'_>> {
    settled.entries.iter().map(line).collect()
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
        ]
    );
    assert_eq!(
        settled.entries[0].opening_digest,
        *meters[0].opening().digest()
    );
    assert_eq!(
        settled.entries[0].closing_digest,
        *meters[0].closing().digest()
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
        MeterPeriod::new("alice".to_owned(), opening.clone(), Clone::clone(closing))
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
}

#[test]
fn each_rule_refuses_its_period() {
    let meters = periods(0, 1);
    let named = |participant: &str| {
        let (opening, closing) = (readings()[0][0].clone(), readings()[0][1].clone());
        let mut meters = meters.clone();
        meters[0] = MeterPeriod::new(participant.to_owned(), opening, closing).unwrap();
        meters
    };
    for reserved in ["", "clearing", "losses"] {
        assert_eq!(
            refused(&named(reserved), &[], 0, 1),
            "settlement.name_reserved"
        );
    }
    let mut twice = meters.clone();
    twice[1] = twice[0].clone();
    assert_eq!(refused(&twice, &[], 0, 1), "settlement.meter_repeated");
    let mut apart = meters.clone();
    apart[2] = periods(0, 2).remove(2);
    assert_eq!(refused(&apart, &[], 0, 1), "settlement.readings_apart");

    let sold = |id, energy, price| trade(id, "alice", Side::Offer, energy, price);
    let bought = |id, energy, price| trade(id, "bob", Side::Bid, energy, price);
    let codes = [
        (
            vec![sold(1, 10, 5), bought(1, 10, 5)],
            0,
            9,
            "settlement.trade_repeated",
        ),
        (
            vec![sold(1, 0, 5), bought(2, 0, 5)],
            0,
            9,
            "settlement.trade_empty",
        ),
        (
            vec![sold(1, 10, 5), trade(2, "dave", Side::Bid, 10, 5)],
            0,
            9,
            "settlement.participant_unmetered",
        ),
        (
            vec![sold(1, 10, 5), bought(2, 11, 5)],
            0,
            9,
            "settlement.trades_unbalanced",
        ),
        (vec![], 1, 0, "settlement.short_below_long"),
        (
            vec![sold(1, 10, 5), bought(2, 10, 5)],
            0,
            4,
            "settlement.short_below_trade",
        ),
        (
            vec![sold(1, 10, 5), bought(2, 10, 5)],
            6,
            9,
            "settlement.long_above_trade",
        ),
        (
            vec![
                sold(1, 1_000_000_000_000_000, -1_000_000_000),
                bought(2, 1_000_000_000_000_000, 5),
            ],
            -1_000_000_000,
            1_000_000_000,
            "settlement.quantity_bound",
        ),
    ];
    for (trades, long, short, code) in codes {
        assert_eq!(refused(&meters, &trades, long, short), code);
    }
    let most = gridrig_settlement::TRADES_MAX + 1;
    let many: Vec<Trade> = std::iter::repeat_n(sold(1, 10, 5), most).collect();
    assert_eq!(refused(&meters, &many, 0, 9), "settlement.too_many");
}

#[test]
fn clocks_that_are_not_synchronised_do_not_stop_a_settlement() {
    let mut bench = Bench::new();
    let mut meters = metered([(0, 0); 5]);
    let late = |n: usize| quarter(n + 1).replace(" S", " U");
    let opening = bench.read(1, 1, &late(0), 0, 0);
    let closing = bench.read(1, 2, &late(1), 5, 0);
    meters[1] = MeterPeriod::new("bob".to_owned(), opening, closing).unwrap();
    assert_eq!(settle(&meters, &[], 0, 0).imported.milliwh(), 5);
    assert_eq!(METERS[1], meters[1].meter());
}
