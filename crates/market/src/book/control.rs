//! What the operator of the exchange does: books opened, halted, resumed; limits set.

use super::accounts::account;
use super::sides::Book;
use super::{
    BookNumber, BookStatus, Event, EventSink, Exchange, Participant, ParticipantState, Refusal,
};

impl Exchange {
    /// Finds a book that is or was open.
    #[inline]
    pub(super) fn opened(&self, book: BookNumber) -> Result<&Book, Refusal> {
        match self.books.get(book as usize) {
            Some(found) if found.status != BookStatus::Unopened => Ok(found),
            _ => Err(Refusal::BookUnknown),
        }
    }

    pub(super) fn open_book<S: EventSink>(
        &mut self,
        book: BookNumber,
        (period, zone): (u32, u32),
        (price_min, price_max): (i32, i32),
        events: &mut S,
    ) -> Result<(), Refusal> {
        let found = self
            .books
            .get_mut(book as usize)
            .ok_or(Refusal::BookUnknown)?;
        if matches!(found.status, BookStatus::Open | BookStatus::Halted) {
            return Err(Refusal::BookOpen);
        }
        let (tick_min, tick_max) = self.grid.collar(price_min, price_max)?;
        *found = Book {
            tick_min,
            tick_max,
            period,
            zone,
            status: BookStatus::Open,
            ..Book::UNOPENED
        };
        events.push(Event::BookOpened {
            book,
            period,
            zone,
            price_micro_per_kwh_min: self.grid.price(tick_min),
            price_micro_per_kwh_max: self.grid.price(tick_max),
        });
        Ok(())
    }

    pub(super) fn set_collar<S: EventSink>(
        &mut self,
        book: BookNumber,
        (price_min, price_max): (i32, i32),
        events: &mut S,
    ) -> Result<(), Refusal> {
        let status = self.opened(book)?.status;
        let (tick_min, tick_max) = self.grid.collar(price_min, price_max)?;
        if status == BookStatus::Closed {
            return Err(Refusal::GateClosed);
        }
        let found = &mut self.books[book as usize];
        (found.tick_min, found.tick_max) = (tick_min, tick_max);
        events.push(Event::CollarSet {
            book,
            price_micro_per_kwh_min: self.grid.price(tick_min),
            price_micro_per_kwh_max: self.grid.price(tick_max),
        });
        Ok(())
    }

    pub(super) fn halt<S: EventSink>(
        &mut self,
        book: BookNumber,
        events: &mut S,
    ) -> Result<(), Refusal> {
        match self.opened(book)?.status {
            BookStatus::Halted => return Err(Refusal::BookHalted),
            BookStatus::Closed | BookStatus::Unopened => return Err(Refusal::GateClosed),
            BookStatus::Open => self.books[book as usize].status = BookStatus::Halted,
        }
        events.push(Event::Halted { book });
        Ok(())
    }

    pub(super) fn resume<S: EventSink>(
        &mut self,
        book: BookNumber,
        events: &mut S,
    ) -> Result<(), Refusal> {
        match self.opened(book)?.status {
            BookStatus::Open => return Err(Refusal::BookNotHalted),
            BookStatus::Closed | BookStatus::Unopened => return Err(Refusal::GateClosed),
            BookStatus::Halted => self.books[book as usize].status = BookStatus::Open,
        }
        events.push(Event::Resumed { book });
        Ok(())
    }

    pub(super) fn set_participant<S: EventSink>(
        &mut self,
        participant: Participant,
        wanted: ParticipantState,
        events: &mut S,
    ) -> Result<(), Refusal> {
        account(&self.accounts, participant)?;
        if wanted.energy_milliwh_max < 0 {
            return Err(Refusal::LimitsInvalid);
        }
        let account = &mut self.accounts[participant as usize];
        account.orders_max = wanted.orders_max;
        account.energy_milliwh_max = wanted.energy_milliwh_max;
        account.self_match = wanted.self_match;
        events.push(Event::ParticipantSet {
            participant,
            orders_max: wanted.orders_max,
            energy_milliwh_max: wanted.energy_milliwh_max,
            self_match: wanted.self_match,
        });
        Ok(())
    }
}
