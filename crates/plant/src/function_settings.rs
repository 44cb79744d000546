//! The settings of an inverter that a writer may change while it runs: every key, default, range.
//!
//! Defaults are those of its categories (`category`).

use crate::capability::{PRIORITIES, Priority};
use crate::category;
use crate::cessation::CessationSettings;
use crate::curve::{Curve, POINTS_MAX};
use crate::error::PlantError;
use crate::relays::Relays;
use crate::service::EnterService;
use crate::setting::{Reader, Value};

/// The frequency-watt function.
#[derive(Clone, Debug)]
pub struct Droop {
    /// Deadband [Hz] and change of frequency for a change of power of 1 pu [pu], above nominal.
    pub over: (f64, f64),
    /// And below.
    pub under: (f64, f64),
    /// Open-loop response time, 90 % of a step [s].
    pub response_s: f64,
}

/// The volt-watt function.
#[derive(Clone, Debug)]
pub struct VoltWatt {
    /// Largest active power over voltage [pu over pu].
    pub curve: Curve,
    /// Open-loop response time [s].
    pub response_s: f64,
}

/// Which function decides the reactive power.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum ReactiveMode {
    /// Constant power factor.
    PowerFactor,
    /// Constant reactive power.
    Constant,
    /// Voltage decides.
    VoltVar,
    /// Active power decides.
    WattVar,
}

/// The words of `ReactiveMode`.
pub const REACTIVE_MODES: [(&str, ReactiveMode); 4] = [
    ("power_factor", ReactiveMode::PowerFactor),
    ("constant", ReactiveMode::Constant),
    ("volt_var", ReactiveMode::VoltVar),
    ("watt_var", ReactiveMode::WattVar),
];

/// The volt-var function.
#[derive(Clone, Debug)]
pub struct VoltVar {
    /// Reactive power over voltage, at a reference voltage of 1 [pu over pu].
    pub curve: Curve,
    /// Open-loop response time [s].
    pub response_s: f64,
    /// The reference voltage that shifts the curve [pu].
    pub vref_pu: f64,
    /// Whether the reference follows the voltage.
    pub vref_auto: bool,
    /// With this time constant [s].
    pub vref_s: f64,
}

/// The watt-var function.
#[derive(Clone, Debug)]
pub struct WattVar {
    /// Reactive power over active power [pu over pu].
    pub curve: Curve,
    /// Open-loop response time [s].
    pub response_s: f64,
}

/// All four reactive functions, of which `mode` is in force.
#[derive(Clone, Debug)]
pub struct ReactiveSettings {
    /// The one in force.
    pub mode: ReactiveMode,
    /// Reactive over active power of the power factor, positive when injecting, while giving
    /// active power and while taking it.
    pub tangents: (f64, f64),
    /// The constant reactive power [pu].
    pub constant_pu: f64,
    /// Whether what is asked for is a share of what active power leaves, not of the rating.
    pub of_available: bool,
    /// Largest change of reactive power [pu/s].
    pub ramp_pu_per_s: Option<f64>,
    /// Open-loop response time of those two [s].
    pub response_s: f64,
    /// Volt-var.
    pub volt_var: VoltVar,
    /// Watt-var.
    pub watt_var: WattVar,
}

impl ReactiveSettings {
    /// The open-loop response time of the function in force [s].
    pub fn response_s(&self) -> f64 {
        match self.mode {
            ReactiveMode::PowerFactor | ReactiveMode::Constant => self.response_s,
            ReactiveMode::VoltVar => self.volt_var.response_s,
            ReactiveMode::WattVar => self.watt_var.response_s,
        }
    }
}

/// Every function of an inverter that can be set while it runs.
#[derive(Clone, Debug)]
pub struct FunctionSettings {
    /// Reactive power.
    pub reactive: ReactiveSettings,
    /// What goes first at the rating.
    pub priority: Priority,
    /// Volt-watt.
    pub volt_watt: Option<VoltWatt>,
    /// Frequency droop.
    pub droop: Option<Droop>,
    /// Largest fall and rise of active power [W/s].
    pub ramps_w_per_s: (f64, f64),
    /// When it may enter service, and how.
    pub enter: EnterService,
    /// Voltage and frequency relays.
    pub relays: Relays,
    /// Momentary cessation.
    pub cessation: Option<CessationSettings>,
    /// Whether the island detectors it is built with are switched on.
    pub island_detection: bool,
}

/// What defaults depend on.
#[derive(Clone, Copy, Debug)]
pub struct Context {
    /// Nominal frequency [Hz].
    pub f_nominal_hz: f64,
    /// Place in `category::ABNORMAL`.
    pub abnormal: usize,
    /// Place in `category::NORMAL`.
    pub normal: usize,
}

impl FunctionSettings {
    /// Reads the keys of all functions.
    ///
    /// # Errors
    /// `SettingWrong`, `SettingUnknown` (inside `relays`).
    pub fn read(reader: &mut Reader<'_>, context: Context) -> Result<FunctionSettings, PlantError> {
        let place = reader.place().to_owned();
        let (relays, curves) = (reader.table("relays")?, reader.table("trip_curves")?);
        let relays = Relays::read(&place, relays, curves, context)?;
        reader.note("relays", relays.steps_table());
        reader.note("trip_curves", relays.curves_table());
        let ramp = read_ramp(reader, "ramp_w_per_s")?;
        let rise = read_ramp(reader, "ramp_up_w_per_s")?;
        Ok(FunctionSettings {
            reactive: read_reactive(reader, context.normal)?,
            priority: reader.choice("priority", &PRIORITIES)?,
            volt_watt: read_volt_watt(reader)?,
            droop: read_droop(reader, context.f_nominal_hz)?,
            ramps_w_per_s: (ramp, ramp.min(rise)),
            enter: read_enter(reader, context.f_nominal_hz)?,
            relays,
            cessation: read_cessation(reader, context.abnormal)?,
            island_detection: reader.flag("island_detection", true)?,
        })
    }
}

/// The keys of all functions.
pub fn function_keys(context: Context) -> Vec<String> {
    let mut reader = Reader::new("", &[]);
    // An empty table has defaults only, which are all in range.
    let read = FunctionSettings::read(&mut reader, context);
    debug_assert!(read.is_ok());
    reader
        .in_force()
        .iter()
        .map(|(key, _)| key.clone())
        .collect()
}

fn read_reactive(reader: &mut Reader<'_>, normal: usize) -> Result<ReactiveSettings, PlantError> {
    let (v, q, response_s) = category::VOLT_VAR[normal];
    let (wp, wq) = category::WATT_VAR[normal];
    let mode = reader.choice("reactive_mode", &REACTIVE_MODES)?;
    let factor = reader.number("power_factor", 1.0, (0.01, 1.0))?;
    let injects = reader.word("power_factor_excitation", &["injecting", "absorbing"])? == 0;
    // What takes active power does as what gives it, unless something else is stated.
    let taking = reader.number("power_factor_taking", factor, (0.01, 1.0))?;
    let words = match injects {
        true => ["injecting", "absorbing"],
        false => ["absorbing", "injecting"],
    };
    let same = reader.word("power_factor_taking_excitation", &words)? == 0;
    let ramp_pu_per_s = read_ramp(reader, "reactive_ramp_pu_per_s")?;
    Ok(ReactiveSettings {
        mode,
        tangents: (tangent(factor, injects), tangent(taking, same == injects)),
        constant_pu: reader.number("constant_q_pu", 0.0, (-1e6, 1e6))?,
        of_available: reader.word("reactive_reference", &["rating", "available"])? == 1,
        ramp_pu_per_s: ramp_pu_per_s.is_finite().then_some(ramp_pu_per_s),
        response_s: reader.number("reactive_response_s", 0.1, (0.0, 3600.0))?,
        volt_var: VoltVar {
            curve: read_curve(
                reader,
                ("volt_var_v_pu", &v, (0.0, 2.0)),
                ("volt_var_q_pu", &q, (-1.0, 1.0)),
            )?,
            response_s: reader.number("volt_var_response_s", response_s, (0.0, 3600.0))?,
            vref_pu: reader.number("volt_var_vref_pu", 1.0, (0.5, 1.5))?,
            vref_auto: reader.flag("volt_var_vref_auto", false)?,
            vref_s: reader.number("volt_var_vref_s", category::VREF_S, (0.0, 1e5))?,
        },
        watt_var: WattVar {
            curve: read_curve(
                reader,
                ("watt_var_p_pu", &wp, (-2.0, 2.0)),
                ("watt_var_q_pu", &wq, (-1.0, 1.0)),
            )?,
            response_s: reader.number("watt_var_response_s", 10.0, (0.0, 3600.0))?,
        },
    })
}

fn tangent(factor: f64, injects: bool) -> f64 {
    let tangent = (1.0 - factor * factor).max(0.0).sqrt() / factor;
    if injects { tangent } else { -tangent }
}

/// A largest change per second; 0 is written for none.
fn read_ramp(reader: &mut Reader<'_>, key: &'static str) -> Result<f64, PlantError> {
    let ramp = reader.number(key, 0.0, (0.0, 1e9))?;
    Ok(if ramp > 0.0 { ramp } else { f64::INFINITY })
}

fn read_volt_watt(reader: &mut Reader<'_>) -> Result<Option<VoltWatt>, PlantError> {
    let (v, p, response_s) = category::VOLT_WATT;
    let on = reader.flag("volt_watt", false)?;
    let volt_watt = VoltWatt {
        curve: read_curve(
            reader,
            ("volt_watt_v_pu", &v, (0.0, 2.0)),
            ("volt_watt_p_pu", &p, (-1.0, 1.0)),
        )?,
        response_s: reader.number("volt_watt_response_s", response_s, (0.0, 3600.0))?,
    };
    Ok(on.then_some(volt_watt))
}

fn read_droop(reader: &mut Reader<'_>, f_nominal_hz: f64) -> Result<Option<Droop>, PlantError> {
    let (deadband_hz, k, response_s) = category::DROOP;
    let on = reader.flag("droop", true)?;
    let deadband_hz = deadband_hz * f_nominal_hz / 60.0;
    let over = (
        reader.number("droop_db_hz", deadband_hz, (0.0, 5.0))?,
        reader.number("droop_k", k, (0.001, 1.0))?,
    );
    let droop = Droop {
        over,
        under: (
            reader.number("droop_under_db_hz", over.0, (0.0, 5.0))?,
            reader.number("droop_under_k", over.1, (0.001, 1.0))?,
        ),
        response_s: reader.number("droop_response_s", response_s, (0.0, 60.0))?,
    };
    Ok(on.then_some(droop))
}

fn read_enter(reader: &mut Reader<'_>, f_nominal_hz: f64) -> Result<EnterService, PlantError> {
    let scale = f_nominal_hz / 60.0;
    let (v, f, s) = (category::ENTER_V, category::ENTER_F, category::ENTER_S);
    Ok(EnterService {
        v_pu: (
            reader.number("enter_service_v_low_pu", v.0, (0.0, 2.0))?,
            reader.number("enter_service_v_high_pu", v.1, (0.0, 2.0))?,
        ),
        f_hz: (
            reader.number("enter_service_f_low_hz", f.0 * scale, (0.0, 100.0))?,
            reader.number("enter_service_f_high_hz", f.1 * scale, (0.0, 100.0))?,
        ),
        delay_s: reader.number("enter_service_delay_s", s.0, (0.0, 3600.0))?,
        random_s: reader.number("enter_service_random_s", 0.0, (0.0, 3600.0))?,
        ramp_s: reader.number("enter_service_ramp_s", s.1, (0.0, 3600.0))?,
    })
}

fn read_cessation(
    reader: &mut Reader<'_>,
    abnormal: usize,
) -> Result<Option<CessationSettings>, PlantError> {
    let default = category::CESSATION[abnormal];
    let (after_s, restore_s) = category::CESSATION_S;
    let on = reader.flag("momentary_cessation", default.is_some())?;
    let (low, high) = default.unwrap_or((0.0, 2.0));
    let low_after_s = reader.number("cessation_after_s", after_s, (0.0, 60.0))?;
    let settings = CessationSettings {
        v_pu: (
            reader.number("cessation_v_low_pu", low, (0.0, 2.0))?,
            reader.number("cessation_v_high_pu", high, (0.0, 2.0))?,
        ),
        after_s: (
            low_after_s,
            reader.number("cessation_high_after_s", low_after_s, (0.0, 60.0))?,
        ),
        restore_s: reader.number("cessation_restore_s", restore_s, (0.0, 60.0))?,
    };
    Ok(on.then_some(settings))
}

/// One column of a characteristic: its key, its default, its range.
type Column<'a> = (&'static str, &'a [f64], (f64, f64));

fn read_curve(
    reader: &mut Reader<'_>,
    (x_key, x, x_range): Column<'_>,
    (y_key, y, y_range): Column<'_>,
) -> Result<Curve, PlantError> {
    let xs = reader.list(x_key, x, x_range)?;
    let ys = reader.list(y_key, y, y_range)?;
    let expected = format!("as many numbers as {y_key}, 1 to {POINTS_MAX}, none below the last");
    Curve::new(&xs, &ys).ok_or_else(|| reader.wrong(x_key, &Value::List(xs), &expected))
}
