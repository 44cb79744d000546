//! What happens in a register; its events, in order, are the register.

use super::{Asset, Claim, LotState, Source};

/// A step of the watt-hours of one certificate.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Step {
    /// They become a lot of their own.
    Split,
    /// They get another holder.
    Transfer {
        /// Who.
        to: String,
    },
    /// They are used up or go elsewhere, as this state says.
    End(LotState),
}

/// One event; its number is its place, counted from 1.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Event {
    /// A connection point was given its pseudonym.
    Named {
        /// The connection point.
        point: String,
        /// The pseudonym.
        asset: Asset,
    },
    /// A meter was enrolled.
    Enrolled(Source),
    /// Energy was claimed: minted here, or told by another issuer.
    Claimed(Claim),
    /// Watt-hours made a step.
    Stepped {
        /// The certificate.
        certificate: u64,
        /// Number of the first Wh.
        from_wh: u64,
        /// How many. [Wh]
        energy_wh: u64,
        /// Whose they are.
        holder: String,
        /// What becomes of them.
        step: Step,
    },
    /// A certificate was frozen.
    Frozen {
        /// The certificate.
        certificate: u64,
        /// Digest of the reading that was withdrawn.
        digest: [u8; 32],
    },
}
