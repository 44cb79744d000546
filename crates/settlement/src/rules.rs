//! What a settlement is agreed to be: prices outside trades, fees, losses, lots.

use gridrig_market::Trade;
use gridrig_quantity::{Energy, PRICE_MICRO_PER_KWH_MAX, Price};

use crate::SettlementError;

/// A lot times a tick has to be whole millionths of the currency: 1 mWh x 1 micro/kWh is 10^-6 of
/// one.
const EXACT: i128 = 1_000_000;

/// Prices of energy outside trades.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct SettlementPrices {
    /// Paid for energy exported and not sold, or bought and not taken.
    pub long: Price,
    /// Charged for energy imported and not bought, or sold and not delivered.
    pub short: Price,
}

/// Who pays for energy that was exported and imported nowhere.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum LossesRule {
    /// The account of the house, [`crate::LOSSES`].
    #[default]
    House,
    /// Everybody who imported, each meter by its import; the milliwatt-hours that do not divide go
    /// to the largest remainders, of equal ones to the first by name of participant and meter. The
    /// house pays if nobody imported.
    Importers,
}

impl LossesRule {
    /// Every rule, in order.
    pub const ALL: [Self; 2] = [Self::House, Self::Importers];

    /// Returns the word, as files and Python spell it.
    pub const fn word(self) -> &'static str {
        match self {
            Self::House => "house",
            Self::Importers => "importers",
        }
    }

    /// Reads the word.
    ///
    /// # Errors
    /// [`SettlementError::Word`].
    pub fn named(word: &str) -> Result<Self, SettlementError> {
        let rule = Self::ALL.into_iter().find(|rule| rule.word() == word);
        let words = Self::ALL.into_iter().map(Self::word);
        rule.ok_or_else(|| SettlementError::word("losses rule", word, words))
    }
}

/// The rules of a settlement; [`SettlementRules::check`] tells whether they fit each other.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct SettlementRules {
    /// Prices outside trades; each period's short price is at least its highest, the long price at
    /// most its lowest trade price.
    pub tariff: SettlementPrices,
    /// The same in a period without the main grid.
    pub island_tariff: SettlementPrices,
    /// Lowest price at which trades are settled.
    pub floor: Price,
    /// Highest price at which trades are settled.
    pub ceiling: Price,
    /// Trades are whole multiples of this energy.
    pub lot: Energy,
    /// Trade prices are whole multiples of this.
    pub tick: Price,
    /// Charged for every energy imported, except by the feeder head.
    pub grid_fee: Price,
    /// Charged for every energy traded and delivered, and traded and taken.
    pub operator_fee: Price,
    /// Who pays the losses.
    pub losses: LossesRule,
}

impl SettlementRules {
    /// Returns rules with these prices, the default lot of 1 Wh and tick of 1,000 micro/kWh, no fees,
    /// and trade prices from the lower to the upper half of what a price can be.
    ///
    /// # Errors
    /// As [`SettlementRules::check`].
    pub fn of_tariff(tariff: SettlementPrices) -> Result<Self, SettlementError> {
        let half = PRICE_MICRO_PER_KWH_MAX / 2;
        let rules = Self {
            tariff,
            island_tariff: tariff,
            floor: Price::from_micro_per_kwh(-half)?,
            ceiling: Price::from_micro_per_kwh(half)?,
            lot: Energy::from_milliwh(1_000)?,
            tick: Price::from_micro_per_kwh(1_000)?,
            grid_fee: Price::ZERO,
            operator_fee: Price::ZERO,
            losses: LossesRule::default(),
        };
        rules.check()?;
        Ok(rules)
    }

    /// Tells whether the rules fit each other.
    ///
    /// # Errors
    /// [`SettlementError::LotInexact`], [`SettlementError::ShortBelowLong`],
    /// [`SettlementError::PriceOutside`], [`SettlementError::FeeNegative`],
    /// [`SettlementError::Quantity`] if two prices are further apart than a price can be.
    pub fn check(&self) -> Result<(), SettlementError> {
        let (lot, tick) = (self.lot.milliwh(), self.tick.micro_per_kwh());
        if lot <= 0 || tick <= 0 || i128::from(lot) * i128::from(tick) % EXACT != 0 {
            return Err(SettlementError::LotInexact {
                lot_milliwh: lot,
                tick_micro_per_kwh: tick,
            });
        }
        let (floor, ceiling) = (self.floor.micro_per_kwh(), self.ceiling.micro_per_kwh());
        let mut highest = self.ceiling;
        let mut lowest = self.floor;
        for tariff in [self.tariff, self.island_tariff] {
            let (long, short) = (tariff.long.micro_per_kwh(), tariff.short.micro_per_kwh());
            if short < long {
                return Err(SettlementError::ShortBelowLong { short, long });
            }
            highest = highest.max(tariff.short);
            lowest = lowest.min(tariff.long);
        }
        if floor > ceiling {
            let price = floor;
            return Err(SettlementError::PriceOutside {
                price,
                floor,
                ceiling,
            });
        }
        for (fee, price) in [("grid", self.grid_fee), ("operator", self.operator_fee)] {
            let found = price.micro_per_kwh();
            if found < 0 {
                return Err(SettlementError::FeeNegative { fee, found });
            }
        }
        highest.minus(lowest)?;
        Ok(())
    }

    /// Returns the tariff of a period.
    pub const fn tariff_of(&self, island: bool) -> SettlementPrices {
        if island {
            self.island_tariff
        } else {
            self.tariff
        }
    }

    /// Returns the prices of a period: the tariff, moved out so that nobody gains by not keeping
    /// what it traded.
    pub fn prices_of(&self, island: bool, trades: &[Trade]) -> SettlementPrices {
        let SettlementPrices { long, short } = self.tariff_of(island);
        trades
            .iter()
            .fold(SettlementPrices { long, short }, |prices, trade| {
                SettlementPrices {
                    long: prices.long.min(trade.price),
                    short: prices.short.max(trade.price),
                }
            })
    }
}
