//! The settings an inverter is built with, which nothing changes while it runs.

use crate::capability::Capability;
use crate::category;
use crate::detector::{Detector, Perturbation, RateRelay, Shift, VectorShift};
use crate::error::PlantError;
use crate::function_settings::Context;
use crate::setting::Reader;
use crate::sourced::{PHASES, Phases};

/// How an inverter is built, whatever feeds it.
#[derive(Clone, Debug)]
pub struct InverterSettings {
    /// Rated apparent power [VA].
    pub s_va: f64,
    /// Rated active power [W].
    pub rated_w: f64,
    /// What its functions' defaults depend on.
    pub context: Context,
    /// The phases it is connected to.
    pub phases: Phases,
    /// What its rating lets through.
    pub capability: Capability,
    /// Largest current, in per unit of `s_va`.
    pub i_max_pu: f64,
    /// Open-loop response time to a set-point, 90 % of a step [s].
    pub response_s: f64,
    /// Island detectors.
    pub detector: Option<Detector>,
    /// False makes relays and detector never act.
    pub trips: bool,
    /// How much later than they should relays and detector act [s].
    pub trip_delay_s: f64,
    /// True makes the power limit have no effect.
    pub ignores_limit: bool,
    /// True makes the power and reactive power set-points have no effect.
    pub ignores_setpoint: bool,
    /// True makes settings written while it runs read back and have no effect.
    pub ignores_functions: bool,
    /// True makes a permit that is withdrawn have no effect.
    pub ignores_permit: bool,
    /// True makes relays see the mean of the phases instead of the worst one.
    pub relays_see_mean: bool,
    /// What its functions' response times are multiplied with.
    pub response_scale: f64,
    /// -1 inverts the reactive power of its functions.
    pub q_sign: f64,
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
    /// Reads the keys every inverter has beside its functions.
    ///
    /// # Errors
    /// `SettingMissing`, `SettingWrong`.
    pub fn read(
        reader: &mut Reader<'_>,
        f_nominal_hz: f64,
        i_max_default_pu: f64,
    ) -> Result<InverterSettings, PlantError> {
        let cycle_s = 1.0 / f_nominal_hz;
        let s_va = reader.required("s_va", (1.0, 1e9))?;
        let rated_w = reader.number("p_rated_w", s_va, (0.0, s_va))?;
        let context = Context {
            f_nominal_hz,
            abnormal: reader.word("category", &category::ABNORMAL)?,
            normal: reader.word("normal_category", &category::NORMAL)?,
        };
        Ok(InverterSettings {
            s_va,
            rated_w,
            context,
            phases: Phases::of_word(reader.word("phases", &PHASES)?),
            capability: read_capability(reader, s_va, rated_w, context.normal)?,
            i_max_pu: reader.number("i_max_pu", i_max_default_pu, (0.1, 20.0))?,
            response_s: reader.number("response_s", 0.1, (0.0, 3600.0))?,
            detector: read_detector(reader, cycle_s)?,
            trips: reader.flag("trips", true)?,
            trip_delay_s: reader.number("trip_delay_s", 0.0, (0.0, 3600.0))?,
            ignores_limit: reader.flag("ignores_limit", false)?,
            ignores_setpoint: reader.flag("ignores_setpoint", false)?,
            ignores_functions: reader.flag("ignores_functions", false)?,
            ignores_permit: reader.flag("ignores_permit", false)?,
            relays_see_mean: reader.flag("relays_see_mean", false)?,
            response_scale: reader.number("response_scale", 1.0, (0.0, 1000.0))?,
            q_sign: reader.number("q_sign", 1.0, (-1.0, 1.0))?,
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

fn read_capability(
    reader: &mut Reader<'_>,
    s_va: f64,
    rated_w: f64,
    normal: usize,
) -> Result<Capability, PlantError> {
    Ok(Capability {
        s_va,
        rated_w,
        q_max_pu: (
            reader.number("q_inject_max_pu", 1.0, (0.0, 1.0))?,
            reader.number("q_absorb_max_pu", 1.0, (0.0, 1.0))?,
        ),
        q_required_pu: category::Q_REQUIRED[normal],
        q_from_p_pu: (
            reader.number("q_none_below_p_pu", 0.0, (0.0, 1.0))?,
            reader.number("q_full_from_p_pu", 0.0, (0.0, 1.0))?,
        ),
    })
}

fn read_detector(reader: &mut Reader<'_>, cycle_s: f64) -> Result<Option<Detector>, PlantError> {
    let kind = reader.word("detector", &["sfs", "sms", "none"])?;
    let sandia = Shift::Sandia {
        cf0: reader.number("sfs_cf0", 0.02, (0.0, 0.5))?,
        k: reader.number("sfs_k_per_hz", 0.05, (0.0, 1.0))?,
    };
    let sandia_bound = reader.number("sfs_angle_max_deg", 15.0, (0.1, 90.0))?;
    let slip_mode = Shift::SlipMode {
        df_max_hz: reader.number("sms_df_max_hz", 3.0, (0.01, 10.0))?,
    };
    let slip_mode_bound = reader.number("sms_angle_max_deg", 10.0, (0.1, 90.0))?;
    let hold_s = reader.number("sfs_hold_s", 0.16, (0.0, 10.0))?;
    let (shift, bound_deg) = match kind {
        0 => (sandia, sandia_bound),
        1 => (slip_mode, slip_mode_bound),
        _ => (Shift::None, sandia_bound),
    };
    let mut detector = Detector::new(shift, bound_deg.to_radians(), hold_s);
    let perturbation = Perturbation::new(
        reader.number("perturbation_q_pu", 0.0, (0.0, 1.0))?,
        reader.number("perturbation_period_s", 0.4, (0.02, 60.0))?,
        reader.number("perturbation_trip_hz", 0.3, (0.001, 10.0))?,
    );
    let limit_hz_s = reader.number("rocof_hz_s", 0.0, (0.0, 1000.0))?;
    let window_s = reader.number("rocof_window_s", 0.1, (0.001, 10.0))?;
    let rate = RateRelay::new(
        limit_hz_s,
        window_s,
        reader.number("rocof_hold_s", 0.05, (0.0, 10.0))?,
    );
    let vector_shift_deg = reader.number("vector_shift_deg", 0.0, (0.0, 180.0))?;
    detector.perturbation = (perturbation.q_pu > 0.0).then_some(perturbation);
    detector.rate = (limit_hz_s > 0.0).then_some(rate);
    detector.vector_shift =
        (vector_shift_deg > 0.0).then(|| VectorShift::new(vector_shift_deg.to_radians(), cycle_s));
    Ok((!detector.idle()).then_some(detector))
}
