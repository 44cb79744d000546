//! The island detector: Sandia frequency shift, which pushes an island's frequency away.
//!
//! The current angle is led by (pi/2)(cf0 sign(df) + k df). Connected, the grid holds f and nothing
//! happens; islanded, f runs until a relay acts or the angle reaches its bound, which trips.

use std::f64::consts::FRAC_PI_2;

/// Sandia frequency shift with a trip on its own saturation.
#[derive(Clone, Debug)]
pub struct FrequencyShift {
    /// Chopping fraction at zero deviation.
    pub cf0: f64,
    /// Gain [1/Hz].
    pub k: f64,
    /// Bound of the angle [rad]; reaching it is what the detector trips on.
    pub angle_max: f64,
    /// How long the angle must stay at its bound [s].
    pub hold_s: f64,
    at_bound_s: f64,
}

impl FrequencyShift {
    /// A detector that has seen nothing yet.
    pub fn new(cf0: f64, k: f64, angle_max: f64, hold_s: f64) -> FrequencyShift {
        FrequencyShift {
            cf0,
            k,
            angle_max,
            hold_s,
            at_bound_s: 0.0,
        }
    }

    /// The angle by which the current leads, for a deviation of `df_hz` [rad].
    pub fn angle(&self, df_hz: f64) -> f64 {
        let sign = if df_hz == 0.0 { 0.0 } else { df_hz.signum() };
        let angle = FRAC_PI_2 * (self.cf0 * sign + self.k * df_hz);
        angle.clamp(-self.angle_max, self.angle_max)
    }

    /// Holds `angle` for `h_s`; true once it has stood at its bound long enough.
    pub fn step(&mut self, angle: f64, h_s: f64) -> bool {
        if angle.abs() < self.angle_max {
            self.at_bound_s = 0.0;
            return false;
        }
        self.at_bound_s += h_s;
        self.at_bound_s >= self.hold_s - 5e-10
    }

    /// Forgets how long the angle stood at its bound.
    pub fn reset(&mut self) {
        self.at_bound_s = 0.0;
    }
}
