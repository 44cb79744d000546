//! Joining the island to the grid again: where to steer, and when the switch may close.

use crate::error::{PlantError, checked};
use std::collections::BTreeMap;
use std::f64::consts::PI;

/// It closes near the meeting of the angles, not at the edge of what is allowed [deg].
const AIM_DEG: f64 = 2.0;

/// The largest differences at which the switch may close.
#[derive(Clone, Copy, Debug)]
pub struct SyncLimits {
    /// Frequency [Hz].
    pub df_hz: f64,
    /// Voltage [pu].
    pub dv_pu: f64,
    /// Angle [deg].
    pub dtheta_deg: f64,
    /// Angle within which it closes, if that is allowed: a good switch aims at the meeting of the
    /// angles, one without a check takes any [deg].
    pub aim_deg: f64,
}

impl SyncLimits {
    /// Reads `df_hz`, `dv_pu` and `dtheta_deg`, which are needed, and `aim_deg`.
    ///
    /// # Errors
    /// `SettingMissing`, `SettingUnknown`, `ValueWrong`.
    pub fn read(table: &BTreeMap<String, f64>) -> Result<SyncLimits, PlantError> {
        let keys = ["df_hz", "dv_pu", "dtheta_deg", "aim_deg"];
        let place = "sync".to_owned();
        if let Some(key) = table.keys().find(|key| !keys.contains(&key.as_str())) {
            return Err(PlantError::SettingUnknown {
                place,
                key: key.clone(),
                near_miss: None,
            });
        }
        let value = |key: &str| {
            let missing = || PlantError::SettingMissing {
                place: place.clone(),
                key: key.into(),
            };
            table.get(key).copied().ok_or_else(missing)
        };
        let limits = SyncLimits {
            df_hz: value("df_hz")?,
            dv_pu: value("dv_pu")?,
            dtheta_deg: value("dtheta_deg")?,
            aim_deg: table.get("aim_deg").copied().unwrap_or(AIM_DEG),
        };
        limits.check()?;
        Ok(limits)
    }

    /// Refuses limits that are none.
    ///
    /// # Errors
    /// `ValueWrong`.
    pub fn check(&self) -> Result<(), PlantError> {
        checked("df_hz [Hz]", self.df_hz, 1e-3, 10.0)?;
        checked("dv_pu [pu]", self.dv_pu, 1e-4, 1.0)?;
        checked("dtheta_deg [deg]", self.dtheta_deg, 0.1, 180.0)?;
        checked("aim_deg [deg]", self.aim_deg, 0.1, 180.0)?;
        Ok(())
    }
}

/// The grid on the other side of the switch.
#[derive(Clone, Copy, Debug)]
pub struct GridSide {
    /// Voltage [pu].
    pub v_pu: f64,
    /// Frequency [Hz].
    pub f_hz: f64,
    /// Angle against the fixed frame [rad].
    pub angle: f64,
}

/// A request to close, waiting for the differences to be small.
#[derive(Clone, Copy, Debug)]
pub struct Synchroniser {
    /// The limits.
    pub limits: SyncLimits,
    /// When it was requested [s].
    pub requested_s: f64,
}

/// Differences island minus grid.
#[derive(Clone, Copy, Debug)]
pub struct Difference {
    /// Frequency [Hz].
    pub df_hz: f64,
    /// Voltage [pu].
    pub dv_pu: f64,
    /// Angle, in (-pi, pi] [rad].
    pub dtheta: f64,
}

impl Difference {
    /// The differences between an island and the grid.
    pub fn between(v_pu: f64, f_hz: f64, angle: f64, grid: &GridSide) -> Difference {
        let turned = (angle - grid.angle).rem_euclid(2.0 * PI);
        let dtheta = if turned > PI {
            turned - 2.0 * PI
        } else {
            turned
        };
        Difference {
            df_hz: f_hz - grid.f_hz,
            dv_pu: v_pu - grid.v_pu,
            dtheta,
        }
    }
}

impl Synchroniser {
    /// The frequency to steer to: past the grid's, in the direction that closes the angle [Hz].
    pub fn aim_hz(&self, difference: &Difference, grid: &GridSide, slip_hz: f64) -> f64 {
        let slip = slip_hz.min(0.5 * self.limits.df_hz);
        grid.f_hz - slip * difference.dtheta.signum()
    }

    /// Whether the switch may close now.
    pub fn may_close(&self, d: &Difference) -> bool {
        let angle = self.limits.dtheta_deg.min(self.limits.aim_deg).to_radians();
        d.df_hz.abs() <= self.limits.df_hz
            && d.dv_pu.abs() <= self.limits.dv_pu
            && d.dtheta.abs() <= angle
    }
}

#[cfg(test)]
mod tests {
    use super::{Difference, GridSide, SyncLimits, Synchroniser};

    fn may_close(df_hz: f64, dv_pu: f64, degrees: f64) -> bool {
        let limits = SyncLimits {
            df_hz: 0.25,
            dv_pu: 0.05,
            dtheta_deg: 10.0,
            aim_deg: 2.0,
        };
        let dtheta = degrees.to_radians();
        Synchroniser {
            limits,
            requested_s: 0.0,
        }
        .may_close(&Difference {
            df_hz,
            dv_pu,
            dtheta,
        })
    }

    #[test]
    fn each_limit_alone_keeps_the_switch_open() {
        assert!(may_close(0.2, -0.04, 1.0));
        assert!(may_close(-0.2, 0.04, -1.0));
        assert!(!may_close(-0.3, 0.0, 0.0));
        assert!(!may_close(0.0, 0.06, 0.0));
        assert!(!may_close(0.0, 0.0, 11.0));
    }

    #[test]
    fn the_angle_is_the_short_way_round() {
        let grid = GridSide {
            v_pu: 1.0,
            f_hz: 50.0,
            angle: 6.2,
        };
        let d = Difference::between(1.0, 50.0, 0.1, &grid);
        assert!((d.dtheta - (0.1 - 6.2 + std::f64::consts::TAU)).abs() < 1e-12);
    }
}
