//! The physical world of gridrig: terminals, device models and the dynamics of an island.
//!
//! The only crate with floats. Deterministic: no clock, no hash order; randomness is a seed. Positive
//! power flows from the device into the grid. Powers cross the boundary in W and var; inside an
//! island everything is in per unit of the system base, in a frame that turns at nominal frequency.
//!
//! Cost of a millisecond step on one core: 1 us for an island of ten devices with a grid former, 45 ns
//! for each further grid-following inverter.

#![forbid(unsafe_code)]
#![allow(rustdoc::broken_intra_doc_links, reason = "brackets hold units")]

pub mod active_power;
mod bus;
pub mod bus_meter;
pub mod buses;
pub mod capability;
pub mod category;
mod ceiling;
mod cells;
pub mod cessation;
pub mod complex;
mod controls;
pub mod curve;
mod dc_bus;
mod dc_bus_loss;
pub mod detector;
pub mod device;
pub mod error;
pub mod event;
pub mod feeder_step;
pub mod follower;
pub mod former_settings;
mod fuel_gauge;
pub mod function_settings;
mod functions;
pub mod grid_following;
pub mod grid_forming;
pub mod instrument;
pub mod inverter;
pub mod inverter_settings;
pub mod island;
mod island_motors;
pub mod island_settings;
mod island_step;
mod islanding;
pub mod lag;
pub mod legs;
pub mod motor;
pub mod motor_settings;
pub mod network;
pub mod open_circuit;
pub mod pack;
pub mod phase_meter;
pub mod pll;
pub mod protection;
mod quasi_static;
pub mod reactive_power;
pub mod register;
pub mod relays;
pub mod resonant;
pub mod rms;
pub mod run_on;
mod secondary;
mod seed;
pub mod sequence;
pub mod service;
pub mod setting;
pub mod shedding;
pub mod sourced;
mod sourced_load;
pub mod swing;
pub mod synchroniser;
pub mod tick;
pub mod view;
pub mod world;

pub use error::PlantError;
pub use island::Outside;
pub use setting::Value;
pub use synchroniser::SyncLimits;
pub use tick::IslandTick;
pub use world::World;
