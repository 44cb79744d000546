//! From what is asked for to the active power an inverter gives: limit, frequency droop, volt-watt,
//! each with its own response, and a ramp.
//!
//! Of the limit and volt-watt the lower one rules; frequency droop goes before the limit, volt-watt
//! cuts whatever the others ask for.
//!
//! # Source
//! IEEE 1547-2018 clauses 4.6.2, 4.7, 5.4.2 and 6.5.2.7, as the EPRI OpenDER model and the priority
//! test of IEEE 1547.1 restate them: outside the deadband the output moves from its value before the
//! disturbance by (|df| - deadband) / (f_nominal k) of rated power, never above what is available.

use crate::ceiling::Ceiling;
use crate::function_settings::{Droop, VoltWatt};
use crate::lag::Lag;

/// Closer than this share of the rating to what is asked for, the droop's response is over [1].
const RECOVERED: f64 = 1e-3;

/// What power could be now, before frequency and voltage have their say.
#[derive(Clone, Copy, Debug)]
pub struct Room {
    /// What the set-point or the sun asks for [W].
    pub want_w: f64,
    /// Lowest the device can do [W].
    pub low_w: f64,
    /// Highest the device can do [W].
    pub high_w: f64,
    /// The active power limit, both ways; infinite for none [W].
    pub limit_w: f64,
}

impl Room {
    /// The lowest and highest power within the limit [W].
    pub fn limited(&self) -> (f64, f64) {
        (self.low_w.max(-self.limit_w), self.high_w.min(self.limit_w))
    }

    fn base(&self) -> f64 {
        let (low_w, high_w) = self.limited();
        self.want_w.min(high_w).max(low_w)
    }
}

/// What the terminal sees.
#[derive(Clone, Copy, Debug)]
pub struct Seen {
    /// Voltage [pu].
    pub v_pu: f64,
    /// Frequency [Hz].
    pub f_hz: f64,
}

/// The active power of one inverter over time.
#[derive(Clone, Debug)]
pub struct ActivePower {
    f_nominal_hz: f64,
    rated_w: f64,
    droop: Option<Droop>,
    follow: Lag,
    droop_follow: Lag,
    volt_watt: Option<VoltWatt>,
    ceiling: Ceiling,
    /// Largest fall and rise [W/s].
    ramps_w_per_s: (f64, f64),
    /// Output before the disturbance, kept while f is outside the deadband [W].
    before_w: Option<f64>,
    /// Whether the way back from a disturbance still has the droop's response.
    recovering: bool,
    reduction_w: f64,
    /// Before volt-watt; unknown until the first step or `start` [W].
    now_w: Option<f64>,
    /// What it gave last [W].
    gave_w: f64,
}

impl ActivePower {
    /// A response that reaches 90 % of a step in `response_s`.
    pub fn new(f_nominal_hz: f64, rated_w: f64, response_s: f64) -> ActivePower {
        ActivePower {
            f_nominal_hz,
            rated_w,
            droop: None,
            follow: Lag::of_response(response_s),
            droop_follow: Lag::of_response(0.0),
            volt_watt: None,
            ceiling: Ceiling::new(0.0),
            ramps_w_per_s: (f64::INFINITY, f64::INFINITY),
            before_w: None,
            recovering: false,
            reduction_w: 0.0,
            now_w: None,
            gave_w: 0.0,
        }
    }

    /// Changes the functions and leaves the power where it is; responses are `scale` times theirs.
    pub fn set(
        &mut self,
        droop: Option<Droop>,
        volt_watt: Option<VoltWatt>,
        ramps_w_per_s: (f64, f64),
        scale: f64,
    ) {
        if let Some(droop) = &droop {
            self.droop_follow = Lag::of_response(droop.response_s * scale);
        }
        if let Some(volt_watt) = &volt_watt {
            self.ceiling.respond_in(volt_watt.response_s * scale);
        }
        (self.droop, self.volt_watt, self.ramps_w_per_s) = (droop, volt_watt, ramps_w_per_s);
    }

    /// The power now; the first call begins in steady state.
    pub fn start(&mut self, room: Room, v_pu: f64) -> f64 {
        if self.now_w.is_none() {
            let base_w = room.base();
            self.now_w = Some(base_w);
            let target_w = self.ceiling_target_w(v_pu);
            // Long enough for any response.
            self.ceiling.lift();
            let ceiling_w = self
                .ceiling
                .step(target_w, base_w, base_w, self.rated_w, 1e9);
            self.gave_w = base_w.min(ceiling_w).max(room.low_w);
        }
        self.gave_w
    }

    /// Sets the power now, for a device whose power something else has moved.
    pub fn put(&mut self, p_w: f64) {
        self.now_w = Some(p_w);
        self.gave_w = p_w;
    }

    /// Tells what the rating let through [W].
    pub fn gave(&mut self, p_w: f64) {
        self.gave_w = p_w;
    }

    /// What it gave last, in per unit of rated power [1].
    pub fn gave_pu(&self) -> f64 {
        self.gave_w / self.rated_w.max(1e-9)
    }

    /// Nominal frequency [Hz].
    pub fn f_nominal_hz(&self) -> f64 {
        self.f_nominal_hz
    }

    /// How much the droop holds back below what the device could give [W].
    pub fn reduction_w(&self) -> f64 {
        self.reduction_w
    }

    /// Moves on by `dt_s` at a constant voltage and frequency.
    ///
    /// `keeps_before` holds the output from before a disturbance as the droop's origin (a
    /// generator); without it the origin is the present set-point (a storage).
    pub fn step(&mut self, room: Room, seen: Seen, keeps_before: bool, dt_s: f64) -> f64 {
        let gave = self.start(room, seen.v_pu);
        let base = room.base();
        let mut now = self.now_w.unwrap_or(base);
        let shift = self.shift_w(seen.f_hz);
        let (target, lag) = if shift == 0.0 {
            self.before_w = None;
            if self.recovering && (base - now).abs() < RECOVERED * self.rated_w {
                self.recovering = false;
            }
            let lag = if self.recovering {
                &mut self.droop_follow
            } else {
                &mut self.follow
            };
            (base, lag)
        } else {
            let before = if !keeps_before {
                base
            } else if let Some(before) = self.before_w {
                before
            } else {
                // Volt-watt may have held the output below `now`: the droop begins at the output.
                now = gave;
                gave
            };
            self.before_w = Some(before);
            self.recovering = true;
            let target = (before + shift).min(room.high_w).max(room.low_w);
            (target, &mut self.droop_follow)
        };
        self.reduction_w = if shift < 0.0 {
            (base - target).max(0.0)
        } else {
            0.0
        };
        now = lag.step(now, target, dt_s);
        let mut next = now;
        // A function that was switched off still comes back with its response.
        if self.volt_watt.is_some() || self.ceiling.cuts(now) {
            let target_w = self.ceiling_target_w(seen.v_pu);
            let ceiling_w = self.ceiling.step(target_w, now, gave, self.rated_w, dt_s);
            next = now.min(ceiling_w).max(room.low_w.min(now));
        }
        let (fall, rise) = self.ramps_w_per_s;
        // Not `clamp`, which a step of no length would give no number.
        next = next.max(gave - fall * dt_s).min(gave + rise * dt_s);
        self.now_w = Some(now);
        self.gave_w = next;
        next
    }

    /// What the droop adds at this frequency; zero inside the deadband [W].
    fn shift_w(&self, f_hz: f64) -> f64 {
        let Some(droop) = &self.droop else { return 0.0 };
        let df = f_hz - self.f_nominal_hz;
        let (deadband_hz, k) = if df > 0.0 { droop.over } else { droop.under };
        let beyond = df.abs() - deadband_hz;
        if beyond <= 0.0 {
            return 0.0;
        }
        -df.signum() * beyond / (self.f_nominal_hz * k) * self.rated_w
    }

    fn ceiling_target_w(&mut self, v_pu: f64) -> f64 {
        match &mut self.volt_watt {
            Some(volt_watt) => {
                let pu = volt_watt.curve.at(v_pu);
                if pu >= 1.0 {
                    f64::INFINITY
                } else {
                    pu * self.rated_w
                }
            }
            None => f64::INFINITY,
        }
    }
}
