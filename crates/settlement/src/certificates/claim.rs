//! A claim on the energy of an interval.

use std::fmt;

use super::{Asset, Direction, Interval};

/// What energy is claimed as. Whatever the scheme, a quantum is claimed once.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Scheme {
    /// A certificate of origin.
    Certificate,
    /// Emissions avoided.
    CarbonCredit,
    /// A part of a plant, held by somebody elsewhere.
    Share,
}

impl Scheme {
    /// Returns the word, as files and Python spell it.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Certificate => "certificate",
            Self::CarbonCredit => "carbon-credit",
            Self::Share => "share",
        }
    }

    /// Reads the word.
    pub fn from_word(word: &str) -> Option<Self> {
        [Self::Certificate, Self::CarbonCredit, Self::Share]
            .into_iter()
            .find(|scheme| scheme.word() == word)
    }
}

/// What a meter signed, from which the watt-hours of a claim follow.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Measure {
    /// Its export register, read before and after.
    Register {
        /// Number of the first Wh, as the meter counted them since it was enrolled.
        first_unit: u64,
    },
    /// The energy of one interval.
    Interval {
        /// How much it states. [mWh]
        energy_milliwh: u64,
    },
}

impl Measure {
    /// Tells a measure by the one of its numbers that it has; none unless it has one.
    pub const fn of(first_unit: Option<u64>, energy_milliwh: Option<u64>) -> Option<Self> {
        match (first_unit, energy_milliwh) {
            (Some(first_unit), None) => Some(Self::Register { first_unit }),
            (None, Some(energy_milliwh)) => Some(Self::Interval { energy_milliwh }),
            _ => None,
        }
    }

    /// Tells whether there is energy that no other reading has again, if it makes no whole Wh.
    pub(super) const fn leaves_energy(self) -> bool {
        matches!(
            self,
            Self::Interval {
                energy_milliwh: 1..
            }
        )
    }
}

/// The verified readings behind a claim.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Backing {
    /// The meter.
    pub meter: String,
    /// Its serial number.
    pub serial: String,
    /// SHA-256 of the signed bytes of the reading that opened the interval.
    pub opening_digest: [u8; 32],
    /// SHA-256 of the signed bytes of the reading that closed it; of an interval the same one.
    pub closing_digest: [u8; 32],
    /// What they state.
    pub measure: Measure,
    /// How many whole Wh that is; of a storage not all may be claimed. [Wh]
    pub units: u64,
}

/// The claim of one issuer on what an asset exported or imported in an interval.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Claim {
    /// Number of the event that entered it; names the certificate.
    pub number: u64,
    /// The connection point.
    pub asset: Asset,
    /// The way the energy flowed.
    pub direction: Direction,
    /// The time.
    pub interval: Interval,
    /// How much. Nothing only of an interval whose part of a Wh is carried on. [Wh]
    pub energy_wh: u64,
    /// What it is claimed as.
    pub scheme: Scheme,
    /// Who claims it; a contract is named as in CAIP-10, `eip155:CHAIN:ADDRESS`.
    pub issuer: String,
    /// Who got it first.
    pub holder: String,
    /// Whether it was discharged from a storage.
    pub is_from_storage: bool,
    /// The readings behind it; none if another issuer vouches for it.
    pub backing: Option<Backing>,
}

impl Claim {
    /// Tells whether one claim is another made again of the same readings: what is carried to it, or
    /// charged it, may have become more or less since.
    pub(super) fn is_again(&self, standing: &Self) -> bool {
        let (Some(one), Some(other)) = (&self.backing, &standing.backing) else {
            return false;
        };
        let again = Self {
            number: standing.number,
            energy_wh: standing.energy_wh,
            backing: Some(Backing {
                units: other.units,
                ..one.clone()
            }),
            ..self.clone()
        };
        again == *standing
    }
}

impl fmt::Display for Claim {
    fn fmt(&self, to: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            scheme, energy_wh, ..
        } = self;
        write!(
            to,
            "{} {} of {:?}, {energy_wh} Wh of asset {} from {} to {} s UTC",
            scheme.word(),
            self.number,
            self.issuer,
            self.asset,
            self.interval.from_s(),
            self.interval.to_s(),
        )?;
        match &self.backing {
            Some(backing) => write!(to, " by meter {:?}", backing.meter),
            None => write!(to, " as told by others"),
        }
    }
}
