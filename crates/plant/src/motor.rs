//! An induction motor: rotor flux, speed and the contactor in front of it.
//!
//! The third-order model: a voltage behind the transient impedance `Z' = rs + j x'`, which is the flux
//! that links the rotor, and the speed. Transients of the stator, of a cycle or so, are left out as in
//! every phasor model. With current `i` into the motor and a rotor at `speed`, in a frame that turns
//! at nominal frequency:
//!
//! `i = (v - e) / Z'`, `e' = -j w0 (1 - speed) e - (e - j (x0 - x') i) / T0`, `2H speed' = Re(e i*) - T(speed)`.
//!
//! The first is linear in `e` while voltage and speed stand, and its step is exact then. Known gaps:
//! one cage, no saturation, no transients of the stator. Quantities are in per unit of the motor.
//!
//! # Source
//! D. S. Brereton, D. G. Lewis and C. C. Young, "Representation of induction-motor loads during
//! power-system stability studies," AIEE Transactions, vol. 76, 1957.

use crate::bus_meter::direction_of;
use crate::complex::{Complex, J};
use crate::event::{Event, EventKind};
use crate::motor_settings::MotorSettings;
use std::f64::consts::TAU;

/// A motor has run up when this share of synchronous speed is reached.
const RUN_UP: f64 = 0.9;
/// A speed that changes by less has settled [pu/s].
const SETTLED: f64 = 1e-7;
/// Step of a motor on a feeder, whose own step is far longer [s].
const FINE_S: f64 = 0.001;
/// What a motor is given to settle before it is first looked at, in steps of `FINE_S`.
const SETTLING_STEPS: usize = 100_000;

/// What a step of a motor brought.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum MotorEvent {
    /// It has run up; how long that took [s].
    RanUp(f64),
    /// Its contactor opened; why.
    Dropped(&'static str),
}

impl MotorEvent {
    /// The event of the plant that it is, at `t_s`; `since_s` is the time since an opening, or 0 [s].
    pub fn at(self, t_s: f64, since_s: f64, name: &str) -> Event {
        let (kind, value, detail) = match self {
            MotorEvent::RanUp(took_s) => (EventKind::MotorStarted, took_s, ""),
            MotorEvent::Dropped(why) => (EventKind::MotorStopped, since_s, why),
        };
        Event {
            t_s,
            kind,
            name: name.to_owned(),
            value,
            detail: detail.to_owned(),
        }
    }
}

/// What feeds a motor for a step.
#[derive(Clone, Copy, Debug)]
pub struct Supply {
    /// The mean voltage of the step, positive sequence [pu].
    pub v: Complex,
    /// Speed of the frame that `v` is given in, over nominal.
    pub frame: f64,
    /// Torque that a negative-sequence voltage takes [pu].
    pub braking: f64,
}

impl Supply {
    /// A balanced voltage in the frame of nominal frequency.
    pub fn still(v: Complex) -> Supply {
        Supply {
            v,
            frame: 1.0,
            braking: 0.0,
        }
    }
}

/// One motor.
#[derive(Clone, Debug)]
pub struct Motor {
    /// How it is built.
    pub settings: MotorSettings,
    f_nominal_hz: f64,
    /// Voltage behind the transient impedance, in the frame of nominal frequency [pu].
    pub e: Complex,
    /// Direction of the voltage of the last step.
    facing: Complex,
    /// Speed of the rotor over synchronous speed at nominal frequency.
    pub speed: f64,
    /// Whether it is switched on.
    wanted: bool,
    /// Whether its contactor is closed.
    closed: bool,
    low_s: f64,
    back_s: f64,
    stalled_s: f64,
    /// Since it was switched on, until it has run up [s].
    starting_s: Option<f64>,
    /// Voltage and frequency at which it last settled [pu, Hz].
    settled: Option<(f64, f64)>,
}

impl Motor {
    /// A motor that has long run at nominal voltage and frequency, or stands still.
    pub fn new(settings: MotorSettings, f_nominal_hz: f64) -> Motor {
        let runs = settings.runs;
        let mut motor = Motor {
            settings,
            f_nominal_hz,
            e: Complex::ZERO,
            facing: Complex::ONE,
            speed: 0.0,
            wanted: runs,
            closed: runs,
            low_s: 0.0,
            back_s: 0.0,
            stalled_s: 0.0,
            starting_s: None,
            settled: None,
        };
        if runs {
            motor.speed = 1.0;
            motor.settle(1.0, f_nominal_hz, SETTLING_STEPS);
        }
        motor
    }

    /// Whether it turns above the speed of its largest torque, where it can stay.
    pub fn runs_up(&self) -> bool {
        self.closed && self.speed >= RUN_UP
    }

    /// Switches it on, directly on line, or off.
    pub fn switch(&mut self, on: bool) {
        self.settled = None;
        if on && !self.closed {
            self.close();
        }
        (self.wanted, self.closed) = (on, on);
    }

    /// Nominal frequency [Hz].
    pub fn f_nominal_hz(&self) -> f64 {
        self.f_nominal_hz
    }

    /// Whether it is switched on, with its contactor closed or not.
    pub fn wanted(&self) -> bool {
        self.wanted
    }

    /// Whether it draws current.
    pub fn closed(&self) -> bool {
        self.closed
    }

    fn close(&mut self) {
        self.closed = true;
        self.starting_s = Some(0.0);
        (self.low_s, self.back_s, self.stalled_s) = (0.0, 0.0, 0.0);
    }

    /// Opens its contactor because its feeder was cut; it stays wanted.
    pub fn lose_supply(&mut self) {
        self.closed = false;
        (self.back_s, self.starting_s, self.settled) = (0.0, None, None);
    }

    /// Takes its flux along to a frame in which its voltage is `v`, where it was the one of the last
    /// step before.
    pub fn face(&mut self, v: Complex) {
        let direction = direction_of(v, v.abs());
        if direction != Complex::ZERO && direction != self.facing {
            self.e = self.e * direction * self.facing.conj();
            self.facing = direction;
        }
    }

    /// The voltage of this magnitude in the frame of its flux.
    pub fn facing(&self, v_pu: f64) -> Complex {
        self.facing * v_pu
    }

    /// The admittance behind which `e` stands [pu].
    pub fn y(&self) -> Complex {
        if self.closed {
            Complex::ONE / self.settings.z_transient()
        } else {
            Complex::ZERO
        }
    }

    /// Current into it at `v` [pu].
    pub fn current(&self, v: Complex) -> Complex {
        (v - self.e) * self.y()
    }

    /// Power into it at `v` (P + jQ) [pu].
    pub fn power(&self, v: Complex) -> Complex {
        v * self.current(v).conj()
    }

    /// Its flux at the beginning, middle and end of a step at a standing voltage `v`.
    pub fn ahead(&self, v: Complex, h_s: f64) -> [Complex; 3] {
        let supply = Supply::still(v);
        [
            self.e,
            self.e_after(&supply, 0.5 * h_s),
            self.e_after(&supply, h_s),
        ]
    }

    fn e_after(&self, supply: &Supply, h_s: f64) -> Complex {
        let w0 = TAU * self.f_nominal_hz;
        let settings = &self.settings;
        let lag = 1.0 / settings.open_circuit_s(w0);
        let turning = Complex::new(-lag, -w0 * (supply.frame - self.speed));
        // i = (v - e) y, so what i feeds into e' also pulls e back.
        let fed = J * (settings.x_open() - settings.x_transient()) * lag * self.y();
        let rate = turning - fed;
        let at_rest = -(fed * supply.v) / rate;
        at_rest + (self.e - at_rest) * (rate * h_s).exp()
    }

    /// Current and braking torque of a negative-sequence voltage `v`: to its field the rotor turns
    /// backwards, at a slip of nearly 2 [pu].
    pub fn negative_sequence(&self, v: Complex) -> (Complex, f64) {
        if !self.closed {
            return (Complex::ZERO, 0.0);
        }
        let s = &self.settings;
        let slip = 1.0 + self.speed;
        let rotor = Complex::new(s.rr_pu / slip, s.xr_pu);
        let magnetising = J * s.xm_pu;
        let both = rotor + magnetising;
        let i = v / (Complex::new(s.rs_pu, s.xs_pu) + rotor * magnetising / both);
        let i_rotor = i * magnetising / both;
        (i, i_rotor.norm_sq() * rotor.re)
    }

    /// Torque of the load at the present speed [pu].
    pub fn load_torque(&self) -> f64 {
        let fan = self.settings.fan_share;
        let speed = self.speed;
        self.settings.torque_pu * ((1.0 - fan) + fan * speed * speed)
    }

    /// Moves on by `h_s` at what feeds it.
    pub fn step(&mut self, supply: &Supply, h_s: f64) -> Option<MotorEvent> {
        self.settled = None;
        let v = supply.v;
        let e = self.e_after(supply, h_s);
        let middle = (self.e + e) * 0.5;
        let electric = (middle * ((v - middle) * self.y()).conj()).re;
        let accelerating = electric - self.load_torque() - supply.braking;
        let change = h_s * accelerating / (2.0 * self.settings.inertia_s);
        // A load brakes a rotor to rest and no further.
        self.speed = if self.closed {
            self.speed + change
        } else {
            (self.speed + change).max(0.0)
        };
        self.e = e;
        let v_pu = v.abs();
        let direction = direction_of(v, v_pu);
        if direction != Complex::ZERO {
            self.facing = direction;
        }
        self.watch(v_pu, self.current(v).abs(), h_s)
    }

    /// Minds the contactor, the protection against stalling and the run-up.
    fn watch(&mut self, v_pu: f64, i_pu: f64, h_s: f64) -> Option<MotorEvent> {
        if !self.wanted {
            return None;
        }
        let s = &self.settings;
        let count = |timer: f64, on: bool| if on { timer + h_s } else { 0.0 };
        if !self.closed {
            self.back_s = count(self.back_s, v_pu >= s.pick_up_v_pu && s.restart_s > 0.0);
            if self.back_s > 0.0 && self.back_s >= s.restart_s - 0.5 * h_s {
                self.close();
            }
            return None;
        }
        self.low_s = count(self.low_s, v_pu < s.drop_out_v_pu);
        self.stalled_s = count(self.stalled_s, i_pu > s.stall_i_pu);
        let dropped = if self.low_s > 0.0 && self.low_s >= s.drop_out_s - 0.5 * h_s {
            Some("undervoltage")
        } else if s.stall_s > 0.0 && self.stalled_s > s.stall_s - 0.5 * h_s {
            // A motor that stalled waits for somebody to see to it.
            self.wanted = false;
            Some("stalled")
        } else {
            None
        };
        if let Some(why) = dropped {
            self.closed = false;
            (self.back_s, self.starting_s) = (0.0, None);
            return Some(MotorEvent::Dropped(why));
        }
        let starting_s = self.starting_s.as_mut()?;
        *starting_s += h_s;
        let took_s = *starting_s;
        (self.speed >= RUN_UP).then(|| {
            self.starting_s = None;
            MotorEvent::RanUp(took_s)
        })
    }

    /// Moves on by `dt_s` on a feeder, beside a voltage of angle zero; answers what happened and how
    /// long after the beginning.
    pub fn advance(&mut self, v_pu: f64, f_hz: f64, dt_s: f64) -> Vec<(f64, MotorEvent)> {
        self.face(Complex::ONE);
        if self.settled == Some((v_pu, f_hz)) {
            return Vec::new();
        }
        self.settle(v_pu, f_hz, (dt_s / FINE_S).ceil().max(1.0) as usize)
    }

    /// Takes fine steps until the speed stands, `most` at most.
    fn settle(&mut self, v_pu: f64, f_hz: f64, most: usize) -> Vec<(f64, MotorEvent)> {
        let mut events = Vec::new();
        // Its voltage stands still in a frame that turns at the voltage's own frequency.
        let supply = Supply {
            frame: f_hz / self.f_nominal_hz,
            ..Supply::still(Complex::new(v_pu, 0.0))
        };
        for n in 1..=most {
            let before = self.speed;
            if let Some(event) = self.step(&supply, FINE_S) {
                events.push((n as f64 * FINE_S, event));
            }
            let waits = self.starting_s.is_some() || self.closed != self.wanted;
            if (self.speed - before).abs() < SETTLED * FINE_S && self.low_s == 0.0 && !waits {
                self.settled = (self.stalled_s == 0.0).then_some((v_pu, f_hz));
                if self.settled.is_some() {
                    break;
                }
            }
        }
        events
    }
}
