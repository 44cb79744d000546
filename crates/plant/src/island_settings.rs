//! The settings of an island and of the switch that ends it.

use crate::error::PlantError;
use crate::setting::{Reader, Value};

/// How the island is controlled, judged and joined to the grid again.
#[derive(Clone, Debug)]
pub struct IslandSettings {
    /// Time in which the secondary control brings frequency back [s].
    pub secondary_s: f64,
    /// Time in which it brings voltage back [s].
    pub secondary_v_s: f64,
    /// Time in which it reaches the grid's frequency and voltage while synchronising [s].
    pub sync_s: f64,
    /// Slip it keeps so that the angles meet [Hz].
    pub sync_slip_hz: f64,
    /// Resistance and reactance of the grid [pu of the system base].
    pub grid_z_pu: (f64, f64),
    /// Time in which loads become constant-power again after a voltage change [s].
    pub load_lag_s: f64,
    /// Capacitance of the inverters' filters, in per unit of their rating.
    pub filter_b_pu: f64,
    /// Voltage the inverters cannot exceed, for lack of DC voltage to modulate; zero for none [pu].
    pub ceiling_v_pu: f64,
    /// Voltage band of a formed island: IEEE 1547-2018's continuous operation region [pu].
    pub formed_v_pu: (f64, f64),
    /// Frequency band of a formed island [Hz].
    pub formed_f_hz: (f64, f64),
    /// How long both must stay inside [s].
    pub formed_hold_s: f64,
    /// When and how loads are shed and restored.
    pub shedding: SheddingSettings,
}

/// Under-frequency load shedding and its way back.
#[derive(Clone, Debug)]
pub struct SheddingSettings {
    /// Frequency of the first stage [Hz].
    pub first_hz: f64,
    /// How much lower each further stage is [Hz].
    pub step_hz: f64,
    /// How long f must be below a stage [s].
    pub delay_s: f64,
    /// After this time below the first stage with nothing shed, the next stage goes anyway [s].
    pub escalate_s: f64,
    /// Frequency above which loads may come back [Hz].
    pub restore_hz: f64,
    /// How long f and the reserve must allow it, before each load [s].
    pub restore_delay_s: f64,
    /// Reserve the grid formers must keep beside the load that comes back [pu of their rating].
    pub restore_margin_pu: f64,
}

impl IslandSettings {
    /// Reads the island's settings; an empty table gives the defaults.
    ///
    /// # Errors
    /// `SettingUnknown`, `SettingWrong`.
    pub fn read(
        table: &[(String, Value)],
        f_nominal_hz: f64,
    ) -> Result<IslandSettings, PlantError> {
        let mut reader = Reader::new("island", table);
        let r = &mut reader;
        let hz = (f_nominal_hz * 0.5, f_nominal_hz * 1.5);
        let settings = IslandSettings {
            secondary_s: r.number("secondary_s", 10.0, (0.1, 1e6))?,
            secondary_v_s: r.number("secondary_v_s", 5.0, (0.1, 1e6))?,
            sync_s: r.number("sync_s", 3.0, (0.1, 1e3))?,
            sync_slip_hz: r.number("sync_slip_hz", 0.05, (0.001, 1.0))?,
            grid_z_pu: (
                r.number("grid_r_pu", 0.02, (0.0, 10.0))?,
                r.number("grid_x_pu", 0.08, (1e-4, 10.0))?,
            ),
            load_lag_s: r.number("load_lag_s", 0.02, (0.0, 10.0))?,
            filter_b_pu: r.number("filter_b_pu", 0.05, (0.001, 1.0))?,
            ceiling_v_pu: r.number("ceiling_v_pu", 1.3, (0.0, 20.0))?,
            formed_v_pu: (
                r.number("formed_v_low_pu", 0.88, (0.0, 2.0))?,
                r.number("formed_v_high_pu", 1.1, (0.0, 2.0))?,
            ),
            formed_f_hz: (
                r.number("formed_f_low_hz", 0.98 * f_nominal_hz, hz)?,
                r.number("formed_f_high_hz", 1.02 * f_nominal_hz, hz)?,
            ),
            formed_hold_s: r.number("formed_hold_s", 1.0, (0.0, 100.0))?,
            shedding: SheddingSettings {
                first_hz: r.number("shed_first_hz", 0.98 * f_nominal_hz, hz)?,
                step_hz: r.number("shed_step_hz", 0.002 * f_nominal_hz, (0.0, 5.0))?,
                delay_s: r.number("shed_delay_s", 0.15, (0.0, 60.0))?,
                escalate_s: r.number("shed_escalate_s", 1.0, (0.01, 600.0))?,
                restore_hz: r.number("restore_f_hz", 0.996 * f_nominal_hz, hz)?,
                restore_delay_s: r.number("restore_delay_s", 10.0, (0.0, 3600.0))?,
                restore_margin_pu: r.number("restore_margin_pu", 0.1, (0.0, 1.0))?,
            },
        };
        reader.finish()?;
        Ok(settings)
    }
}
