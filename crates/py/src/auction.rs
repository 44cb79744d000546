//! The auctions for Python: orders in, trades out; columns in, columns out.

use gridrig_market::{
    AuctionRules, MarketRules, Order, OrderColumns, PriceRule, Refusal, Ties, clear_pay_as_bid,
    clear_pay_as_clear, pay_as_bid, pay_as_clear,
};
use gridrig_quantity::Price;
use numpy::{Element, IntoPyArray, PyArray1, PyArrayMethods, PyReadonlyArray1};
use pyo3::prelude::*;

use crate::errors::{CoreError, Word};
use crate::market::{PyClearing, PyOrder};

/// Lot, tick, ties and price rule of an auction.
#[pyclass(
    frozen,
    eq,
    module = "gridrig._core",
    name = "AuctionRules",
    from_py_object
)]
#[derive(Clone, PartialEq, Eq)]
pub(crate) struct PyAuctionRules(pub(crate) AuctionRules);

#[pymethods]
impl PyAuctionRules {
    #[new]
    #[pyo3(signature = (*, lot_milliwh, tick_micro_per_kwh, ties = "time", price = "middle", seed = 0))]
    fn new(
        lot_milliwh: i64,
        tick_micro_per_kwh: i64,
        ties: &str,
        price: &str,
        seed: u64,
    ) -> PyResult<Self> {
        let market = MarketRules::new(lot_milliwh, tick_micro_per_kwh).map_err(CoreError::from)?;
        let ties =
            Ties::from_word(ties, seed).ok_or_else(|| word("ties", ties, "time or pro-rata"))?;
        let price = PriceRule::from_word(price)
            .ok_or_else(|| word("price", price, "lowest, middle or highest"))?;
        Ok(Self(AuctionRules {
            market,
            ties,
            price,
        }))
    }

    #[getter]
    fn lot_milliwh(&self) -> i64 {
        self.0.market.lot_milliwh()
    }

    #[getter]
    fn tick_micro_per_kwh(&self) -> i64 {
        self.0.market.tick_micro_per_kwh()
    }

    #[getter]
    fn ties(&self) -> &'static str {
        self.0.ties.word()
    }

    #[getter]
    fn price(&self) -> &'static str {
        self.0.price.word()
    }
}

fn word(name: &'static str, found: &str, expected: &'static str) -> CoreError {
    let found = found.to_owned();
    CoreError::Word(Word {
        name,
        found,
        expected,
    })
}

/// Clears one delivery period at one price.
#[pyfunction]
#[pyo3(name = "clear_pay_as_clear")]
pub(crate) fn py_clear_pay_as_clear(
    py: Python<'_>,
    orders: Vec<PyOrder>,
    rules: PyAuctionRules,
) -> PyResult<PyClearing> {
    let orders: Vec<Order> = orders.into_iter().map(|order| order.0).collect();
    let cleared = py.detach(|| clear_pay_as_clear(&orders, rules.0));
    Ok(PyClearing(cleared.map_err(CoreError::from)?))
}

/// Clears one delivery period in pairs, each at its bid.
#[pyfunction]
#[pyo3(name = "clear_pay_as_bid")]
pub(crate) fn py_clear_pay_as_bid(
    py: Python<'_>,
    orders: Vec<PyOrder>,
    rules: PyAuctionRules,
) -> PyResult<PyClearing> {
    let orders: Vec<Order> = orders.into_iter().map(|order| order.0).collect();
    let cleared = py.detach(|| clear_pay_as_bid(&orders, rules.0));
    Ok(PyClearing(cleared.map_err(CoreError::from)?))
}

/// Columns copied from NumPy, so that the interpreter may go on.
pub(crate) struct Rows {
    order_id: Vec<u64>,
    participant: Vec<u32>,
    is_bid: Vec<bool>,
    energy_milliwh: Vec<i64>,
    price_micro_per_kwh: Vec<i64>,
}

/// Takes an array of any stride.
pub(crate) fn copied<T: Element + Copy>(array: &PyReadonlyArray1<'_, T>) -> Vec<T> {
    array.as_array().iter().copied().collect()
}

impl Rows {
    pub(crate) fn of(
        order_id: &PyReadonlyArray1<'_, u64>,
        participant: &PyReadonlyArray1<'_, u32>,
        is_bid: &PyReadonlyArray1<'_, bool>,
        energy_milliwh: &PyReadonlyArray1<'_, i64>,
        price_micro_per_kwh: &PyReadonlyArray1<'_, i64>,
    ) -> Self {
        Self {
            order_id: copied(order_id),
            participant: copied(participant),
            is_bid: copied(is_bid),
            energy_milliwh: copied(energy_milliwh),
            price_micro_per_kwh: copied(price_micro_per_kwh),
        }
    }

    pub(crate) fn columns(&self) -> OrderColumns<'_> {
        OrderColumns {
            order_id: &self.order_id,
            participant: &self.participant,
            is_bid: &self.is_bid,
            energy_milliwh: &self.energy_milliwh,
            price_micro_per_kwh: &self.price_micro_per_kwh,
        }
    }
}

/// An array nobody can write into, handed out as often as it is asked for.
pub(crate) type Column<T> = Py<PyArray1<T>>;

pub(crate) fn column<T: Element>(py: Python<'_>, values: Vec<T>) -> Column<T> {
    let array = values.into_pyarray(py);
    array.readwrite().make_nonwriteable();
    array.unbind()
}

/// Rows refused and why.
pub(crate) struct Refused {
    row: Column<u32>,
    code: Vec<&'static str>,
}

impl Refused {
    pub(crate) fn of(py: Python<'_>, refusals: &[Refusal]) -> Self {
        Self {
            row: column(py, refusals.iter().map(|refusal| refusal.row).collect()),
            code: refusals
                .iter()
                .map(|refusal| refusal.reason.code())
                .collect(),
        }
    }

    pub(crate) fn row(&self, py: Python<'_>) -> Column<u32> {
        self.row.clone_ref(py)
    }

    pub(crate) fn code(&self) -> Vec<&'static str> {
        self.code.clone()
    }
}

/// Outcome of a pay-as-clear auction, by row of its orders.
#[pyclass(frozen, module = "gridrig._core", name = "ClearedColumns")]
pub(crate) struct PyClearedColumns {
    price: Option<i64>,
    volume: i64,
    welfare: i128,
    filled: Column<i64>,
    refused: Refused,
}

#[pymethods]
impl PyClearedColumns {
    #[getter]
    fn price_micro_per_kwh(&self) -> Option<i64> {
        self.price
    }

    #[getter]
    fn volume_milliwh(&self) -> i64 {
        self.volume
    }

    #[getter]
    fn welfare_pico(&self) -> i128 {
        self.welfare
    }

    #[getter]
    fn filled_milliwh(&self, py: Python<'_>) -> Column<i64> {
        self.filled.clone_ref(py)
    }

    #[getter]
    fn refused_row(&self, py: Python<'_>) -> Column<u32> {
        self.refused.row(py)
    }

    #[getter]
    fn refused_code(&self) -> Vec<&'static str> {
        self.refused.code()
    }
}

/// Outcome of a pay-as-bid auction: one trade a pair of orders, by rows of its orders.
#[pyclass(frozen, module = "gridrig._core", name = "BilateralColumns")]
pub(crate) struct PyBilateralColumns {
    volume: i64,
    welfare: i128,
    bid_row: Column<u32>,
    offer_row: Column<u32>,
    energy: Column<i64>,
    price: Column<i64>,
    filled: Column<i64>,
    refused: Refused,
}

#[pymethods]
impl PyBilateralColumns {
    #[getter]
    fn volume_milliwh(&self) -> i64 {
        self.volume
    }

    #[getter]
    fn welfare_pico(&self) -> i128 {
        self.welfare
    }

    #[getter]
    fn bid_row(&self, py: Python<'_>) -> Column<u32> {
        self.bid_row.clone_ref(py)
    }

    #[getter]
    fn offer_row(&self, py: Python<'_>) -> Column<u32> {
        self.offer_row.clone_ref(py)
    }

    #[getter]
    fn energy_milliwh(&self, py: Python<'_>) -> Column<i64> {
        self.energy.clone_ref(py)
    }

    #[getter]
    fn price_micro_per_kwh(&self, py: Python<'_>) -> Column<i64> {
        self.price.clone_ref(py)
    }

    #[getter]
    fn filled_milliwh(&self, py: Python<'_>) -> Column<i64> {
        self.filled.clone_ref(py)
    }

    #[getter]
    fn refused_row(&self, py: Python<'_>) -> Column<u32> {
        self.refused.row(py)
    }

    #[getter]
    fn refused_code(&self) -> Vec<&'static str> {
        self.refused.code()
    }
}

/// Clears columns at one price.
#[pyfunction]
#[pyo3(name = "pay_as_clear")]
pub(crate) fn py_pay_as_clear(
    py: Python<'_>,
    order_id: PyReadonlyArray1<'_, u64>,
    participant: PyReadonlyArray1<'_, u32>,
    is_bid: PyReadonlyArray1<'_, bool>,
    energy_milliwh: PyReadonlyArray1<'_, i64>,
    price_micro_per_kwh: PyReadonlyArray1<'_, i64>,
    rules: PyAuctionRules,
) -> PyResult<PyClearedColumns> {
    let rows = Rows::of(
        &order_id,
        &participant,
        &is_bid,
        &energy_milliwh,
        &price_micro_per_kwh,
    );
    let cleared = py
        .detach(|| pay_as_clear(&rows.columns(), rules.0))
        .map_err(CoreError::from)?;
    Ok(PyClearedColumns {
        price: cleared.price.map(Price::micro_per_kwh),
        volume: cleared.volume.milliwh(),
        welfare: cleared.welfare_pico,
        refused: Refused::of(py, &cleared.refusals),
        filled: column(py, cleared.filled_milliwh),
    })
}

/// Clears columns in pairs, each at its bid.
#[pyfunction]
#[pyo3(name = "pay_as_bid")]
pub(crate) fn py_pay_as_bid(
    py: Python<'_>,
    order_id: PyReadonlyArray1<'_, u64>,
    participant: PyReadonlyArray1<'_, u32>,
    is_bid: PyReadonlyArray1<'_, bool>,
    energy_milliwh: PyReadonlyArray1<'_, i64>,
    price_micro_per_kwh: PyReadonlyArray1<'_, i64>,
    rules: PyAuctionRules,
) -> PyResult<PyBilateralColumns> {
    let rows = Rows::of(
        &order_id,
        &participant,
        &is_bid,
        &energy_milliwh,
        &price_micro_per_kwh,
    );
    let cleared = py
        .detach(|| pay_as_bid(&rows.columns(), rules.0))
        .map_err(CoreError::from)?;
    Ok(PyBilateralColumns {
        volume: cleared.volume.milliwh(),
        welfare: cleared.welfare_pico,
        refused: Refused::of(py, &cleared.refusals),
        bid_row: column(py, cleared.bid_row),
        offer_row: column(py, cleared.offer_row),
        energy: column(py, cleared.energy_milliwh),
        price: column(py, cleared.price_micro_per_kwh),
        filled: column(py, cleared.filled_milliwh),
    })
}
