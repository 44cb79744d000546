//! Restating a resting order.

use super::accounts::account;
use super::grid::key;
use super::matching::Incoming;
use super::orders::Entry;
use super::sides::SideNumber;
use super::submit::within_collar;
use super::{BookStatus, CancelReason, Event, EventSink, Exchange, OrderId, Participant, Refusal};

/// The fields of `Command::Amend`.
#[derive(Debug, Clone, Copy)]
pub(super) struct Amendment {
    pub(super) order_id: OrderId,
    pub(super) energy_milliwh: i64,
    pub(super) price_micro_per_kwh: i32,
    pub(super) participant: Participant,
}

/// What an amendment that breaks no rule makes of an order.
struct Restated {
    place: u32,
    key: u32,
    /// What is left; zero cancels. [lots]
    leaves: u32,
}

impl Exchange {
    #[inline(always)]
    pub(super) fn amend<S: EventSink>(
        &mut self,
        amendment: &Amendment,
        events: &mut S,
    ) -> Result<(), Refusal> {
        let Restated { place, key, leaves } = self.admit_amendment(amendment)?;
        if leaves == 0 {
            self.cancel_resting(place, CancelReason::AmendedToFilled, events);
            return Ok(());
        }
        let entry = self.orders[place];
        let side_number = self.side_of(place);
        let priority_kept = key == self.blocks.key(entry.level()) && leaves <= entry.leaves;
        events.push(Event::Amended {
            order_id: amendment.order_id,
            energy_milliwh: amendment.energy_milliwh,
            price_micro_per_kwh: amendment.price_micro_per_kwh,
            participant: amendment.participant,
            book: side_number.book(),
            priority_kept,
        });
        if priority_kept {
            self.blocks[entry.level()].lots -= u64::from(entry.leaves - leaves);
            self.orders[place].leaves = leaves;
            self.account_for(&entry, leaves);
        } else {
            self.requeue(place, &entry, side_number, key, leaves, events);
        }
        Ok(())
    }

    /// Takes an order to the end of the queue at `key`, through all that it can trade with there.
    #[inline(always)]
    fn requeue<S: EventSink>(
        &mut self,
        place: u32,
        entry: &Entry,
        side_number: SideNumber,
        key: u32,
        leaves: u32,
        events: &mut S,
    ) {
        self.part(place);
        let mut taker = Incoming {
            order_id: entry.order_id,
            participant: entry.participant,
            side_number,
            key,
            leaves,
            filled: entry.filled,
        };
        self.match_incoming(&mut taker, events);
        self.account_for(entry, taker.leaves);
        if taker.leaves > 0 {
            let entry = &mut self.orders[place];
            entry.leaves = taker.leaves;
            entry.filled = taker.filled;
            self.join(place, taker.leaves, side_number, key);
        } else {
            self.orders.remove(place);
            self.accounts[taker.participant as usize].orders -= 1;
        }
    }

    /// Books the difference between what was left of an order and what is left now.
    #[inline(always)]
    fn account_for(&mut self, before: &Entry, leaves: u32) {
        if leaves != before.leaves {
            let account = &mut self.accounts[before.participant as usize];
            account.energy_milliwh -= self.grid.energy_milliwh(before.leaves);
            account.energy_milliwh += self.grid.energy_milliwh(leaves);
        }
    }

    /// Asks the rules one by one, in the order of `Refusal`.
    #[inline(always)]
    fn admit_amendment(&self, amendment: &Amendment) -> Result<Restated, Refusal> {
        let account = account(&self.accounts, amendment.participant)?;
        let place = self.owned(amendment.order_id, amendment.participant)?;
        let entry = &self.orders[place];
        let side_number = self.side_of(place);
        let book = &self.books[side_number.book() as usize];
        if book.status == BookStatus::Halted {
            return Err(Refusal::BookHalted);
        }
        if amendment.energy_milliwh < 0 {
            return Err(Refusal::EnergyNotPositive);
        }
        let total = self.grid.lots(amendment.energy_milliwh)?;
        let tick = self.grid.tick(amendment.price_micro_per_kwh)?;
        let key = key(tick, side_number.side());
        let key_changes = key != self.blocks.key(entry.level());
        if key_changes {
            within_collar(book, tick)?;
        }
        if amendment.energy_milliwh > self.config.order_energy_milliwh_max {
            return Err(Refusal::OrderEnergyLimit);
        }
        let leaves = total.saturating_sub(entry.filled);
        if leaves == 0 {
            return Ok(Restated { place, key, leaves });
        }
        if leaves > entry.leaves {
            account.admits_energy(self.grid.energy_milliwh(leaves - entry.leaves))?;
        }
        if key_changes {
            self.has_block(side_number, key)?;
            let taker = Incoming {
                order_id: entry.order_id,
                participant: entry.participant,
                side_number,
                key,
                leaves,
                filled: entry.filled,
            };
            if entry.is_post_only() && self.takes_foreign(&taker) {
                return Err(Refusal::PostOnlyCrosses);
            }
        }
        Ok(Restated { place, key, leaves })
    }
}
