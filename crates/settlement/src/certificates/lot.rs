//! A range of watt-hours of one certificate.

/// Where a lot stands in its life.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum LotState {
    /// Its holder may do with it what they like.
    Held,
    /// Used up, for a purpose and in somebody's name.
    Retired {
        /// What for.
        purpose: String,
        /// In whose name.
        beneficiary: String,
    },
    /// Retired to charge the storage of this asset.
    Charged {
        /// The storage.
        asset: super::Asset,
    },
    /// Lives on in a registry elsewhere.
    Moved {
        /// Where, as an issuer is named.
        place: String,
    },
}

impl LotState {
    /// Returns the word for the state, as files and Python spell it.
    pub const fn word(&self) -> &'static str {
        match self {
            Self::Held => "held",
            Self::Retired { .. } => "retired",
            Self::Charged { .. } => "charged",
            Self::Moved { .. } => "moved",
        }
    }
}

/// Watt-hours of a certificate that are together, from one number to before another.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Lot {
    /// The certificate.
    pub certificate: u64,
    /// Number of the first Wh.
    pub from_wh: u64,
    /// How many there are, positive. [Wh]
    pub energy_wh: u64,
    /// Whose it is, or was when it was used up.
    pub holder: String,
    /// Where it stands.
    pub state: LotState,
}
