//! Motors against their equivalent circuit, a fifth-order model at 10 us, and closed forms.

#![allow(
    clippy::unwrap_used,
    reason = "a bench that cannot be built is a failed test"
)]

mod island_bench;

use gridrig_plant::buses::Buses;
use gridrig_plant::complex::{Complex, J};
use gridrig_plant::sequence::Segment;
use gridrig_plant::{IslandTick, Outside, PlantError, Value, World};
use island_bench::n;
use std::f64::consts::TAU;

const BASE: f64 = 10_000.0;
const W0: f64 = TAU * 60.0;
const OUTSIDE: Outside = Outside {
    losses_w: 0.0,
    grid_v_pu: 1.0,
    grid_f_hz: 60.0,
};

/// The default motor's circuit [pu].
const RS: f64 = 0.035;
const XS: f64 = 0.09;
const XM: f64 = 3.0;
const RR: f64 = 0.03;
const XR: f64 = 0.09;

fn real(x: f64) -> Complex {
    Complex::new(x, 0.0)
}

/// Current and torque of the steady equivalent circuit at a slip.
fn circuit(v_pu: f64, slip: f64) -> (Complex, f64) {
    let rotor = Complex::new(RR / slip, XR);
    let both = rotor + J * XM;
    let i = real(v_pu) / (Complex::new(RS, XS) + J * XM * rotor / both);
    let i_rotor = i * (J * XM) / both;
    (i, i_rotor.norm_sq() * RR / slip)
}

/// A world whose load 0 has this motor.
fn with_motor(more: &[(String, Value)]) -> World {
    let mut world = World::new(60.0, BASE, 1).unwrap();
    let load = world.add_load("mill").unwrap();
    let mut table = vec![n("s_va", BASE / 2.0)];
    table.extend_from_slice(more);
    world.set_motor(load, &table).unwrap();
    world
}

fn still() -> (String, Value) {
    ("runs".to_owned(), Value::Bool(false))
}

/// Adds a former of the system base that nothing limits, and opens the switch.
fn islanded(world: World) -> World {
    islanded_in(world, None)
}

/// The same, with a network between the load and the former.
fn islanded_in(mut world: World, buses: Option<Buses>) -> World {
    let pack = vec![
        n("capacity_ah", 1000.0),
        n("cells", 100.0),
        n("charge_a_max", 1000.0),
    ];
    let former = [
        n("s_va", BASE),
        n("i_max_pu", 20.0),
        n("overload_trip_s", 100.0),
        ("forms_grid".to_owned(), Value::Bool(true)),
        ("pack".to_owned(), Value::Table(pack)),
    ];
    world.add_storage("former", &former).unwrap();
    world
        .set_island(&[n("secondary_s", 1e6), n("secondary_v_s", 1e6)])
        .unwrap();
    world.set_network(buses).unwrap();
    world.open_pcc(0.0).unwrap();
    world
}

fn island_tick(world: &mut World, t_s: f64, dt_s: f64, h_s: f64) -> IslandTick {
    world
        .island_tick(t_s, dt_s, h_s, (1, false), OUTSIDE)
        .unwrap()
}

fn told(tick: &IslandTick, kind: &str) -> Vec<(f64, String)> {
    let events = tick.events.iter();
    let mine = events.filter(|e| e.kind.word() == kind && e.name == "mill");
    mine.map(|e| (e.value, e.detail.clone())).collect()
}

#[test]
fn a_motor_that_has_settled_is_its_equivalent_circuit() {
    for (v_pu, f_hz) in [(1.0, 60.0), (0.9, 60.0), (1.05, 60.0)] {
        let mut world = with_motor(&[n("torque_pu", 0.7), n("fan_share", 0.0)]);
        world.impose(&[v_pu], f_hz).unwrap();
        world.advance(5.0).unwrap();
        let motor = world.motor(0).unwrap();
        let (i, torque) = circuit(v_pu, 1.0 - motor.speed);
        assert!((torque - 0.7).abs() < 1e-5, "{v_pu}: {torque}");
        assert!((motor.i_pu - i.abs()).abs() < 1e-5);
        let power = i.conj() * (v_pu * BASE / 2.0);
        assert!((motor.p_w - power.re).abs() < 0.05 && (motor.q_var - power.im).abs() < 0.05);
        // And that is what its load's terminal takes.
        assert!((world.held().0[0] + power.re).abs() < 0.05);
    }
}

#[test]
fn at_another_frequency_the_slip_is_from_there() {
    let mut world = with_motor(&[n("fan_share", 0.0)]);
    let slip = |world: &World, f: f64| f - world.motor(0).unwrap().speed;
    let nominal = slip(&world, 1.0);
    world.impose(&[1.0], 58.0).unwrap();
    world.advance(10.0).unwrap();
    assert!((slip(&world, 58.0 / 60.0) / nominal - 1.0).abs() < 0.02);
}

/// A fifth-order motor on an ideal voltage: fluxes of stator and rotor in the synchronous frame, and speed.
struct FifthOrder {
    stator: Complex,
    rotor: Complex,
    speed: f64,
}

impl FifthOrder {
    fn currents(&self) -> (Complex, Complex) {
        let (ls, lr) = (XS + XM, XR + XM);
        let over = 1.0 / (ls * lr - XM * XM);
        let i_s = (self.stator * lr - self.rotor * XM) * over;
        (i_s, (self.rotor * ls - self.stator * XM) * over)
    }

    fn rates(&self, torque_pu: f64, inertia_s: f64) -> (Complex, Complex, f64) {
        let (i_s, i_r) = self.currents();
        let stator = (Complex::ONE - i_s * RS - J * self.stator) * W0;
        let rotor = (-(i_r * RR) - J * self.rotor * (1.0 - self.speed)) * W0;
        let electric = (self.stator.conj() * i_s).im;
        let load = torque_pu * self.speed * self.speed;
        (stator, rotor, (electric - load) / (2.0 * inertia_s))
    }

    fn moved(&self, rate: (Complex, Complex, f64), h: f64) -> FifthOrder {
        FifthOrder {
            stator: self.stator + rate.0 * h,
            rotor: self.rotor + rate.1 * h,
            speed: self.speed + rate.2 * h,
        }
    }

    /// When it has run up to 0.9 of synchronous speed [s].
    fn run_up_s(torque_pu: f64, inertia_s: f64) -> f64 {
        let h = 1e-5;
        let zero = Complex::ZERO;
        let mut at = FifthOrder {
            stator: zero,
            rotor: zero,
            speed: 0.0,
        };
        for step in 1..2_000_000 {
            let k1 = at.rates(torque_pu, inertia_s);
            let k2 = at.moved(k1, 0.5 * h).rates(torque_pu, inertia_s);
            let k3 = at.moved(k2, 0.5 * h).rates(torque_pu, inertia_s);
            let k4 = at.moved(k3, h).rates(torque_pu, inertia_s);
            at = at.moved(k1, h / 6.0).moved(k2, h / 3.0);
            at = at.moved(k3, h / 3.0).moved(k4, h / 6.0);
            if at.speed >= 0.9 {
                return f64::from(step) * h;
            }
        }
        panic!("it never ran up")
    }
}

#[test]
fn a_start_on_line_takes_as_long_as_in_a_model_with_stator_transients() {
    for (torque_pu, inertia_s) in [(0.8, 0.5), (0.5, 0.5), (0.8, 2.0)] {
        let settings = [
            still(),
            n("torque_pu", torque_pu),
            n("inertia_s", inertia_s),
        ];
        let mut world = with_motor(&settings);
        world.switch_motor(0, true).unwrap();
        let hold = [Segment::hold(8.0, 1.0, 60.0)];
        let samples = world.source_tick(&[0], 0.0, &hold, 0.001, 1).unwrap();
        let found = samples.events[0].value;
        let expected = FifthOrder::run_up_s(torque_pu, inertia_s);
        assert!(
            (found / expected - 1.0).abs() < 0.03,
            "{torque_pu} {inertia_s}: {found} s, {expected} s"
        );
    }
}

#[test]
fn at_standstill_it_draws_the_current_of_its_locked_rotor() {
    let mut world = with_motor(&[still(), n("inertia_s", 60.0)]);
    world.switch_motor(0, true).unwrap();
    let hold = [Segment::hold(0.5, 1.0, 60.0)];
    let samples = world.source_tick(&[0], 0.0, &hold, 0.001, 1).unwrap();
    let phase = samples.i[0][499][0].abs() / (BASE / 2.0 / 3.0);
    let (locked, _) = circuit(1.0, 1.0 - world.motor(0).unwrap().speed);
    assert!((phase / locked.abs() - 1.0).abs() < 0.002, "{phase}");
    assert!(locked.abs() > 5.0);
}

#[test]
fn an_unbalanced_voltage_drives_a_negative_sequence_of_the_circuit_at_slip_two() {
    let mut world = with_motor(&[]);
    let uneven = [Segment {
        v_from_pu: [1.0, 0.94, 1.0],
        v_to_pu: [1.0, 0.94, 1.0],
        ..Segment::hold(2.0, 1.0, 60.0)
    }];
    let samples = world.source_tick(&[0], 0.0, &uneven, 0.001, 1).unwrap();
    let a = Complex::polar(1.0, TAU / 3.0);
    let negative = |x: &[Complex; 3]| (x[0] + x[1] * a.conj() + x[2] * a) * (1.0 / 3.0);
    let i2 = negative(&samples.i[0][1999]).abs() / (BASE / 2.0 / 3.0);
    let v2 = negative(&samples.v[1999]).abs();
    let (expected, _) = circuit(v2, 1.0 + world.motor(0).unwrap().speed);
    assert!((v2 - 0.02).abs() < 1e-9);
    assert!((i2 / expected.abs() - 1.0).abs() < 1e-3, "{i2}");
    // Two per cent of negative sequence are a tenth of the current: why motors need balance.
    assert!(i2 > 0.1);
}

#[test]
fn a_start_in_an_island_dips_the_voltage_as_the_divider_of_reactances() {
    let mut world = islanded(with_motor(&[still()]));
    let quiet = island_tick(&mut world, 0.0, 0.5, 0.001);
    world.switch_motor(0, true).unwrap();
    let first = island_tick(&mut world, 0.5, 0.001, 0.0001);
    let tick = island_tick(&mut world, 0.501, 4.0, 0.001);
    // The former's inner voltage behind 0.15 pu, the motor's transient impedance on half the base.
    let z = Complex::new(RS, XS + XM * XR / (XM + XR)) * 2.0;
    let divider = (z / (z + J * 0.15)).abs() * quiet.end.1;
    assert!((first.v_pu[0] / divider - 1.0).abs() < 0.005, "{divider}");
    let started = told(&tick, "motor_started");
    assert!(started[0].0 > 0.3 && started[0].0 < 2.0, "{started:?}");
    // Its own droop and reactance cost the former 4 % at the motor's reactive power.
    assert!(tick.end.1 > 0.94 && tick.f_range_hz.0 > 59.4);
    for step in [0, 100, 1000, 3999] {
        let sum: f64 = tick.p_w.iter().map(|row| row[step]).sum();
        assert!(sum.abs() < 1e-6 * BASE, "step {step}: {sum} W");
    }
}

#[test]
fn in_a_network_without_length_a_motor_starts_as_on_one_bus() {
    let started = |z: Option<f64>| {
        let buses = z.map(|z| {
            let y = Complex::ONE / Complex::new(z, z);
            Buses::new(2, vec![y, -y, -y, y], 0, vec![1, 0]).unwrap()
        });
        let mut world = islanded_in(with_motor(&[still()]), buses);
        island_tick(&mut world, 0.0, 0.1, 0.001);
        world.switch_motor(0, true).unwrap();
        island_tick(&mut world, 0.1, 2.0, 0.001)
    };
    let (one, short, long) = (started(None), started(Some(1e-7)), started(Some(0.02)));
    for k in [0, 10, 100, 500, 1999] {
        assert!((one.v_pu[k] - short.v_pu[k]).abs() < 1e-5, "step {k}");
        assert!((one.p_w[0][k] - short.p_w[0][k]).abs() < 0.1, "step {k}");
    }
    // At the end of a long line it starts more slowly, and the former sees less of it.
    let run_up = |tick: &IslandTick| told(tick, "motor_started")[0].0;
    let (far, near) = (run_up(&long), run_up(&one));
    assert!(far > 1.05 * near, "{far} s, {near} s");
    let (far, near) = (long.v_range_pu.0, one.v_range_pu.0);
    assert!(far > near + 0.01, "{far} pu, {near} pu");
}

#[test]
fn a_step_of_a_millisecond_is_as_good_as_one_of_a_tenth() {
    let nadir = |h_s: f64| {
        let mut world = islanded(with_motor(&[still()]));
        island_tick(&mut world, 0.0, 0.1, h_s);
        world.switch_motor(0, true).unwrap();
        let tick = island_tick(&mut world, 0.1, 3.0, h_s);
        (
            tick.f_range_hz.0,
            tick.end.1,
            told(&tick, "motor_started")[0].0,
        )
    };
    let (coarse, fine) = (nadir(0.001), nadir(0.0001));
    assert!((coarse.0 - fine.0).abs() < 2e-3, "{coarse:?} {fine:?}");
    assert!((coarse.1 - fine.1).abs() < 1e-5, "{coarse:?} {fine:?}");
    assert!((coarse.2 - fine.2).abs() < 3e-3, "{coarse:?} {fine:?}");
}

#[test]
fn with_nobody_to_hold_it_the_bus_keeps_the_voltage_of_the_rotor_for_a_while() {
    // Nearly no load: the flux decays with its open-circuit time constant.
    let settings = [
        n("torque_pu", 0.0),
        n("inertia_s", 60.0),
        n("drop_out_v_pu", 0.0),
    ];
    let mut world = with_motor(&settings);
    world.set_load(0, 1.0, 0.0).unwrap();
    world
        .set_island(&[n("ceiling_v_pu", 0.0), n("filter_b_pu", 0.001)])
        .unwrap();
    world.open_pcc(0.0).unwrap();
    let tick = island_tick(&mut world, 0.0, 0.4, 0.001);
    let tau_s = (XM + XR) / (W0 * RR);
    let found = 0.2 / (tick.v_pu[150] / tick.v_pu[350]).ln();
    assert!((found / tau_s - 1.0).abs() < 0.03, "{found} s, {tau_s} s");
}

#[test]
fn a_contactor_drops_out_in_a_sag_and_closes_again_only_if_it_is_built_to() {
    let sag = [
        Segment::hold(0.1, 1.0, 60.0),
        Segment::hold(0.2, 0.4, 60.0),
        Segment::hold(5.0, 1.0, 60.0),
    ];
    for (restart_s, expected) in [
        (0.0, vec!["motor_stopped"]),
        (1.0, vec!["motor_stopped", "motor_started"]),
    ] {
        let mut world = with_motor(&[n("restart_s", restart_s)]);
        let samples = world.source_tick(&[0], 0.0, &sag, 0.001, 1).unwrap();
        let kinds: Vec<&str> = samples.events.iter().map(|e| e.kind.word()).collect();
        assert_eq!(kinds, expected);
        assert_eq!(samples.events[0].detail, "undervoltage");
        assert!((samples.events[0].t_s - 0.15).abs() < 1.5e-3);
        assert_eq!(world.motor(0).unwrap().closed, restart_s > 0.0);
    }
    // A sag that is shorter than the contactor is slow passes unseen.
    let mut world = with_motor(&[n("drop_out_s", 0.3)]);
    let samples = world.source_tick(&[0], 0.0, &sag, 0.001, 1).unwrap();
    assert_eq!(samples.events, []);
}

#[test]
fn a_motor_that_its_load_holds_fast_is_tripped_and_one_it_cannot_turn_is_refused() {
    let mut world = with_motor(&[still(), n("torque_pu", 1.5), n("fan_share", 0.0)]);
    world.switch_motor(0, true).unwrap();
    let hold = [Segment::hold(12.0, 1.0, 60.0)];
    let samples = world.source_tick(&[0], 0.0, &hold, 0.001, 0).unwrap();
    assert_eq!(samples.events[0].detail, "stalled");
    assert!((samples.events[0].t_s - 10.0).abs() < 2e-3);

    let refusal = World::new(60.0, BASE, 1)
        .and_then(|mut world| {
            let load = world.add_load("mill")?;
            world.set_motor(load, &[n("s_va", BASE), n("torque_pu", 3.0)])
        })
        .unwrap_err();
    assert!(matches!(refusal, PlantError::SettingWrong { key, .. } if key == "torque_pu"));
}

#[test]
fn a_motor_that_was_shed_with_its_load_takes_nothing() {
    let mut world = with_motor(&[n("s_va", BASE)]);
    world.set_shed_plan(&[(0, 1)]).unwrap();
    world.set_load(0, 4_000.0, 0.0).unwrap();
    let mut world = islanded(world);
    // More than the former may give: the limit controller lowers f until the load goes.
    world.set_limit_w(1, Some(3_000.0)).unwrap();
    let tick = island_tick(&mut world, 0.0, 20.0, 0.001);
    assert_eq!(told(&tick, "shed").len(), 1);
    assert!(!world.motor(0).unwrap().closed);
    assert_eq!(tick.p_w[0][19_999], 0.0);
}
