//! What an exchange answers, for Python: one object for a single command, columns for a batch.

use gridrig_market::book::{Event, EventColumns, EventRow};
use numpy::{IntoPyArray, PyArray1};
use pyo3::prelude::*;

/// One thing that happened, of a single command.
#[pyclass(frozen, eq, module = "gridrig._core", name = "BookEvent")]
#[derive(PartialEq, Eq)]
pub(crate) struct PyBookEvent(EventRow);

impl From<Event> for PyBookEvent {
    fn from(event: Event) -> Self {
        Self(event.into())
    }
}

#[pymethods]
impl PyBookEvent {
    #[getter]
    fn event(&self) -> &'static str {
        self.0.event_word()
    }

    #[getter]
    fn detail(&self) -> Option<&'static str> {
        self.0.detail_word()
    }

    #[getter]
    fn message(&self) -> Option<String> {
        self.0.refusal().map(|refusal| refusal.to_string())
    }

    #[getter]
    fn side(&self) -> Option<&'static str> {
        self.0.side_word()
    }

    #[getter]
    fn order_id(&self) -> u64 {
        self.0.order_id
    }

    #[getter]
    fn taker_id(&self) -> u64 {
        self.0.taker_id
    }

    #[getter]
    fn energy_milliwh(&self) -> i64 {
        self.0.energy_milliwh
    }

    #[getter]
    fn price_micro_per_kwh(&self) -> i32 {
        self.0.price_micro_per_kwh
    }

    #[getter]
    fn participant(&self) -> u32 {
        self.0.participant
    }

    #[getter]
    fn taker(&self) -> u32 {
        self.0.taker
    }

    #[getter]
    fn book(&self) -> u32 {
        self.0.book
    }

    #[getter]
    fn orders(&self) -> u32 {
        self.0.orders
    }

    fn __repr__(&self) -> String {
        let EventRow {
            order_id,
            energy_milliwh,
            price_micro_per_kwh,
            ..
        } = self.0;
        let (event, detail) = (self.event(), self.detail().unwrap_or(""));
        format!("<BookEvent {event} {detail} {order_id} {energy_milliwh} {price_micro_per_kwh}>")
    }
}

pub(crate) type Column<'py, T> = Bound<'py, PyArray1<T>>;

/// The columns of the events of a batch, in the order of `EventColumns`.
pub(crate) type Columns<'py> = (
    Column<'py, u32>,
    Column<'py, u8>,
    Column<'py, u8>,
    Column<'py, u8>,
    Column<'py, u64>,
    Column<'py, u64>,
    Column<'py, i64>,
    Column<'py, i32>,
    Column<'py, u32>,
    Column<'py, u32>,
    Column<'py, u32>,
    Column<'py, u32>,
);

pub(crate) fn columns_out(py: Python<'_>, events: EventColumns) -> Columns<'_> {
    (
        events.command.into_pyarray(py),
        events.event.into_pyarray(py),
        events.detail.into_pyarray(py),
        events.side.into_pyarray(py),
        events.order_id.into_pyarray(py),
        events.taker_id.into_pyarray(py),
        events.energy_milliwh.into_pyarray(py),
        events.price_micro_per_kwh.into_pyarray(py),
        events.participant.into_pyarray(py),
        events.taker.into_pyarray(py),
        events.book.into_pyarray(py),
        events.orders.into_pyarray(py),
    )
}
