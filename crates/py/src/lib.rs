//! The native module `gridrig._core`: every export in one list, one file per domain beside it.

mod auction;
mod bench;
mod book_events;
mod claims;
mod errors;
mod exchange;
mod market;
mod metering;
mod metering_batch;
mod metering_rows;
mod metering_words;
mod metering_xml;
mod plant;
mod plant_source;
mod settlement;
mod zones;

use pyo3::prelude::*;

/// The Rust core of gridrig.
#[pymodule(gil_used = false)]
mod _core {
    #[pymodule_export]
    use crate::auction::{
        PyAuctionRules, PyBilateralColumns, PyClearedColumns,
        py_clear_pay_as_bid as clear_pay_as_bid, py_clear_pay_as_clear as clear_pay_as_clear,
        py_pay_as_bid as pay_as_bid, py_pay_as_clear as pay_as_clear,
    };
    #[pymodule_export]
    use crate::bench::{
        market_auction_s, market_commands, market_latencies, market_rates, timer_cost,
    };
    #[pymodule_export]
    use crate::book_events::PyBookEvent;
    #[pymodule_export]
    use crate::claims::{PyClaimProof, PyClaimTree, PyVerifiedClaim};
    #[pymodule_export]
    use crate::exchange::PyExchange;
    #[pymodule_export]
    use crate::market::{PyClearing, PyOrder, PyRejection, PyTrade};
    #[pymodule_export]
    use crate::metering::{PyRefusal, PyVerifiedReading, PyVerifier};
    #[pymodule_export]
    use crate::metering_batch::{PyAuthenticated, PyStagedBatch};
    #[pymodule_export]
    use crate::metering_words::py_metering_words as metering_words;
    #[pymodule_export]
    use crate::metering_xml::py_enclosed_in_xml as enclosed_in_xml;
    #[pymodule_export]
    use crate::plant::{PyIslandTick, PyPack, PyTerminal, PyWorld};
    #[pymodule_export]
    use crate::plant_source::PySourceTick;
    #[pymodule_export]
    use crate::settlement::{PyEntry, PyMeterPeriod, PySettled, py_settle_period as settle_period};
    #[pymodule_export]
    use crate::zones::{
        PyZonalClearing, PyZonalColumns, PyZoneNetwork, py_clear_zonal as clear_zonal,
        py_clear_zones as clear_zones,
    };
}
