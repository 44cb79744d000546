//! Each protection at its threshold, its delay and its release.

use super::{Protections, Sensed};
use crate::setting::Value;

const CALM: Sensed = Sensed {
    cell_high_v: 3.31,
    cell_low_v: 3.30,
    cells: 16.0,
    pack_v: 52.9,
    temperature_c: 25.0,
    i_a: 0.0,
    limits_a: (50.0, 60.0),
    a_max: 60.0,
};

fn usual() -> Protections {
    Protections::read("b", &[]).unwrap()
}

/// One value beyond each default threshold, one inside but not released, and one released.
#[test]
fn each_acts_after_its_delay_and_is_released_by_its_hysteresis() {
    type Case = (&'static str, fn(&mut Sensed, f64), [f64; 3], (bool, bool));
    let cases: [Case; 8] = [
        (
            "cell_over_voltage",
            |s, x| s.cell_high_v = x,
            [3.66, 3.5, 3.44],
            (false, true),
        ),
        (
            "cell_under_voltage",
            |s, x| s.cell_low_v = x,
            [2.49, 2.8, 2.91],
            (true, false),
        ),
        (
            "pack_over_voltage",
            |s, x| s.pack_v = x,
            [58.0, 56.0, 55.1],
            (false, true),
        ),
        (
            "pack_under_voltage",
            |s, x| s.pack_v = x,
            [41.5, 45.0, 46.5],
            (true, false),
        ),
        (
            "charge_over_temperature",
            |s, x| s.temperature_c = x,
            [55.1, 51.0, 49.9],
            (false, true),
        ),
        (
            "charge_under_temperature",
            |s, x| s.temperature_c = x,
            [-0.1, 1.0, 2.1],
            (false, true),
        ),
        (
            "discharge_over_temperature",
            |s, x| s.temperature_c = x,
            [65.1, 56.0, 54.9],
            (true, false),
        ),
        (
            "discharge_under_temperature",
            |s, x| s.temperature_c = x,
            [-20.1, -16.0, -14.9],
            (true, false),
        ),
    ];
    for (name, set, [beyond, between, released], allow) in cases {
        let mut all = usual();
        let acts = |all: &Protections| all.names().contains(&name);
        let mut sensed = CALM;
        set(&mut sensed, between);
        all.step(&sensed, 60.0);
        assert!(!acts(&all), "{name} acts before its threshold");
        set(&mut sensed, beyond);
        all.step(&sensed, 1.9);
        assert!(!acts(&all), "{name} acts before its delay");
        all.step(&sensed, 0.2);
        assert!(acts(&all), "{name} does not act");
        let (charge, discharge) = all.allow();
        assert!(
            charge <= allow.0 && discharge <= allow.1,
            "{name} blocks too little"
        );
        set(&mut sensed, between);
        all.step(&sensed, 60.0);
        assert!(acts(&all), "{name} has no hysteresis");
        set(&mut sensed, released);
        all.step(&sensed, 0.1);
        assert!(!acts(&all), "{name} is not released");
    }
}

#[test]
fn an_excursion_shorter_than_the_delay_is_forgotten() {
    let mut all = usual();
    for _ in 0..10 {
        all.step(
            &Sensed {
                cell_high_v: 3.7,
                ..CALM
            },
            1.5,
        );
        all.step(&CALM, 0.1);
    }
    assert_eq!(all.names(), [""; 0]);
}

#[test]
fn overcurrent_waits_for_its_delay_and_for_its_rest() {
    let mut all = usual();
    let over = Sensed { i_a: 67.1, ..CALM }; // 1.1 x 60 A + 1 A
    assert_eq!(all.step(&over, 9.9), None);
    assert_eq!(all.step(&over, 0.2), Some("discharge_over_current"));
    assert_eq!(all.allow(), (true, false));
    all.step(&CALM, 31.9);
    assert_eq!(all.names(), ["discharge_over_current"]);
    all.step(&CALM, 0.2);
    assert_eq!(all.allow(), (true, true));
}

#[test]
fn a_short_circuit_acts_at_once_and_blocks_both() {
    let mut all = usual();
    let short = Sensed { i_a: 241.0, ..CALM };
    assert_eq!(all.step(&short, 0.001), Some("short_circuit"));
    assert_eq!(all.allow(), (false, false));
    all.step(&CALM, 5.0);
    assert_eq!(all.allow(), (true, true));
}

#[test]
fn a_set_threshold_replaces_the_rule_and_its_release_follows() {
    let mut all = usual();
    all.set_trip("cell_over_voltage", 3.5, &CALM).unwrap();
    all.set_trip("charge_over_current", 20.0, &CALM).unwrap();
    let settings = all.settings(&CALM);
    assert!((settings[0].release - 3.3).abs() < 1e-12);
    assert_eq!((settings[8].trip, settings[8].release), (20.0, 32.0));
    assert!(all.set_trip("cell_over_voltage", f64::NAN, &CALM).is_err());
    assert!(all.set_trip("charge_over_curent", 20.0, &CALM).is_err());
}

#[test]
fn a_table_that_cannot_be_meant_is_refused_with_what_was_expected() {
    let refused = |key: &str, values: &[f64]| {
        let table = [(key.to_owned(), Value::List(values.to_vec()))];
        Protections::read("b", &table).unwrap_err().code()
    };
    assert_eq!(
        refused("cell_over_voltage", &[3.6, 1.0, 3.7]),
        "plant.setting_wrong"
    );
    assert_eq!(
        refused("cell_under_voltage", &[2.6, 1.0, 2.5]),
        "plant.setting_wrong"
    );
    assert_eq!(
        refused("short_circuit", &[100.0, 0.0]),
        "plant.setting_wrong"
    );
    assert_eq!(
        refused("cell_over_volt", &[3.6, 1.0, 3.4]),
        "plant.setting_unknown"
    );
}
