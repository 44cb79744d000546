//! Bindings of the plant: values in, one call, values out.

use gridrig_plant as plant;
use numpy::{Complex64, IntoPyArray, PyArray1, PyReadonlyArray2};
use plant::buses::Buses;
use plant::complex::Complex;
use plant::run_on::TestLoad;
use plant::{Outside, SyncLimits, Value};
use pyo3::exceptions::PyTypeError;
use pyo3::prelude::*;
use pyo3::types::{PyBool, PyDict, PyFloat, PyInt, PyString};
use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use crate::errors::CoreError;
use crate::plant_source::{PySourceTick, SegmentTuple, segment_of};
use crate::plant_views::{PyIslandTick, PyMotor, PyPack, PyTerminal};

type Table = Vec<(String, Value)>;
pub(crate) type EventTuple = (f64, &'static str, String, f64, String);

fn refused(error: plant::PlantError) -> PyErr {
    CoreError::from(error).into()
}

fn table_of(settings: &Bound<'_, PyDict>) -> PyResult<Table> {
    settings
        .iter()
        .map(|(key, value)| Ok((key.extract()?, value_of(&value)?)))
        .collect()
}

fn value_of(value: &Bound<'_, PyAny>) -> PyResult<Value> {
    if value.is_instance_of::<PyBool>() {
        Ok(Value::Bool(value.extract()?))
    } else if value.is_instance_of::<PyInt>() || value.is_instance_of::<PyFloat>() {
        Ok(Value::Number(value.extract()?))
    } else if value.is_instance_of::<PyString>() {
        Ok(Value::Text(value.extract()?))
    } else if let Ok(inner) = value.cast::<PyDict>() {
        Ok(Value::Table(table_of(inner)?))
    } else if let Ok(list) = value.extract::<Vec<f64>>() {
        Ok(Value::List(list))
    } else if let Ok(pairs) = value.extract::<Vec<[f64; 2]>>() {
        Ok(Value::Pairs(
            pairs.into_iter().map(|[x, y]| (x, y)).collect(),
        ))
    } else {
        Err(PyTypeError::new_err(format!(
            "a setting cannot be {}",
            value.get_type()
        )))
    }
}

fn dict_of<'py>(py: Python<'py>, table: &[(String, Value)]) -> PyResult<Bound<'py, PyDict>> {
    let dict = PyDict::new(py);
    for (key, value) in table {
        match value {
            Value::Bool(value) => dict.set_item(key, value)?,
            Value::Number(value) => dict.set_item(key, value)?,
            Value::Text(value) => dict.set_item(key, value)?,
            Value::List(values) => dict.set_item(key, values)?,
            Value::Pairs(pairs) => {
                let rows: Vec<[f64; 2]> = pairs.iter().map(|(x, y)| [*x, *y]).collect();
                dict.set_item(key, rows)?;
            }
            Value::Table(inner) => dict.set_item(key, dict_of(py, inner)?)?,
        }
    }
    Ok(dict)
}

pub(crate) fn tuples(events: Vec<plant::event::Event>) -> Vec<EventTuple> {
    events
        .into_iter()
        .map(|e| (e.t_s, e.kind.word(), e.name, e.value, e.detail))
        .collect()
}

/// The physical world.
#[pyclass(frozen, module = "gridrig._core", name = "World")]
pub(crate) struct PyWorld(Mutex<plant::World>);

impl PyWorld {
    fn locked(&self) -> MutexGuard<'_, plant::World> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[pymethods]
impl PyWorld {
    #[new]
    #[pyo3(signature = (*, f_nominal_hz = 50.0, s_base_va, seed))]
    fn new(f_nominal_hz: f64, s_base_va: f64, seed: u64) -> PyResult<Self> {
        let world = plant::World::new(f_nominal_hz, s_base_va, seed).map_err(refused)?;
        Ok(Self(Mutex::new(world)))
    }

    fn add_load(&self, name: &str) -> PyResult<usize> {
        self.locked().add_load(name).map_err(refused)
    }

    fn add_pv(&self, name: &str, settings: &Bound<'_, PyDict>) -> PyResult<usize> {
        let table = table_of(settings)?;
        self.locked().add_pv(name, &table).map_err(refused)
    }

    fn add_storage(&self, name: &str, settings: &Bound<'_, PyDict>) -> PyResult<usize> {
        let table = table_of(settings)?;
        self.locked().add_storage(name, &table).map_err(refused)
    }

    fn set_island(&self, settings: &Bound<'_, PyDict>) -> PyResult<()> {
        let table = table_of(settings)?;
        self.locked().set_island(&table).map_err(refused)
    }

    #[pyo3(signature = (p_w, qf = 1.0, c_scale = 1.0))]
    fn set_rlc(&self, p_w: f64, qf: f64, c_scale: f64) -> PyResult<()> {
        self.locked().set_rlc(p_w, qf, c_scale).map_err(refused)
    }

    #[pyo3(signature = (buses, y_pu, pcc = 0))]
    fn set_network(
        &self,
        buses: Vec<usize>,
        y_pu: PyReadonlyArray2<'_, Complex64>,
        pcc: usize,
    ) -> PyResult<()> {
        let y = y_pu.as_array();
        let rows = y.iter().map(|y| Complex::new(y.re, y.im)).collect();
        let buses = Buses::new(y.nrows(), rows, pcc, buses).map_err(refused)?;
        self.locked().set_network(Some(buses)).map_err(refused)
    }

    fn remove_network(&self) -> PyResult<()> {
        self.locked().set_network(None).map_err(refused)
    }

    fn set_load(&self, i: usize, p_w: f64, q_var: f64) -> PyResult<()> {
        self.locked().set_load(i, p_w, q_var).map_err(refused)
    }

    fn set_load_phases(&self, i: usize, phases: &str) -> PyResult<()> {
        self.locked().set_load_phases(i, phases).map_err(refused)
    }

    fn set_motor(&self, i: usize, settings: &Bound<'_, PyDict>) -> PyResult<()> {
        let table = table_of(settings)?;
        self.locked().set_motor(i, &table).map_err(refused)
    }

    fn switch_motor(&self, i: usize, on: bool) -> PyResult<()> {
        self.locked().switch_motor(i, on).map_err(refused)
    }

    fn motor(&self, i: usize) -> PyResult<PyMotor> {
        self.locked().motor(i).map(PyMotor::from).map_err(refused)
    }

    fn set_available(&self, i: usize, p_w: f64) -> PyResult<()> {
        self.locked().set_available(i, p_w).map_err(refused)
    }

    fn set_shed_plan(&self, plan: Vec<(usize, u32)>) -> PyResult<()> {
        self.locked().set_shed_plan(&plan).map_err(refused)
    }

    fn set_connect(&self, i: usize, on: bool) -> PyResult<()> {
        self.locked().set_connect(i, on).map_err(refused)
    }

    fn set_limit_w(&self, i: usize, p_w: Option<f64>) -> PyResult<()> {
        self.locked().set_limit_w(i, p_w).map_err(refused)
    }

    fn set_power_w(&self, i: usize, p_w: f64) -> PyResult<()> {
        self.locked().set_power_w(i, p_w).map_err(refused)
    }

    fn set_q_var(&self, i: usize, q_var: f64) -> PyResult<()> {
        self.locked().set_q_var(i, q_var).map_err(refused)
    }

    fn set_functions(&self, i: usize, settings: &Bound<'_, PyDict>) -> PyResult<()> {
        let table = table_of(settings)?;
        self.locked().set_functions(i, &table).map_err(refused)
    }

    fn functions<'py>(&self, py: Python<'py>, i: usize) -> PyResult<Bound<'py, PyDict>> {
        let table = self.locked().functions(i).map_err(refused)?;
        dict_of(py, &table)
    }

    fn set_fets(&self, i: usize, charge: bool, discharge: bool) -> PyResult<()> {
        self.locked()
            .set_fets(i, charge, discharge)
            .map_err(refused)
    }

    fn set_pack_limits(
        &self,
        i: usize,
        charge_a: Option<f64>,
        discharge_a: Option<f64>,
    ) -> PyResult<()> {
        self.locked()
            .set_pack_limits(i, charge_a, discharge_a)
            .map_err(refused)
    }

    fn set_soc(&self, i: usize, soc: f64) -> PyResult<()> {
        self.locked().set_soc(i, soc).map_err(refused)
    }

    fn set_counted_soc(&self, i: usize, soc: f64) -> PyResult<()> {
        self.locked().set_counted_soc(i, soc).map_err(refused)
    }

    fn set_pack_temperature(&self, i: usize, t_c: f64) -> PyResult<()> {
        self.locked().set_pack_temperature(i, t_c).map_err(refused)
    }

    fn set_protection(&self, i: usize, name: &str, trip: f64) -> PyResult<()> {
        self.locked().set_protection(i, name, trip).map_err(refused)
    }

    fn held(&self) -> (Vec<f64>, Vec<f64>) {
        self.locked().held()
    }

    fn impose(&self, v_pu: Vec<f64>, f_hz: f64) -> PyResult<()> {
        self.locked().impose(&v_pu, f_hz).map_err(refused)
    }

    fn override_power(&self, i: usize, p_w: f64, q_var: f64) -> PyResult<()> {
        self.locked().override_power(i, p_w, q_var).map_err(refused)
    }

    fn set_head(&self, p_w: f64, q_var: f64) -> PyResult<()> {
        self.locked().set_head(p_w, q_var).map_err(refused)
    }

    fn integrate(&self, dt_s: f64) -> PyResult<()> {
        self.locked().integrate(dt_s).map_err(refused)
    }

    fn advance(&self, dt_s: f64) -> PyResult<()> {
        self.locked().advance(dt_s).map_err(refused)
    }

    fn terminal(&self, i: usize) -> PyResult<PyTerminal> {
        self.locked()
            .terminal(i)
            .map(PyTerminal::from)
            .map_err(refused)
    }

    fn head(&self) -> PyTerminal {
        self.locked().head().into()
    }

    fn pack(&self, i: usize) -> PyResult<PyPack> {
        self.locked().pack(i).map(PyPack::from).map_err(refused)
    }

    fn open_pcc(&self, t_s: f64) -> PyResult<()> {
        self.locked().open_pcc(t_s).map_err(refused)
    }

    fn request_reclose(&self, t_s: f64, sync: BTreeMap<String, f64>) -> PyResult<()> {
        let limits = SyncLimits::read(&sync).map_err(refused)?;
        self.locked().request_reclose(t_s, limits).map_err(refused)
    }

    fn cancel_reclose(&self) -> PyResult<()> {
        self.locked().cancel_reclose().map_err(refused)
    }

    fn set_grid_ahead(&self, angle: f64) -> PyResult<()> {
        self.locked().set_grid_ahead(angle).map_err(refused)
    }

    #[getter]
    fn pcc_closed(&self) -> bool {
        self.locked().pcc_closed()
    }

    #[getter]
    fn island_state(&self) -> &'static str {
        self.locked().island_state()
    }

    #[pyo3(signature = (
        t_s, dt_s, losses_w = 0.0, grid_v_pu = 1.0, grid_f_hz = None, *, h_s = 0.001,
        record_every = 1, until_closed = false
    ))]
    #[expect(
        clippy::too_many_arguments,
        reason = "one for each keyword of the Python call"
    )]
    fn island_tick(
        &self,
        py: Python<'_>,
        t_s: f64,
        dt_s: f64,
        losses_w: f64,
        grid_v_pu: f64,
        grid_f_hz: Option<f64>,
        h_s: f64,
        record_every: usize,
        until_closed: bool,
    ) -> PyResult<PyIslandTick> {
        let tick = py.detach(|| {
            let mut world = self.locked();
            let grid_f_hz = grid_f_hz.unwrap_or(world.f_nominal_hz());
            let outside = Outside {
                losses_w,
                grid_v_pu,
                grid_f_hz,
            };
            world.island_tick(t_s, dt_s, h_s, (record_every, until_closed), outside)
        });
        tick.map(PyIslandTick::from).map_err(refused)
    }

    #[pyo3(signature = (devices, t_s, segments, *, h_s = 0.001, record_every = 1))]
    fn source_tick(
        &self,
        py: Python<'_>,
        devices: Vec<usize>,
        t_s: f64,
        segments: Vec<SegmentTuple>,
        h_s: f64,
        record_every: usize,
    ) -> PyResult<PySourceTick> {
        let segments: Vec<_> = segments.into_iter().map(segment_of).collect();
        let samples = py.detach(|| {
            self.locked()
                .source_tick(&devices, t_s, &segments, h_s, record_every)
        });
        PySourceTick::new(py, samples.map_err(refused)?)
    }

    #[pyo3(signature = (loads, horizon_s, *, h_s = 0.001))]
    fn run_on_times<'py>(
        &self,
        py: Python<'py>,
        loads: Vec<(f64, f64, f64)>,
        horizon_s: f64,
        h_s: f64,
    ) -> PyResult<Bound<'py, PyArray1<f64>>> {
        let loads: Vec<_> = loads
            .into_iter()
            .map(|(p_w, qf, c_scale)| TestLoad { p_w, qf, c_scale })
            .collect();
        let times = py.detach(|| self.locked().run_on_times(&loads, horizon_s, h_s));
        let times = times.map_err(refused)?.into_iter();
        let times: Vec<f64> = times.map(|time_s| time_s.unwrap_or(f64::NAN)).collect();
        Ok(times.into_pyarray(py))
    }

    fn take_events(&self) -> Vec<EventTuple> {
        tuples(self.locked().take_events())
    }

    fn __len__(&self) -> usize {
        self.locked().len()
    }
}
