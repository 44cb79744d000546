//! Why money cannot be parted, or a share not be moved.

use super::{SHARES_MAX, SPAN_MAX_MS};

/// Rules in the order in which they are checked.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ShareError {
    /// There is money to part and nobody with a weight.
    #[error("{total_micro} micro are to be parted and all {parties} weights are 0")]
    NobodyToPay {
        /// What is to be parted. [millionths]
        total_micro: i64,
        /// How many weights there are.
        parties: usize,
    },
    /// The weights together do not fit.
    #[error("weights sum to {found}, at most {}", i64::MAX)]
    WeightBound {
        /// Their sum.
        found: u128,
    },
    /// More shares than an asset may have, or none.
    #[error("an asset of {found} shares, expected 1 to {SHARES_MAX}")]
    ShareCount {
        /// How many there are.
        found: u64,
    },
    /// A holder is named twice, or has no name.
    #[error("holder {holder:?} is empty or named twice")]
    HolderRepeated {
        /// The name.
        holder: String,
    },
    /// A transfer of nothing, or to oneself.
    #[error("{holder:?} moves {shares} shares to {to:?}")]
    TransferEmpty {
        /// Who gives.
        holder: String,
        /// Who gets.
        to: String,
        /// How many.
        shares: u64,
    },
    /// A transfer is dated before one that was entered.
    #[error("a transfer at {at_ms} ms UTC comes after one at {last_ms} ms")]
    TransferBehind {
        /// Its time. [UTC ms]
        at_ms: i64,
        /// Time of the last one. [UTC ms]
        last_ms: i64,
    },
    /// A transfer of more shares than the holder has.
    #[error("{holder:?} moves {shares} shares and holds {held}")]
    SharesShort {
        /// Who gives.
        holder: String,
        /// How many.
        shares: u64,
        /// How many there are to give.
        held: u64,
    },
    /// A span that is not forward, or too long.
    #[error("span {from_ms} to {to_ms} ms UTC is not forward and within {SPAN_MAX_MS} ms")]
    SpanBound {
        /// Its beginning. [UTC ms]
        from_ms: i64,
        /// Its end. [UTC ms]
        to_ms: i64,
    },
    /// Losses carried are negative, or do not fit.
    #[error("losses of {found} micro are not within 0 and {}", i64::MAX)]
    LossBound {
        /// The losses. [millionths]
        found: i128,
    },
}

impl ShareError {
    /// Returns the stable name of the rule.
    pub fn code(&self) -> &'static str {
        match self {
            Self::NobodyToPay { .. } => "settlement.share_nobody",
            Self::WeightBound { .. } => "settlement.share_weight",
            Self::ShareCount { .. } => "settlement.share_count",
            Self::HolderRepeated { .. } => "settlement.share_holder",
            Self::TransferEmpty { .. } => "settlement.share_transfer_empty",
            Self::TransferBehind { .. } => "settlement.share_transfer_behind",
            Self::SharesShort { .. } => "settlement.share_short",
            Self::SpanBound { .. } => "settlement.share_span",
            Self::LossBound { .. } => "settlement.share_loss",
        }
    }
}
