//! From a set-point to the active power an inverter gives: frequency droop, response lag, ramp.
//!
//! # Source
//! IEEE 1547-2018 clause 6.5.2.7: outside the deadband the output moves from its value before the
//! disturbance by (|df| - deadband) / (f_nominal k) of rated power, never above what is available.

use crate::lag::Lag;

/// The frequency-watt function.
#[derive(Clone, Debug)]
pub struct Droop {
    /// Deadband to each side of nominal [Hz].
    pub deadband_hz: f64,
    /// Change of frequency, in per unit, for a change of power of 1 pu.
    pub k: f64,
    /// Open-loop response time, 90 % of a step [s].
    pub response_s: f64,
}

/// What power could be now, before frequency has its say.
#[derive(Clone, Copy, Debug)]
pub struct Room {
    /// What the set-point or the sun asks for [W].
    pub want_w: f64,
    /// Lowest the device can do [W].
    pub low_w: f64,
    /// Highest the device can do [W].
    pub high_w: f64,
}

/// The active power of one inverter over time.
#[derive(Clone, Debug)]
pub struct ActivePower {
    f_nominal_hz: f64,
    rated_w: f64,
    droop: Option<Droop>,
    follow: Lag,
    droop_follow: Lag,
    ramp_w_per_s: Option<f64>,
    /// Output before the disturbance, kept while f is outside the deadband [W].
    before_w: Option<f64>,
    reduction_w: f64,
    /// What it gives now [W]; unknown until the first step or `start`.
    now_w: Option<f64>,
}

impl ActivePower {
    /// A response that reaches 90 % of a step in `response_s`.
    pub fn new(
        f_nominal_hz: f64,
        rated_w: f64,
        droop: Option<Droop>,
        response_s: f64,
        ramp_w_per_s: Option<f64>,
    ) -> ActivePower {
        let droop_follow = Lag::of_response(droop.as_ref().map_or(0.0, |d| d.response_s));
        ActivePower {
            f_nominal_hz,
            rated_w,
            droop,
            follow: Lag::of_response(response_s),
            droop_follow,
            ramp_w_per_s,
            before_w: None,
            reduction_w: 0.0,
            now_w: None,
        }
    }

    /// The power now; the first call begins in steady state.
    pub fn start(&mut self, room: Room) -> f64 {
        *self.now_w.get_or_insert(bounded(room.want_w, room))
    }

    /// Sets the power now, for a device whose power something else has moved.
    pub fn put(&mut self, p_w: f64) {
        self.now_w = Some(p_w);
    }

    /// Nominal frequency [Hz].
    pub fn f_nominal_hz(&self) -> f64 {
        self.f_nominal_hz
    }

    /// How much the droop holds back below what the device could give [W].
    pub fn reduction_w(&self) -> f64 {
        self.reduction_w
    }

    /// Moves on by `dt_s` at a constant frequency.
    ///
    /// `keeps_before` holds the output from before a disturbance as the droop's origin (a
    /// generator); without it the origin is the present set-point (a storage).
    pub fn step(&mut self, room: Room, f_hz: f64, keeps_before: bool, dt_s: f64) -> f64 {
        let now = self.start(room);
        let shift = self.droop.as_ref().map_or(0.0, |droop| {
            let df = f_hz - self.f_nominal_hz;
            let beyond = (df.abs() - droop.deadband_hz).max(0.0);
            -df.signum() * beyond / (self.f_nominal_hz * droop.k) * self.rated_w
        });
        let base = bounded(room.want_w, room);
        let (target, lag) = if shift == 0.0 {
            self.before_w = None;
            (base, &mut self.follow)
        } else {
            let before = if keeps_before {
                *self.before_w.get_or_insert(now)
            } else {
                base
            };
            (bounded(before + shift, room), &mut self.droop_follow)
        };
        self.reduction_w = if shift < 0.0 {
            (base - target).max(0.0)
        } else {
            0.0
        };
        let mut next = lag.step(now, target, dt_s);
        if let Some(ramp) = self.ramp_w_per_s {
            next = next.clamp(now - ramp * dt_s, now + ramp * dt_s);
        }
        self.now_w = Some(next);
        next
    }
}

fn bounded(p_w: f64, room: Room) -> f64 {
    p_w.min(room.high_w).max(room.low_w)
}
