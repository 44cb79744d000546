//! Energy certificates: one watt-hour, one claim, anywhere.
//!
//! # What is certified
//! One unit is 1 Wh, minted from the two verified readings around an interval of a generation
//! meter: `floor(c(closing)) - floor(c(opening))`, where `c` is what the export register counted
//! since enrolment, in Wh. That is the energy of the interval rounded down, with the remainder
//! carried to the next: any chain of intervals mints the energy of the whole rounded down once,
//! whatever the order in which they come, and cutting an interval gains nothing.
//!
//! A meter that signs the energy of intervals has no register to tell the remainder by; the register
//! of certificates carries it: `floor(energy + carried)`, where what is left is carried to the next
//! that comes. So all intervals certified so far mint their sum rounded down once, whatever their
//! order; which of them gets the Wh that several fill together depends on it. An interval of less
//! than a Wh is entered too, as a claim of none: its quanta are taken and its part is carried. When
//! a certificate is frozen what it took of the others goes back to what is carried, and what they
//! took of it is a debt.
//!
//! # What is claimed
//! Time is counted in quanta of [`QUANTUM_S`]; a claim takes every quantum of its interval, under
//! [`key`] of asset, quantum and direction as the contract `CertificateRegistry` has it, so that
//! overlaps collide. The asset is the pseudonym of the connection point, used by every issuer and
//! for every scheme: certificate, carbon credit, share of a plant. A connection point has one
//! pseudonym and a meter one connection point. A reading may be some seconds off its edge, so the
//! Wh that a meter counted are numbered as well, and no two claims have one of them.
//!
//! # Life
//! Every Wh of a certificate has a number; a [`Lot`] is a range of them with one holder.
//!
//! | from | to | by |
//! |---|---|---|
//! | - | held | mint |
//! | held | held | split, transfer |
//! | held | retired | retire; charge (retired to fill a storage) |
//! | held | moved | move to a registry elsewhere, whole certificates only |
//!
//! Nothing leads out of retired or moved. A frozen certificate, whose reading was withdrawn, makes
//! no step at all; what of it was retired before is unbacked and reported.
//!
//! # Storage
//! A storage mints what it discharges as far as certificates were retired to charge it, each Wh
//! counted at the stated round-trip efficiency; its certificates say that they come from storage.
//!
//! # Invariants
//! - The lots of a certificate part it: Wh are neither made nor lost by any step.
//! - One claim per asset, direction and quantum, and per Wh that a meter counted.
//! - Every step is an [`Event`]; applying the events again, in order, gives the same register, and
//!   an event that breaks a rule is refused there as well.
//!
//! # Limits
//! [`METERED_QUANTA_MAX`] (an hour), [`CLAIM_QUANTA_MAX`] (a day, for claims of others),
//! [`EDGE_APART_MAX_MS`], [`TEXT_MAX`] bytes for names.
//!
//! # Known gaps
//! It knows the claims that are entered in it: issuers with separate registers exchange theirs
//! ([`Register::notice`]). A meter exchange loses the part of a Wh that the old meter ended with,
//! unless the new source carries it on. That a meter sits on what it says it measures is not for
//! signatures to prove.
//!
//! # Source
//! EnergyTag, "Granular Certificate Scheme Standard," version 2, 2024: unit Wh, rounded down,
//! intervals of at most an hour, storage told apart.

mod asset;
mod carbon;
mod claim;
mod counting;
mod errors;
mod event;
mod interval;
mod lot;
mod lots;
mod register;
mod source;
mod supply;

pub use asset::{Asset, Direction, key};
pub use carbon::{CarbonInterval, GRAMS_RATE_MAX, credited};
pub use claim::{Backing, Claim, Measure, Scheme};
pub use errors::CertificateError;
pub use event::{Event, Step};
pub use interval::{CLAIM_QUANTA_MAX, EDGE_APART_MAX_MS, Interval, METERED_QUANTA_MAX, QUANTUM_S};
pub use lot::{Lot, LotState};
pub use register::{Register, TEXT_MAX};
pub use source::{Source, SourceKind};
pub use supply::Supply;
