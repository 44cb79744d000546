//! Native measurements for `gridrig bench`, and the workloads for what Python measures itself.

use std::time::Duration;

use gridrig_bench::{
    LatencyNs, Workload, clearing_time, columns, e1, e2, latencies, rates, timer_cost_ns,
};
use numpy::IntoPyArray;
use pyo3::prelude::*;

use crate::book_events::Column;
use crate::errors::{CoreError, Word};

/// (p50, p99, p99.9, max) [ns]
type Percentiles = (u64, u64, u64, u64);
/// The columns of a batch of commands, as an exchange takes them.
type Commands<'py> = (
    Column<'py, u8>,
    Column<'py, u64>,
    Column<'py, u32>,
    Column<'py, u32>,
    Column<'py, u8>,
    Column<'py, u8>,
    Column<'py, i64>,
    Column<'py, i32>,
);

fn word(found: &str, expected: &'static str) -> CoreError {
    let (name, found) = ("workload", found.to_owned());
    CoreError::Word(Word {
        name,
        found,
        expected,
    })
}

fn workload_of(found: &str) -> Result<Workload, CoreError> {
    Workload::from_word(found).ok_or_else(|| word(found, "w1, w2 or w3"))
}

const fn percentiles(latency: LatencyNs) -> Percentiles {
    (latency.p50, latency.p99, latency.p999, latency.max)
}

/// Times every native venue over a workload, in turn: (name, best, median) in commands a second.
#[pyfunction]
pub(crate) fn market_rates(
    py: Python<'_>,
    workload: &str,
    commands: usize,
    repetitions: usize,
) -> PyResult<Vec<(&'static str, f64, f64)>> {
    let workload = workload_of(workload)?;
    let measured = py.detach(|| rates(workload, commands, repetitions));
    let measured = measured.map_err(CoreError::from)?;
    Ok(measured
        .iter()
        .map(|one| (one.name, one.best(), one.median()))
        .collect())
}

/// Measures latencies of native venues: (name, open loop, service times).
#[pyfunction]
pub(crate) fn market_latencies(
    py: Python<'_>,
    workload: &str,
    commands: usize,
    interval_ns: u64,
) -> PyResult<Vec<(&'static str, Percentiles, Percentiles)>> {
    let workload = workload_of(workload)?;
    let interval = Duration::from_nanos(interval_ns);
    let measured = py.detach(|| latencies(workload, commands, interval));
    let measured = measured.map_err(CoreError::from)?;
    let row = |one: &gridrig_bench::Latencies| {
        (
            one.name,
            percentiles(one.open_loop),
            percentiles(one.service),
        )
    };
    Ok(measured.iter().map(row).collect())
}

/// Measures what reading the clock twice takes. [ns]
#[pyfunction]
pub(crate) fn timer_cost(py: Python<'_>) -> Percentiles {
    percentiles(py.detach(timer_cost_ns))
}

/// Makes the columns of a workload.
#[pyfunction]
pub(crate) fn market_commands<'py>(
    py: Python<'py>,
    workload: &str,
    commands: usize,
) -> PyResult<Commands<'py>> {
    let workload = workload_of(workload)?;
    let made = py.detach(|| columns(&workload.stream(commands)));
    Ok((
        made.action.into_pyarray(py),
        made.order_id.into_pyarray(py),
        made.participant.into_pyarray(py),
        made.book.into_pyarray(py),
        made.side.into_pyarray(py),
        made.kind.into_pyarray(py),
        made.energy_milliwh.into_pyarray(py),
        made.price_micro_per_kwh.into_pyarray(py),
    ))
}

/// Clears E1 or E2 at one price and returns how long that took. [s]
#[pyfunction]
pub(crate) fn market_auction_s(py: Python<'_>, workload: &str, orders: usize) -> PyResult<f64> {
    let make = match workload {
        "e1" => e1,
        "e2" => e2,
        _ => return Err(word(workload, "e1 or e2").into()),
    };
    let took = py.detach(|| clearing_time(&make(orders)));
    Ok(took.map_err(CoreError::from)?.as_secs_f64())
}
