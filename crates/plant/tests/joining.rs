//! Joining the grid again: what a wrong closing costs, and how an island finds the right one.

#![allow(
    clippy::unwrap_used,
    reason = "a bench that cannot be built is a failed test"
)]

mod island_bench;

use gridrig_plant::complex::Complex;
use gridrig_plant::network::{Source, solve};
use gridrig_plant::{Outside, SyncLimits, World};
use island_bench::formed::{BASE, OUTSIDE, former, islanded, tick};
use island_bench::n;
use std::f64::consts::PI;

#[test]
fn closing_out_of_phase_draws_the_current_of_the_angle() {
    // Two formers of 1 and 0.5 pu behind 0.15 pu each, and the grid behind 0.02 + j0.08.
    let table = [
        (5.0, 0.48),
        (10.0, 0.96),
        (20.0, 1.9),
        (45.0, 4.2),
        (90.0, 7.8),
        (150.0, 10.6),
    ];
    for (degrees, expected) in table {
        let e = Complex::polar(1.0, degrees * PI / 180.0);
        let mut sources = [Source::new(e, 0.15, 1e9), Source::new(e, 0.30, 1e9)];
        let y = Complex::ONE / Complex::new(0.02, 0.08);
        let v = solve(&mut sources, y, Complex::ONE * y);
        let current = ((Complex::ONE - v) * y).abs();
        assert!(
            (current / expected - 1.0).abs() < 0.015,
            "{degrees} deg: {current}"
        );
    }
}

#[test]
fn closing_out_of_phase_dips_the_voltage_by_the_angle() {
    // The reference's voltages just after; its load is not stated, 0.75 pu fits all six.
    for (degrees, expected) in [
        (5.0_f64, 0.998),
        (10.0, 0.998),
        (20.0, 0.994),
        (45.0, 0.949),
        (90.0, 0.759),
        (150.0, 0.342),
    ] {
        let big = [n("i_max_pu", 20.0), n("overload_trip_s", 100.0)];
        let formers = [former(BASE, &big), former(BASE / 2.0, &big)];
        let mut world = islanded(&formers, 0.75 * BASE, &[]);
        tick(&mut world, 0.0, 2.0);
        world.set_grid_ahead(-degrees.to_radians()).unwrap();
        let limits = SyncLimits {
            df_hz: 5.0,
            dv_pu: 0.5,
            dtheta_deg: 180.0,
            aim_deg: 180.0,
        };
        world.request_reclose(2.0, limits).unwrap();
        // The switch closes with the first step; the second is the first with the grid.
        let v_pu = tick(&mut world, 2.0, 0.01).v_pu[1];
        assert!((v_pu - expected).abs() < 0.013, "{degrees} deg: {v_pu} pu");
    }
}

#[test]
fn an_island_that_was_importing_forms_synchronises_and_closes_gently() {
    let mut world = World::new(60.0, BASE, 1).unwrap();
    let load = world.add_load("load").unwrap();
    world.add_storage("former", &former(BASE, &[])).unwrap();
    world.set_load(load, 0.4 * BASE, 0.05 * BASE).unwrap();
    world.open_pcc(10.0).unwrap();
    let first = tick(&mut world, 10.0, 2.0);
    assert!(
        first.v_range_pu.0 > 0.9 && first.f_range_hz.0 > 59.5,
        "{:?}",
        first.f_range_hz
    );
    let formed = first
        .events
        .iter()
        .find(|event| event.kind.word() == "formed")
        .unwrap();
    assert!(formed.value < 0.01);

    let grid = Outside {
        losses_w: 0.0,
        grid_v_pu: 1.02,
        grid_f_hz: 60.03,
    };
    let limits = SyncLimits {
        df_hz: 0.1,
        dv_pu: 0.03,
        dtheta_deg: 10.0,
        aim_deg: 2.0,
    };
    world.request_reclose(12.0, limits).unwrap();
    let mut t_s = 12.0;
    while !world.pcc_closed() {
        assert_eq!(world.island_state(), "synchronising");
        assert!(t_s < 60.0, "not synchronised");
        let tick = world
            .island_tick(t_s, 1.0, 0.001, (1, false), grid)
            .unwrap();
        t_s += 1.0;
        for event in tick
            .events
            .iter()
            .filter(|event| event.kind.word() == "sync")
        {
            let limit = match event.detail.as_str() {
                "df_hz" => limits.df_hz,
                "dv_pu" => limits.dv_pu,
                _ => limits.dtheta_deg,
            };
            assert!(
                event.value.abs() <= limit,
                "{} {}",
                event.detail,
                event.value
            );
        }
    }
    let after = world
        .island_tick(t_s, 2.0, 0.001, (1, false), grid)
        .unwrap();
    assert!(
        after.v_range_pu.0 > 0.98 && after.v_range_pu.1 < 1.05,
        "{:?}",
        after.v_range_pu
    );
    assert!((after.end.0 - 60.03).abs() < 1e-3, "{}", after.end.0);
    world.integrate(2.0).unwrap();
    world.advance(1.0).unwrap();
    assert_eq!(world.island_state(), "closed");
}

#[test]
fn a_switch_closes_within_the_angle_it_aims_at_and_a_request_can_be_withdrawn() {
    let closing = |aim_deg: f64| {
        let mut world = islanded(&[former(BASE, &[])], 0.05 * BASE, &[]);
        tick(&mut world, 0.0, 1.0);
        // The grid's angle began at the island's and runs ahead: after a second it is far off.
        let grid = Outside {
            grid_f_hz: 60.2,
            ..OUTSIDE
        };
        world
            .island_tick(1.0, 1.6, 0.001, (0, false), grid)
            .unwrap();
        let limits = SyncLimits {
            df_hz: 1.0,
            dv_pu: 0.1,
            dtheta_deg: 180.0,
            aim_deg,
        };
        world.request_reclose(2.6, limits).unwrap();
        let tick = world
            .island_tick(2.6, 60.0, 0.001, (0, false), grid)
            .unwrap();
        let angle = tick.events.iter().find(|e| e.detail == "dtheta_deg");
        angle.map(|event| event.value.abs())
    };
    assert!(closing(2.0).unwrap() <= 2.0);
    assert!(closing(180.0).unwrap() > 90.0);

    let mut world = islanded(&[former(BASE, &[])], 0.4 * BASE, &[]);
    let limits = SyncLimits {
        df_hz: 0.1,
        dv_pu: 0.03,
        dtheta_deg: 10.0,
        aim_deg: 2.0,
    };
    world.request_reclose(0.0, limits).unwrap();
    world.cancel_reclose().unwrap();
    assert_eq!(world.island_state(), "island");
    tick(&mut world, 0.0, 60.0);
    assert!(!world.pcc_closed());
}

#[test]
fn the_angle_of_the_grid_is_what_it_is_said_to_be() {
    let closes_at_once = |ahead: f64| {
        let mut world = islanded(&[former(BASE, &[])], 0.1 * BASE, &[]);
        tick(&mut world, 0.0, 0.1);
        let limits = SyncLimits {
            df_hz: 1.0,
            dv_pu: 0.2,
            dtheta_deg: 20.0,
            aim_deg: 10.0,
        };
        world.set_grid_ahead(ahead).unwrap();
        world.request_reclose(0.1, limits).unwrap();
        tick(&mut world, 0.1, 0.001);
        let closed = world.pcc_closed();
        assert_eq!(world.set_grid_ahead(0.0).is_err(), closed);
        closed
    };
    for (degrees, closes) in [
        (0.0, true),
        (8.0, true),
        (-8.0, true),
        (12.0, false),
        (180.0, false),
    ] {
        assert_eq!(
            closes_at_once(degrees * PI / 180.0),
            closes,
            "{degrees} deg"
        );
    }
}
