//! The baseline against plain fractions, and that gaming it does not pay.

use std::collections::{BTreeMap, BTreeSet};

use gridrig_quantity::{Energy, Price};
use proptest::prelude::*;

use super::*;

const QUARTER_MS: i64 = 900_000;
const DAY_MS: i64 = 86_400_000;
/// A Wednesday.
const EVENT_DAY: i64 = 20_000 - 20_000 % 7 + 6;

fn programme(change: impl FnOnce(&mut Programme)) -> Result<Programme, RewardError> {
    let price = |micro| Price::from_micro_per_kwh(micro).unwrap();
    let mut numbers = Programme {
        period_ms: QUARTER_MS,
        utc_offset_s: 3_600,
        baseline_days: 10,
        look_back_days: 45,
        unread_days_max: 0,
        adjustment_periods: 12,
        adjustment_permille_max: 200,
        dead_band_permille: 50,
        event_periods_max: 8,
        event_days_max: 4,
        response_price: price(280_000),
        energy_price_min: price(300_000),
    };
    change(&mut numbers);
    Programme::new(numbers)
}

fn at(day: i64, quarter: i64) -> i64 {
    day * DAY_MS + quarter * QUARTER_MS - 3_600_000
}

/// An event from 18:00 to 20:00, announced at 17:10.
fn event() -> Event {
    Event {
        notice_ms: at(EVENT_DAY, 68) + 600_000,
        from_ms: at(EVENT_DAY, 72),
        to_ms: at(EVENT_DAY, 80),
    }
}

fn site(commitment: i64) -> Site {
    Site {
        point: "point".to_owned(),
        meters: vec!["meter".to_owned()],
        commitment: Energy::from_milliwh(commitment).unwrap(),
    }
}

/// Loads of the quarters 50 to 84 of 60 days, by drawn numbers.
fn loads(mut seed: u64) -> BTreeMap<i64, i64> {
    let mut drawn = BTreeMap::new();
    for day in EVENT_DAY - 60..=EVENT_DAY {
        for quarter in 50..85 {
            seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
            drawn.insert(at(day, quarter), 100_000 + (seed >> 44) as i64);
        }
    }
    drawn
}

fn history(net_load: &BTreeMap<i64, i64>) -> History {
    History::of_loads(net_load.clone())
}

fn counted(net_load: &BTreeMap<i64, i64>, of: &Programme) -> i64 {
    let site = site(1_000_000_000);
    let measured = response(of, &site, &history(net_load), &event(), &BTreeSet::new());
    measured.unwrap().counted.milliwh()
}

/// The rule in rational numbers: (numerator, denominator) kept apart by hand, floored at the end.
fn oracle(net_load: &BTreeMap<i64, i64>, of: &Programme) -> i64 {
    let weekend = |day: i64| matches!((day + 3) % 7, 5 | 6);
    let days: Vec<i64> = (1..46)
        .map(|back| EVENT_DAY - back)
        .filter(|&day| weekend(day) == weekend(EVENT_DAY))
        .take(of.baseline_days as usize)
        .collect();
    let count = days.len() as i128;
    let width = i128::from(of.adjustment_periods);
    let over = |quarter: i64| -> i128 {
        days.iter()
            .map(|&day| i128::from(net_load[&at(day, quarter)]))
            .sum()
    };
    let window = 68 - i64::from(of.adjustment_periods)..68;
    let today: i128 = window
        .clone()
        .map(|q| i128::from(net_load[&at(EVENT_DAY, q)]))
        .sum();
    let usual: i128 = window.map(over).sum();
    // Over the denominator count x width x 1000 x 1000.
    let scale = count * width * 1_000_000;
    let mut sum = 0;
    for quarter in 72..80 {
        let raw = over(quarter) * width * 1_000_000;
        let cap = raw.abs() / 1_000 * i128::from(of.adjustment_permille_max);
        let adjusted = raw + ((today * count - usual) * 1_000_000).clamp(-cap, cap);
        let dead = adjusted.abs() / 1_000 * i128::from(of.dead_band_permille);
        sum += adjusted - dead - i128::from(net_load[&at(EVENT_DAY, quarter)]) * scale;
    }
    i64::try_from(sum.max(0) / scale)
        .unwrap()
        .min(1_000_000_000)
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(100) })]

    #[test]
    fn prop_a_response_is_that_of_the_rule_in_fractions(seed in any::<u64>(), shed in 0..100_i64) {
        let mut drawn = loads(seed);
        for quarter in 72..80 {
            *drawn.get_mut(&at(EVENT_DAY, quarter)).unwrap() *= 100 - shed;
            *drawn.get_mut(&at(EVENT_DAY, quarter)).unwrap() /= 100;
        }
        let of = programme(|_| {}).unwrap();
        prop_assert_eq!(counted(&drawn, &of), oracle(&drawn, &of));
    }

    /// Whoever takes more on any quarters of baseline days or before a notice, by any amount, earns
    /// at most what it costs, in all the events that the day can serve.
    #[test]
    fn prop_inflating_a_baseline_does_not_pay(
        seed in any::<u64>(),
        inflated in proptest::collection::vec((0..15_i64, 50..72_i64, 1..2_000_000_i64), 1..20),
    ) {
        let of = programme(|_| {}).unwrap();
        let honest = loads(seed);
        let mut gamed = honest.clone();
        let (mut cost_milliwh, mut on_the_day) = (0, 0);
        for (back, quarter, more) in inflated {
            // Before the notice on the day itself, at any time of the event on the days before.
            let quarter = if back == 0 { quarter.min(67) } else { quarter + 8 };
            *gamed.get_mut(&at(EVENT_DAY - back, quarter)).unwrap() += more;
            if back == 0 { on_the_day += more } else { cost_milliwh += more }
        }
        let gain = counted(&gamed, &of) - counted(&honest, &of);
        // A baseline day serves up to four events, so that one of them repays a quarter of its cost.
        let repaid = on_the_day + cost_milliwh / i64::from(of.event_days_max);
        let price = |of: Price| i128::from(of.micro_per_kwh());
        prop_assert!(
            i128::from(gain - 1) * price(of.response_price)
                <= i128::from(repaid + 1) * price(of.energy_price_min),
            "gains {gain} mWh for {on_the_day} + {cost_milliwh} mWh"
        );
    }

    #[test]
    fn prop_withholding_readings_does_not_pay(
        seed in any::<u64>(),
        withheld in proptest::collection::btree_set((0..12_i64, 56..80_i64), 1..6),
    ) {
        let of = programme(|_| {}).unwrap();
        let honest = loads(seed);
        let mut gamed = honest.clone();
        for (back, quarter) in withheld {
            gamed.remove(&at(EVENT_DAY - back, quarter));
        }
        prop_assert!(counted(&gamed, &of) <= counted(&honest, &of));
    }
}

#[test]
fn a_programme_in_which_gaming_pays_is_refused() {
    assert!(programme(|_| {}).is_ok());
    let code = |outcome: Result<Programme, RewardError>| outcome.unwrap_err().code();
    let found = [
        code(programme(|of| of.event_days_max = 9)),
        code(programme(|of| of.event_periods_max = 13)),
        code(programme(|of| of.baseline_days = 0)),
        code(programme(|of| of.period_ms = 7 * 60_000)),
    ];
    let expected = [
        "settlement.reward_inflating_days",
        "settlement.reward_inflating_notice",
        "settlement.reward_programme",
        "settlement.reward_programme",
    ];
    assert_eq!(found, expected);
    let none = Programme {
        adjustment_periods: 0,
        ..programme(|_| {}).unwrap()
    };
    assert!(
        Programme::new(Programme {
            event_periods_max: 96,
            ..none
        })
        .is_ok()
    );
}

#[test]
fn an_excluded_day_a_weekend_and_an_unread_day_are_no_baseline_days() {
    let of = programme(|of| of.unread_days_max = 1).unwrap();
    let mut flat: BTreeMap<i64, i64> = loads(1).into_keys().map(|at_ms| (at_ms, 1_000)).collect();
    // Were one of these among the ten, the mean would not be 1000.
    let odd = [EVENT_DAY - 1, EVENT_DAY - 3, EVENT_DAY - 4];
    for day in odd {
        (50..85).for_each(|quarter| {
            flat.insert(at(day, quarter), 900_000);
        });
    }
    assert!(
        [odd[1], odd[2]]
            .map(Programme::is_weekend)
            .iter()
            .all(|weekend| *weekend)
    );
    flat.remove(&at(EVENT_DAY - 2, 75));
    let excluded = BTreeSet::from([EVENT_DAY - 1]);
    let measured = response(&of, &site(1), &history(&flat), &event(), &excluded).unwrap();
    assert_eq!(measured.baseline.milliwh(), 8_000);
    flat.remove(&at(EVENT_DAY - 6, 75));
    let measured = response(&of, &site(1), &history(&flat), &event(), &excluded).unwrap();
    let short = Some(Shortcoming::BaselineShort { days: 1 });
    assert_eq!(
        (measured.counted, measured.shortcoming),
        (Energy::ZERO, short)
    );
}

#[test]
fn an_event_with_an_unread_period_pays_nothing_yet() {
    let of = programme(|_| {}).unwrap();
    let mut drawn = loads(3);
    drawn.remove(&at(EVENT_DAY, 79));
    let measured = response(
        &of,
        &site(1_000),
        &history(&drawn),
        &event(),
        &BTreeSet::new(),
    );
    let measured = measured.unwrap();
    assert_eq!(measured.shortcoming, Some(Shortcoming::EventUnread));
    assert_eq!(measured.counted, Energy::ZERO);
}

#[test]
fn a_claimed_capacity_is_believed_within_its_tolerance_only() {
    let of = programme(|_| {}).unwrap();
    let mut flat: BTreeMap<i64, i64> = loads(1).into_keys().map(|at_ms| (at_ms, 900)).collect();
    (72..80).for_each(|quarter| {
        flat.insert(at(EVENT_DAY, quarter), 100 + quarter - 72);
    });
    let shown = |claimed| {
        let claimed = Energy::from_milliwh(claimed).unwrap();
        let none = BTreeSet::new();
        let measured = capacity(&of, &history(&flat), &event(), &none, claimed, 50);
        measured.unwrap().counted.milliwh()
    };
    // The least of its periods shed 793 mWh.
    assert_eq!(
        [700, 793, 834, 835, 1_586].map(shown),
        [700, 793, 793, 0, 0]
    );
}

#[test]
fn a_short_pool_is_shared_out_to_the_unit() {
    let paid = pay(100, &[50, 50, 50]).unwrap();
    assert_eq!((paid.paid_micro, paid.left_micro), (vec![34, 33, 33], 0));
    let paid = pay(200, &[50, 0, 70]).unwrap();
    assert_eq!((paid.paid_micro, paid.left_micro), (vec![50, 0, 70], 80));
    for wrong in [pay(-1, &[]), pay(1, &[-1]), pay(1, &[i64::MAX, i64::MAX])] {
        assert_eq!(wrong.unwrap_err().code(), "settlement.reward_due");
    }
}

#[test]
fn events_are_whole_periods_of_one_day_after_their_notice() {
    let of = programme(|_| {}).unwrap();
    let refused = |change: &dyn Fn(&mut Event)| {
        let mut changed = event();
        change(&mut changed);
        changed.periods(&of).unwrap_err().code()
    };
    let wrong: [&dyn Fn(&mut Event); 5] = [
        &|event| event.from_ms += 1,
        &|event| event.to_ms = event.from_ms,
        &|event| event.to_ms += QUARTER_MS,
        &|event| event.notice_ms = event.from_ms + 1,
        &|event| (event.from_ms, event.to_ms) = (at(EVENT_DAY, 95), at(EVENT_DAY, 97)),
    ];
    assert!(
        wrong
            .map(refused)
            .iter()
            .all(|code| *code == "settlement.reward_event")
    );
}

#[test]
fn a_meter_and_a_connection_point_are_enrolled_once() {
    let points = |of: &[(&str, &[&str])]| {
        let owned = |meters: &[&str]| meters.iter().map(|meter| meter.to_string()).collect();
        Fleet::new(
            of.iter()
                .map(|&(point, m)| (point.to_owned(), owned(m)))
                .collect(),
        )
    };
    let mut fleet = points(&[("p", &["m-1", "m-2"]), ("q", &["m-3"])]).unwrap();
    let one = Energy::from_milliwh(1).unwrap();
    fleet.enrol("site", "p", one).unwrap();
    assert_eq!(fleet.site("site").unwrap().meters, ["m-1", "m-2"]);
    let found = [
        points(&[("p", &["m"]), ("q", &["m"])]).unwrap_err(),
        points(&[("p", &[])]).unwrap_err(),
        fleet.enrol("another", "p", one).unwrap_err(),
        fleet.enrol("site", "q", one).unwrap_err(),
        fleet.enrol("", "q", one).unwrap_err(),
        fleet.enrol("new", "r", one).unwrap_err(),
        fleet
            .enrol("new", "q", Energy::from_milliwh(-1).unwrap())
            .unwrap_err(),
        fleet.site("new").unwrap_err(),
    ]
    .map(|error| error.code());
    let expected = [
        "settlement.reward_meter_repeated",
        "settlement.reward_point_unknown",
        "settlement.reward_point_enrolled",
        "settlement.reward_site_repeated",
        "settlement.reward_site_repeated",
        "settlement.reward_point_unknown",
        "settlement.reward_due",
        "settlement.reward_site_unknown",
    ];
    assert_eq!(found, expected);
}
