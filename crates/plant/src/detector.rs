//! Island detectors: active ones that push an island's frequency away or stir its reactive power,
//! and passive ones beside the relays that watch the rate of frequency and jumps of the phase.
//!
//! Each is explicit: it trips on its own criterion, not only by driving a relay out of its window.
//!
//! # Source
//! Shapes of the frequency-shift methods and their blind zones: L. Lopes and H. Sun, "Performance
//! assessment of active frequency drifting islanding detection methods," IEEE Transactions on Energy
//! Conversion 21(1), 2006. Where a value has no such source it is a stated choice of ours.

use crate::complex::Complex;
use std::collections::VecDeque;
use std::f64::consts::FRAC_PI_2;

/// Half a nanosecond forgives the rounding of many summed steps.
const ROUNDING_S: f64 = 5e-10;

/// How the current angle follows the frequency.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Shift {
    /// It does not.
    None,
    /// Sandia frequency shift: (pi/2)(cf0 sign(df) + k df).
    Sandia {
        /// Chopping fraction at zero deviation.
        cf0: f64,
        /// Gain [1/Hz].
        k: f64,
    },
    /// Slip-mode frequency shift: the bound times sin((pi/2) df / df_max), full beyond df_max.
    SlipMode {
        /// Deviation at which the angle is at its bound [Hz].
        df_max_hz: f64,
    },
}

/// Reactive power that alternates, and what frequency makes of it.
#[derive(Clone, Debug)]
pub struct Perturbation {
    /// How much, to each side [pu of the rating].
    pub q_pu: f64,
    /// A whole period [s].
    pub period_s: f64,
    /// A difference of frequency between the two halves that only an island shows [Hz].
    pub trip_hz: f64,
    into_s: f64,
    ends_hz: [f64; 2],
    seen: u32,
}

/// Periods in a row that must show it.
const PERIODS: u32 = 2;

impl Perturbation {
    /// A perturbation that begins with its injecting half.
    pub fn new(q_pu: f64, period_s: f64, trip_hz: f64) -> Perturbation {
        Perturbation {
            q_pu,
            period_s,
            trip_hz,
            into_s: 0.0,
            ends_hz: [0.0; 2],
            seen: 0,
        }
    }

    /// What it adds now [pu].
    fn q_now_pu(&self) -> f64 {
        if self.into_s < 0.5 * self.period_s {
            self.q_pu
        } else {
            -self.q_pu
        }
    }

    fn step(&mut self, f_hz: f64, h_s: f64) -> bool {
        let half = usize::from(self.into_s >= 0.5 * self.period_s);
        self.ends_hz[half] = f_hz;
        self.into_s += h_s;
        if self.into_s < self.period_s - ROUNDING_S {
            return false;
        }
        self.into_s = 0.0;
        let apart = (self.ends_hz[0] - self.ends_hz[1]).abs() > self.trip_hz;
        self.seen = if apart { self.seen + 1 } else { 0 };
        self.seen >= PERIODS
    }
}

/// A relay on the rate of change of frequency, the slope over a window.
#[derive(Clone, Debug)]
pub struct RateRelay {
    limit_hz_s: f64,
    window_s: f64,
    hold_s: f64,
    seen: VecDeque<f64>,
    above_s: f64,
}

impl RateRelay {
    /// A relay that has seen nothing.
    pub fn new(limit_hz_s: f64, window_s: f64, hold_s: f64) -> RateRelay {
        RateRelay {
            limit_hz_s,
            window_s,
            hold_s,
            seen: VecDeque::new(),
            above_s: 0.0,
        }
    }

    fn step(&mut self, f_hz: f64, h_s: f64) -> bool {
        let steps = (self.window_s / h_s).round().max(1.0) as usize;
        self.seen.push_back(f_hz);
        if self.seen.len() <= steps {
            return false;
        }
        let oldest = self.seen.pop_front().unwrap_or(f_hz);
        let rate = (f_hz - oldest) / (steps as f64 * h_s);
        if rate.abs() > self.limit_hz_s {
            self.above_s += h_s;
        } else {
            self.above_s = 0.0;
        }
        self.above_s > 0.0 && self.above_s >= self.hold_s - ROUNDING_S
    }
}

/// A relay on the jump of the voltage's phase from one cycle to the next.
#[derive(Clone, Debug)]
pub struct VectorShift {
    limit: f64,
    cycle_s: f64,
    seen: VecDeque<Complex>,
}

impl VectorShift {
    /// A relay that has seen nothing; `limit` in rad.
    pub fn new(limit: f64, cycle_s: f64) -> VectorShift {
        VectorShift {
            limit,
            cycle_s,
            seen: VecDeque::new(),
        }
    }

    fn step(&mut self, direction: Complex, h_s: f64) -> bool {
        let steps = (self.cycle_s / h_s).round().max(1.0) as usize;
        self.seen.push_back(direction);
        if self.seen.len() <= 2 * steps {
            return false;
        }
        let before = self.seen.pop_front().unwrap_or(direction);
        let middle = self.seen[steps - 1];
        // What this cycle turned more than the one before; a steady deviation of f turns both.
        let more = direction * middle.conj() * (middle * before.conj()).conj();
        more.arg().abs() > self.limit
    }
}

/// What a detector does to the inverter's set-points in a step.
#[derive(Clone, Copy, Debug, Default)]
pub struct Push {
    /// Angle by which the current leads [rad].
    pub lead: f64,
    /// Reactive power on top [pu of the rating].
    pub q_pu: f64,
}

/// The detectors of one inverter.
#[derive(Clone, Debug)]
pub struct Detector {
    /// How the current angle follows the frequency.
    pub shift: Shift,
    /// Bound of the angle [rad]; reaching it is what a frequency shift trips on.
    pub angle_max: f64,
    /// How long the angle must stay at its bound [s].
    pub hold_s: f64,
    /// Alternating reactive power.
    pub perturbation: Option<Perturbation>,
    /// Rate of change of frequency.
    pub rate: Option<RateRelay>,
    /// Jump of the phase.
    pub vector_shift: Option<VectorShift>,
    at_bound_s: f64,
}

impl Detector {
    /// A frequency shift, or none, without any other detector.
    pub fn new(shift: Shift, angle_max: f64, hold_s: f64) -> Detector {
        Detector {
            shift,
            angle_max,
            hold_s,
            perturbation: None,
            rate: None,
            vector_shift: None,
            at_bound_s: 0.0,
        }
    }

    /// Whether there is nothing to detect with.
    pub fn idle(&self) -> bool {
        self.shift == Shift::None
            && self.perturbation.is_none()
            && self.rate.is_none()
            && self.vector_shift.is_none()
    }

    /// The angle by which the current leads, for a deviation of `df_hz` [rad].
    pub fn angle(&self, df_hz: f64) -> f64 {
        let angle = match self.shift {
            Shift::None => return 0.0,
            Shift::Sandia { cf0, k } => {
                let sign = if df_hz == 0.0 { 0.0 } else { df_hz.signum() };
                FRAC_PI_2 * (cf0 * sign + k * df_hz)
            }
            Shift::SlipMode { df_max_hz } => {
                let share = (df_hz / df_max_hz).clamp(-1.0, 1.0);
                self.angle_max * (FRAC_PI_2 * share).sin()
            }
        };
        angle.clamp(-self.angle_max, self.angle_max)
    }

    /// What it does in a step at this deviation of frequency.
    pub fn push(&self, df_hz: f64) -> Push {
        let perturbation = self.perturbation.as_ref();
        Push {
            lead: self.angle(df_hz),
            q_pu: perturbation.map_or(0.0, Perturbation::q_now_pu),
        }
    }

    /// Holds what a step showed for `h_s`; answers which criterion is met: `island` for the active
    /// ones, `rocof`, `vector_shift`.
    pub fn step(
        &mut self,
        push: &Push,
        f_hz: f64,
        direction: Complex,
        h_s: f64,
    ) -> Option<&'static str> {
        if self.shift != Shift::None {
            if push.lead.abs() < self.angle_max {
                self.at_bound_s = 0.0;
            } else {
                self.at_bound_s += h_s;
                if self.at_bound_s >= self.hold_s - ROUNDING_S {
                    return Some("island");
                }
            }
        }
        let mut found = None;
        if let Some(perturbation) = &mut self.perturbation
            && perturbation.step(f_hz, h_s)
        {
            found = Some("island");
        }
        if let Some(rate) = &mut self.rate
            && rate.step(f_hz, h_s)
        {
            found = found.or(Some("rocof"));
        }
        if let Some(relay) = &mut self.vector_shift
            && relay.step(direction, h_s)
        {
            found = found.or(Some("vector_shift"));
        }
        found
    }

    /// Forgets what it has seen.
    pub fn reset(&mut self) {
        self.at_bound_s = 0.0;
        if let Some(perturbation) = &mut self.perturbation {
            (perturbation.into_s, perturbation.seen) = (0.0, 0);
        }
        if let Some(rate) = &mut self.rate {
            rate.seen.clear();
            rate.above_s = 0.0;
        }
        if let Some(relay) = &mut self.vector_shift {
            relay.seen.clear();
        }
    }
}
