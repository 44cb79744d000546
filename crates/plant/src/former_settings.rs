//! The settings of a grid-forming inverter, beside those every inverter has.

use crate::error::PlantError;
use crate::setting::Reader;

/// How a grid former holds voltage and frequency; powers in per unit of its own rating.
#[derive(Clone, Debug)]
pub struct FormerSettings {
    /// Frequency droop, per unit of nominal for 1 pu of power.
    pub droop_p: f64,
    /// Voltage droop, per unit for 1 pu of reactive power.
    pub droop_q: f64,
    /// Time constant of the power filter [s]; inertia is tau / (2 droop).
    pub power_filter_s: f64,
    /// Lag of the primary response [s]; zero answers at once, as a droop inverter does.
    pub governor_s: f64,
    /// Reactance between its inner voltage and the bus [pu].
    pub x_pu: f64,
    /// Current above which the overload timer runs [pu].
    pub overload_pu: f64,
    /// How long an overload is borne before it trips [s].
    pub overload_trip_s: f64,
    /// Voltage below which it trips after `undervoltage_trip_s` [pu].
    pub undervoltage_pu: f64,
    /// How long an undervoltage is borne [s].
    pub undervoltage_trip_s: f64,
    /// Speed of the limit controller: per unit of frequency a second, for 1 pu beyond the limit.
    pub shift_rate: f64,
    /// How far the limit controller may raise and lower the frequency [Hz].
    pub shift_max_hz: (f64, f64),
    /// Whether it energises a bus without voltage when it is permitted to connect.
    pub black_start: bool,
    /// Time in which it raises such a bus to nominal voltage [s].
    pub black_start_ramp_s: f64,
}

impl FormerSettings {
    /// Reads the keys of a grid former.
    ///
    /// # Errors
    /// `SettingWrong`.
    pub fn read(reader: &mut Reader<'_>, f_nominal_hz: f64) -> Result<FormerSettings, PlantError> {
        let scale = f_nominal_hz / 50.0;
        Ok(FormerSettings {
            droop_p: reader.number("droop_p", 0.01, (1e-4, 0.2))?,
            droop_q: reader.number("droop_q", 0.05, (0.0, 0.5))?,
            power_filter_s: reader.number("power_filter_s", 0.05, (1e-3, 10.0))?,
            governor_s: reader.number("governor_s", 0.0, (0.0, 10.0))?,
            x_pu: reader.number("coupling_x_pu", 0.15, (0.01, 1.0))?,
            overload_pu: reader.number("overload_pu", 1.1, (0.5, 20.0))?,
            overload_trip_s: reader.number("overload_trip_s", 10.0, (0.0, 3600.0))?,
            undervoltage_pu: reader.number("undervoltage_pu", 0.5, (0.0, 1.0))?,
            undervoltage_trip_s: reader.number("undervoltage_trip_s", 2.0, (0.0, 60.0))?,
            shift_rate: reader.number("shift_rate_pu", 0.015, (0.0, 1.0))?,
            shift_max_hz: (
                reader.number("shift_up_max_hz", 1.5 * scale, (0.0, 5.0))?,
                reader.number("shift_down_max_hz", 2.0 * scale, (0.0, 5.0))?,
            ),
            black_start: reader.flag("black_start", true)?,
            black_start_ramp_s: reader.number("black_start_ramp_s", 1.0, (0.01, 60.0))?,
        })
    }
}
