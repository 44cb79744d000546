//! Islands whose phases differ: single-phase loads and inverters, and what three-phase ones see of it.

#![allow(
    clippy::unwrap_used,
    reason = "a bench that cannot be built is a failed test"
)]

mod island_bench;

use gridrig_plant::buses::Buses;
use gridrig_plant::complex::Complex;
use gridrig_plant::{IslandTick, Outside, PlantError, Value, World};
use island_bench::{n, relays, t};

const BASE: f64 = 30_000.0;
const OUTSIDE: Outside = Outside {
    losses_w: 0.0,
    grid_v_pu: 1.0,
    grid_f_hz: 60.0,
};
const PHASES: [&str; 3] = ["a", "b", "c"];

/// A world with a former of the system base as device 0.
fn formed(more: &[(String, Value)]) -> World {
    let mut world = World::new(60.0, BASE, 1).unwrap();
    world
        .set_island(&[n("secondary_s", 1e6), n("secondary_v_s", 1e6)])
        .unwrap();
    let pack = vec![
        n("capacity_ah", 1000.0),
        n("cells", 100.0),
        n("charge_a_max", 1000.0),
    ];
    let mut table = vec![
        n("s_va", BASE),
        n("droop_q", 0.0),
        ("forms_grid".to_owned(), Value::Bool(true)),
        ("pack".to_owned(), Value::Table(pack)),
    ];
    table.extend_from_slice(more);
    world.add_storage("former", &table).unwrap();
    world
}

/// Adds a load at these phases.
fn load(world: &mut World, name: &str, phases: &str, p_w: f64, q_var: f64) -> usize {
    let load = world.add_load(name).unwrap();
    world.set_load_phases(load, phases).unwrap();
    world.set_load(load, p_w, q_var).unwrap();
    load
}

fn pv(world: &mut World, name: &str, p_w: f64, more: &[(String, Value)]) -> usize {
    let mut table = vec![n("s_va", 1.25 * p_w)];
    table.extend_from_slice(more);
    let pv = world.add_pv(name, &table).unwrap();
    world.set_available(pv, p_w).unwrap();
    pv
}

fn island(world: &mut World, seconds: f64) -> IslandTick {
    world.held();
    world.open_pcc(0.0).unwrap();
    world
        .island_tick(0.0, seconds, 0.001, (1, false), OUTSIDE)
        .unwrap()
}

/// Two buses: the former's, and one behind a line where everything else is.
fn behind_a_line(world: &mut World, z: Complex) {
    let y = Complex::ONE / z;
    let mut buses = vec![1; world.len()];
    buses[0] = 0;
    let network = Buses::new(2, vec![y, -y, -y, y], 0, buses).unwrap();
    world.set_network(Some(network)).unwrap();
}

fn v_pu(world: &World, device: usize) -> f64 {
    world.terminal(device).unwrap().v_pu
}

#[test]
fn three_equal_phases_are_an_island_without_phases() {
    let z = Complex::new(0.02, 0.01);
    for line in [None, Some(z)] {
        let mut whole = formed(&[]);
        load(&mut whole, "load", "abc", 12e3, 3e3);
        // A frequency shift would begin on the side that each loop's own noise says.
        let quiet = t("detector", "none");
        pv(&mut whole, "pv", 6e3, std::slice::from_ref(&quiet));
        let mut split = formed(&[]);
        for phase in PHASES {
            load(&mut split, &format!("load-{phase}"), phase, 4e3, 1e3);
            let one = [t("phases", phase), quiet.clone()];
            pv(&mut split, &format!("pv-{phase}"), 2e3, &one);
        }
        for world in [&mut whole, &mut split] {
            if let Some(z) = line {
                behind_a_line(world, z);
            }
        }
        let (a, b) = (island(&mut whole, 2.0), island(&mut split, 2.0));
        for step in [0, 5, 50, 500, 1999] {
            assert!((a.v_pu[step] - b.v_pu[step]).abs() < 1e-7, "step {step}");
            assert!((a.f_hz[step] - b.f_hz[step]).abs() < 1e-6, "step {step}");
            let difference = a.p_w[0][step] - b.p_w[0][step];
            assert!(difference.abs() < 0.05, "step {step}: {difference} W");
        }
    }
}

#[test]
fn a_load_in_one_phase_takes_its_own_voltage_down_and_no_other() {
    let mut world = formed(&[]);
    let (p, q) = (0.5, 0.2);
    let heavy = load(&mut world, "heavy", "a", p * BASE / 3.0, q * BASE / 3.0);
    let others: Vec<usize> = ["b", "c"]
        .iter()
        .map(|phase| load(&mut world, phase, phase, 1.0, 0.0))
        .collect();
    island(&mut world, 3.0);
    // At constant power behind a reactance: V^4 + (2 X Q - E^2) V^2 + X^2 (P^2 + Q^2) = 0.
    // The former gave nothing before, so its inner voltage is 1 pu.
    let (x, e) = (0.15, 1.0_f64);
    let half = 0.5 * (e * e - 2.0 * x * q);
    let expected = (half + (half * half - x * x * (p * p + q * q)).sqrt()).sqrt();
    assert!((v_pu(&world, heavy) - expected).abs() < 1e-4, "{expected}");
    for other in others {
        assert!((v_pu(&world, other) - e).abs() < 1e-4, "{e}");
    }
}

#[test]
fn relays_see_the_phase_they_are_at_or_the_worst_of_three() {
    let mut world = formed(&[n("coupling_x_pu", 0.3)]);
    load(&mut world, "heavy", "a", 6e3, 4e3);
    let trip = relays(&[("UV1", 0.93, 0.2)]);
    let mut add = |name: &str, phases: &str, mean: bool| {
        let built_wrongly = ("relays_see_mean".to_owned(), Value::Bool(mean));
        let table = [trip.clone(), t("phases", phases), built_wrongly];
        pv(&mut world, name, 300.0, &table);
    };
    add("at-a", "a", false);
    add("at-b", "b", false);
    add("at-all", "abc", false);
    add("at-all-of-mean", "abc", true);
    let tick = island(&mut world, 2.0);
    let trips = tick.events.iter().filter(|e| e.kind.word() == "tripped");
    let mut names: Vec<&str> = trips.map(|event| event.name.as_str()).collect();
    names.sort_unstable();
    assert_eq!(names, ["at-a", "at-all"]);
}

#[test]
fn nothing_is_lost_between_uneven_phases_on_lines_without_resistance() {
    let mut world = formed(&[]);
    load(&mut world, "a", "a", 5e3, 2e3);
    load(&mut world, "b", "b", 1e3, -1e3);
    load(&mut world, "all", "abc", 3e3, 1e3);
    pv(&mut world, "pv-c", 2e3, &[t("phases", "c")]);
    pv(&mut world, "pv", 2e3, &[]);
    let mill = load(&mut world, "mill", "abc", 0.0, 0.0);
    world.set_motor(mill, &[n("s_va", 3e3)]).unwrap();
    behind_a_line(&mut world, Complex::new(0.0, 0.05));
    let tick = island(&mut world, 1.0);
    for step in [0, 10, 100, 999] {
        let sum: f64 = tick.p_w.iter().map(|row| row[step]).sum();
        assert!(sum.abs() < 1e-6 * BASE, "step {step}: {sum} W");
    }
}

#[test]
fn each_phase_of_a_former_has_a_current_limit_of_its_own() {
    let mut world = formed(&[n("i_max_pu", 1.2), n("overload_trip_s", 60.0)]);
    let heavy = load(&mut world, "heavy", "a", 2.0 * BASE / 3.0, 0.0);
    let light = load(&mut world, "light", "b", 0.5 * BASE / 3.0, 0.0);
    let tick = island(&mut world, 1.0);
    let p_w = |device: usize| -tick.p_w[device][999];
    let i_pu = p_w(heavy) / (BASE / 3.0) / v_pu(&world, heavy);
    assert!((i_pu - 1.2).abs() < 0.01, "{i_pu}");
    assert!(v_pu(&world, heavy) < 0.8);
    assert!((p_w(light) / (0.5 * BASE / 3.0) - 1.0).abs() < 1e-3);
    let limits = tick.events.iter().filter(|e| e.detail == "current");
    assert_eq!(limits.count(), 1);
}

#[test]
fn the_grid_holds_uneven_phases_when_the_switch_is_closed_again() {
    let mut world = formed(&[]);
    load(&mut world, "a", "a", 4e3, 0.0);
    load(&mut world, "b", "b", 1e3, 0.0);
    island(&mut world, 2.0);
    let limits = gridrig_plant::SyncLimits {
        df_hz: 1.0,
        dv_pu: 0.2,
        dtheta_deg: 20.0,
        aim_deg: 20.0,
    };
    world.request_reclose(2.0, limits).unwrap();
    let tick = world
        .island_tick(2.0, 30.0, 0.001, (1, false), OUTSIDE)
        .unwrap();
    assert!(world.pcc_closed());
    let last = tick.times_s.len() - 1;
    let devices: f64 = tick.p_w.iter().map(|row| row[last]).sum();
    let behind = tick.grid_p_w[last] + devices;
    // The grid's own resistance keeps a little.
    assert!(behind.abs() < 0.01 * BASE, "{behind} W");
    assert!((v_pu(&world, 1) - 1.0).abs() < 0.03);
}

#[test]
fn phases_nobody_has_and_a_motor_at_one_phase_are_refused() {
    let mut world = formed(&[]);
    let load = world.add_load("load").unwrap();
    let refusal = world.set_load_phases(load, "d").unwrap_err();
    assert!(matches!(refusal, PlantError::SettingWrong { key, .. } if key == "phases"));
    world.set_load_phases(load, "b").unwrap();
    assert!(world.set_motor(load, &[n("s_va", 1e3)]).is_err());
    world.set_load_phases(load, "abc").unwrap();
    world.set_motor(load, &[n("s_va", 1e3)]).unwrap();
    assert!(world.set_load_phases(load, "c").is_err());
}
