//! Which way an order points.

/// Intent of an order: energy is positive, the side carries the direction.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Side {
    /// Buys energy.
    Bid,
    /// Sells energy.
    Offer,
}

impl Side {
    /// Returns the word for the side, as files and Python spell it.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Bid => "bid",
            Self::Offer => "offer",
        }
    }

    /// Reads the word for a side.
    pub fn from_word(word: &str) -> Option<Self> {
        match word {
            "bid" => Some(Self::Bid),
            "offer" => Some(Self::Offer),
            _ => None,
        }
    }

    /// Returns the other side.
    pub const fn opposite(self) -> Self {
        match self {
            Self::Bid => Self::Offer,
            Self::Offer => Self::Bid,
        }
    }
}
