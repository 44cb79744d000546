//! What the plant shows: a terminal, a pack, a motor, an island's tick.

use gridrig_plant as plant;
use pyo3::prelude::*;

use crate::plant::{EventTuple, tuples};

/// One terminal at one moment.
#[pyclass(frozen, get_all, module = "gridrig._core", name = "Terminal")]
pub(crate) struct PyTerminal {
    v_pu: f64,
    f_hz: f64,
    p_w: f64,
    q_var: f64,
    connected: bool,
    status: &'static str,
    trip_cause: Option<String>,
    limit_w: Option<f64>,
    import_milliwh: u64,
    export_milliwh: u64,
}

impl From<plant::view::TerminalView> for PyTerminal {
    fn from(view: plant::view::TerminalView) -> Self {
        Self {
            v_pu: view.v_pu,
            f_hz: view.f_hz,
            p_w: view.p_w,
            q_var: view.q_var,
            connected: view.connected,
            status: view.status,
            trip_cause: view.trip_cause,
            limit_w: view.limit_w,
            import_milliwh: view.import_milliwh,
            export_milliwh: view.export_milliwh,
        }
    }
}

/// One battery pack at one moment.
#[pyclass(frozen, get_all, module = "gridrig._core", name = "Pack")]
pub(crate) struct PyPack {
    soc: f64,
    soc_counted: f64,
    v_v: f64,
    i_a: f64,
    i_measured_a: f64,
    cells_mv: Vec<u32>,
    temperature_c: f64,
    charge_fet: bool,
    discharge_fet: bool,
    charge_limit_a: f64,
    discharge_limit_a: f64,
    charge_a_max: f64,
    discharge_a_max: f64,
    capacity_ah: f64,
    cycles: u64,
    protections: Vec<&'static str>,
    balancing: Vec<bool>,
    protection_settings: Vec<(&'static str, f64, f64, f64)>,
    stored_j: f64,
    heat_j: f64,
}

impl From<plant::view::PackView> for PyPack {
    fn from(view: plant::view::PackView) -> Self {
        Self {
            soc: view.soc,
            soc_counted: view.soc_counted,
            v_v: view.v_v,
            i_a: view.i_a,
            i_measured_a: view.i_measured_a,
            cells_mv: view.cells_mv,
            temperature_c: view.temperature_c,
            charge_fet: view.charge_fet,
            discharge_fet: view.discharge_fet,
            charge_limit_a: view.charge_limit_a,
            discharge_limit_a: view.discharge_limit_a,
            charge_a_max: view.charge_a_max,
            discharge_a_max: view.discharge_a_max,
            capacity_ah: view.capacity_ah,
            cycles: view.cycles,
            protections: view.protections,
            balancing: view.balancing,
            protection_settings: view.protection_settings,
            stored_j: view.stored_j,
            heat_j: view.heat_j,
        }
    }
}

/// One motor at one moment.
#[pyclass(frozen, get_all, module = "gridrig._core", name = "Motor")]
pub(crate) struct PyMotor {
    closed: bool,
    speed: f64,
    i_pu: f64,
    p_w: f64,
    q_var: f64,
}

impl From<plant::view::MotorView> for PyMotor {
    fn from(view: plant::view::MotorView) -> Self {
        Self {
            closed: view.closed,
            speed: view.speed,
            i_pu: view.i_pu,
            p_w: view.p_w,
            q_var: view.q_var,
        }
    }
}

/// What an island did over one tick.
#[pyclass(frozen, get_all, module = "gridrig._core", name = "IslandTick")]
pub(crate) struct PyIslandTick {
    times_s: Vec<f64>,
    f_hz: Vec<f64>,
    v_pu: Vec<f64>,
    p_w: Vec<Vec<f64>>,
    q_var: Vec<Vec<f64>>,
    dt_s: f64,
    grid_p_w: Vec<f64>,
    f_min_hz: f64,
    f_max_hz: f64,
    v_min_pu: f64,
    v_max_pu: f64,
    rocof_max_hz_s: f64,
    f_mean_hz: f64,
    v_mean_pu: f64,
    f_end_hz: f64,
    v_end_pu: f64,
    events: Vec<EventTuple>,
}

impl From<plant::IslandTick> for PyIslandTick {
    fn from(tick: plant::IslandTick) -> Self {
        Self {
            times_s: tick.times_s,
            f_hz: tick.f_hz,
            v_pu: tick.v_pu,
            p_w: tick.p_w,
            q_var: tick.q_var,
            dt_s: tick.dt_s,
            grid_p_w: tick.grid_p_w,
            f_min_hz: tick.f_range_hz.0,
            f_max_hz: tick.f_range_hz.1,
            v_min_pu: tick.v_range_pu.0,
            v_max_pu: tick.v_range_pu.1,
            rocof_max_hz_s: tick.rocof_max_hz_s,
            f_mean_hz: tick.mean.0,
            v_mean_pu: tick.mean.1,
            f_end_hz: tick.end.0,
            v_end_pu: tick.end.1,
            events: tuples(tick.events),
        }
    }
}
