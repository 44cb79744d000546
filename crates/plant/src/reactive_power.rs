//! The reactive power an inverter aims at: power factor, constant, volt-var or watt-var.
//!
//! One mode at a time, each a target and a first-order response. In per unit of the apparent power
//! rating, positive into the grid (injecting, over-excited).
//!
//! # Source
//! IEEE 1547-2018 clauses 5.3.2 to 5.3.5; the reference voltage of volt-var shifts its whole curve,
//! and follows the voltage with a time constant within 0.95 to 1.05 pu when it adjusts itself.

use crate::function_settings::{ReactiveMode, ReactiveSettings};
use crate::lag::Lag;

/// Where a reference voltage that adjusts itself stays [pu].
const VREF_RANGE: (f64, f64) = (0.95, 1.05);

/// The reactive power of one inverter over time.
#[derive(Clone, Debug)]
pub struct ReactivePower {
    settings: ReactiveSettings,
    lag: Lag,
    vref_lag: Lag,
    /// The voltage that the reference follows; unknown until the first step [pu].
    vref_seen_pu: Option<f64>,
    /// Unknown until the first step or `start` [pu].
    now_pu: Option<f64>,
}

impl ReactivePower {
    /// An inverter set like this; responses are `scale` times theirs.
    pub fn new(settings: ReactiveSettings, scale: f64) -> ReactivePower {
        ReactivePower {
            lag: Lag::of_response(settings.response_s() * scale),
            vref_lag: Lag::new(settings.volt_var.vref_s),
            settings,
            vref_seen_pu: None,
            now_pu: None,
        }
    }

    /// Changes the settings and leaves the reactive power where it is.
    pub fn set(&mut self, settings: ReactiveSettings, scale: f64) {
        let (now_pu, vref_seen_pu) = (self.now_pu, self.vref_seen_pu);
        *self = ReactivePower {
            now_pu,
            vref_seen_pu,
            ..ReactivePower::new(settings, scale)
        };
    }

    /// The mode in force.
    pub fn mode(&self) -> ReactiveMode {
        self.settings.mode
    }

    /// The reactive power now, beside active power `p_pu`; the first call begins in steady state.
    pub fn start(&mut self, p_pu: f64, v_pu: f64) -> f64 {
        match self.now_pu {
            Some(now_pu) => now_pu,
            None => {
                let target = self.target(p_pu, v_pu, 0.0);
                self.now_pu = Some(target);
                target
            }
        }
    }

    /// Begins again from zero, as after a trip.
    pub fn rest(&mut self) {
        self.now_pu = Some(0.0);
    }

    /// Moves on by `dt_s` at a constant voltage.
    pub fn step(&mut self, p_pu: f64, v_pu: f64, dt_s: f64) -> f64 {
        let now = self.start(p_pu, v_pu);
        let target = self.target(p_pu, v_pu, dt_s);
        let next = if target == now {
            now
        } else {
            self.lag.step(now, target, dt_s)
        };
        let next = match self.settings.ramp_pu_per_s {
            Some(ramp) => next.clamp(now - ramp * dt_s, now + ramp * dt_s),
            None => next,
        };
        self.now_pu = Some(next);
        next
    }

    fn target(&mut self, p_pu: f64, v_pu: f64, dt_s: f64) -> f64 {
        let settings = &mut self.settings;
        match settings.mode {
            ReactiveMode::PowerFactor if p_pu < 0.0 => -p_pu * settings.tangents.1,
            ReactiveMode::PowerFactor => p_pu * settings.tangents.0,
            ReactiveMode::Constant => settings.constant_pu,
            ReactiveMode::WattVar => settings.watt_var.curve.at(p_pu),
            ReactiveMode::VoltVar => {
                let volt_var = &mut settings.volt_var;
                let vref_pu = if volt_var.vref_auto {
                    let seen = self.vref_seen_pu.unwrap_or(v_pu);
                    let seen = self.vref_lag.step(seen, v_pu, dt_s);
                    self.vref_seen_pu = Some(seen);
                    seen.clamp(VREF_RANGE.0, VREF_RANGE.1)
                } else {
                    volt_var.vref_pu
                };
                volt_var.curve.at(v_pu - vref_pu + 1.0)
            }
        }
    }
}
