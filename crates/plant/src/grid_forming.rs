//! A grid-forming droop inverter: an inner voltage behind a reactance, its angle from the swing.
//!
//! Beside the droop it keeps inside what its rating and its pack allow: asked to charge more, it
//! raises the frequency until generators throttle; asked to give more, it lowers the frequency
//! until loads are shed. Powers here are in per unit of its own rating.

use crate::complex::{Complex, J};
use crate::former_settings::FormerSettings;
use crate::lag::Lag;
use crate::swing::Swing;

/// The power the limit controller sees is filtered with this [s].
const POWER_SEEN_S: f64 = 0.02;

/// Once loads were shed and it is this far inside its limit [pu], it gives the lowered frequency up
/// in this time [s].
const RELEASE_PU: f64 = 0.005;
const RELEASE_S: f64 = 2.0;

/// The states the integrator moves.
#[derive(Clone, Copy, Debug, Default)]
pub struct Motion {
    /// Angle of the inner voltage since the beginning of the step [rad].
    pub angle: f64,
    /// Deviation of speed [pu].
    pub speed: f64,
    /// Governor power [pu].
    pub governor: f64,
    /// Filtered reactive power [pu].
    pub q: f64,
}

impl Motion {
    /// This state moved along `rate` for `s` seconds.
    pub fn moved(self, rate: Motion, s: f64) -> Motion {
        Motion {
            angle: self.angle + rate.angle * s,
            speed: self.speed + rate.speed * s,
            governor: self.governor + rate.governor * s,
            q: self.q + rate.q * s,
        }
    }
}

/// Why a grid former gives up.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum GivesUp {
    /// Its current was above its overload bound for too long.
    Overload,
    /// It could not hold the voltage.
    Undervoltage,
    /// Its battery switch is open in the direction the power flows.
    Switch,
}

impl GivesUp {
    /// The word for the trip's cause.
    pub fn word(self) -> &'static str {
        match self {
            GivesUp::Overload => "overload",
            GivesUp::Undervoltage => "undervoltage",
            GivesUp::Switch => "fet",
        }
    }
}

/// One grid former in an island.
#[derive(Clone, Debug)]
pub struct GridForming {
    /// Its place among the plant's devices.
    pub device: usize,
    settings: FormerSettings,
    swing: Swing,
    w0: f64,
    f_nominal_hz: f64,
    /// Own rating over the system base.
    pub ratio: f64,
    /// The coupling reactance, in per unit of the system base.
    pub x_base: f64,
    /// Largest current, in per unit of the system base.
    pub i_max_base: f64,
    /// What the integrator moves.
    pub motion: Motion,
    /// Direction of the inner voltage at the beginning of the step, in the fixed frame.
    unit: Complex,
    /// Dispatched power, which the secondary control moves.
    pub p0: f64,
    q0: f64,
    /// Inner voltage at no reactive deviation, which the secondary control moves.
    pub e0: f64,
    /// How far it has raised a bus that had no voltage, 0..1.
    pub raised: f64,
    /// Lowest and highest power its rating and pack allow.
    pub room: (f64, f64),
    /// Whether the battery's charge and discharge switches are closed.
    pub fets: (bool, bool),
    /// Filtered active power.
    pub p_seen: f64,
    p_lag: Lag,
    shift_up: f64,
    shift_down: f64,
    over_s: f64,
    under_s: f64,
    blocked_s: f64,
    told: Option<&'static str>,
    clear_s: f64,
}

impl GridForming {
    /// Starts in steady state at bus voltage `v` and frequency `f_hz`, giving `power` (P + jQ,
    /// system base).
    pub fn new(
        device: usize,
        settings: &FormerSettings,
        (s_va, i_max_pu): (f64, f64),
        s_base_va: f64,
        (f_nominal_hz, f_hz): (f64, f64),
        (v, power): (Complex, Complex),
    ) -> GridForming {
        let ratio = s_va / s_base_va;
        let x_base = settings.x_pu / ratio;
        let e = v + J * x_base * (power.conj() / v.conj());
        let own = power * (1.0 / ratio);
        let motion = Motion {
            angle: 0.0,
            speed: f_hz / f_nominal_hz - 1.0,
            governor: 0.0,
            q: own.im,
        };
        GridForming {
            device,
            swing: Swing {
                two_h_s: settings.power_filter_s / settings.droop_p,
                droop: settings.droop_p,
                governor_s: settings.governor_s,
            },
            settings: settings.clone(),
            w0: std::f64::consts::TAU * f_nominal_hz,
            f_nominal_hz,
            ratio,
            x_base,
            i_max_base: i_max_pu * ratio,
            p0: own.re + motion.speed / settings.droop_p,
            motion,
            unit: Complex::polar(1.0, e.arg()),
            q0: own.im,
            e0: e.abs(),
            raised: 1.0,
            room: (-1.0, 1.0),
            fets: (true, true),
            p_seen: own.re,
            p_lag: Lag::new(POWER_SEEN_S),
            shift_up: 0.0,
            shift_down: 0.0,
            over_s: 0.0,
            under_s: 0.0,
            blocked_s: 0.0,
            told: None,
            clear_s: 0.0,
        }
    }

    /// Starts on a bus without voltage, which it raises from nothing.
    pub fn cold(
        device: usize,
        settings: &FormerSettings,
        rating: (f64, f64),
        s_base_va: f64,
        f_nominal_hz: f64,
    ) -> GridForming {
        let (frequencies, bus) = ((f_nominal_hz, f_nominal_hz), (Complex::ONE, Complex::ZERO));
        GridForming {
            raised: 0.0,
            ..GridForming::new(device, settings, rating, s_base_va, frequencies, bus)
        }
    }

    /// The inner voltage for a state.
    pub fn e(&self, motion: Motion) -> Complex {
        let magnitude = self.e0 + self.settings.droop_q * (self.q0 - motion.q);
        self.unit * Complex::turn(motion.angle) * (magnitude.max(0.0) * self.raised)
    }

    /// Takes the state at the end of a step as the beginning of the next.
    pub fn arrive(&mut self, motion: Motion) {
        let unit = self.unit * Complex::turn(motion.angle);
        // One step of Newton's method keeps the length at 1 for ever.
        self.unit = unit * (1.5 - 0.5 * unit.norm_sq());
        self.motion = Motion {
            angle: 0.0,
            ..motion
        };
    }

    /// The rates of `motion` while the bus takes `power` (P + jQ, system base).
    pub fn rates(&self, motion: Motion, power: Complex) -> Motion {
        let own = power * (1.0 / self.ratio);
        let (speed, governor) =
            self.swing
                .rates(motion.speed, motion.governor, self.p0, own.re, self.shift());
        Motion {
            angle: self.w0 * motion.speed,
            speed,
            governor,
            q: (own.im - motion.q) / self.settings.power_filter_s,
        }
    }

    /// The limit controller's shift of speed [pu].
    pub fn shift(&self) -> f64 {
        self.shift_up - self.shift_down
    }

    /// Whether the limit controller holds the frequency away from nominal.
    pub fn shifting(&self) -> bool {
        self.shift_up > 0.0 || self.shift_down > 0.0
    }

    /// The droop [pu/pu].
    pub fn droop(&self) -> f64 {
        self.settings.droop_p
    }

    /// Moves the limit controller on after a step that ended with `power` (system base).
    pub fn keep_inside(&mut self, power: Complex, h_s: f64) {
        self.raised = (self.raised + h_s / self.settings.black_start_ramp_s).min(1.0);
        self.p_seen = self.p_lag.step(self.p_seen, power.re / self.ratio, h_s);
        let rate = self.settings.shift_rate * h_s;
        let (up_hz, down_hz) = self.settings.shift_max_hz;
        let (low, high) = self.room;
        let bound = |x: f64, hz: f64| x.clamp(0.0, hz / self.f_nominal_hz);
        self.shift_up = bound(self.shift_up + rate * (low - self.p_seen), up_hz);
        let mut down = self.shift_down + rate * (self.p_seen - high);
        if self.p_seen < high - RELEASE_PU {
            // Shedding made room: come back before a further stage sees the low frequency.
            down -= self.shift_down * h_s / RELEASE_S;
        }
        self.shift_down = bound(down, down_hz);
    }

    /// The limit it has newly reached, with its own current `i_pu`; a limit is news again after it
    /// was clear for a second.
    pub fn reached(&mut self, i_pu: f64, h_s: f64) -> Option<&'static str> {
        let now = self.at_limit(i_pu);
        if now.is_none() {
            self.clear_s += h_s;
            if self.clear_s >= 1.0 {
                self.told = None;
            }
            return None;
        }
        self.clear_s = 0.0;
        if self.told == now {
            return None;
        }
        self.told = now;
        now
    }

    fn at_limit(&self, i_pu: f64) -> Option<&'static str> {
        if i_pu >= self.i_max_base / self.ratio * (1.0 - 1e-6) {
            Some("current")
        } else if self.p_seen < self.room.0 - 0.01 || self.shift_up > 0.0 {
            Some("charge")
        } else if self.p_seen > self.room.1 + 0.01 || self.shift_down > 0.0 {
            Some("discharge")
        } else {
            None
        }
    }

    /// Whether it must give up, after a step at this voltage and own current [pu].
    pub fn gives_up(&mut self, v_pu: f64, i_pu: f64, h_s: f64) -> Option<GivesUp> {
        let count = |timer: &mut f64, on: bool, bound_s: f64| {
            *timer = if on { *timer + h_s } else { 0.0 };
            on && *timer >= bound_s
        };
        let s = &self.settings;
        let blocked = (!self.fets.0 && self.p_seen < -0.01) || (!self.fets.1 && self.p_seen > 0.01);
        if count(&mut self.blocked_s, blocked, POWER_SEEN_S) {
            Some(GivesUp::Switch)
        } else if count(&mut self.over_s, i_pu > s.overload_pu, s.overload_trip_s) {
            Some(GivesUp::Overload)
        } else if count(
            &mut self.under_s,
            v_pu < s.undervoltage_pu * self.raised,
            s.undervoltage_trip_s,
        ) {
            Some(GivesUp::Undervoltage)
        } else {
            None
        }
    }
}
