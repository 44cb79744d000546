//! Orders, trades and clearings for Python.

use gridrig_market::{Clearing, Order, Rejection, Trade};
use gridrig_quantity::{Energy, Price, Side};
use pyo3::prelude::*;

use crate::errors::{CoreError, Word};

pub(crate) fn side_of(word: &str) -> Result<Side, CoreError> {
    let expected = "bid or offer";
    let refused = || Word {
        name: "side",
        found: word.to_owned(),
        expected,
    };
    Side::from_word(word).ok_or_else(|| CoreError::Word(refused()))
}

/// Intent to buy or sell.
#[pyclass(
    frozen,
    eq,
    hash,
    module = "gridrig._core",
    name = "Order",
    from_py_object
)]
#[derive(Clone, PartialEq, Eq, Hash)]
pub(crate) struct PyOrder(pub(crate) Order);

#[pymethods]
impl PyOrder {
    #[new]
    fn new(
        order_id: u64,
        participant: String,
        side: &str,
        energy_milliwh: i64,
        price_micro_per_kwh: i64,
    ) -> PyResult<Self> {
        let side = side_of(side)?;
        Ok(Self(Order {
            order_id,
            participant,
            side,
            energy_milliwh,
            price_micro_per_kwh,
        }))
    }

    #[getter]
    fn order_id(&self) -> u64 {
        self.0.order_id
    }

    #[getter]
    fn participant(&self) -> &str {
        &self.0.participant
    }

    #[getter]
    fn side(&self) -> &'static str {
        self.0.side.word()
    }

    #[getter]
    fn energy_milliwh(&self) -> i64 {
        self.0.energy_milliwh
    }

    #[getter]
    fn price_micro_per_kwh(&self) -> i64 {
        self.0.price_micro_per_kwh
    }

    fn __repr__(&self) -> String {
        let Order {
            order_id,
            participant,
            energy_milliwh,
            price_micro_per_kwh,
            ..
        } = &self.0;
        let side = self.side();
        format!(
            "Order({order_id}, {participant:?}, {side:?}, {energy_milliwh}, {price_micro_per_kwh})"
        )
    }
}

/// What one order traded.
#[pyclass(
    frozen,
    eq,
    hash,
    module = "gridrig._core",
    name = "Trade",
    from_py_object
)]
#[derive(Clone, PartialEq, Eq, Hash)]
pub(crate) struct PyTrade(pub(crate) Trade);

#[pymethods]
impl PyTrade {
    #[new]
    fn new(
        trade_id: u64,
        order_id: u64,
        participant: String,
        side: &str,
        energy_milliwh: i64,
        price_micro_per_kwh: i64,
    ) -> PyResult<Self> {
        let side = side_of(side)?;
        let energy = Energy::from_milliwh(energy_milliwh).map_err(CoreError::from)?;
        let price = Price::from_micro_per_kwh(price_micro_per_kwh).map_err(CoreError::from)?;
        Ok(Self(Trade {
            trade_id,
            order_id,
            participant,
            side,
            energy,
            price,
        }))
    }

    #[getter]
    fn trade_id(&self) -> u64 {
        self.0.trade_id
    }

    #[getter]
    fn order_id(&self) -> u64 {
        self.0.order_id
    }

    #[getter]
    fn participant(&self) -> &str {
        &self.0.participant
    }

    #[getter]
    fn side(&self) -> &'static str {
        self.0.side.word()
    }

    #[getter]
    fn energy_milliwh(&self) -> i64 {
        self.0.energy.milliwh()
    }

    #[getter]
    fn price_micro_per_kwh(&self) -> i64 {
        self.0.price.micro_per_kwh()
    }

    fn __repr__(&self) -> String {
        let Trade {
            trade_id,
            order_id,
            participant,
            ..
        } = &self.0;
        let (side, energy, price) = (
            self.side(),
            self.energy_milliwh(),
            self.price_micro_per_kwh(),
        );
        format!("Trade({trade_id}, {order_id}, {participant:?}, {side:?}, {energy}, {price})")
    }
}

/// An order refused.
#[pyclass(frozen, module = "gridrig._core", name = "Rejection")]
pub(crate) struct PyRejection(pub(crate) Rejection);

#[pymethods]
impl PyRejection {
    #[getter]
    fn order_id(&self) -> u64 {
        self.0.order_id
    }

    #[getter]
    fn code(&self) -> &'static str {
        self.0.reason.code()
    }

    #[getter]
    fn message(&self) -> String {
        self.0.reason.to_string()
    }

    fn __repr__(&self) -> String {
        format!("Rejection({}, {:?})", self.order_id(), self.code())
    }
}

/// Outcome of one auction.
#[pyclass(frozen, module = "gridrig._core", name = "Clearing")]
pub(crate) struct PyClearing(pub(crate) Clearing);

#[pymethods]
impl PyClearing {
    #[getter]
    fn price_micro_per_kwh(&self) -> Option<i64> {
        self.0.price.map(Price::micro_per_kwh)
    }

    #[getter]
    fn volume_milliwh(&self) -> i64 {
        self.0.volume.milliwh()
    }

    #[getter]
    fn welfare_pico(&self) -> i128 {
        self.0.welfare_pico
    }

    #[getter]
    fn trades(&self) -> Vec<PyTrade> {
        self.0.trades.iter().cloned().map(PyTrade).collect()
    }

    #[getter]
    fn rejections(&self) -> Vec<PyRejection> {
        self.0.rejections.iter().copied().map(PyRejection).collect()
    }

    #[getter]
    fn residuals(&self) -> Vec<(u64, i64)> {
        self.0
            .residuals
            .iter()
            .map(|left| (left.order_id, left.energy.milliwh()))
            .collect()
    }

    fn __repr__(&self) -> String {
        let price = self
            .price_micro_per_kwh()
            .map_or("None".to_owned(), |p| p.to_string());
        let (volume, trades) = (self.volume_milliwh(), self.0.trades.len());
        format!("<Clearing price_micro_per_kwh={price} volume_milliwh={volume} trades={trades}>")
    }
}
