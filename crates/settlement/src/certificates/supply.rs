//! What became of everything that was minted.

use super::{LotState, Register};

/// Watt-hours by what became of them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Supply {
    /// Minted here. [Wh]
    pub minted_wh: u128,
    /// Held, and not frozen. [Wh]
    pub held_wh: u128,
    /// Retired, those that charged a storage among them. [Wh]
    pub retired_wh: u128,
    /// Living on elsewhere. [Wh]
    pub moved_wh: u128,
    /// Held in frozen certificates. [Wh]
    pub frozen_wh: u128,
    /// Retired or moved before their certificate was frozen, so that nothing backs them; counted
    /// above as well. [Wh]
    pub unbacked_wh: u128,
}

impl Register {
    /// Sums up what became of everything minted.
    pub fn supply(&self) -> Supply {
        let mut supply = Supply::default();
        for lot in self.lots() {
            let wh = u128::from(lot.energy_wh);
            let frozen = self.is_frozen(lot.certificate);
            supply.minted_wh += wh;
            match lot.state {
                LotState::Held if frozen => supply.frozen_wh += wh,
                LotState::Held => supply.held_wh += wh,
                LotState::Retired { .. } | LotState::Charged { .. } => supply.retired_wh += wh,
                LotState::Moved { .. } => supply.moved_wh += wh,
            }
            if frozen && lot.state != LotState::Held {
                supply.unbacked_wh += wh;
            }
        }
        supply
    }
}
