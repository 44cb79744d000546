//! One inverter on a tuned load: where passive relays are blind, and when they trip.
//!
//! Reference: closed forms of the non-detection zone, and an electromagnetic-transient simulation of
//! the same circuits at 10 us (trip times), both at 60 Hz.

#![allow(
    clippy::unwrap_used,
    reason = "a bench that cannot be built is a failed test"
)]

mod island_bench;

use gridrig_plant::World;
use gridrig_plant::run_on::TestLoad;
use island_bench::{BASE, Case, fast_relays, relays};

/// Whether an inverter with relays at 0.88 to 1.10 pu and 59.3 to 60.5 Hz keeps the island going.
fn unseen(dp: f64, dq: f64, h_s: f64) -> bool {
    let windows = [
        ("OV1", 1.10, 0.16),
        ("UV1", 0.88, 0.16),
        ("OF1", 60.5, 0.16),
        ("UF1", 59.3, 0.16),
    ];
    let mut case = Case::new(2.5).with(relays(&windows)).mismatched(dp, dq);
    case.h_s = h_s;
    case.run(1.0).is_none()
}

#[test]
fn passive_relays_are_blind_exactly_inside_the_closed_form_zone() {
    // (V/Vmax)^2 - 1 and (V/Vmin)^2 - 1
    for h_s in [0.0001, 0.001, 0.002] {
        for (edge, sign) in [(-0.1736, 1.0), (0.2913, -1.0)] {
            let near = |dp: f64| unseen(edge + sign * dp, 0.0, h_s);
            assert!(near(0.0005), "inside {edge} at {h_s} s");
            assert!(!near(-0.0005), "outside {edge} at {h_s} s");
        }
    }
}

#[test]
fn the_reactive_edges_do_not_depend_on_the_step() {
    // Qf (1 - (f/fmin)^2) and Qf (1 - (f/fmax)^2); a wrong frame or a missing half step is 7 % off.
    for h_s in [0.0001, 0.0005, 0.001, 0.002] {
        for (edge, sign) in [(-0.0594, 1.0), (0.0412, -1.0)] {
            assert!(
                unseen(0.0, edge + sign * 0.0004, h_s),
                "inside {edge} at {h_s} s"
            );
            assert!(
                !unseen(0.0, edge - sign * 0.0004, h_s),
                "outside {edge} at {h_s} s"
            );
        }
    }
}

#[test]
fn a_capacitance_is_seen_when_its_resonance_leaves_the_frequency_window() {
    for (edge, sign) in [(-0.0635, 1.0), (0.1278, -1.0)] {
        let trips = |dc: f64| {
            let mut case = Case::new(2.5).with(fast_relays());
            case.c_scale = 1.0 + dc;
            case.run(3.0).is_some()
        };
        assert!(!trips(edge + sign * 0.001), "inside {edge}");
        assert!(trips(edge - sign * 0.001), "outside {edge}");
    }
}

#[test]
fn trip_times_agree_with_the_transient_simulation() {
    let runs = [
        (-0.50, 0.0, Some((0.1717, "OV2"))),
        (-0.35, 0.0, Some((0.1787, "OV2"))),
        (0.0, 0.10, Some((0.2706, "OF2"))),
        (0.0, 0.20, Some((0.2183, "OF2"))),
        (0.0, -0.10, None),
        (0.0, -0.20, Some((0.2696, "UF2"))),
    ];
    for (dp, dq, expected) in runs {
        let found = Case::new(1.0)
            .with(fast_relays())
            .mismatched(dp, dq)
            .run(2.0);
        match (expected, found) {
            (None, None) => {}
            (Some((time_s, relay)), Some((at_s, cause))) => {
                assert!((at_s - time_s).abs() < 0.002, "dP {dp} dQ {dq}: {at_s} s");
                assert_eq!(relay, cause);
            }
            (expected, found) => panic!("dP {dp} dQ {dq}: {found:?}, expected {expected:?}"),
        }
    }
}

#[test]
fn many_loads_at_once_run_on_as_each_alone() {
    let mut world = World::new(60.0, BASE, 2).unwrap();
    let settings = Case::new(2.5).with(fast_relays()).settings;
    let pv = world.add_pv("pv", &settings).unwrap();
    world.set_available(pv, BASE).unwrap();
    world.held();
    let load = |n: i32| TestLoad {
        p_w: BASE,
        qf: 2.5,
        c_scale: 1.0 + 0.01 * f64::from(n),
    };
    // Enough of them for several threads, where there are cores.
    let loads: Vec<TestLoad> = (-35..35).map(load).collect();
    let together = world.run_on_times(&loads, 0.5, 0.001).unwrap();
    let alone = |load: &TestLoad| world.run_on_times(&[*load], 0.5, 0.001).unwrap()[0];
    let apart: Vec<Option<f64>> = loads.iter().map(alone).collect();
    assert_eq!(together, apart);
    assert!(apart.iter().any(Option::is_none) && apart.iter().flatten().count() > 10);
}
