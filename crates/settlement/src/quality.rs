//! How well it is known what a meter counted.

/// How the energy of a period is known, from best to worst.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Quality {
    /// By readings at both ends.
    Measured,
    /// As a part of what was counted between readings further apart.
    Interpolated,
    /// By a rule: the readings that will tell have not come.
    Estimated,
}

impl Quality {
    /// Every quality, in order.
    pub const ALL: [Self; 3] = [Self::Measured, Self::Interpolated, Self::Estimated];

    /// Returns the word, as files and Python spell it.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Measured => "measured",
            Self::Interpolated => "interpolated",
            Self::Estimated => "estimated",
        }
    }
}
