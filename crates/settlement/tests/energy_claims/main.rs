//! Certificates, shares and commitments: every refusal, and the laws against plain oracles.

mod certificates;
mod commitments;
mod lots;
mod shares;
#[path = "../support/mod.rs"]
mod support;
