//! A synchronous-reference-frame phase-locked loop.
//!
//! It holds its angle as a unit phasor, turned a little every step: no sine of an angle that grows,
//! and a voltage is compared by one product.

use crate::complex::Complex;
use std::f64::consts::{FRAC_1_PI, TAU};

/// Follows the angle of a voltage phasor that is given in the frame of nominal frequency.
#[derive(Clone, Debug)]
pub struct Pll {
    f_nominal_hz: f64,
    wn_squared: f64,
    two_zeta_wn: f64,
    /// Unit phasor at the end of the last step.
    pub unit: Complex,
    /// Unit phasor of half the angle covered in the last step.
    pub half: Complex,
    /// Angular speed against the frame, the loop's integrator [rad/s].
    pub xi: f64,
}

impl Pll {
    /// A loop of natural frequency `bandwidth_hz`.
    pub fn new(f_nominal_hz: f64, bandwidth_hz: f64, damping: f64) -> Pll {
        let wn = TAU * bandwidth_hz;
        Pll {
            f_nominal_hz,
            wn_squared: wn * wn,
            two_zeta_wn: 2.0 * damping * wn,
            unit: Complex::ONE,
            half: Complex::ONE,
            xi: 0.0,
        }
    }

    /// Locks the loop on `v` turning at `f_hz`.
    pub fn lock(&mut self, v: Complex, f_hz: f64) {
        self.unit = Complex::polar(1.0, v.arg());
        self.half = Complex::ONE;
        self.xi = TAU * (f_hz - self.f_nominal_hz);
    }

    /// Takes the direction of the voltage at the beginning of a step of length `h_s`: a unit phasor,
    /// or zero where there is no phase to follow and the loop coasts.
    #[inline]
    pub fn step(&mut self, direction: Complex, h_s: f64) {
        let vq = direction.im * self.unit.re - direction.re * self.unit.im;
        self.xi += h_s * self.wn_squared * vq;
        let speed = self.xi + self.two_zeta_wn * vq;
        self.half = Complex::turn(0.5 * h_s * speed);
        let unit = self.unit * self.half * self.half;
        // One step of Newton's method keeps the length at 1 for ever.
        self.unit = unit * (1.5 - 0.5 * unit.norm_sq());
    }

    /// The frequency the loop sees [Hz].
    pub fn f_hz(&self) -> f64 {
        self.f_nominal_hz + self.xi * (0.5 * FRAC_1_PI)
    }
}
