//! Certificates, shares and commitments: every refusal, and the laws against plain oracles.

#![allow(clippy::unwrap_used, reason = "what is wrong here fails the test")]

mod certificates;
mod commitments;
mod lots;
mod shares;
#[path = "../support/mod.rs"]
mod support;
