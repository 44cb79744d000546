//! What can be wrong with a configuration, a command log or a snapshot.

/// An exchange cannot be made or brought back; a command refused is a [`Refusal`](super::Refusal).
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum BookError {
    /// A capacity is zero or beyond what an exchange can hold.
    #[error("capacity for {found} {what} is not between 1 and {max}")]
    Capacity {
        /// Of what.
        what: &'static str,
        /// The capacity refused.
        found: u32,
        /// The largest there is.
        max: u32,
    },
    /// The system does not give the memory that the capacities need.
    #[error("a table of {bytes} bytes, as the capacities ask for, does not fit into memory")]
    Memory {
        /// Size of the table refused.
        bytes: usize,
    },
    /// A limit is negative.
    #[error("limit {what} is {found}, which is negative")]
    Limit {
        /// Which limit.
        what: &'static str,
        /// The limit refused.
        found: i64,
    },
    /// The bytes end too early.
    #[error("{needed} bytes are needed at byte {offset}, {found} are there")]
    Truncated {
        /// Where.
        offset: usize,
        /// How many bytes should follow.
        needed: usize,
        /// How many do.
        found: usize,
    },
    /// The first bytes are not those of the format.
    #[error("the first bytes are not those of a {expected}")]
    Magic {
        /// What they should begin.
        expected: &'static str,
    },
    /// The version of the format is another.
    #[error("format version {found} is not {expected}")]
    Version {
        /// The version found.
        found: u32,
        /// The version this code reads.
        expected: u32,
    },
    /// A checksum differs from the bytes it stands for.
    #[error("checksum of the bytes from {offset} on does not agree with them")]
    Checksum {
        /// Where the bytes begin.
        offset: usize,
    },
    /// Records are missing, repeated or out of turn.
    #[error("record {found} stands at byte {offset} where {expected} was expected")]
    Sequence {
        /// Where.
        offset: usize,
        /// The number expected.
        expected: u64,
        /// The number found.
        found: u64,
    },
    /// A field holds what it cannot hold.
    #[error("{what} at byte {offset} holds {found}")]
    Field {
        /// Which field.
        what: &'static str,
        /// Where.
        offset: usize,
        /// What it holds.
        found: i64,
    },
    /// Bytes follow where the format ends.
    #[error("{found} bytes follow the end at byte {offset}")]
    Trailing {
        /// Where the format ends.
        offset: usize,
        /// How many bytes follow.
        found: usize,
    },
}

impl BookError {
    /// Returns the stable name of the failure.
    pub const fn code(&self) -> &'static str {
        match self {
            Self::Capacity { .. } => "market.exchange_capacity",
            Self::Memory { .. } => "market.exchange_memory",
            Self::Limit { .. } => "market.exchange_limit",
            Self::Truncated { .. } => "market.bytes_truncated",
            Self::Magic { .. } => "market.bytes_magic",
            Self::Version { .. } => "market.bytes_version",
            Self::Checksum { .. } => "market.bytes_checksum",
            Self::Sequence { .. } => "market.bytes_sequence",
            Self::Field { .. } => "market.bytes_field",
            Self::Trailing { .. } => "market.bytes_trailing",
        }
    }
}
