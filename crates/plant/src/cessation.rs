//! Momentary cessation: no current while the voltage is far out, and the way back without a trip.
//!
//! # Source
//! IEEE 1547-2018 clause 6.4.2.5 and tables 14 to 16: within 0.083 s (five cycles of 60 Hz) to
//! cease, after recovery 80 % of the former active current within 0.4 s.

/// When and how it ceases and restores.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct CessationSettings {
    /// Below and above these it ceases [pu].
    pub v_pu: (f64, f64),
    /// After the voltage was below and above for this long [s].
    pub after_s: (f64, f64),
    /// From nothing to all, once the voltage is back [s].
    pub restore_s: f64,
}

/// The state of one inverter; the share is what it may give of its power.
#[derive(Clone, Debug)]
pub struct Cessation {
    settings: Option<CessationSettings>,
    out_s: (f64, f64),
    share: f64,
}

impl Cessation {
    /// An inverter that gives all.
    pub fn new(settings: Option<CessationSettings>) -> Cessation {
        Cessation {
            settings,
            out_s: (0.0, 0.0),
            share: 1.0,
        }
    }

    /// Begins again with all.
    pub fn rest(&mut self) {
        (self.out_s, self.share) = ((0.0, 0.0), 1.0);
    }

    /// Whether it has ceased.
    pub fn ceased(&self) -> bool {
        self.share == 0.0
    }

    /// Holds the voltages of the worst phases for `dt_s`; answers the share, 0..1.
    pub fn step(&mut self, v_low_pu: f64, v_high_pu: f64, dt_s: f64) -> f64 {
        let Some(settings) = &self.settings else {
            return 1.0;
        };
        let (below, above) = (v_low_pu < settings.v_pu.0, v_high_pu > settings.v_pu.1);
        self.out_s.0 = if below { self.out_s.0 + dt_s } else { 0.0 };
        self.out_s.1 = if above { self.out_s.1 + dt_s } else { 0.0 };
        if below || above {
            let over = |out_s: f64, after_s: f64| out_s >= after_s - 5e-10;
            if (below && over(self.out_s.0, settings.after_s.0))
                || (above && over(self.out_s.1, settings.after_s.1))
            {
                self.share = 0.0;
            }
        } else {
            if self.share < 1.0 {
                let step = if settings.restore_s > 0.0 {
                    dt_s / settings.restore_s
                } else {
                    1.0
                };
                self.share = (self.share + step).min(1.0);
            }
        }
        self.share
    }
}
