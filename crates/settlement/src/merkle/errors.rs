//! Why a tree cannot be made, or a leaf is not proven.

use super::{LEAVES_MAX, PATH_MAX};

/// Rules that trees and proofs can break, in the order in which they are checked.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum MerkleError {
    /// A tree of more leaves than a proof can count.
    #[error("{found} leaves, at most {LEAVES_MAX}")]
    TooManyLeaves {
        /// How many there are.
        found: u64,
    },
    /// A hash is not of 32 bytes.
    #[error("a {what} has {found} bytes, expected 32")]
    HashLength {
        /// What it is.
        what: &'static str,
        /// How many bytes it has.
        found: usize,
    },
    /// The index is not that of a leaf.
    #[error("index {index} is not below the leaf count {leaf_count}")]
    IndexBound {
        /// The index.
        index: u64,
        /// How many leaves there are.
        leaf_count: u64,
    },
    /// A path is longer or shorter than the place of its leaf asks for.
    #[error(
        "a path has {found} siblings, leaf {index} of {leaf_count} has {expected}, \
         no leaf more than {PATH_MAX}"
    )]
    PathLength {
        /// Place of the leaf.
        index: u64,
        /// How many leaves there are.
        leaf_count: u64,
        /// How many siblings the path has.
        found: usize,
        /// How many it has to have.
        expected: usize,
    },
    /// Leaf, place, count and path do not come to the root.
    #[error("leaf {index} of {leaf_count} is not in the tree of this root")]
    RootMismatch {
        /// Place of the leaf.
        index: u64,
        /// How many leaves there are.
        leaf_count: u64,
    },
}

impl MerkleError {
    /// Returns the stable name of the rule.
    pub const fn code(&self) -> &'static str {
        match self {
            Self::TooManyLeaves { .. } => "settlement.merkle_too_many_leaves",
            Self::HashLength { .. } => "settlement.merkle_hash_length",
            Self::IndexBound { .. } => "settlement.merkle_index_bound",
            Self::PathLength { .. } => "settlement.merkle_path_length",
            Self::RootMismatch { .. } => "settlement.merkle_root_mismatch",
        }
    }
}
