//! New orders: the rules they are asked, in the order of `Refusal`, and what becomes of them.

use gridrig_quantity::Side;

use super::accounts::{Account, account};
use super::grid::{key, tick_of};
use super::matching::Incoming;
use super::orders::Entry;
use super::sides::{Book, SideNumber};
use super::{
    BookNumber, BookStatus, CancelReason, Event, EventSink, Exchange, OrderId, OrderKind,
    Participant, Refusal,
};

/// The fields of `Command::Submit`.
#[derive(Debug, Clone, Copy)]
pub(super) struct Submission {
    pub(super) order_id: OrderId,
    pub(super) energy_milliwh: i64,
    pub(super) price_micro_per_kwh: i32,
    pub(super) participant: Participant,
    pub(super) book: BookNumber,
    pub(super) side: Side,
    pub(super) kind: OrderKind,
}

impl Exchange {
    #[inline]
    pub(super) fn submit<S: EventSink>(
        &mut self,
        order: &Submission,
        events: &mut S,
    ) -> Result<(), Refusal> {
        let mut taker = self.admit(order)?;
        self.order_id_last = order.order_id;
        events.push(Event::Accepted {
            order_id: order.order_id,
            energy_milliwh: order.energy_milliwh,
            price_micro_per_kwh: self.grid.price(tick_of(taker.key, order.side)),
            participant: order.participant,
            book: order.book,
            side: order.side,
            kind: order.kind,
        });
        self.match_incoming(&mut taker, events);
        if taker.leaves == 0 {
            return Ok(());
        }
        if order.kind.rests() {
            self.rest(&taker, order.kind == OrderKind::PostOnly);
        } else {
            self.give_up(&mut taker, CancelReason::Unfilled, events);
        }
        Ok(())
    }

    /// Puts what is left of a new order into its queue and its account.
    #[inline]
    fn rest(&mut self, order: &Incoming, post_only: bool) {
        let mut entry = Entry::new(order.order_id, order.participant, post_only);
        entry.leaves = order.leaves;
        entry.filled = order.filled;
        let place = self.orders.insert(entry);
        self.join(place, order.side_number, order.key);
        let account = &mut self.accounts[order.participant as usize];
        account.orders += 1;
        account.energy_milliwh += self.grid.energy_milliwh(order.leaves);
    }

    /// Asks the rules one by one.
    #[inline]
    fn admit(&self, order: &Submission) -> Result<Incoming, Refusal> {
        let book = self.opened(order.book)?;
        let account = account(&self.accounts, order.participant)?;
        if order.order_id <= self.order_id_last {
            return Err(Refusal::OrderIdRepeated);
        }
        trading(book.status)?;
        if order.energy_milliwh <= 0 {
            return Err(Refusal::EnergyNotPositive);
        }
        let leaves = self.grid.lots(order.energy_milliwh)?;
        let tick = self.tick_within(book, order)?;
        if order.energy_milliwh > self.config.order_energy_milliwh_max {
            return Err(Refusal::OrderEnergyLimit);
        }
        let taker = Incoming {
            order_id: order.order_id,
            participant: order.participant,
            side_number: SideNumber::new(order.book, order.side),
            key: key(tick, order.side),
            leaves,
            filled: 0,
        };
        if order.kind.rests() {
            self.may_rest(account, order.energy_milliwh, &taker)?;
        }
        match order.kind {
            OrderKind::PostOnly if self.takes_foreign(&taker) => Err(Refusal::PostOnlyCrosses),
            OrderKind::FillOrKill | OrderKind::MarketFillOrKill if !self.fills_whole(&taker) => {
                Err(Refusal::FillOrKillUnfilled)
            }
            _ => Ok(taker),
        }
    }

    /// Returns the tick of the limit; that of a market order is the end of the collar.
    #[inline]
    fn tick_within(&self, book: &Book, order: &Submission) -> Result<u32, Refusal> {
        if order.kind.is_market() {
            return Ok(match order.side {
                Side::Bid => book.tick_max,
                Side::Offer => book.tick_min,
            });
        }
        let tick = self.grid.tick(order.price_micro_per_kwh)?;
        within_collar(book, tick)?;
        Ok(tick)
    }

    /// Asks the limits on what rests, as if nothing of the order would trade.
    #[inline]
    fn may_rest(
        &self,
        account: &Account,
        energy_milliwh: i64,
        order: &Incoming,
    ) -> Result<(), Refusal> {
        account.admits_order()?;
        account.admits_energy(energy_milliwh)?;
        if self.orders.is_full() {
            return Err(Refusal::OrdersFull);
        }
        self.has_block(order.side_number, order.key)
    }

    /// Asks whether a price has its block, or could have one.
    #[inline]
    pub(super) fn has_block(&self, side_number: SideNumber, key: u32) -> Result<(), Refusal> {
        let root = side_number.of(&self.books).root;
        if self.blocks.is_full() && self.blocks.find(root, key).is_none() {
            return Err(Refusal::PriceBlocksFull);
        }
        Ok(())
    }
}

/// Asks whether a book takes orders.
#[inline]
fn trading(status: BookStatus) -> Result<(), Refusal> {
    match status {
        BookStatus::Open => Ok(()),
        BookStatus::Halted => Err(Refusal::BookHalted),
        BookStatus::Closed | BookStatus::Unopened => Err(Refusal::GateClosed),
    }
}

/// Asks whether a limit is within the collar.
#[inline]
pub(super) fn within_collar(book: &Book, tick: u32) -> Result<(), Refusal> {
    if tick < book.tick_min || tick > book.tick_max {
        return Err(Refusal::PriceCollar);
    }
    Ok(())
}
