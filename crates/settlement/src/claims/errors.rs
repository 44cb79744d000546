//! Why a claim tree cannot be made, or a claim is not proven.

use super::{AMOUNT_MAX, Address, CLAIMS_MAX, PATH_MAX};

/// Rules that claims and proofs can break, in the order in which they are checked.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ClaimError {
    /// An address is not of 20 bytes.
    #[error("an address has {found} bytes, expected 20")]
    AddressLength {
        /// How many it has.
        found: usize,
    },
    /// The zero address belongs to nobody; tokens refuse to pay it.
    #[error("the zero address is nobody's")]
    AddressZero,
    /// Accounts and amounts differ in number.
    #[error("{accounts} accounts and {amounts} amounts")]
    ColumnsDiffer {
        /// How many accounts there are.
        accounts: usize,
        /// How many amounts there are.
        amounts: usize,
    },
    /// An amount pays nothing, or more than is ever due.
    #[error("amount {found} of account {account} is not within 1 to {AMOUNT_MAX}")]
    AmountBound {
        /// Whose it is.
        account: Address,
        /// The amount.
        found: i128,
    },
    /// A bucket for nobody, or for more than a tree takes.
    #[error("{found} claims are not within 1 to {CLAIMS_MAX}")]
    Count {
        /// How many claims there are.
        found: usize,
    },
    /// An account has more than one claim in a bucket; the contract would pay the first only.
    #[error("account {account} has two claims in one bucket")]
    AccountRepeated {
        /// The account.
        account: Address,
    },
    /// The account has no claim.
    #[error("account {account} has no claim in this bucket")]
    AccountUnknown {
        /// The account.
        account: Address,
    },
    /// The index is not that of a leaf.
    #[error("index {index} is not below the leaf count {leaf_count}")]
    IndexBound {
        /// The index.
        index: u64,
        /// How many leaves there are.
        leaf_count: u64,
    },
    /// A hash of a path is not of 32 bytes, or there are more than any tree has.
    #[error(
        "a path of {siblings} siblings, of which one has {bytes} bytes; expected at most \
             {PATH_MAX} of 32"
    )]
    PathMalformed {
        /// How many siblings it has.
        siblings: usize,
        /// Length of the first that is not of 32 bytes, or 32.
        bytes: usize,
    },
    /// The path has not as many siblings as its place in the tree.
    #[error("the path of leaf {index} of {leaf_count} has {found} siblings, expected {expected}")]
    PathLength {
        /// The leaf.
        index: u64,
        /// How many leaves there are.
        leaf_count: u64,
        /// How many siblings the path has.
        found: usize,
        /// How many it has to have.
        expected: usize,
    },
    /// The path leads to another root.
    #[error("the claim of account {account} does not lead to this root")]
    RootMismatch {
        /// Whose claim it is.
        account: Address,
    },
}

impl ClaimError {
    /// Returns the stable name of the rule.
    pub fn code(&self) -> &'static str {
        match self {
            Self::AddressLength { .. } => "settlement.address_length",
            Self::AddressZero => "settlement.address_zero",
            Self::ColumnsDiffer { .. } => "settlement.claim_columns",
            Self::AmountBound { .. } => "settlement.claim_amount",
            Self::Count { .. } => "settlement.claim_count",
            Self::AccountRepeated { .. } => "settlement.claim_repeated",
            Self::AccountUnknown { .. } => "settlement.claim_unknown",
            Self::IndexBound { .. } => "settlement.claim_index",
            Self::PathMalformed { .. } => "settlement.claim_path_malformed",
            Self::PathLength { .. } => "settlement.claim_path_length",
            Self::RootMismatch { .. } => "settlement.claim_root_mismatch",
        }
    }
}
