//! Bindings of what an AC source does to the plant: a sequence in, an analyser's samples out.

use gridrig_plant::complex::Complex;
use gridrig_plant::sequence::Segment;
use gridrig_plant::sourced::Samples;
use numpy::{Complex64, IntoPyArray, PyArray1, PyArray2, PyArray3, PyArrayMethods};
use pyo3::prelude::*;

use crate::plant::{EventTuple, tuples};

/// (duration_s, f_hz, v_from_pu, v_to_pu, angle_deg)
pub(crate) type SegmentTuple = (f64, (f64, f64), [f64; 3], [f64; 3], [f64; 3]);

pub(crate) fn segment_of(tuple: SegmentTuple) -> Segment {
    let (duration_s, f_hz, v_from_pu, v_to_pu, angle_deg) = tuple;
    Segment {
        duration_s,
        f_hz,
        v_from_pu,
        v_to_pu,
        angle_deg,
    }
}

/// What an analyser can see of the devices behind a source.
#[pyclass(frozen, get_all, module = "gridrig._core", name = "SourceTick")]
pub(crate) struct PySourceTick {
    times_s: Py<PyArray1<f64>>,
    f_hz: Py<PyArray1<f64>>,
    v_pu: Py<PyArray2<Complex64>>,
    i_va: Py<PyArray3<Complex64>>,
    load_i_va: Py<PyArray2<Complex64>>,
    closed: Py<PyArray2<bool>>,
    events: Vec<EventTuple>,
}

impl PySourceTick {
    pub(crate) fn new(py: Python<'_>, samples: Samples) -> PyResult<Self> {
        let (devices, steps) = (samples.i.len(), samples.times_s.len());
        let phases = |rows: Vec<[Complex; 3]>| rows.into_iter().flatten().map(phasor);
        let v_pu: Vec<Complex64> = phases(samples.v).collect();
        let load: Vec<Complex64> = phases(samples.load_i).collect();
        let i_va: Vec<Complex64> = samples.i.into_iter().flat_map(phases).collect();
        let closed: Vec<bool> = samples.closed.into_iter().flatten().collect();
        Ok(Self {
            times_s: samples.times_s.into_pyarray(py).unbind(),
            f_hz: samples.f_hz.into_pyarray(py).unbind(),
            v_pu: v_pu.into_pyarray(py).reshape([steps, 3])?.unbind(),
            i_va: i_va.into_pyarray(py).reshape([devices, steps, 3])?.unbind(),
            load_i_va: load.into_pyarray(py).reshape([steps, 3])?.unbind(),
            closed: closed.into_pyarray(py).reshape([devices, steps])?.unbind(),
            events: tuples(samples.events),
        })
    }
}

fn phasor(x: Complex) -> Complex64 {
    Complex64::new(x.re, x.im)
}
