//! Secondary control: brings an island's frequency and voltage back, or to the grid's.

use crate::island::{Island, Outside};

/// The inner voltage moves no further than this from nominal [pu].
const E_RANGE: (f64, f64) = (0.85, 1.15);

impl Island {
    /// Moves every grid former's dispatched power and inner voltage for a step.
    ///
    /// Frequency is left alone while a limit controller holds it away from nominal on purpose.
    pub fn secondary(&mut self, outside: &Outside, h_s: f64) {
        if self.attached || self.formers.is_empty() {
            return;
        }
        let mut f_aim = self.f_nominal_hz;
        let mut v_aim = 1.0;
        let (mut f_time, mut v_time) = (self.settings.secondary_s, self.settings.secondary_v_s);
        if let Some(synchroniser) = &self.synchroniser {
            let difference = self.difference(outside);
            let grid = self.grid_side(outside);
            f_aim = synchroniser.aim_hz(&difference, &grid, self.settings.sync_slip_hz);
            v_aim = outside.grid_v_pu;
            (f_time, v_time) = (self.settings.sync_s, self.settings.sync_s);
        }
        // A bus that is being raised is where it shall be.
        v_aim *= self.formers.iter().map(|f| f.raised).fold(1.0, f64::min);
        let v_step = (v_aim - self.v.abs()) * h_s / v_time;
        let rating: f64 = self.formers.iter().map(|former| former.ratio).sum();
        let speed: f64 = self
            .formers
            .iter()
            .map(|f| f.ratio * f.motion.speed)
            .sum::<f64>()
            / rating;
        let speed_step = (f_aim / self.f_nominal_hz - 1.0 - speed) * h_s / f_time;
        let held = self.formers.iter().any(|former| former.shifting());
        for former in &mut self.formers {
            former.e0 = (former.e0 + v_step).clamp(E_RANGE.0, E_RANGE.1);
            if !held {
                let (low, high) = former.room;
                former.p0 = (former.p0 + speed_step / former.droop()).clamp(low, high);
            }
        }
    }
}
