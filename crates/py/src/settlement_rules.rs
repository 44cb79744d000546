//! The rules of a settlement, for Python.

use gridrig_quantity::{Energy, Price, QuantityError};
use gridrig_settlement::{LossesRule, SettlementError, SettlementPrices, SettlementRules, reserve};
use pyo3::prelude::*;

use crate::errors::CoreError;
use crate::market::side_of;

/// What a settlement is agreed to be.
#[pyclass(
    frozen,
    eq,
    hash,
    module = "gridrig._core",
    name = "SettlementRules",
    from_py_object
)]
#[derive(Clone, PartialEq, Eq, Hash)]
pub(crate) struct PySettlementRules(pub(crate) SettlementRules);

fn price(micro_per_kwh: i64) -> Result<Price, QuantityError> {
    Price::from_micro_per_kwh(micro_per_kwh)
}

fn prices(long: i64, short: i64) -> Result<SettlementPrices, QuantityError> {
    Ok(SettlementPrices {
        long: price(long)?,
        short: price(short)?,
    })
}

#[pymethods]
impl PySettlementRules {
    #[new]
    #[pyo3(signature = (*, long_price_micro_per_kwh, short_price_micro_per_kwh,
                        island_long_price_micro_per_kwh=None,
                        island_short_price_micro_per_kwh=None,
                        floor_micro_per_kwh=None, ceiling_micro_per_kwh=None,
                        lot_milliwh=None, tick_micro_per_kwh=None,
                        grid_fee_micro_per_kwh=0, operator_fee_micro_per_kwh=0,
                        losses="house"))]
    #[allow(
        clippy::too_many_arguments,
        reason = "each is a named argument in Python"
    )]
    fn new(
        long_price_micro_per_kwh: i64,
        short_price_micro_per_kwh: i64,
        island_long_price_micro_per_kwh: Option<i64>,
        island_short_price_micro_per_kwh: Option<i64>,
        floor_micro_per_kwh: Option<i64>,
        ceiling_micro_per_kwh: Option<i64>,
        lot_milliwh: Option<i64>,
        tick_micro_per_kwh: Option<i64>,
        grid_fee_micro_per_kwh: i64,
        operator_fee_micro_per_kwh: i64,
        losses: &str,
    ) -> PyResult<Self> {
        let made = || {
            let (long, short) = (long_price_micro_per_kwh, short_price_micro_per_kwh);
            let plain = SettlementRules::of_tariff(prices(long, short)?)?;
            let rules = SettlementRules {
                island_tariff: prices(
                    island_long_price_micro_per_kwh.unwrap_or(long),
                    island_short_price_micro_per_kwh.unwrap_or(short),
                )?,
                floor: floor_micro_per_kwh.map_or(Ok(plain.floor), price)?,
                ceiling: ceiling_micro_per_kwh.map_or(Ok(plain.ceiling), price)?,
                lot: lot_milliwh.map_or(Ok(plain.lot), Energy::from_milliwh)?,
                tick: tick_micro_per_kwh.map_or(Ok(plain.tick), price)?,
                grid_fee: price(grid_fee_micro_per_kwh)?,
                operator_fee: price(operator_fee_micro_per_kwh)?,
                losses: LossesRule::named(losses)?,
                ..plain
            };
            rules.check()?;
            Ok::<_, SettlementError>(rules)
        };
        Ok(Self(made().map_err(CoreError::from)?))
    }

    #[pyo3(signature = (side, energy_milliwh, price_micro_per_kwh, *, meters=1))]
    fn reserve_micro(
        &self,
        side: &str,
        energy_milliwh: i64,
        price_micro_per_kwh: i64,
        meters: u32,
    ) -> PyResult<i64> {
        let side = side_of(side)?;
        let found = || {
            let energy = Energy::from_milliwh(energy_milliwh)?;
            reserve(side, energy, price(price_micro_per_kwh)?, meters, &self.0)
        };
        Ok(found().map_err(CoreError::from)?.micro())
    }

    #[getter]
    fn long_price_micro_per_kwh(&self) -> i64 {
        self.0.tariff.long.micro_per_kwh()
    }

    #[getter]
    fn short_price_micro_per_kwh(&self) -> i64 {
        self.0.tariff.short.micro_per_kwh()
    }

    #[getter]
    fn island_long_price_micro_per_kwh(&self) -> i64 {
        self.0.island_tariff.long.micro_per_kwh()
    }

    #[getter]
    fn island_short_price_micro_per_kwh(&self) -> i64 {
        self.0.island_tariff.short.micro_per_kwh()
    }

    #[getter]
    fn floor_micro_per_kwh(&self) -> i64 {
        self.0.floor.micro_per_kwh()
    }

    #[getter]
    fn ceiling_micro_per_kwh(&self) -> i64 {
        self.0.ceiling.micro_per_kwh()
    }

    #[getter]
    fn lot_milliwh(&self) -> i64 {
        self.0.lot.milliwh()
    }

    #[getter]
    fn tick_micro_per_kwh(&self) -> i64 {
        self.0.tick.micro_per_kwh()
    }

    #[getter]
    fn grid_fee_micro_per_kwh(&self) -> i64 {
        self.0.grid_fee.micro_per_kwh()
    }

    #[getter]
    fn operator_fee_micro_per_kwh(&self) -> i64 {
        self.0.operator_fee.micro_per_kwh()
    }

    #[getter]
    fn losses(&self) -> &'static str {
        self.0.losses.word()
    }
}
