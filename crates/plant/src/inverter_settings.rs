//! The settings of an inverter: every key, its default and its range.
//!
//! # Source
//! Defaults of IEEE 1547-2018 category III unless `category` says otherwise; those given in Hz at
//! 60 Hz scale by the ratio of nominals.

use crate::active_power::Droop;
use crate::detector::FrequencyShift;
use crate::error::PlantError;
use crate::relays::{CATEGORIES, Relays};
use crate::service::EnterService;
use crate::setting::Reader;
use crate::sourced::{PHASES, Phases};

/// How an inverter is built and set, whatever feeds it.
#[derive(Clone, Debug)]
pub struct InverterSettings {
    /// Rated apparent power [VA].
    pub s_va: f64,
    /// Rated active power [W].
    pub rated_w: f64,
    /// The phases it is connected to.
    pub phases: Phases,
    /// Largest current, in per unit of `s_va`.
    pub i_max_pu: f64,
    /// Open-loop response time to a set-point, 90 % of a step [s].
    pub response_s: f64,
    /// Largest change of active power [W/s].
    pub ramp_w_per_s: Option<f64>,
    /// Frequency droop.
    pub droop: Option<Droop>,
    /// When it may enter service, and how.
    pub enter: EnterService,
    /// Voltage and frequency relays.
    pub relays: Relays,
    /// Island detector.
    pub detector: Option<FrequencyShift>,
    /// False makes relays and detector never act.
    pub trips: bool,
    /// How much later than they should relays and detector act [s].
    pub trip_delay_s: f64,
    /// True makes the power limit have no effect.
    pub ignores_limit: bool,
    /// True makes the power and reactive power set-points have no effect.
    pub ignores_setpoint: bool,
    /// Phase-locked loop: natural frequency [Hz] and damping.
    pub pll: (f64, f64),
    /// Time constant of the current control [s].
    pub current_lag_s: f64,
    /// Time constant of the voltage that turns power into current [s].
    pub feed_v_lag_s: f64,
    /// Window of the measured voltage, time constant of the measured frequency [s].
    pub measure_s: (f64, f64),
}

impl InverterSettings {
    /// Reads the keys every inverter has.
    ///
    /// # Errors
    /// `SettingMissing`, `SettingWrong`, `SettingUnknown` (inside `relays`).
    pub fn read(
        reader: &mut Reader<'_>,
        f_nominal_hz: f64,
        i_max_default_pu: f64,
    ) -> Result<InverterSettings, PlantError> {
        let cycle_s = 1.0 / f_nominal_hz;
        let s_va = reader.required("s_va", (1.0, 1e9))?;
        let category = reader.word("category", &CATEGORIES)?;
        let place = reader.place().to_owned();
        let relays = Relays::read(&place, reader.table("relays")?, category, f_nominal_hz)?;
        Ok(InverterSettings {
            s_va,
            phases: Phases::of_word(reader.word("phases", &PHASES)?),
            rated_w: reader.number("p_rated_w", s_va, (0.0, s_va))?,
            i_max_pu: reader.number("i_max_pu", i_max_default_pu, (0.1, 20.0))?,
            response_s: reader.number("response_s", 0.1, (0.0, 3600.0))?,
            ramp_w_per_s: optional_positive(reader.number("ramp_w_per_s", 0.0, (0.0, 1e9))?),
            droop: read_droop(reader, f_nominal_hz)?,
            enter: read_enter(reader, f_nominal_hz)?,
            relays,
            detector: read_detector(reader)?,
            trips: reader.flag("trips", true)?,
            trip_delay_s: reader.number("trip_delay_s", 0.0, (0.0, 3600.0))?,
            ignores_limit: reader.flag("ignores_limit", false)?,
            ignores_setpoint: reader.flag("ignores_setpoint", false)?,
            pll: (
                reader.number("pll_hz", 10.0, (0.1, 100.0))?,
                reader.number("pll_damping", 0.707, (0.1, 5.0))?,
            ),
            current_lag_s: reader.number("current_lag_s", 0.001, (0.0, 1.0))?,
            feed_v_lag_s: reader.number("feed_v_lag_s", 0.005, (0.0, 1.0))?,
            measure_s: (
                reader.number("v_window_cycles", 1.0, (0.0, 100.0))? * cycle_s,
                reader.number("f_filter_cycles", 2.0, (0.0, 100.0))? * cycle_s,
            ),
        })
    }
}

fn optional_positive(value: f64) -> Option<f64> {
    (value > 0.0).then_some(value)
}

fn read_droop(reader: &mut Reader<'_>, f_nominal_hz: f64) -> Result<Option<Droop>, PlantError> {
    let on = reader.flag("droop", true)?;
    let droop = Droop {
        deadband_hz: reader.number("droop_db_hz", 0.036 * f_nominal_hz / 60.0, (0.0, 5.0))?,
        k: reader.number("droop_k", 0.05, (0.001, 1.0))?,
        response_s: reader.number("droop_response_s", 5.0, (0.0, 60.0))?,
    };
    Ok(on.then_some(droop))
}

fn read_enter(reader: &mut Reader<'_>, f_nominal_hz: f64) -> Result<EnterService, PlantError> {
    let scale = f_nominal_hz / 60.0;
    Ok(EnterService {
        v_pu: (
            reader.number("enter_service_v_low_pu", 0.917, (0.0, 2.0))?,
            reader.number("enter_service_v_high_pu", 1.05, (0.0, 2.0))?,
        ),
        f_hz: (
            reader.number("enter_service_f_low_hz", 59.5 * scale, (0.0, 100.0))?,
            reader.number("enter_service_f_high_hz", 60.1 * scale, (0.0, 100.0))?,
        ),
        delay_s: reader.number("enter_service_delay_s", 300.0, (0.0, 3600.0))?,
        ramp_s: reader.number("enter_service_ramp_s", 300.0, (0.0, 3600.0))?,
    })
}

fn read_detector(reader: &mut Reader<'_>) -> Result<Option<FrequencyShift>, PlantError> {
    let none = reader.word("detector", &["sfs", "none"])? == 1;
    let detector = FrequencyShift::new(
        reader.number("sfs_cf0", 0.02, (0.0, 0.5))?,
        reader.number("sfs_k_per_hz", 0.05, (0.0, 1.0))?,
        reader
            .number("sfs_angle_max_deg", 15.0, (0.1, 90.0))?
            .to_radians(),
        reader.number("sfs_hold_s", 0.16, (0.0, 10.0))?,
    );
    Ok((!none).then_some(detector))
}
