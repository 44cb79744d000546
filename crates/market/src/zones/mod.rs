//! A market of several places: zones joined by links with limits and fees.

mod clear;
mod curve;
mod dual;
mod grid;
mod list;
mod max_flow;
mod network;
mod outcome;
mod prices;

pub use clear::clear_zones;
pub use network::{LINKS_MAX, Link, ZONES_MAX, Zone, ZoneNetwork};
pub use outcome::{LinkFlow, ZonalClearing, ZonalColumns, ZoneCleared, clear_zonal};
