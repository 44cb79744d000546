//! What each participant has resting, what it may have, and how it meets itself.

use super::{ExchangeConfig, Participant, ParticipantState, Refusal, SelfMatch};

/// One participant, half a cache line.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(C, align(32))]
pub(super) struct Account {
    /// Energy left of its orders. [mWh]
    pub(super) energy_milliwh: i64,
    pub(super) energy_milliwh_max: i64,
    pub(super) orders: u32,
    pub(super) orders_max: u32,
    pub(super) self_match: SelfMatch,
}

impl Account {
    pub(super) fn new(config: &ExchangeConfig) -> Self {
        Self {
            energy_milliwh: 0,
            energy_milliwh_max: config.participant_energy_milliwh_max,
            orders: 0,
            orders_max: config.participant_orders_max,
            self_match: config.self_match,
        }
    }

    /// Asks whether one more order may rest.
    #[inline(always)]
    pub(super) fn admits_order(&self) -> Result<(), Refusal> {
        if self.orders >= self.orders_max {
            return Err(Refusal::ParticipantOrdersLimit);
        }
        Ok(())
    }

    /// Asks whether more energy may rest.
    #[inline(always)]
    pub(super) fn admits_energy(&self, more_milliwh: i64) -> Result<(), Refusal> {
        if self.energy_milliwh + more_milliwh > self.energy_milliwh_max {
            return Err(Refusal::ParticipantEnergyLimit);
        }
        Ok(())
    }

    pub(super) fn state(&self) -> ParticipantState {
        ParticipantState {
            orders: self.orders,
            energy_milliwh: self.energy_milliwh,
            orders_max: self.orders_max,
            energy_milliwh_max: self.energy_milliwh_max,
            self_match: self.self_match,
        }
    }
}

/// Finds the account of a participant.
#[inline(always)]
pub(super) fn account(accounts: &[Account], participant: Participant) -> Result<&Account, Refusal> {
    accounts
        .get(participant as usize)
        .ok_or(Refusal::ParticipantUnknown)
}
