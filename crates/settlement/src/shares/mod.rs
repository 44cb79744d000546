//! Money parted by weight, to the last unit.
//!
//! # The rule
//! Largest remainder (Hamilton's method): everybody gets the exact share rounded down, and the
//! units that are left go one each to the largest remainders. Of equal remainders the one that
//! stands first is served first; holders stand by name. A negative total is parted by magnitude.
//!
//! # Invariants
//! - The parts sum to the total, exactly.
//! - No part is a unit or more from its exact share; a weight of 0 gets 0.
//!
//! # Revenue of a community asset
//! [`ShareRegister`] weighs a holder by shares times the time they were held, so a transfer within
//! a month parts the month. [`Waterfall`] pays net revenue; a loss is carried and made good out of
//! later revenue before anybody is paid: no payout is negative.
//!
//! # Limits
//! [`SHARES_MAX`], [`SPAN_MAX_MS`]; the sum of weights fits 63 bits.
//!
//! # Source
//! M. L. Balinski and H. P. Young, "Fair Representation," 2nd ed., Brookings, 2001, ch. 3: what the
//! method can do and that it is not monotonic in the total.

mod errors;
mod holdings;
mod largest_remainder;
mod waterfall;

pub use errors::ShareError;
pub use holdings::{SHARES_MAX, SPAN_MAX_MS, ShareRegister};
pub use largest_remainder::largest_remainder;
pub use waterfall::{Distribution, Waterfall};
