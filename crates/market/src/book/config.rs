//! The rules and the size of an exchange.

use gridrig_quantity::ENERGY_MILLIWH_MAX;

use super::reader::Reader;
use super::{BookError, SelfMatch};
use crate::MarketRules;

/// Most lots one order can hold.
pub const ORDER_LOTS_MAX: u32 = u32::MAX;

/// Most books an exchange can hold.
pub const BOOKS_MAX: u32 = 1 << 20;

/// Most participants an exchange can know.
pub const PARTICIPANTS_MAX: u32 = 1 << 24;

/// Most orders that can rest in an exchange.
pub const ORDERS_RESTING_MAX: u32 = 1 << 26;

/// Most price blocks an exchange can hold.
pub const PRICE_BLOCKS_MAX: u32 = 1 << 24;

/// How much an exchange holds; what goes beyond is refused. All of it is allocated at the start.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Capacity {
    /// Books, numbered from 0; 64 bytes each.
    pub books: u32,
    /// Participants, numbered from 0; 32 bytes each.
    pub participants: u32,
    /// Orders resting in all books together; 48 to 96 bytes each.
    pub orders: u32,
    /// Blocks of 64 neighbouring ticks of one side of one book with an order resting in them;
    /// about 1.3 kB each.
    pub price_blocks: u32,
}

/// What an exchange needs to know before its first command.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ExchangeConfig {
    /// The smallest steps of energy and price.
    pub rules: MarketRules,
    /// How much it holds.
    pub capacity: Capacity,
    /// Most energy of one order. [mWh]
    pub order_energy_milliwh_max: i64,
    /// Most orders a participant may have resting, until its limits are set.
    pub participant_orders_max: u32,
    /// Most energy a participant may have resting, until its limits are set. [mWh]
    pub participant_energy_milliwh_max: i64,
    /// What happens when a participant would trade with itself, until its policy is set.
    pub self_match: SelfMatch,
}

impl ExchangeConfig {
    /// Makes a configuration without limits on orders and participants other than the capacity.
    pub const fn unlimited(rules: MarketRules, capacity: Capacity) -> Self {
        Self {
            rules,
            capacity,
            order_energy_milliwh_max: ENERGY_MILLIWH_MAX,
            participant_orders_max: u32::MAX,
            participant_energy_milliwh_max: i64::MAX,
            self_match: SelfMatch::CancelResting,
        }
    }

    /// Checks that every number is within its bounds.
    ///
    /// # Errors
    /// [`BookError::Capacity`] for a capacity of zero or beyond its bound, [`BookError::Limit`] for
    /// a limit below zero.
    pub fn check(&self) -> Result<(), BookError> {
        let Capacity {
            books,
            participants,
            orders,
            price_blocks,
        } = self.capacity;
        for (what, found, max) in [
            ("books", books, BOOKS_MAX),
            ("participants", participants, PARTICIPANTS_MAX),
            ("orders", orders, ORDERS_RESTING_MAX),
            ("price_blocks", price_blocks, PRICE_BLOCKS_MAX),
        ] {
            if !(1..=max).contains(&found) {
                return Err(BookError::Capacity { what, found, max });
            }
        }
        for (what, found) in [
            ("order_energy_milliwh_max", self.order_energy_milliwh_max),
            (
                "participant_energy_milliwh_max",
                self.participant_energy_milliwh_max,
            ),
        ] {
            if found < 0 {
                return Err(BookError::Limit { what, found });
            }
        }
        Ok(())
    }
}

/// Length of a configuration in logs and snapshots.
pub(super) const CONFIG_BYTES: usize = 56;

/// Logs and snapshots hold a configuration as these fields, in this order.
impl ExchangeConfig {
    pub(super) fn write(&self, out: &mut Vec<u8>) {
        let capacity = self.capacity;
        out.extend_from_slice(&self.rules.lot_milliwh().to_le_bytes());
        out.extend_from_slice(&self.rules.tick_micro_per_kwh().to_le_bytes());
        out.extend_from_slice(&capacity.books.to_le_bytes());
        out.extend_from_slice(&capacity.participants.to_le_bytes());
        out.extend_from_slice(&capacity.orders.to_le_bytes());
        out.extend_from_slice(&capacity.price_blocks.to_le_bytes());
        out.extend_from_slice(&self.order_energy_milliwh_max.to_le_bytes());
        out.extend_from_slice(&self.participant_orders_max.to_le_bytes());
        out.extend_from_slice(&self.participant_energy_milliwh_max.to_le_bytes());
        out.extend_from_slice(&u32::from(self.self_match as u8).to_le_bytes());
    }

    pub(super) fn read(reader: &mut Reader<'_>) -> Result<Self, BookError> {
        let offset = reader.offset();
        let (lot_milliwh, tick) = (reader.i64()?, reader.i64()?);
        let rules = MarketRules::new(lot_milliwh, tick).map_err(|_| BookError::Field {
            what: "lot or tick",
            offset,
            found: lot_milliwh,
        })?;
        let capacity = Capacity {
            books: reader.u32()?,
            participants: reader.u32()?,
            orders: reader.u32()?,
            price_blocks: reader.u32()?,
        };
        let config = Self {
            rules,
            capacity,
            order_energy_milliwh_max: reader.i64()?,
            participant_orders_max: reader.u32()?,
            participant_energy_milliwh_max: reader.i64()?,
            self_match: reader.code("policy", SelfMatch::from_code)?,
        };
        config.check()?;
        Ok(config)
    }
}
