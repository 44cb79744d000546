//! What a battery manager believes: charge counted from a shunt that is a little wrong.
//!
//! The counted charge drifts from the true one with the shunt's gain and offset, and is corrected
//! where managers do it: at a cell voltage that only a full pack has, and at one only an empty has.

/// The highest cell at or above this while charging is full, the lowest at or below that is empty [V].
const FULL_V: f64 = 3.55;
const EMPTY_V: f64 = 2.60;

/// The shunt and the counter.
#[derive(Clone, Debug)]
pub struct FuelGauge {
    capacity_ah: f64,
    /// Share by which the shunt shows too much.
    gain: f64,
    /// Current it shows at rest [A].
    offset_a: f64,
    counted_ah: f64,
}

impl FuelGauge {
    /// A gauge that has just been told the state of charge.
    pub fn new(capacity_ah: f64, gain: f64, offset_a: f64, soc: f64) -> FuelGauge {
        FuelGauge {
            capacity_ah,
            gain,
            offset_a,
            counted_ah: soc * capacity_ah,
        }
    }

    /// Tells it the state of charge, 0..1.
    pub fn set_soc(&mut self, soc: f64) {
        self.counted_ah = soc * self.capacity_ah;
    }

    /// The current as the shunt shows it, positive while discharging [A].
    pub fn measured_a(&self, i_a: f64) -> f64 {
        i_a * (1.0 + self.gain) + self.offset_a
    }

    /// Counts a current for `dt_s` and looks at the cells.
    pub fn count(&mut self, i_a: f64, dt_s: f64, cell_high_v: f64, cell_low_v: f64) {
        let left = self.counted_ah - self.measured_a(i_a) * dt_s / 3600.0;
        self.counted_ah = left.clamp(0.0, self.capacity_ah);
        if i_a < 0.0 && cell_high_v >= FULL_V {
            self.counted_ah = self.capacity_ah;
        } else if i_a >= 0.0 && cell_low_v <= EMPTY_V {
            self.counted_ah = 0.0;
        }
    }

    /// The state of charge it believes, 0..1.
    pub fn soc(&self) -> f64 {
        self.counted_ah / self.capacity_ah
    }
}

#[cfg(test)]
mod tests {
    use super::FuelGauge;

    #[test]
    fn counted_charge_drifts_by_gain_and_offset_and_is_corrected_at_the_ends() {
        let mut gauge = FuelGauge::new(100.0, 0.01, 0.05, 0.5);
        gauge.count(20.0, 3600.0, 3.3, 3.3);
        // 20 A for an hour, shown as 20.2 A and 0.05 A.
        assert!((gauge.soc() - (0.5 - 0.2025)).abs() < 1e-12);
        gauge.count(-20.0, 60.0, 3.56, 3.4);
        assert_eq!(gauge.soc(), 1.0);
        gauge.count(20.0, 60.0, 3.2, 2.59);
        assert_eq!(gauge.soc(), 0.0);
    }
}
