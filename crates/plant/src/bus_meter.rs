//! What inverters measure of a bus's voltage: those of one kind on one bus measure the same.

use crate::complex::Complex;
use crate::inverter_settings::InverterSettings;
use crate::lag::Lag;
use crate::rms::RmsWindow;

/// Below this voltage there is no phase to follow [pu].
const V_BLIND: f64 = 0.02;

/// The current reference divides by no less than this voltage [pu].
const V_DIVISOR_MIN: f64 = 0.3;

/// The voltage of a bus as an inverter sees it at the beginning of a step.
#[derive(Clone, Copy, Debug)]
pub struct Metered {
    /// The phasor [pu].
    pub v: Complex,
    /// Its direction, a unit phasor; zero where it is too small to have one.
    pub direction: Complex,
    /// Root mean square over the window [pu].
    pub v_pu: f64,
    /// What turns power into current: one over the voltage, which is never taken as very small.
    pub per_v: f64,
}

/// A window and a lag over the voltage of one bus.
#[derive(Clone, Debug)]
pub struct BusMeter {
    window: RmsWindow,
    feed_lag: Lag,
    feed_v_pu: f64,
    /// Window and lag [s], by which inverters find the meter of their kind.
    kind: (f64, f64),
    /// What it saw last.
    pub seen: Metered,
}

impl BusMeter {
    /// A meter for this kind of inverter on a bus that has long been at `v`.
    pub fn new(settings: &InverterSettings, v: Complex) -> BusMeter {
        let magnitude = v.abs();
        BusMeter {
            window: RmsWindow::new(settings.measure_s.0, magnitude),
            feed_lag: Lag::new(settings.feed_v_lag_s),
            feed_v_pu: magnitude,
            kind: (settings.measure_s.0, settings.feed_v_lag_s),
            seen: Metered {
                v,
                direction: direction_of(v, magnitude),
                v_pu: magnitude,
                per_v: 1.0 / magnitude.max(V_DIVISOR_MIN),
            },
        }
    }

    /// Whether it measures as this kind of inverter does.
    pub fn serves(&self, settings: &InverterSettings) -> bool {
        self.kind == (settings.measure_s.0, settings.feed_v_lag_s)
    }

    /// Takes the voltage at the beginning of a step.
    pub fn step(&mut self, v: Complex, h_s: f64) {
        let magnitude = v.abs();
        self.feed_v_pu = self.feed_lag.step(self.feed_v_pu, magnitude, h_s);
        self.seen = Metered {
            v,
            direction: direction_of(v, magnitude),
            v_pu: self.window.step(magnitude, h_s),
            per_v: 1.0 / self.feed_v_pu.max(V_DIVISOR_MIN),
        };
    }
}

/// The direction of a phasor of this magnitude.
pub fn direction_of(v: Complex, magnitude: f64) -> Complex {
    if magnitude > V_BLIND {
        v * (1.0 / magnitude)
    } else {
        Complex::ZERO
    }
}
