//! Rewards of a virtual power plant: connectivity, capacity, response, each backed by readings.
//!
//! # Who is paid
//! A site is a connection point with all its meters ([`Fleet`]): what it did is the sum over them,
//! so load that moves from one meter to another is no response, and no meter is in two sites.
//!
//! # Baseline
//! Day matching, "10 of 10": the load expected in a period of an event is the mean of the same
//! period on the last [`Programme::baseline_days`] days of the same class (weekday or weekend)
//! within [`Programme::look_back_days`], event days and other excluded days left out. It is moved
//! by the same-day adjustment: how much the site's load in the [`Programme::adjustment_periods`]
//! periods *before the notice of the event* was above that of the baseline days, per period, at
//! most [`Programme::adjustment_permille_max`] of the baseline either way. A day counts only if all
//! its readings are there; nothing is guessed. Of days that lack readings no more than
//! [`Programme::unread_days_max`] are passed over for older ones, else there is no baseline: a low
//! day is not made to disappear by withholding it.
//!
//! # Response
//! The energy not taken (or given) in the whole event: sum of baseline less net load, less a dead
//! band of [`Programme::dead_band_permille`] of the baseline, so that doing nothing on a quiet day
//! is not paid; not below 0, not above the commitment. Everything is exact until it is rounded
//! down once, to a milliwatt-hour. An event of which a period lacks verified readings pays nothing
//! until they come, so that a bad period is not hidden.
//!
//! # Why inflating a baseline does not pay
//! The payment is continuous in every reading, without steps. With r the price of a response, p the
//! least that energy costs a participant, a the cap, d the dead band: a kWh taken on a baseline day
//! costs p and adds at most 1/days (1 + a + d) kWh to each of at most
//! [`Programme::event_days_max`] events; a kWh before the notice costs p and adds at most (1 + d) /
//! `adjustment_periods` kWh to each period of the event. [`Programme::new`] refuses numbers with
//! which either would pay.
//!
//! # Pool
//! What is paid comes from a stated pool. If it is short, everybody is paid in proportion to what
//! they are due, by largest remainder ([`crate::shares`]); the pool is then empty to the unit.
//!
//! # Limits
//! [`SITES_MAX`], [`METERS_PER_POINT_MAX`], [`PERIODS_MAX`] per meter, bounds of [`Programme`].
//!
//! # Known gaps
//! Days are those of local standard time: a daylight saving hour shifts habits against them.
//! Holidays are for the caller to exclude. That a participant does not consume more elsewhere,
//! behind another connection point, is not seen.
//!
//! # Source
//! AEMO, "WDR Baseline Methodology Register": the "10 of 10" framework of CAISO with a capped
//! same-day adjustment. J. Bode and A. Ciccone, "California ISO Baseline Accuracy Assessment,"
//! Nexant, 2017: day matching and adjustments compared.

mod baseline;
mod errors;
mod fleet;
mod history;
mod pool;
mod programme;
mod response;
#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "what is wrong here fails the test")]
mod tests;

pub use errors::RewardError;
pub use fleet::{Fleet, METERS_PER_POINT_MAX, SITES_MAX, Site};
pub use history::{History, PERIODS_MAX};
pub use pool::{Paid, pay};
pub use programme::{Event, Programme};
pub use response::{Measured, Shortcoming, capacity, connectivity, response};
