//! The fast side of a grid-following inverter: phase-locked loop, measurement filters, current.
//!
//! Two details decide how well it agrees with a finer simulation: the current lags in the frame of
//! the loop, and what is injected over a step stands at the angle of the middle of the step.
//! Powers and currents are in per unit of the system base.

use crate::bus_meter::Metered;
use crate::complex::Complex;
use crate::inverter_settings::InverterSettings;
use crate::lag::Lag;
use crate::pll::Pll;

/// The current of one step in the fixed frame, at its beginning, middle and end.
pub type Injection = [Complex; 3];

/// The fast states of one grid-following inverter.
#[derive(Clone, Debug)]
pub struct GridFollowing {
    pll: Pll,
    f_lag: Lag,
    current_lag: Lag,
    per_v: f64,
    i_max_squared: f64,
    /// Measured voltage [pu].
    pub v_pu: f64,
    /// Measured frequency [Hz].
    pub f_hz: f64,
    /// Direction of the measured voltage, a unit phasor or zero.
    pub direction: Complex,
    current: Complex,
}

impl GridFollowing {
    /// Starts in steady state at the voltage `seen`, giving `power` (P + jQ), its loop `noise_hz`
    /// off.
    pub fn new(
        settings: &InverterSettings,
        s_base_va: f64,
        (f_nominal_hz, f_hz): (f64, f64),
        seen: &Metered,
        power: Complex,
        noise_hz: f64,
    ) -> GridFollowing {
        let mut pll = Pll::new(f_nominal_hz, settings.pll.0, settings.pll.1);
        pll.lock(seen.v, f_hz + noise_hz);
        let i_max_pu = settings.i_max_pu * settings.s_va / s_base_va;
        let mut fast = GridFollowing {
            pll,
            f_lag: Lag::new(settings.measure_s.1),
            current_lag: Lag::new(settings.current_lag_s),
            per_v: seen.per_v,
            i_max_squared: i_max_pu * i_max_pu,
            v_pu: seen.v_pu,
            f_hz,
            direction: seen.direction,
            current: Complex::ZERO,
        };
        fast.current = fast.reference(power, 0.0);
        fast
    }

    /// Takes the voltage at the beginning of a step.
    #[inline]
    pub fn measure(&mut self, seen: &Metered, h_s: f64) {
        self.pll.step(seen.direction, h_s);
        (self.per_v, self.v_pu, self.direction) = (seen.per_v, seen.v_pu, seen.direction);
        self.f_hz = self.f_lag.step(self.f_hz, self.pll.f_hz(), h_s);
    }

    /// The frequency of the loop itself, unfiltered [Hz].
    pub fn loop_hz(&self) -> f64 {
        self.pll.f_hz()
    }

    /// Controls the current toward `power` (P + jQ), led by `lead` [rad]; call after `measure`.
    #[inline]
    pub fn inject(&mut self, power: Complex, lead: f64, h_s: f64) -> Injection {
        let target = self.reference(power, lead);
        let factor = self.current_lag.factor(h_s);
        self.current += (target - self.current) * factor;
        let back = self.pll.half.conj();
        let middle = self.current * (self.pll.unit * back);
        [middle * back, middle, middle * self.pll.half]
    }

    /// Ceases: the switch opens and no current flows.
    pub fn stop(&mut self) -> Injection {
        self.current = Complex::ZERO;
        Injection::default()
    }

    #[inline]
    fn reference(&self, power: Complex, lead: f64) -> Complex {
        let mut i = power.conj() * self.per_v;
        let squared = i.norm_sq();
        if squared > self.i_max_squared {
            i = i * (self.i_max_squared / squared).sqrt();
        }
        if lead == 0.0 {
            i
        } else {
            i * Complex::turn(lead)
        }
    }
}
