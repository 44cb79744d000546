//! The native module `gridrig._core`: every export in one list, one file per domain beside it.

mod auction;
mod bench;
mod bench_signatures;
mod book_events;
mod certificates;
mod claims;
mod commitments;
mod energy_claim;
mod entry;
mod errors;
mod exchange;
mod market;
mod merkle;
mod meter_period;
mod metering;
mod metering_batch;
mod metering_rows;
mod metering_words;
mod metering_xml;
mod numbering;
mod plant;
mod plant_source;
mod plant_views;
mod posting;
mod rewards;
mod settlement;
mod settlement_rules;
mod shares;
mod table_image;
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
    use crate::bench_signatures::{signature_lanes, signature_rates, want_signature_lanes};
    #[pymodule_export]
    use crate::book_events::PyBookEvent;
    #[pymodule_export]
    use crate::certificates::{
        PyCertificateRegister, py_carbon_credited as carbon_credited,
        py_certificate_key as certificate_key,
    };
    #[pymodule_export]
    use crate::claims::{PyClaimProof, PyClaimTree, PyVerifiedClaim};
    #[pymodule_export]
    use crate::commitments::{PyOpening, py_commitment_salt as commitment_salt};
    #[pymodule_export]
    use crate::energy_claim::PyEnergyClaim;
    #[pymodule_export]
    use crate::entry::PyEntry;
    #[pymodule_export]
    use crate::exchange::PyExchange;
    #[pymodule_export]
    use crate::market::{PyClearing, PyOrder, PyRejection, PyTrade};
    #[pymodule_export]
    use crate::merkle::{
        PyInclusionProof, PyMerkleTree, PyVerifiedLeaf, py_canonical_bytes as canonical_bytes,
    };
    #[pymodule_export]
    use crate::meter_period::{PyMeterPeriod, py_meter_period as meter_period};
    #[pymodule_export]
    use crate::metering::{PyRefusal, PyVerifiedReading, PyVerifier};
    #[pymodule_export]
    use crate::metering_batch::{PyAuthenticated, PyStagedBatch};
    #[pymodule_export]
    use crate::metering_words::py_metering_words as metering_words;
    #[pymodule_export]
    use crate::metering_xml::py_enclosed_in_xml as enclosed_in_xml;
    #[pymodule_export]
    use crate::numbering::PyNumbering;
    #[pymodule_export]
    use crate::plant::PyWorld;
    #[pymodule_export]
    use crate::plant_source::PySourceTick;
    #[pymodule_export]
    use crate::plant_views::{PyIslandTick, PyMotor, PyPack, PyTerminal};
    #[pymodule_export]
    use crate::posting::{py_posted_image as posted_image, py_posted_tree as posted_tree};
    #[pymodule_export]
    use crate::rewards::{
        PyMeasured, PyRewardFleet, PyRewardProgramme, py_pay_rewards as pay_rewards,
    };
    #[pymodule_export]
    use crate::settlement::{
        PyCorrection, PyPostedLines, PySettled, py_settle_period as settle_period,
    };
    #[pymodule_export]
    use crate::settlement_rules::PySettlementRules;
    #[pymodule_export]
    use crate::shares::{PyShareRegister, py_largest_remainder as largest_remainder};
    #[pymodule_export]
    use crate::table_image::py_table_image as table_image;
    #[pymodule_export]
    use crate::zones::{
        PyZonalClearing, PyZonalColumns, PyZoneNetwork, py_clear_zonal as clear_zonal,
        py_clear_zones as clear_zones,
    };
}
