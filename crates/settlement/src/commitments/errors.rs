//! Why a commitment cannot be made or opened.

use super::{LEAF_ID_MAX, PAYLOAD_MAX, SECRET_BYTES};

/// Rules in the order in which they are checked.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum CommitmentError {
    /// A secret of another length, or one of zeros.
    #[error("a secret of {found} bytes or of zeros, expected {SECRET_BYTES} random bytes")]
    SecretLength {
        /// How many bytes there are.
        found: usize,
    },
    /// A leaf id that is empty or too long.
    #[error("a leaf id of {found} bytes, expected 1 to {LEAF_ID_MAX}")]
    LeafIdLength {
        /// How many bytes there are.
        found: usize,
    },
    /// A salt or commitment of another length than a hash has.
    #[error("{what} of {found} bytes, expected 32")]
    HashLength {
        /// Which.
        what: &'static str,
        /// How many bytes there are.
        found: usize,
    },
    /// A payload that is too long.
    #[error("a payload of {found} bytes, at most {PAYLOAD_MAX}")]
    PayloadLength {
        /// How many bytes there are.
        found: usize,
    },
    /// The commitment is to something else.
    #[error("leaf {leaf_id:?} does not open this commitment")]
    OpensAnother {
        /// The leaf id.
        leaf_id: String,
    },
}

impl CommitmentError {
    /// Returns the stable name of the rule.
    pub fn code(&self) -> &'static str {
        match self {
            Self::SecretLength { .. } => "settlement.commitment_secret",
            Self::LeafIdLength { .. } => "settlement.commitment_leaf_id",
            Self::HashLength { .. } => "settlement.commitment_hash",
            Self::PayloadLength { .. } => "settlement.commitment_payload",
            Self::OpensAnother { .. } => "settlement.commitment_opens_another",
        }
    }
}
