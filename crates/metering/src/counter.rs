//! Which of a meter's counters a record is numbered by.

/// A counter of signed records; a meter may keep several.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum CounterContext {
    /// Fiscal pagination of OCMF (`F`).
    Fiscal,
    /// Transaction pagination of OCMF (`T`).
    Transaction,
    /// Pagination of a format that has one (`P`): SML, Alfen.
    Pagination,
    /// Response counter of a BSM snapshot (`R`).
    Response,
    /// Time slot of an interval of energy (`S`).
    Slot,
    /// Sequence number of the native record (`N`).
    Sequence,
    /// No counter: the time of the reading orders the records (`C`). [ms]
    Clock,
}

impl CounterContext {
    /// Every context, in order.
    pub const ALL: [Self; 7] = [
        Self::Fiscal,
        Self::Transaction,
        Self::Pagination,
        Self::Response,
        Self::Slot,
        Self::Sequence,
        Self::Clock,
    ];

    /// Returns the letter of the context in verdicts and stores.
    pub const fn letter(self) -> char {
        match self {
            Self::Fiscal => 'F',
            Self::Transaction => 'T',
            Self::Pagination => 'P',
            Self::Response => 'R',
            Self::Slot => 'S',
            Self::Sequence => 'N',
            Self::Clock => 'C',
        }
    }

    /// Reads the letter.
    pub fn from_letter(letter: char) -> Option<Self> {
        Self::ALL
            .into_iter()
            .find(|context| context.letter() == letter)
    }

    /// Tells whether the meter counts each record, so that a number left out is a record lost.
    pub const fn counts_each(self) -> bool {
        match self {
            Self::Fiscal
            | Self::Transaction
            | Self::Pagination
            | Self::Response
            | Self::Slot
            | Self::Sequence => true,
            Self::Clock => false,
        }
    }
}
