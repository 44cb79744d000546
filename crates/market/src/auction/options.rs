//! What a market chooses besides its lot and tick: how equals share, where the price lies.

use crate::MarketRules;

/// How orders of one side at one price share what is not enough for all of them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Ties {
    /// The earlier order is served first.
    #[default]
    Time,
    /// In proportion to their energies, in whole lots, by largest remainder. Equal remainders are
    /// drawn from the seed and the order's number.
    ProRata {
        /// Seed of the draw.
        seed: u64,
    },
}

impl Ties {
    /// Returns the word for the rule, as files and Python spell it.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Time => "time",
            Self::ProRata { .. } => "pro-rata",
        }
    }

    /// Reads the word for a rule, as files and Python spell it; the seed is used where one draws.
    pub fn from_word(word: &str, seed: u64) -> Option<Self> {
        match word {
            "time" => Some(Self::Time),
            "pro-rata" => Some(Self::ProRata { seed }),
            _ => None,
        }
    }
}

/// Which price of the interval in which everybody gets what it wants.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum PriceRule {
    /// The lower end: all of what the interval leaves open goes to the buyers.
    Lowest,
    /// The middle, floored to a tick.
    #[default]
    Middle,
    /// The upper end: all of it goes to the sellers.
    Highest,
}

impl PriceRule {
    /// Returns the word for the rule, as files and Python spell it.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Lowest => "lowest",
            Self::Middle => "middle",
            Self::Highest => "highest",
        }
    }

    /// Reads the word for a rule.
    pub fn from_word(word: &str) -> Option<Self> {
        [Self::Lowest, Self::Middle, Self::Highest]
            .into_iter()
            .find(|rule| rule.word() == word)
    }

    /// Chooses between two prices on ticks, `lowest <= highest`. [millionths/kWh]
    pub(crate) const fn choose(self, lowest: i64, highest: i64, tick: i64) -> i64 {
        match self {
            Self::Lowest => lowest,
            // Both ends are whole ticks, so the floored middle cannot fall below the lower one.
            Self::Middle => (lowest + highest).div_euclid(2 * tick) * tick,
            Self::Highest => highest,
        }
    }
}

/// The rules of one auction.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct AuctionRules {
    /// Lot and tick.
    pub market: MarketRules,
    /// How equals share.
    pub ties: Ties,
    /// Where the price lies; pay-as-bid has no use for it.
    pub price: PriceRule,
}

impl From<MarketRules> for AuctionRules {
    /// Ties by time, and the middle price.
    fn from(market: MarketRules) -> Self {
        Self {
            market,
            ties: Ties::default(),
            price: PriceRule::default(),
        }
    }
}
