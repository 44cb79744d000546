//! What an instrument at the island's bus sees: frequency, its rate of change, the bands.

use crate::complex::Complex;
use crate::lag::Lag;
use crate::pll::Pll;
use std::collections::VecDeque;

/// The rate of change of frequency is the slope over this window [s].
const ROCOF_WINDOW_S: f64 = 0.1;

/// A phase-locked loop at the bus, a frequency filter and a window for the rate of change.
#[derive(Clone, Debug)]
pub struct Instrument {
    pll: Pll,
    /// Whether the loop is what tells the frequency.
    follows: bool,
    filter: Lag,
    /// Frequency of the bus [Hz].
    pub f_hz: f64,
    /// The same, filtered over two cycles [Hz].
    pub f_filtered_hz: f64,
    /// Slope over the window; zero until it is full [Hz/s].
    pub rocof_hz_s: f64,
    window: VecDeque<f64>,
}

impl Instrument {
    /// An instrument locked on `v` turning at `f_hz`.
    pub fn new(f_nominal_hz: f64, v: Complex, f_hz: f64) -> Instrument {
        let mut pll = Pll::new(f_nominal_hz, 10.0, 0.707);
        pll.lock(v, f_hz);
        Instrument {
            pll,
            follows: true,
            filter: Lag::new(2.0 / f_nominal_hz),
            f_hz,
            f_filtered_hz: f_hz,
            rocof_hz_s: 0.0,
            window: VecDeque::new(),
        }
    }

    /// Takes the direction of a step's voltage, a unit phasor; `machine_hz` is the grid formers' own frequency, if there are
    /// any: it is the truth, which the loop only takes over when they are gone.
    pub fn step(&mut self, direction: Complex, machine_hz: Option<f64>, h_s: f64) {
        if let Some(machine_hz) = machine_hz {
            self.f_hz = machine_hz;
            self.follows = false;
        } else {
            if !std::mem::replace(&mut self.follows, true) {
                self.pll.lock(direction, self.f_hz);
            }
            self.pll.step(direction, h_s);
            self.f_hz = self.pll.f_hz();
        }
        self.f_filtered_hz = self.filter.step(self.f_filtered_hz, self.f_hz, h_s);
        let steps = (ROCOF_WINDOW_S / h_s).round().max(1.0) as usize;
        self.window.push_back(self.f_hz);
        if self.window.len() > steps {
            let oldest = self.window.pop_front().unwrap_or(self.f_hz);
            self.rocof_hz_s = (self.f_hz - oldest) / (steps as f64 * h_s);
        }
    }
}

/// Whether voltage and frequency have come into their bands to stay.
#[derive(Clone, Debug)]
pub struct FormedWatch {
    entered_s: Option<f64>,
    told: bool,
}

impl FormedWatch {
    /// A watch over an island that just began.
    pub fn new() -> FormedWatch {
        FormedWatch {
            entered_s: None,
            told: false,
        }
    }

    /// Takes a moment `since_s` after the opening; answers when the island was formed, once.
    pub fn step(&mut self, inside: bool, since_s: f64, hold_s: f64) -> Option<f64> {
        if self.told {
            return None;
        }
        if !inside {
            self.entered_s = None;
            return None;
        }
        let entered = *self.entered_s.get_or_insert(since_s);
        self.told = since_s - entered >= hold_s;
        self.told.then_some(entered)
    }
}

impl Default for FormedWatch {
    fn default() -> Self {
        FormedWatch::new()
    }
}
