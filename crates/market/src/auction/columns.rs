//! Orders as columns: one row an order, participants as numbers.

use crate::{MarketError, ORDERS_MAX, RejectionReason};

/// Participants are numbered from 0, below this.
pub const PARTICIPANTS_MAX: u32 = 1_000_000;

/// Orders by column; every column has one value a row. As [`crate::Order`], but for the numbers
/// that stand for names.
#[derive(Debug, Clone, Copy)]
pub struct OrderColumns<'a> {
    /// Arrival numbers.
    pub order_id: &'a [u64],
    /// Who sends it, a number below [`PARTICIPANTS_MAX`]; the memory taken grows with the largest.
    pub participant: &'a [u32],
    /// Buys, or else sells.
    pub is_bid: &'a [bool],
    /// Most energy to trade. [mWh]
    pub energy_milliwh: &'a [i64],
    /// Worst price accepted. [millionths/kWh]
    pub price_micro_per_kwh: &'a [i64],
}

/// A row the market does not take.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Refusal {
    /// Place of the order in the columns.
    pub row: u32,
    /// The first rule it broke.
    pub reason: RejectionReason,
}

impl OrderColumns<'_> {
    /// Returns the number of orders.
    pub fn len(&self) -> usize {
        self.order_id.len()
    }

    /// Returns whether there are none.
    pub fn is_empty(&self) -> bool {
        self.order_id.is_empty()
    }

    /// Checks what has to hold before a single order can be read.
    pub(crate) fn check(&self) -> Result<(), MarketError> {
        let rows = self.len();
        if rows > ORDERS_MAX {
            return Err(MarketError::TooManyOrders { found: rows });
        }
        let lengths = [
            ("participant", self.participant.len()),
            ("is_bid", self.is_bid.len()),
            ("energy_milliwh", self.energy_milliwh.len()),
            ("price_micro_per_kwh", self.price_micro_per_kwh.len()),
        ];
        for (column, found) in lengths {
            if found != rows {
                return Err(MarketError::Column {
                    column,
                    found,
                    rows,
                });
            }
        }
        match self.participant.iter().max() {
            Some(&found) if found >= PARTICIPANTS_MAX => Err(MarketError::Participant { found }),
            _ => Ok(()),
        }
    }
}
