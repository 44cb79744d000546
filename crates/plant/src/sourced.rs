//! Devices behind an AC source: the source imposes each phase, an analyser sees every step.
//!
//! The source is stiff: what the devices give does not move its voltage. A three-phase inverter
//! follows the positive sequence with balanced currents; its relays see its worst phase. Loads and
//! the resonant test load are constant impedances. Ordering of a tick: `source_tick`, `held` (the
//! means over it), `integrate`, `advance` (which leaves those devices where the source left them).

use crate::bus_meter::BusMeter;
use crate::complex::Complex;
use crate::device::Kind;
use crate::error::{PlantError, checked};
use crate::event::{Event, EventKind};
use crate::follower::{Bus, Follower, Happened};
use crate::grid_following::GridFollowing;
use crate::network::rlc_admittance;
use crate::quasi_static::carry;
use crate::rms::RmsWindow;
use crate::sequence::{Played, Segment, Sequence};
use crate::sourced_load::load_current;
use crate::world::World;
use std::f64::consts::TAU;

/// The longest step behind a source [s].
const H_MAX_S: f64 = 0.01;
/// The longest tick behind a source, in steps.
const STEPS_MAX: f64 = 1e7;
/// An inverter starts exactly on its voltage: a source has no noise of its own.
const NO_NOISE_HZ: f64 = 0.0;

/// What an analyser can see over a tick; every row is the end of a step.
#[derive(Clone, Debug, Default)]
pub struct Samples {
    /// Ends of the steps, in the run's time [s].
    pub times_s: Vec<f64>,
    /// Frequency of the source [Hz].
    pub f_hz: Vec<f64>,
    /// Phasors of the source, in the frame of nominal frequency [pu of nominal phase voltage].
    pub v: Vec<[Complex; 3]>,
    /// Phasors of each device's current into the source, one row a device [VA at nominal phase
    /// voltage, so that v times the conjugate of i is the power of a phase].
    pub i: Vec<Vec<[Complex; 3]>>,
    /// Phasors of the current into the resonant test load [as `i`].
    pub load_i: Vec<[Complex; 3]>,
    /// Whether each device's switch is closed, one row a device.
    pub closed: Vec<Vec<bool>>,
    /// What happened, in order.
    pub events: Vec<Event>,
}

/// The devices behind the source and where it stands.
#[derive(Clone, Debug)]
pub struct Sourced {
    devices: Vec<usize>,
    units: Vec<Option<Unit>>,
    /// The angle its frequency has covered beside nominal [rad].
    turned: f64,
    end_s: f64,
}

/// The fast side of an inverter behind the source.
#[derive(Clone, Debug)]
struct Unit {
    follower: Follower,
    meter: BusMeter,
    windows: [RmsWindow; 3],
    phases: Phases,
}

/// Which phases a device is connected to.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub enum Phases {
    /// All three.
    #[default]
    Three,
    /// One: 0, 1 or 2 for a, b or c.
    One(usize),
}

/// The words of `Phases`.
pub const PHASES: [&str; 4] = ["abc", "a", "b", "c"];

impl Phases {
    /// The phases of the word at this place of `PHASES`.
    pub fn of_word(at: usize) -> Phases {
        at.checked_sub(1).map_or(Phases::Three, Phases::One)
    }

    /// The phasor an inverter follows.
    pub(crate) fn followed(self, v: &[Complex; 3]) -> Complex {
        match self {
            Phases::One(n) => v[n],
            Phases::Three => {
                let turn = [0.0, TAU / 3.0, -TAU / 3.0];
                let sum = |at: usize| v[at] * Complex::polar(1.0, turn[at]);
                (sum(0) + sum(1) + sum(2)) * (1.0 / 3.0)
            }
        }
    }

    /// The currents of the phases for a followed current `i` of the whole device.
    pub(crate) fn spread(self, i: Complex) -> [Complex; 3] {
        match self {
            Phases::One(n) => {
                let mut phases = [Complex::ZERO; 3];
                phases[n] = i;
                phases
            }
            Phases::Three => {
                let third = i * (1.0 / 3.0);
                [0.0, -TAU / 3.0, TAU / 3.0].map(|angle| third * Complex::polar(1.0, angle))
            }
        }
    }

    /// The lowest and highest of the phases it is connected to.
    fn extremes(self, v: [f64; 3]) -> (f64, f64) {
        match self {
            Phases::One(n) => (v[n], v[n]),
            Phases::Three => (v[0].min(v[1]).min(v[2]), v[0].max(v[1]).max(v[2])),
        }
    }
}

impl World {
    /// Plays `segments` from `t_s` to the devices behind a source, in steps of `h_s`, of which
    /// their duration is a whole multiple; records every `record_every`th step (0: none).
    ///
    /// A call that begins where the last one ended, for the same devices, goes on: angles, loops
    /// and filters are kept. Any other begins in steady state at the first segment's beginning.
    ///
    /// # Errors
    /// `ValueWrong`, `DeviceUnknown`, `NameRepeated` for a device named twice, `PccState` while an
    /// island runs.
    pub fn source_tick(
        &mut self,
        devices: &[usize],
        t_s: f64,
        segments: &[Segment],
        h_s: f64,
        record_every: usize,
    ) -> Result<Samples, PlantError> {
        if self.island.is_some() {
            return Err(self.pcc_state("source_tick", "closed"));
        }
        for (n, i) in devices.iter().enumerate() {
            let name = self.device(*i)?.name.clone();
            if devices[..n].contains(i) {
                return Err(PlantError::NameRepeated { name });
            }
        }
        let t_s = checked("t_s [s]", t_s, 0.0, 1e12)?;
        let h_s = checked("h_s [s]", h_s, 1e-6, H_MAX_S)?;
        let mut sequence = Sequence::new(segments, self.f_nominal_hz)?;
        let duration_s = sequence.duration_s();
        let steps = checked("duration / h_s", duration_s / h_s, 1.0, STEPS_MAX)?;
        if (steps - steps.round()).abs() > 1e-6 * steps {
            return Err(PlantError::ValueWrong {
                what: "duration of the segments [s]".to_owned(),
                value: duration_s,
                expected: format!("a whole multiple of the step {h_s} s"),
            });
        }
        let mut sourced = self.begin_or_go_on(devices, t_s, &mut sequence);
        let mut samples = Samples {
            i: vec![Vec::new(); devices.len()],
            closed: vec![Vec::new(); devices.len()],
            ..Samples::default()
        };
        let mut sums = vec![Complex::ZERO; devices.len()];
        let mut current = vec![[Complex::ZERO; 3]; devices.len()];
        let steps = steps.round() as usize;
        let mut last = sequence.play(0.0, sourced.turned);
        for n in 0..steps {
            let since_s = n as f64 * h_s;
            // The step's voltage is the one at its middle, where the injected current stands too.
            let f_hz = sequence.play(since_s, sourced.turned).f_hz;
            let half = 0.5 * TAU * (f_hz - self.f_nominal_hz) * h_s;
            last = sequence.play(since_s, sourced.turned + half);
            sourced.turned = (sourced.turned + 2.0 * half).rem_euclid(TAU);
            for (k, i) in devices.iter().enumerate() {
                current[k] = self.step_behind_source(
                    *i,
                    sourced.units[k].as_mut(),
                    &last,
                    t_s + since_s,
                    h_s,
                );
                sums[k] += power_of(&last.v, &current[k]);
            }
            if record_every > 0 && (n + 1).is_multiple_of(record_every) {
                self.record(&mut samples, devices, &last, &current);
                samples.times_s.push(t_s + (n + 1) as f64 * h_s);
            }
        }
        let end_s = t_s + duration_s;
        self.hold_means(devices, &sums, steps, &last, (end_s, duration_s));
        sourced.end_s = end_s;
        self.sourced = Some(sourced);
        samples.events = self.take_events();
        Ok(samples)
    }

    fn begin_or_go_on(&mut self, devices: &[usize], t_s: f64, sequence: &mut Sequence) -> Sourced {
        let going_on = self.sourced.take().filter(|sourced| {
            sourced.devices == devices && (sourced.end_s - t_s).abs() < 1e-6 && t_s > 0.0
        });
        if let Some(sourced) = going_on {
            return sourced;
        }
        let first = sequence.play(0.0, 0.0);
        let (f_nominal_hz, s_base_va) = (self.f_nominal_hz, self.s_base_va);
        let unit = |i: usize, world: &mut World| {
            if let Some((motor, _)) = world.devices[i].motor_mut() {
                motor.face(Phases::Three.followed(&first.v));
            }
            let inverter = world.devices[i].inverter_mut()?;
            let phases = inverter.settings.phases;
            let followed = phases.followed(&first.v);
            let (p_w, q_var) = inverter.give(followed.abs());
            let meter = BusMeter::new(&inverter.settings, followed);
            let fast = GridFollowing::new(
                &inverter.settings,
                s_base_va,
                (f_nominal_hz, first.f_hz),
                &meter.seen,
                Complex::new(p_w, q_var) * (1.0 / s_base_va),
                NO_NOISE_HZ,
            );
            let window_s = inverter.settings.measure_s.0;
            let windows = first.v.map(|v| RmsWindow::new(window_s, v.abs()));
            let follower = Follower {
                device: i,
                meter: 0,
                fast,
            };
            Some(Unit {
                follower,
                meter,
                windows,
                phases,
            })
        };
        Sourced {
            devices: devices.to_vec(),
            units: devices.iter().map(|i| unit(*i, self)).collect(),
            turned: 0.0,
            end_s: t_s,
        }
    }

    /// The current of one device in a step that began at `from_s` [VA at nominal voltage].
    fn step_behind_source(
        &mut self,
        i: usize,
        unit: Option<&mut Unit>,
        played: &Played,
        from_s: f64,
        h_s: f64,
    ) -> [Complex; 3] {
        let device = &mut self.devices[i];
        let (inverter, unit) = match (&mut device.kind, unit) {
            (Kind::Inverter(inverter), Some(unit)) => (inverter, unit),
            (Kind::Load(load), _) => {
                let (current, event) = load_current(load, &played.v, h_s);
                let event = event.map(|event| event.at(from_s + h_s, 0.0, &device.name));
                self.events.extend(event);
                return current;
            }
            _ => return [Complex::ZERO; 3],
        };
        unit.meter.step(unit.phases.followed(&played.v), h_s);
        unit.follower.fast.measure(&unit.meter.seen, h_s);
        let mut seen = [0.0; 3];
        for ((seen, window), v) in seen.iter_mut().zip(&mut unit.windows).zip(&played.v) {
            *seen = window.step(v.abs(), h_s);
        }
        let extremes = if inverter.settings.relays_see_mean {
            let mean = seen.iter().sum::<f64>() / 3.0;
            (mean, mean)
        } else {
            unit.phases.extremes(seen)
        };
        let bus = Bus {
            dead: false,
            f_nominal_hz: self.f_nominal_hz,
            s_base_va: self.s_base_va,
            h_s,
        };
        let (injection, happened) = unit.follower.step(inverter, &bus, extremes);
        if let Some(happened) = happened {
            let event = event_of(happened, &device.name, from_s, h_s);
            self.events.push(event);
        }
        unit.phases.spread(injection[1] * self.s_base_va)
    }

    fn record(
        &self,
        samples: &mut Samples,
        devices: &[usize],
        played: &Played,
        current: &[[Complex; 3]],
    ) {
        samples.f_hz.push(played.f_hz);
        samples.v.push(played.v);
        let load = self.rlc.map_or([Complex::ZERO; 3], |rlc| {
            let speed = played.f_hz / self.f_nominal_hz - 1.0;
            let y = rlc_admittance(rlc.g, rlc.b_l, rlc.b_c, speed) * (self.s_base_va / 3.0);
            played.v.map(|v| v * y)
        });
        samples.load_i.push(load);
        for (k, i) in devices.iter().enumerate() {
            samples.i[k].push(current[k]);
            let closed = match &self.devices[*i].kind {
                Kind::Load(load) => !load.shed,
                Kind::Inverter(inverter) => inverter.service.running(),
            };
            samples.closed[k].push(closed);
        }
    }

    fn hold_means(
        &mut self,
        devices: &[usize],
        sums: &[Complex],
        steps: usize,
        last: &Played,
        (end_s, duration_s): (f64, f64),
    ) {
        for (i, sum) in devices.iter().zip(sums) {
            let device = &mut self.devices[*i];
            let mean = *sum * (1.0 / steps as f64);
            let terminal = &mut device.terminal;
            (terminal.p_w, terminal.q_var) = (mean.re, mean.im);
            terminal.v_pu = last.v.iter().map(|v| v.abs()).sum::<f64>() / 3.0;
            terminal.f_hz = if terminal.dead() { 0.0 } else { last.f_hz };
            terminal.behind_source = true;
            carry(device, end_s, duration_s, false, &mut self.events);
        }
        self.means_held = true;
    }
}

fn power_of(v: &[Complex; 3], i: &[Complex; 3]) -> Complex {
    v[0] * i[0].conj() + v[1] * i[1].conj() + v[2] * i[2].conj()
}

fn event_of(happened: Happened, name: &str, from_s: f64, h_s: f64) -> Event {
    let (after_s, kind, value, detail) = match happened {
        Happened::EnteredService(delay_s) => (h_s, EventKind::EnterService, delay_s, String::new()),
        Happened::Tripped(cause, after_s) => (after_s, EventKind::Tripped, 0.0, cause),
        Happened::Throttled(reduction_w) => (h_s, EventKind::Throttled, reduction_w, String::new()),
    };
    Event {
        t_s: from_s + after_s,
        kind,
        name: name.to_owned(),
        value,
        detail,
    }
}
