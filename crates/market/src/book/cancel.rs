//! Resting orders leaving: by their participant's wish, or at gate closure.

use super::accounts::account;
use super::sides::NO_KEY;
use super::sides::SideNumber;
use super::{
    BookNumber, BookStatus, CancelReason, Event, EventSink, Exchange, OrderId, Participant, Refusal,
};
use gridrig_quantity::Side;

impl Exchange {
    /// Finds a resting order and asks whose it is.
    #[inline]
    pub(super) fn owned(&self, order_id: OrderId, by: Participant) -> Result<u32, Refusal> {
        let place = self.orders.find(order_id).ok_or(Refusal::OrderUnknown)?;
        if self.orders[place].participant != by {
            return Err(Refusal::OrderNotOwned);
        }
        Ok(place)
    }

    #[inline]
    pub(super) fn cancel<S: EventSink>(
        &mut self,
        order_id: OrderId,
        participant: Participant,
        events: &mut S,
    ) -> Result<(), Refusal> {
        account(&self.accounts, participant)?;
        let place = self.owned(order_id, participant)?;
        self.cancel_resting(place, CancelReason::Requested, events);
        Ok(())
    }

    /// Takes an order out of the book and says so.
    #[inline]
    pub(super) fn cancel_resting<S: EventSink>(
        &mut self,
        place: u32,
        reason: CancelReason,
        events: &mut S,
    ) {
        let entry = &self.orders[place];
        events.push(Event::Cancelled {
            order_id: entry.order_id,
            energy_milliwh: self.grid.energy_milliwh(entry.leaves),
            participant: entry.participant,
            book: self.side_of(place).book(),
            reason,
        });
        self.take_out(place);
    }

    pub(super) fn cancel_all<S: EventSink>(
        &mut self,
        participant: Participant,
        events: &mut S,
    ) -> Result<(), Refusal> {
        let orders = account(&self.accounts, participant)?.orders;
        let mut found = std::mem::take(&mut self.found);
        self.orders.of_participant(participant, orders, &mut found);
        for &(_, place) in &found {
            self.cancel_resting(place, CancelReason::AllRequested, events);
        }
        self.found = found;
        events.push(Event::AllCancelled {
            participant,
            orders,
        });
        Ok(())
    }

    pub(super) fn close_gate<S: EventSink>(
        &mut self,
        book: BookNumber,
        events: &mut S,
    ) -> Result<(), Refusal> {
        if self.opened(book)?.status == BookStatus::Closed {
            return Err(Refusal::GateClosed);
        }
        let before = self.orders.resting();
        for side in [Side::Bid, Side::Offer] {
            self.expire(SideNumber::new(book, side), events);
        }
        self.books[book as usize].status = BookStatus::Closed;
        events.push(Event::GateClosed {
            book,
            orders: before - self.orders.resting(),
        });
        Ok(())
    }

    /// Empties a side, by priority.
    fn expire<S: EventSink>(&mut self, side_number: SideNumber, events: &mut S) {
        loop {
            let side = side_number.of(&self.books);
            if side.best_key == NO_KEY {
                return;
            }
            let place = self.blocks[side.best_level].first;
            let entry = &self.orders[place];
            events.push(Event::Expired {
                order_id: entry.order_id,
                energy_milliwh: self.grid.energy_milliwh(entry.leaves),
                participant: entry.participant,
                book: side_number.book(),
            });
            self.take_out(place);
        }
    }
}
