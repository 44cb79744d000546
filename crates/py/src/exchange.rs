//! The continuous order books for Python: batches of columns, and single commands.

use std::sync::{Mutex, MutexGuard};

use gridrig_market::MarketRules;
use gridrig_market::book::{
    Capacity, Command, CommandColumns, DepthLevel, EventColumns, Exchange, ExchangeConfig,
    LoggedExchange, OrderKind, RestingOrder, SelfMatch,
};
use numpy::{IntoPyArray, PyArrayMethods, PyReadonlyArray1};
use pyo3::prelude::*;
use pyo3::types::PyBytes;

use crate::book_events::{Column, Columns, PyBookEvent, columns_out};
use crate::errors::{CoreError, Word};
use crate::market::side_of;

/// (status, period, zone, price_min, price_max)
type BookRow = (&'static str, u32, u32, i32, i32);
/// (orders, energy, orders_max, energy_max, self_match)
type ParticipantRow = (u32, i64, u32, i64, &'static str);
/// (order_id, participant, book, side, kind, price, filled, leaves)
type RestingRow = (u64, u32, u32, &'static str, &'static str, i32, i64, i64);

fn resting_row(order: RestingOrder) -> RestingRow {
    (
        order.order_id,
        order.participant,
        order.book,
        order.side.word(),
        order.kind.word(),
        order.price_micro_per_kwh,
        order.filled_milliwh,
        order.leaves_milliwh,
    )
}

fn one_of<T: Copy>(
    all: &[T],
    word: fn(T) -> &'static str,
    name: &'static str,
    found: &str,
    expected: &'static str,
) -> Result<T, CoreError> {
    let known = all.iter().copied().find(|&one| word(one) == found);
    known.ok_or_else(|| {
        let found = found.to_owned();
        CoreError::Word(Word {
            name,
            found,
            expected,
        })
    })
}

fn kind_of(word: &str) -> Result<OrderKind, CoreError> {
    let expected = "limit, post-only, ioc, fok, market or market-fok";
    one_of(&OrderKind::ALL, OrderKind::word, "kind", word, expected)
}

fn self_match_of(word: &str) -> Result<SelfMatch, CoreError> {
    let expected = "cancel-resting, cancel-incoming, cancel-both or decrement";
    one_of(
        &SelfMatch::ALL,
        SelfMatch::word,
        "self_match",
        word,
        expected,
    )
}

/// Order books behind one sequence of commands.
#[pyclass(frozen, module = "gridrig._core", name = "Exchange")]
pub(crate) struct PyExchange(Mutex<LoggedExchange>);

impl PyExchange {
    fn lock(&self) -> Result<MutexGuard<'_, LoggedExchange>, CoreError> {
        self.0.lock().map_err(|_| CoreError::ExchangeBroken)
    }

    fn apply(&self, py: Python<'_>, command: Command) -> PyResult<Vec<PyBookEvent>> {
        let events = py.detach(|| -> Result<_, CoreError> {
            let mut events = Vec::with_capacity(4);
            self.lock()?.apply(&command, &mut events);
            Ok(events)
        })?;
        Ok(events.into_iter().map(PyBookEvent::from).collect())
    }
}

#[pymethods]
impl PyExchange {
    #[new]
    #[pyo3(signature = (*, lot_milliwh, tick_micro_per_kwh, books, participants, orders,
                        price_blocks, order_energy_milliwh_max, participant_orders_max,
                        participant_energy_milliwh_max, self_match, log))]
    #[expect(clippy::too_many_arguments, reason = "a configuration, by keyword")]
    fn new(
        py: Python<'_>,
        lot_milliwh: i64,
        tick_micro_per_kwh: i64,
        books: u32,
        participants: u32,
        orders: u32,
        price_blocks: u32,
        order_energy_milliwh_max: i64,
        participant_orders_max: u32,
        participant_energy_milliwh_max: i64,
        self_match: &str,
        log: bool,
    ) -> PyResult<Self> {
        let rules = MarketRules::new(lot_milliwh, tick_micro_per_kwh).map_err(CoreError::from)?;
        let config = ExchangeConfig {
            rules,
            capacity: Capacity {
                books,
                participants,
                orders,
                price_blocks,
            },
            order_energy_milliwh_max,
            participant_orders_max,
            participant_energy_milliwh_max,
            self_match: self_match_of(self_match)?,
        };
        let exchange = py
            .detach(|| LoggedExchange::new(config, log))
            .map_err(CoreError::from)?;
        Ok(Self(Mutex::new(exchange)))
    }

    #[expect(clippy::too_many_arguments, reason = "one argument a column")]
    fn apply_columns<'py>(
        &self,
        py: Python<'py>,
        action: PyReadonlyArray1<'py, u8>,
        order_id: PyReadonlyArray1<'py, u64>,
        participant: PyReadonlyArray1<'py, u32>,
        book: PyReadonlyArray1<'py, u32>,
        side: PyReadonlyArray1<'py, u8>,
        kind: PyReadonlyArray1<'py, u8>,
        energy_milliwh: PyReadonlyArray1<'py, i64>,
        price_micro_per_kwh: PyReadonlyArray1<'py, i32>,
    ) -> PyResult<Columns<'py>> {
        let batch = CommandColumns {
            action: action.to_vec()?,
            order_id: order_id.to_vec()?,
            participant: participant.to_vec()?,
            book: book.to_vec()?,
            side: side.to_vec()?,
            kind: kind.to_vec()?,
            energy_milliwh: energy_milliwh.to_vec()?,
            price_micro_per_kwh: price_micro_per_kwh.to_vec()?,
        };
        let events = py.detach(|| -> Result<_, CoreError> {
            let mut events = EventColumns::with_capacity(2 * batch.action.len());
            self.lock()?.apply_columns(&batch, &mut events)?;
            Ok(events)
        })?;
        Ok(columns_out(py, events))
    }

    #[expect(clippy::too_many_arguments, reason = "the fields of an order")]
    fn submit(
        &self,
        py: Python<'_>,
        order_id: u64,
        participant: u32,
        book: u32,
        side: &str,
        kind: &str,
        energy_milliwh: i64,
        price_micro_per_kwh: i32,
    ) -> PyResult<Vec<PyBookEvent>> {
        let command = Command::Submit {
            order_id,
            energy_milliwh,
            price_micro_per_kwh,
            participant,
            book,
            side: side_of(side)?,
            kind: kind_of(kind)?,
        };
        self.apply(py, command)
    }

    fn cancel(
        &self,
        py: Python<'_>,
        order_id: u64,
        participant: u32,
    ) -> PyResult<Vec<PyBookEvent>> {
        let command = Command::Cancel {
            order_id,
            participant,
        };
        self.apply(py, command)
    }

    fn amend(
        &self,
        py: Python<'_>,
        order_id: u64,
        participant: u32,
        energy_milliwh: i64,
        price_micro_per_kwh: i32,
    ) -> PyResult<Vec<PyBookEvent>> {
        let command = Command::Amend {
            order_id,
            energy_milliwh,
            price_micro_per_kwh,
            participant,
        };
        self.apply(py, command)
    }

    fn cancel_all(&self, py: Python<'_>, participant: u32) -> PyResult<Vec<PyBookEvent>> {
        self.apply(py, Command::CancelAll { participant })
    }

    fn set_participant(
        &self,
        py: Python<'_>,
        participant: u32,
        orders_max: u32,
        energy_milliwh_max: i64,
        self_match: &str,
    ) -> PyResult<Vec<PyBookEvent>> {
        let command = Command::SetParticipant {
            participant,
            orders_max,
            energy_milliwh_max,
            self_match: self_match_of(self_match)?,
        };
        self.apply(py, command)
    }

    fn open_book(
        &self,
        py: Python<'_>,
        book: u32,
        period: u32,
        zone: u32,
        price_micro_per_kwh_min: i32,
        price_micro_per_kwh_max: i32,
    ) -> PyResult<Vec<PyBookEvent>> {
        let command = Command::OpenBook {
            book,
            period,
            zone,
            price_micro_per_kwh_min,
            price_micro_per_kwh_max,
        };
        self.apply(py, command)
    }

    fn set_collar(
        &self,
        py: Python<'_>,
        book: u32,
        price_micro_per_kwh_min: i32,
        price_micro_per_kwh_max: i32,
    ) -> PyResult<Vec<PyBookEvent>> {
        let command = Command::SetCollar {
            book,
            price_micro_per_kwh_min,
            price_micro_per_kwh_max,
        };
        self.apply(py, command)
    }

    fn halt(&self, py: Python<'_>, book: u32) -> PyResult<Vec<PyBookEvent>> {
        self.apply(py, Command::Halt { book })
    }

    fn resume(&self, py: Python<'_>, book: u32) -> PyResult<Vec<PyBookEvent>> {
        self.apply(py, Command::Resume { book })
    }

    fn close_gate(&self, py: Python<'_>, book: u32) -> PyResult<Vec<PyBookEvent>> {
        self.apply(py, Command::CloseGate { book })
    }

    #[getter]
    fn order_id_last(&self, py: Python<'_>) -> PyResult<u64> {
        Ok(py.detach(|| Ok::<_, CoreError>(self.lock()?.exchange().order_id_last()))?)
    }

    #[getter]
    fn orders_resting(&self, py: Python<'_>) -> PyResult<u32> {
        Ok(py.detach(|| Ok::<_, CoreError>(self.lock()?.exchange().orders_resting()))?)
    }

    fn book(&self, py: Python<'_>, book: u32) -> PyResult<Option<BookRow>> {
        let state = py.detach(|| Ok::<_, CoreError>(self.lock()?.exchange().book(book)))?;
        Ok(state.map(|book| {
            let (min, max) = (book.price_micro_per_kwh_min, book.price_micro_per_kwh_max);
            (book.status.word(), book.period, book.zone, min, max)
        }))
    }

    fn participant(&self, py: Python<'_>, participant: u32) -> PyResult<Option<ParticipantRow>> {
        let state =
            py.detach(|| Ok::<_, CoreError>(self.lock()?.exchange().participant(participant)))?;
        Ok(state.map(|one| {
            let (orders_max, energy_max) = (one.orders_max, one.energy_milliwh_max);
            (
                one.orders,
                one.energy_milliwh,
                orders_max,
                energy_max,
                one.self_match.word(),
            )
        }))
    }

    fn order(&self, py: Python<'_>, order_id: u64) -> PyResult<Option<RestingRow>> {
        let order = py.detach(|| Ok::<_, CoreError>(self.lock()?.exchange().order(order_id)))?;
        Ok(order.map(resting_row))
    }

    fn resting(&self, py: Python<'_>, book: u32, side: &str) -> PyResult<Vec<RestingRow>> {
        let side = side_of(side)?;
        Ok(py.detach(|| -> Result<_, CoreError> {
            let mut rows = Vec::new();
            let visit = |order| rows.push(resting_row(order));
            self.lock()?.exchange().for_each_resting(book, side, visit);
            Ok(rows)
        })?)
    }

    fn depth<'py>(
        &self,
        py: Python<'py>,
        book: u32,
        side: &str,
        levels_max: usize,
    ) -> PyResult<(Column<'py, i32>, Column<'py, i64>, Column<'py, u32>)> {
        let side = side_of(side)?;
        let levels = py.detach(|| -> Result<Vec<DepthLevel>, CoreError> {
            let mut levels = Vec::new();
            self.lock()?
                .exchange()
                .depth(book, side, levels_max, &mut levels);
            Ok(levels)
        })?;
        let prices: Vec<i32> = levels.iter().map(|one| one.price_micro_per_kwh).collect();
        let energies: Vec<i64> = levels.iter().map(|one| one.energy_milliwh).collect();
        let orders: Vec<u32> = levels.iter().map(|one| one.orders).collect();
        Ok((
            prices.into_pyarray(py),
            energies.into_pyarray(py),
            orders.into_pyarray(py),
        ))
    }

    fn state_hash<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyBytes>> {
        let hash = py.detach(|| Ok::<_, CoreError>(self.lock()?.exchange().state_hash()))?;
        Ok(PyBytes::new(py, &hash))
    }

    fn snapshot<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyBytes>> {
        let bytes = py.detach(|| Ok::<_, CoreError>(self.lock()?.exchange().snapshot()))?;
        Ok(PyBytes::new(py, &bytes))
    }

    fn take_log<'py>(&self, py: Python<'py>) -> PyResult<Option<Bound<'py, PyBytes>>> {
        let log = py.detach(|| Ok::<_, CoreError>(self.lock()?.take_log()))?;
        Ok(log.map(|bytes| PyBytes::new(py, &bytes)))
    }

    #[staticmethod]
    fn restore(py: Python<'_>, snapshot: &[u8]) -> PyResult<Self> {
        let exchange = py.detach(|| Exchange::restore(snapshot));
        let exchange = exchange.map_err(CoreError::from)?;
        Ok(Self(Mutex::new(LoggedExchange::unlogged(exchange))))
    }

    #[staticmethod]
    fn replay(py: Python<'_>, log: &[u8]) -> PyResult<Self> {
        let exchange = py.detach(|| LoggedExchange::replay(log));
        let exchange = exchange.map_err(CoreError::from)?;
        Ok(Self(Mutex::new(exchange)))
    }
}
