//! Records handed over together, and what can be wrong with that.

use crate::BATCH_MAX;

/// Rules of a batch, in the order in which they are checked.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum BatchError {
    /// More records than a batch may have.
    #[error("{found} records are more than the {BATCH_MAX} of a batch")]
    TooLong {
        /// How many there are.
        found: usize,
    },
    /// No format has the name asked for.
    #[error("format {found:?} is none of those this verifier reads")]
    Format {
        /// The name.
        found: String,
    },
    /// Offsets do not part their buffer.
    #[error("offset {place} is {found}, not from {least} to {bytes}")]
    Offset {
        /// Place of the offset, from 0.
        place: usize,
        /// The offset.
        found: usize,
        /// The offset before it.
        least: usize,
        /// Length of the buffer.
        bytes: usize,
    },
    /// The batch was staged already.
    #[error("batch was staged already")]
    Used,
    /// The batch has no record at a place.
    #[error("record {place} asked for, of a batch of {found}")]
    Place {
        /// The place asked for, from 0.
        place: usize,
        /// How many records there are.
        found: usize,
    },
    /// A store has no number for a key.
    #[error("no number is given for key {place}")]
    KeyNumber {
        /// Place of the key, from 0.
        place: u32,
    },
}

impl BatchError {
    /// Returns the stable name of the failure.
    pub const fn code(&self) -> &'static str {
        match self {
            Self::TooLong { .. } => "metering.batch_bound",
            Self::Format { .. } => "metering.format_unknown",
            Self::Offset { .. } => "metering.batch_offset",
            Self::Used => "metering.batch_used",
            Self::Place { .. } => "metering.batch_place",
            Self::KeyNumber { .. } => "metering.batch_key_number",
        }
    }
}

/// Parts a buffer at offsets: record `i` is from offset `i` to offset `i + 1`.
///
/// # Errors
/// [`BatchError::Offset`] unless the offsets begin at 0 or later, never fall, and end in the
/// buffer.
pub fn split_at_offsets<'a>(
    buffer: &'a [u8],
    offsets: &[usize],
) -> Result<Vec<&'a [u8]>, BatchError> {
    let mut least = 0;
    for (place, &found) in offsets.iter().enumerate() {
        let bytes = buffer.len();
        if found < least || found > bytes {
            return Err(BatchError::Offset {
                place,
                found,
                least,
                bytes,
            });
        }
        least = found;
    }
    let pairs = offsets.windows(2);
    Ok(pairs.map(|pair| &buffer[pair[0]..pair[1]]).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn offsets_part_a_buffer_or_are_refused_by_place() {
        assert_eq!(
            split_at_offsets(b"abcdef", &[1, 1, 3, 6]),
            Ok(vec![&b""[..], b"bc", b"def"])
        );
        assert_eq!(split_at_offsets(b"abc", &[]), Ok(vec![]));
        let refused = |offsets| split_at_offsets(b"abc", offsets).map_err(|fault| fault.code());
        assert_eq!(refused(&[2, 1]), Err("metering.batch_offset"));
        assert_eq!(refused(&[0, 4]), Err("metering.batch_offset"));
    }
}
