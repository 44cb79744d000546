//! The clearing in zones for Python.

use gridrig_market::{
    Link, Order, ZonalClearing, ZonalColumns, Zone, ZoneCleared, ZoneNetwork, clear_zonal,
    clear_zones,
};
use gridrig_quantity::Price;
use numpy::PyReadonlyArray1;
use pyo3::prelude::*;

use crate::auction::{Column, PyAuctionRules, Refused, Rows, column, copied};
use crate::errors::CoreError;
use crate::market::{PyOrder, PyRejection, PyTrade};

/// Zones and links.
#[pyclass(
    frozen,
    eq,
    module = "gridrig._core",
    name = "ZoneNetwork",
    from_py_object
)]
#[derive(Clone, PartialEq, Eq)]
pub(crate) struct PyZoneNetwork(ZoneNetwork);

/// (from, to, forward and backward limit [mWh], forward and backward fee [millionths/kWh]).
type LinkRow = (u32, u32, i64, i64, i64, i64);

#[pymethods]
impl PyZoneNetwork {
    #[new]
    fn new(zones: Vec<(Option<i64>, Option<i64>)>, links: Vec<LinkRow>) -> PyResult<Self> {
        let zones = zones.into_iter().map(zone_of).collect();
        let links = links.into_iter().map(link_of).collect();
        Ok(Self(
            ZoneNetwork::new(zones, links).map_err(CoreError::from)?,
        ))
    }

    #[getter]
    fn zones(&self) -> usize {
        self.0.zones().len()
    }

    #[getter]
    fn links(&self) -> usize {
        self.0.links().len()
    }
}

fn zone_of((export_milliwh_max, import_milliwh_max): (Option<i64>, Option<i64>)) -> Zone {
    Zone {
        export_milliwh_max,
        import_milliwh_max,
    }
}

fn link_of((from, to, forward, backward, forward_fee, backward_fee): LinkRow) -> Link {
    Link {
        from,
        to,
        forward_milliwh_max: forward,
        backward_milliwh_max: backward,
        forward_fee_micro_per_kwh: forward_fee,
        backward_fee_micro_per_kwh: backward_fee,
    }
}

/// What happened by zone and by link, and who owes what.
#[pyclass(frozen, module = "gridrig._core", name = "ZonalColumns")]
pub(crate) struct PyZonalColumns {
    zones: Vec<ZoneCleared>,
    links: Vec<(i64, i64)>,
    volume: i64,
    welfare: i128,
    money: [i64; 4],
    filled: Column<i64>,
    refused: Refused,
}

impl PyZonalColumns {
    fn of(py: Python<'_>, cleared: ZonalColumns) -> Self {
        let links = cleared.links.iter();
        Self {
            links: links.map(|l| (l.net.milliwh(), l.fee.micro())).collect(),
            zones: cleared.zones,
            volume: cleared.volume.milliwh(),
            welfare: cleared.welfare_pico,
            money: [
                cleared.payments,
                cleared.receipts,
                cleared.fees,
                cleared.rent,
            ]
            .map(gridrig_quantity::Amount::micro),
            refused: Refused::of(py, &cleared.refusals),
            filled: column(py, cleared.filled_milliwh),
        }
    }
}

#[pymethods]
impl PyZonalColumns {
    #[getter]
    fn price_micro_per_kwh(&self) -> Vec<Option<i64>> {
        let zones = self.zones.iter();
        zones
            .map(|zone| zone.price.map(Price::micro_per_kwh))
            .collect()
    }

    #[getter]
    fn bought_milliwh(&self) -> Vec<i64> {
        self.zones
            .iter()
            .map(|zone| zone.bought.milliwh())
            .collect()
    }

    #[getter]
    fn sold_milliwh(&self) -> Vec<i64> {
        self.zones.iter().map(|zone| zone.sold.milliwh()).collect()
    }

    #[getter]
    fn net_milliwh(&self) -> Vec<i64> {
        self.links.iter().map(|link| link.0).collect()
    }

    #[getter]
    fn fee_micro(&self) -> Vec<i64> {
        self.links.iter().map(|link| link.1).collect()
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
    fn payments_micro(&self) -> i64 {
        self.money[0]
    }

    #[getter]
    fn receipts_micro(&self) -> i64 {
        self.money[1]
    }

    #[getter]
    fn fees_micro(&self) -> i64 {
        self.money[2]
    }

    #[getter]
    fn rent_micro(&self) -> i64 {
        self.money[3]
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

/// Outcome of a clearing in zones, order by order.
#[pyclass(frozen, module = "gridrig._core", name = "ZonalClearing")]
pub(crate) struct PyZonalClearing {
    cleared: ZonalClearing,
    columns: Py<PyZonalColumns>,
}

#[pymethods]
impl PyZonalClearing {
    #[getter]
    fn trades(&self) -> Vec<PyTrade> {
        self.cleared.trades.iter().cloned().map(PyTrade).collect()
    }

    #[getter]
    fn rejections(&self) -> Vec<PyRejection> {
        let rejections = self.cleared.rejections.iter();
        rejections.copied().map(PyRejection).collect()
    }

    #[getter]
    fn residuals(&self) -> Vec<(u64, i64)> {
        let residuals = self.cleared.residuals.iter();
        residuals
            .map(|left| (left.order_id, left.energy.milliwh()))
            .collect()
    }

    #[getter]
    fn columns(&self, py: Python<'_>) -> Py<PyZonalColumns> {
        self.columns.clone_ref(py)
    }
}

/// Clears one delivery period in zones.
#[pyfunction]
#[pyo3(name = "clear_zonal")]
pub(crate) fn py_clear_zonal(
    py: Python<'_>,
    orders: Vec<PyOrder>,
    zone: Vec<u32>,
    network: PyZoneNetwork,
    rules: PyAuctionRules,
) -> PyResult<PyZonalClearing> {
    let orders: Vec<Order> = orders.into_iter().map(|order| order.0).collect();
    let cleared = py.detach(|| clear_zonal(&orders, &zone, &network.0, rules.0));
    let cleared = cleared.map_err(CoreError::from)?;
    let columns = Py::new(py, PyZonalColumns::of(py, cleared.columns.clone()))?;
    Ok(PyZonalClearing { cleared, columns })
}

/// Clears columns in zones.
#[pyfunction]
#[pyo3(name = "clear_zones")]
#[expect(
    clippy::too_many_arguments,
    reason = "one a column, as Python gives them"
)]
pub(crate) fn py_clear_zones(
    py: Python<'_>,
    order_id: PyReadonlyArray1<'_, u64>,
    participant: PyReadonlyArray1<'_, u32>,
    is_bid: PyReadonlyArray1<'_, bool>,
    energy_milliwh: PyReadonlyArray1<'_, i64>,
    price_micro_per_kwh: PyReadonlyArray1<'_, i64>,
    zone: PyReadonlyArray1<'_, u32>,
    network: PyZoneNetwork,
    rules: PyAuctionRules,
) -> PyResult<PyZonalColumns> {
    let rows = Rows::of(
        &order_id,
        &participant,
        &is_bid,
        &energy_milliwh,
        &price_micro_per_kwh,
    );
    let zone = copied(&zone);
    let cleared = py.detach(|| clear_zones(&rows.columns(), &zone, &network.0, rules.0));
    Ok(PyZonalColumns::of(py, cleared.map_err(CoreError::from)?))
}
