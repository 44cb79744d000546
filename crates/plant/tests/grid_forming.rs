//! Islands that a grid former holds: droop, nadir, conservation, networks, black start.

#![allow(
    clippy::unwrap_used,
    reason = "a bench that cannot be built is a failed test"
)]

mod island_bench;

use gridrig_plant::buses::Buses;
use gridrig_plant::complex::Complex;
use gridrig_plant::network::{Source, solve};
use gridrig_plant::{Outside, Value, World};
use island_bench::formed::{BASE, OUTSIDE, former, islanded, tick};
use island_bench::n;

#[test]
fn two_formers_share_a_load_by_their_ratings_and_settle_on_the_droop() {
    let droop = [n("droop_p", 0.02)];
    let mut world = islanded(
        &[former(BASE, &droop), former(BASE / 2.0, &droop)],
        0.75 * BASE,
        &[],
    );
    let tick = tick(&mut world, 0.0, 10.0);
    let (large, small) = (tick.p_w[1][9999], tick.p_w[2][9999]);
    assert!((large / small - 2.0).abs() < 1e-4, "{large} {small}");
    // 60 (1 - 0.02 x 0.75 / 1.5)
    assert!((tick.end.0 - 59.4).abs() < 1e-4, "{}", tick.end.0);
}

#[test]
fn the_first_slope_is_the_imbalance_over_the_inertia() {
    // 2H = tau / droop = 2.5 s, so -0.3 x 60 / 2.5 = -7.2 Hz/s
    let mut world = islanded(
        &[former(
            BASE,
            &[n("droop_p", 0.02), n("power_filter_s", 0.05)],
        )],
        0.3 * BASE,
        &[n("load_lag_s", 0.0)],
    );
    let tick = tick(&mut world, 0.0, 0.1);
    let slope = (tick.f_hz[2] - tick.f_hz[0]) / 0.002;
    assert!((slope / -7.2 - 1.0).abs() < 0.05, "{slope} Hz/s");
}

#[test]
fn the_nadir_behind_a_governor_is_the_closed_form() {
    let (droop, dp, f0) = (0.05_f64, 0.3, 60.0);
    for (inertia_s, governor_s, nadir_hz, at_s) in [
        (0.5_f64, 0.3_f64, 57.5779, 0.222),
        (2.0, 0.5, 58.3428, 0.631),
        (4.0, 0.5, 58.7361, 1.017),
    ] {
        let wn2 = 1.0 / (2.0 * inertia_s * droop * governor_s);
        let a = 0.5 / governor_s;
        let wd = (wn2 - a * a).sqrt();
        let tn = (wd * governor_s).atan2(a * governor_s - 1.0) / wd;
        let swing = (wd * tn).cos() + (a - wn2 * governor_s) / wd * (wd * tn).sin();
        let closed_form = f0 * (1.0 - droop * dp * (1.0 - (-a * tn).exp() * swing));
        assert!((closed_form - nadir_hz).abs() < 1e-4 && (tn - at_s).abs() < 1e-3);

        let settings = [
            n("droop_p", droop),
            n("power_filter_s", 2.0 * inertia_s * droop),
            n("governor_s", governor_s),
        ];
        let mut world = islanded(
            &[former(BASE, &settings)],
            dp * BASE,
            &[n("load_lag_s", 0.0)],
        );
        let tick = tick(&mut world, 0.0, 2.0);
        let lowest = tick.f_range_hz.0;
        let when = tick.f_hz.iter().position(|f| *f == lowest).unwrap() as f64 * 0.001;
        // The load takes a millisecond to reach its power, which is worth about this much.
        assert!(
            (lowest - nadir_hz).abs() < 3e-3,
            "{lowest} Hz, expected {nadir_hz}"
        );
        assert!((when - at_s).abs() < 3e-3, "{when} s, expected {at_s}");
    }
}

#[test]
fn the_nadir_of_a_load_step_does_not_depend_on_the_step_length() {
    let nadir = |h_s: f64| {
        let table = [
            n("droop_p", 0.05),
            n("power_filter_s", 0.2),
            n("governor_s", 0.5),
        ];
        let formers = [former(BASE, &table), former(BASE / 2.0, &table)];
        let mut world = islanded(&formers, 0.3 * BASE, &[n("load_lag_s", 0.0)]);
        let tick = |world: &mut World, t_s: f64| {
            world
                .island_tick(t_s, 10.0, h_s, (0, false), OUTSIDE)
                .unwrap()
        };
        tick(&mut world, 0.0);
        world.set_load(0, 0.75 * BASE, 0.0).unwrap();
        tick(&mut world, 10.0).f_range_hz.0
    };
    let fine = nadir(0.0001);
    assert!(fine < 58.0, "{fine}");
    for h_s in [0.001, 0.01] {
        let coarse = nadir(h_s);
        assert!((coarse - fine).abs() < 3e-3, "{h_s} s: {coarse}, {fine}");
    }
}

#[test]
fn what_the_devices_give_is_what_the_feeder_loses_in_every_step() {
    let mut world = islanded(
        &[former(BASE, &[]), former(BASE / 2.0, &[])],
        0.4 * BASE,
        &[],
    );
    let outside = Outside {
        losses_w: 250.0,
        ..OUTSIDE
    };
    let tick = world
        .island_tick(0.0, 5.0, 0.001, (1, false), outside)
        .unwrap();
    let last = tick.p_w.iter().map(|row| row[4999]).sum::<f64>();
    assert!((last - 250.0).abs() < 0.1, "{last} W");
    let means: f64 = world.held().0.iter().sum();
    assert!((means - 250.0).abs() < 2.0, "{means} W");
}

#[test]
fn a_current_limit_holds_whatever_the_bus_asks() {
    let mut sources = [
        Source::new(Complex::ONE, 0.15, 1.5),
        Source::new(Complex::ONE, 0.3, 0.8),
    ];
    solve(&mut sources, Complex::new(8.0, -2.0), Complex::ZERO);
    assert!(
        (sources[0].i.abs() - 1.5).abs() < 1e-3,
        "{}",
        sources[0].i.abs()
    );
    assert!(
        (sources[1].i.abs() - 0.8).abs() < 1e-3,
        "{}",
        sources[1].i.abs()
    );
}

/// Buses in a row, joined by lines of this impedance.
fn row_of_buses(z: Complex, of_device: Vec<usize>) -> Buses {
    let count = of_device.iter().max().unwrap() + 1;
    let mut y = vec![Complex::ZERO; count * count];
    let line = Complex::ONE / z;
    for k in 1..count {
        for (row, column) in [(k - 1, k), (k, k - 1)] {
            y[row * count + row] += line;
            y[row * count + column] = -line;
        }
    }
    Buses::new(count, y, 0, of_device).unwrap()
}

#[test]
fn a_network_without_length_gives_the_island_of_one_bus() {
    let run = |network: Option<Buses>| {
        let tables = [former(BASE, &[]), former(BASE / 2.0, &[])];
        let mut world = World::new(60.0, BASE, 1).unwrap();
        let load = world.add_load("load").unwrap();
        for (i, table) in tables.iter().enumerate() {
            world.add_storage(&format!("former-{i}"), table).unwrap();
        }
        let pv = world.add_pv("pv", &[n("s_va", BASE / 2.0)]).unwrap();
        world.set_available(pv, 0.3 * BASE).unwrap();
        world.set_load(load, 0.8 * BASE, 0.2 * BASE).unwrap();
        world.set_network(network).unwrap();
        world.open_pcc(0.0).unwrap();
        tick(&mut world, 0.0, 3.0)
    };
    let short = Complex::new(1e-8, 1e-8);
    let (one, many) = (run(None), run(Some(row_of_buses(short, vec![2, 0, 1, 3]))));
    for k in 0..one.f_hz.len() {
        assert!((one.f_hz[k] - many.f_hz[k]).abs() < 1e-4, "{k}");
        assert!((one.v_pu[k] - many.v_pu[k]).abs() < 1e-4, "{k}");
        for (a, b) in one.p_w.iter().zip(&many.p_w) {
            assert!((a[k] - b[k]).abs() < 1e-2 * BASE, "{k}: {} {}", a[k], b[k]);
        }
    }
}

#[test]
fn every_device_has_the_voltage_of_its_bus_and_lines_keep_what_they_lose() {
    let mut world = World::new(60.0, BASE, 1).unwrap();
    let load = world.add_load("load").unwrap();
    let stiff = former(BASE, &[n("coupling_x_pu", 0.01), n("droop_q", 0.0)]);
    let source = world.add_storage("former", &stiff).unwrap();
    world.set_load(load, 0.5 * BASE, 0.0).unwrap();
    let r = 0.08;
    let buses = row_of_buses(Complex::new(r, 0.04), vec![1, 0]);
    world.set_network(Some(buses)).unwrap();
    world.open_pcc(0.0).unwrap();
    tick(&mut world, 0.0, 60.0);
    let (far, near) = (
        world.terminal(load).unwrap(),
        world.terminal(source).unwrap(),
    );
    let i = 0.5 / far.v_pu;
    // The drop of the line, in phase and across: the load takes no reactive power.
    let expected = ((far.v_pu + r * i).powi(2) + (0.04 * i).powi(2)).sqrt();
    assert!(
        (near.v_pu - expected).abs() < 1e-4,
        "{} {expected}",
        near.v_pu
    );
    let last = tick(&mut world, 60.0, 1.0);
    let (taken, given) = (last.p_w[0][999], last.p_w[1][999]);
    assert!((taken / (-0.5 * BASE) - 1.0).abs() < 1e-4, "{taken} W");
    assert!(
        (given + taken - r * i * i * BASE).abs() < 1e-3 * BASE,
        "{given} {taken}"
    );
}

#[test]
fn only_the_inverter_at_the_end_of_a_long_line_sees_the_overvoltage() {
    let mut world = World::new(60.0, BASE, 1).unwrap();
    let table = [
        n("s_va", BASE / 2.0),
        ("momentary_cessation".to_owned(), Value::Bool(false)),
    ];
    let pvs: Vec<usize> = (0..2)
        .map(|i| world.add_pv(&format!("pv-{i}"), &table).unwrap())
        .collect();
    let charging = former(BASE, &[n("power_filter_s", 0.5)]);
    world.add_storage("former", &charging).unwrap();
    for pv in &pvs {
        world.set_available(*pv, 0.45 * BASE).unwrap();
    }
    world
        .set_network(Some(row_of_buses(Complex::new(0.35, 0.05), vec![1, 0, 0])))
        .unwrap();
    world.open_pcc(0.0).unwrap();
    let tick = tick(&mut world, 0.0, 20.0);
    let trips: Vec<(&str, &str)> = tick
        .events
        .iter()
        .filter(|event| event.kind.word() == "tripped")
        .map(|event| (event.name.as_str(), event.detail.as_str()))
        .collect();
    assert_eq!(trips, [("pv-0", "OV1")]);
}

/// An island at 60 Hz that lost its former, and with it its voltage.
fn dark(more: &[(String, Value)], load_w: f64) -> World {
    let mut world = islanded(&[former(BASE, more)], load_w, &[]);
    tick(&mut world, 0.0, 1.0);
    world.inverter_mut(1).unwrap().service.permit(false);
    let gone = tick(&mut world, 1.0, 1.0);
    assert_eq!(world.island_state(), "dead");
    assert!(gone.end.1 < 0.05, "{} pu", gone.end.1);
    world
}

#[test]
fn a_former_permitted_on_a_dead_bus_raises_it_in_the_time_of_its_ramp() {
    let ramp_s = 0.5;
    let mut world = dark(&[n("black_start_ramp_s", ramp_s)], 0.3 * BASE);
    world.inverter_mut(1).unwrap().service.permit(true);
    let start = tick(&mut world, 2.0, 3.0);
    assert_eq!(world.island_state(), "island");
    for (k, v_pu) in start.v_pu.iter().enumerate().take(499) {
        // Behind 0.15 pu a load of 0.3 pu takes 0.1 % of the voltage.
        let expected = (k as f64) * 0.001 / ramp_s;
        assert!((v_pu - expected).abs() < 0.01, "{k}: {v_pu} {expected}");
    }
    assert!((start.end.1 - 1.0).abs() < 0.01, "{} pu", start.end.1);
    let kinds: Vec<&str> = start.events.iter().map(|event| event.kind.word()).collect();
    assert_eq!(kinds, ["energised", "formed"]);
    // The load's power comes back with its voltage.
    assert!((start.p_w[0][2999] / (-0.3 * BASE) - 1.0).abs() < 1e-3);
}

#[test]
fn a_former_that_cannot_start_cold_or_has_no_permit_leaves_the_bus_dead() {
    for (able, permit) in [(false, true), (true, false)] {
        let mut world = dark(&[("black_start".to_owned(), Value::Bool(able))], 0.3 * BASE);
        world.inverter_mut(1).unwrap().service.permit(permit);
        let tick = tick(&mut world, 2.0, 3.0);
        assert!(tick.v_range_pu.1 < 0.05, "{able} {permit}");
        assert_eq!(world.island_state(), "dead");
    }
}

#[test]
fn a_quiet_island_is_the_same_in_steps_of_five_milliseconds() {
    // The storage at its limit, so that sun is throttled: everything slow is at work.
    let run = |h_s: f64| {
        let mut world = World::new(50.0, BASE, 1).unwrap();
        let load = world.add_load("load").unwrap();
        let storage = world.add_storage("former", &former(BASE, &[])).unwrap();
        let droop = [
            n("s_va", BASE),
            n("droop_db_hz", 0.0142),
            n("droop_k", 0.02),
            n("droop_response_s", 0.2),
        ];
        let pv = world.add_pv("pv", &droop).unwrap();
        world.set_load(load, 0.2 * BASE, 0.0).unwrap();
        world.set_available(pv, BASE).unwrap();
        world.inverter_mut(storage).unwrap().limit_w = Some(0.3 * BASE);
        world.open_pcc(0.0).unwrap();
        let grid = Outside {
            grid_f_hz: 50.0,
            ..OUTSIDE
        };
        world
            .island_tick(0.0, 2.0, 0.001, (0, false), grid)
            .unwrap();
        let tick = world.island_tick(2.0, 60.0, h_s, (0, false), grid).unwrap();
        (tick.end, world.held().0)
    };
    let ((f_1, v_1), p_1) = run(0.001);
    let ((f_5, v_5), p_5) = run(0.005);
    assert!(f_1 > 50.3, "{f_1} Hz: nothing was throttled");
    assert!((f_1 - f_5).abs() < 1e-3, "{f_1} {f_5}");
    assert!((v_1 - v_5).abs() < 1e-4, "{v_1} {v_5}");
    for (a, b) in p_1.iter().zip(&p_5) {
        assert!((a - b).abs() < 1e-3 * BASE, "{a} {b}");
    }
}
