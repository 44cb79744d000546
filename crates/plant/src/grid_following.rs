//! The fast side of a grid-following inverter: phase-locked loop, measurement filters, current.
//!
//! Two details decide how well it agrees with a finer simulation: the current lags in the frame of
//! the loop, and what is injected over a step stands at the angle of the middle of the step.
//! Powers and currents are in per unit of the system base.

use crate::complex::Complex;
use crate::inverter_settings::InverterSettings;
use crate::lag::Lag;
use crate::pll::Pll;
use crate::rms::RmsWindow;

/// The current reference divides by no less than this voltage [pu].
const V_DIVISOR_MIN: f64 = 0.3;

/// The current of one step in the fixed frame, at its beginning, middle and end.
pub type Injection = [Complex; 3];

/// The fast states of one grid-following inverter.
#[derive(Clone, Debug)]
pub struct GridFollowing {
    pll: Pll,
    v_window: RmsWindow,
    f_lag: Lag,
    current_lag: Lag,
    feed_lag: Lag,
    feed_v_pu: f64,
    i_max_pu: f64,
    /// Measured voltage [pu].
    pub v_pu: f64,
    /// Measured frequency [Hz].
    pub f_hz: f64,
    current: Complex,
}

impl GridFollowing {
    /// Starts in steady state at voltage `v`, giving `power` (P + jQ), its loop `noise_hz` off.
    pub fn new(
        settings: &InverterSettings,
        s_base_va: f64,
        (f_nominal_hz, f_hz): (f64, f64),
        v: Complex,
        power: Complex,
        noise_hz: f64,
    ) -> GridFollowing {
        let mut pll = Pll::new(f_nominal_hz, settings.pll.0, settings.pll.1);
        pll.lock(v, f_hz + noise_hz);
        let mut fast = GridFollowing {
            pll,
            v_window: RmsWindow::new(settings.measure_s.0, v.abs()),
            f_lag: Lag::new(settings.measure_s.1),
            current_lag: Lag::new(settings.current_lag_s),
            feed_lag: Lag::new(settings.feed_v_lag_s),
            feed_v_pu: v.abs(),
            i_max_pu: settings.i_max_pu * settings.s_va / s_base_va,
            v_pu: v.abs(),
            f_hz,
            current: Complex::ZERO,
        };
        fast.current = fast.reference(power, 0.0);
        fast
    }

    /// Takes the voltage at the beginning of a step.
    pub fn measure(&mut self, v: Complex, h_s: f64) {
        self.pll.step(v, h_s);
        self.feed_v_pu = self.feed_lag.step(self.feed_v_pu, v.abs(), h_s);
        self.v_pu = self.v_window.step(v.abs(), h_s);
        self.f_hz = self.f_lag.step(self.f_hz, self.pll.f_hz(), h_s);
    }

    /// The frequency of the loop itself, unfiltered [Hz].
    pub fn loop_hz(&self) -> f64 {
        self.pll.f_hz()
    }

    /// Controls the current toward `power` (P + jQ), led by `lead` [rad]; call after `measure`.
    pub fn inject(&mut self, power: Complex, lead: f64, h_s: f64) -> Injection {
        let target = self.reference(power, lead);
        let factor = self.current_lag.factor(h_s);
        self.current += (target - self.current) * factor;
        let half = Complex::polar(1.0, 0.5 * self.pll.turn);
        let middle = self.current * Complex::polar(1.0, self.pll.angle - 0.5 * self.pll.turn);
        [middle * half.conj(), middle, middle * half]
    }

    /// Ceases: the switch opens and no current flows.
    pub fn stop(&mut self) -> Injection {
        self.current = Complex::ZERO;
        Injection::default()
    }

    fn reference(&self, power: Complex, lead: f64) -> Complex {
        let v = self.feed_v_pu.max(V_DIVISOR_MIN);
        let i = Complex::new(power.re / v, -power.im / v);
        let magnitude = i.abs();
        let bounded = if magnitude > self.i_max_pu {
            i * (self.i_max_pu / magnitude)
        } else {
            i
        };
        if lead == 0.0 {
            bounded
        } else {
            bounded * Complex::polar(1.0, lead)
        }
    }
}
