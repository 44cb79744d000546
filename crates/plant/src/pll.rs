//! A synchronous-reference-frame phase-locked loop.

use crate::complex::Complex;
use std::f64::consts::TAU;

/// Below this voltage there is no phase to follow and the loop coasts [pu].
const V_BLIND: f64 = 0.02;

/// Follows the angle of a voltage phasor that is given in the frame of nominal frequency.
#[derive(Clone, Debug)]
pub struct Pll {
    f_nominal_hz: f64,
    wn: f64,
    two_zeta_wn: f64,
    /// Angle at the end of the last step [rad].
    pub angle: f64,
    /// Angular speed against the frame, the loop's integrator [rad/s].
    pub xi: f64,
    /// Angle covered in the last step [rad].
    pub turn: f64,
}

impl Pll {
    /// A loop of natural frequency `bandwidth_hz`.
    pub fn new(f_nominal_hz: f64, bandwidth_hz: f64, damping: f64) -> Pll {
        let wn = TAU * bandwidth_hz;
        Pll {
            f_nominal_hz,
            wn,
            two_zeta_wn: 2.0 * damping * wn,
            angle: 0.0,
            xi: 0.0,
            turn: 0.0,
        }
    }

    /// Locks the loop on `v` turning at `f_hz`.
    pub fn lock(&mut self, v: Complex, f_hz: f64) {
        self.angle = v.arg();
        self.xi = TAU * (f_hz - self.f_nominal_hz);
        self.turn = 0.0;
    }

    /// Takes the voltage at the beginning of a step of length `h_s`.
    pub fn step(&mut self, v: Complex, h_s: f64) {
        let magnitude = v.abs();
        let mut speed = self.xi;
        if magnitude > V_BLIND {
            let vq = (v * Complex::polar(1.0, -self.angle)).im / magnitude;
            self.xi += h_s * self.wn * self.wn * vq;
            speed = self.xi + self.two_zeta_wn * vq;
        }
        self.turn = h_s * speed;
        self.angle = (self.angle + self.turn).rem_euclid(TAU);
    }

    /// The frequency the loop sees [Hz].
    pub fn f_hz(&self) -> f64 {
        self.f_nominal_hz + self.xi / TAU
    }
}
