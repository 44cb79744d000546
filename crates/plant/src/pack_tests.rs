//! The pack against what theory says of it in closed form.

use super::{Interrupted, Pack};
use crate::open_circuit::cell_v;
use crate::seed::spread;
use crate::setting::Value;

fn pack(settings: &[(&str, f64)]) -> Pack {
    seeded(settings, 1)
}

fn seeded(settings: &[(&str, f64)], seed: u64) -> Pack {
    let table: Vec<(String, Value)> = settings
        .iter()
        .map(|(key, value)| ((*key).to_owned(), Value::Number(*value)))
        .collect();
    Pack::read("b", &table, seed, 0).unwrap()
}

fn near(found: f64, expected: f64, within: f64) {
    assert!(
        (found - expected).abs() <= within,
        "{found} is not {expected} within {within}"
    );
}

#[test]
fn energy_in_is_energy_out_and_heat_and_what_is_stored() {
    let mut pack = pack(&[("capacity_ah", 50.0), ("relax_s", 45.0), ("ambient_c", 5.0)]);
    let before_j = pack.stored_j();
    let (mut out_j, mut moved_j) = (0.0, 0.0);
    for step in 0..5_000 {
        // Powers of -2..2 kW for 1 ms to 30 s: over knees, through rests, warm and cold.
        let p_w = if step % 7 == 0 {
            0.0
        } else {
            2e3 * spread(3, 0, step)
        };
        let dt_s = 10f64.powf(-0.76 + 2.24 * spread(4, 0, step));
        pack.carry(p_w, dt_s);
        out_j += p_w * dt_s;
        moved_j += (p_w * dt_s).abs();
    }
    assert!(pack.heat_j() > 1e-3 * moved_j);
    near(
        before_j - pack.stored_j(),
        out_j + pack.heat_j(),
        1e-10 * moved_j,
    );
}

#[test]
fn voltage_relaxes_as_one_exponential() {
    let mut pack = pack(&[("relax_s", 60.0), ("relax_ohm", 0.008), ("r_kelvin", 0.0)]);
    for _ in 0..200 {
        pack.carry(2e3, 10.0);
    }
    let i_a = pack.i_a();
    pack.carry(0.0, 0.0);
    let (start_v, temperature_c) = (pack.v_v(), pack.temperature_c());
    let mut parts = pack.clone();
    for t_s in [1.0, 30.0, 60.0, 300.0] {
        let mut at_once = pack.clone();
        at_once.carry(0.0, t_s);
        let rise_v = 0.008 * i_a * (1.0 - (-t_s / 60.0f64).exp());
        // The branch has followed 2 kW for 33 time constants, whose current rose a little.
        near(at_once.v_v() - start_v, rise_v, 2e-4 * rise_v);
    }
    for _ in 0..300 {
        parts.carry(0.0, 1.0);
    }
    let mut at_once = pack;
    at_once.carry(0.0, 300.0);
    near(parts.v_v(), at_once.v_v(), 1e-12);
    assert!(at_once.temperature_c() < temperature_c + 0.1);
}

#[test]
fn terminal_voltage_is_open_circuit_less_both_drops() {
    let mut pack = pack(&[("r_ohm", 0.02), ("relax_ohm", 0.01), ("capacity_ah", 1e4)]);
    let open_v = pack.v_v();
    pack.carry(1e3, 1e-6);
    let i_a = pack.i_a();
    // p = v i with v = open - r i.
    near(i_a, (open_v - (open_v * open_v - 80.0).sqrt()) / 0.04, 1e-6);
    near(pack.v_v(), open_v - 0.02 * i_a, 1e-6);
    pack.carry(1e3, 600.0);
    near(pack.v_v(), open_v - 0.03 * pack.i_a(), 2e-3);
    near(open_v, 16.0 * cell_v(0.5), 2e-3);
}

#[test]
fn pack_warms_to_its_heat_over_its_conductance_and_cools_exponentially() {
    let mut pack = pack(&[
        ("capacity_ah", 1e5),
        ("r_ohm", 0.02),
        ("relax_ohm", 0.0),
        ("r_kelvin", 0.0),
        ("heat_j_per_k", 50_000.0),
        ("cooling_s", 3600.0),
    ]);
    for _ in 0..1000 {
        pack.carry(5e3, 60.0);
    }
    let rise_k = pack.i_a().powi(2) * 0.02 * 3600.0 / 50_000.0;
    assert!(rise_k > 10.0);
    near(pack.temperature_c() - 25.0, rise_k, 1e-3 * rise_k);
    let hot_k = pack.temperature_c() - 25.0;
    pack.carry(0.0, 1800.0);
    near(pack.temperature_c() - 25.0, hot_k * (-0.5f64).exp(), 1e-9);
}

#[test]
fn cold_cells_resist_twice_as_much_at_0_as_at_25_degrees() {
    let drop = |ambient_c: f64| {
        let mut pack = pack(&[("ambient_c", ambient_c), ("relax_ohm", 0.0)]);
        let open_v = pack.v_v();
        pack.carry(1e3, 1e-6);
        (open_v - pack.v_v()) / pack.i_a()
    };
    near(drop(25.0), 16.0 * 0.1 / 200.0, 1e-9);
    near(drop(0.0) / drop(25.0), 2.0, 1e-3);
}

#[test]
fn counted_charge_drifts_from_the_true_one_by_the_shunts_gain_and_offset() {
    let mut pack = pack(&[
        ("shunt_gain", 0.01),
        ("shunt_offset_a", -0.2),
        ("capacity_ah", 100.0),
    ]);
    let (mut ah, true_0) = (0.0, pack.soc());
    for _ in 0..3600 {
        pack.carry(500.0, 1.0);
        ah += pack.i_a() / 3600.0;
    }
    near(pack.soc(), true_0 - ah / 100.0, 1e-3); // capacities differ by up to 1 %
    near(pack.counted_soc(), 0.5 - (1.01 * ah - 0.2) / 100.0, 1e-12);
    near(pack.measured_a(), 1.01 * pack.i_a() - 0.2, 1e-12);
}

#[test]
fn balancing_bleeds_the_high_cells_only_and_brings_them_together() {
    let range = |pack: &Pack| {
        let cells: Vec<f64> = pack.cells_v().collect();
        let high = cells.iter().copied().fold(f64::MIN, f64::max);
        high - cells.iter().copied().fold(f64::MAX, f64::min)
    };
    let mut pack = pack(&[("soc", 1.0), ("capacity_ah", 20.0), ("balance_a", 0.2)]);
    let before_v = range(&pack);
    pack.carry(0.0, 60.0);
    let cells: Vec<f64> = pack.cells_v().collect();
    let low = cells.iter().copied().fold(f64::MAX, f64::min);
    for (v, bleeds) in cells.iter().zip(pack.balancing()) {
        assert!(!bleeds || (*v > 3.399 && v - low > 0.009), "{v} {bleeds}");
    }
    assert!(pack.balancing().contains(&true));
    for _ in 0..240 {
        pack.carry(0.0, 60.0);
    }
    assert!(before_v > 0.02 && range(&pack) < 0.5 * before_v);
    pack.carry(500.0, 1.0);
    assert!(!pack.balancing().contains(&true));
}

#[test]
fn overcharge_opens_the_charge_switch_only_and_the_current_is_zero() {
    let mut pack = pack(&[("soc", 0.99), ("capacity_ah", 100.0)]);
    let mut cut: Option<Interrupted> = None;
    for _ in 0..3600 {
        cut = pack.carry(-2500.0, 1.0);
        if cut.is_some() {
            break;
        }
    }
    let cut = cut.unwrap();
    assert!(matches!(
        cut.cause,
        "cell_over_voltage" | "pack_over_voltage"
    ));
    assert!(cut.i_a < -40.0 && cut.p_w < -2400.0);
    assert_eq!((pack.fets(), pack.i_a()), ((false, true), 0.0));
    assert_eq!((pack.limits_a().0, pack.counted_soc()), (0.0, 1.0));
    for _ in 0..600 {
        pack.carry(1000.0, 1.0);
    }
    assert_eq!((pack.fets(), pack.protections()), ((true, true), vec![]));
}

#[test]
fn over_discharge_opens_the_discharge_switch_and_empties_the_count() {
    let mut pack = pack(&[("soc", 0.02), ("capacity_ah", 100.0), ("shunt_gain", -0.3)]);
    let cut = (0..7200).find_map(|_| pack.carry(2000.0, 1.0)).unwrap();
    assert!(matches!(
        cut.cause,
        "cell_under_voltage" | "pack_under_voltage"
    ));
    assert_eq!((pack.fets(), pack.counted_soc()), ((true, false), 0.0));
}

#[test]
fn command_that_cuts_a_current_says_which() {
    let mut pack = pack(&[]);
    pack.carry(3e3, 1.0);
    let i_a = pack.i_a();
    assert_eq!(pack.set_fets(false, true), None); // nobody charges
    let cut = pack.set_fets(false, false).unwrap();
    assert_eq!((cut.cause, cut.i_a), ("command", i_a));
    near(cut.p_w, 3e3, 5.0);
    assert_eq!(pack.i_a(), 0.0);
}

#[test]
fn limits_follow_the_highest_and_the_lowest_cell() {
    let limits = |soc: f64| pack(&[("soc", soc), ("capacity_ah", 100.0)]).limits_a();
    assert_eq!(limits(0.5), (50.0, 50.0));
    near(limits(0.95).0, 25.0, 1e-9);
    near(limits(0.075).1, 25.0, 1e-9);
    // Full by the cells, whatever the counter believes.
    let mut drifted = pack(&[("soc", 1.0), ("capacity_ah", 100.0)]);
    drifted.carry(-400.0, 300.0);
    drifted.set_counted_soc(0.5).unwrap();
    assert!(drifted.limits_a().0 < 25.0);
}

#[test]
fn cells_differ_by_seed_and_repeat_with_it_and_parallel_ones_average() {
    let cells = |seed: u64, parallel: f64| -> Vec<u64> {
        let settings = [("cells", 64.0), ("parallel", parallel)];
        seeded(&settings, seed)
            .cells_v()
            .map(f64::to_bits)
            .collect()
    };
    assert_eq!(cells(1, 1.0), cells(1, 1.0));
    assert_ne!(cells(1, 1.0), cells(2, 1.0));
    let variance = |parallel: f64| {
        let all = cells(1, parallel);
        let mean = cell_v(0.5);
        let square = |bits: &u64| (f64::from_bits(*bits) - mean).powi(2);
        all.iter().map(square).sum::<f64>() / 64.0
    };
    near(variance(1.0) / variance(16.0), 16.0, 8.0);
}

#[test]
fn no_power_is_more_than_the_resistance_lets_through() {
    let mut pack = pack(&[("r_ohm", 0.5), ("relax_ohm", 0.0), ("capacity_ah", 1e4)]);
    let open_v = pack.v_v();
    pack.carry(1e6, 1e-3);
    near(pack.i_a(), open_v / (2.0 * 0.5), 1e-6);
    near(pack.v_v(), 0.5 * open_v, 1e-6);
}
