//! New orders: the rules they are asked, in the order of `Refusal`, and what becomes of them.

use gridrig_quantity::Side;

use super::accounts::{Account, account};
use super::grid::{key, tick_of};
use super::matching::Incoming;
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
    #[inline(always)]
    pub(super) fn submit<S: EventSink>(
        &mut self,
        order: &Submission,
        events: &mut S,
    ) -> Result<(), Refusal> {
        let (lots, key) = self.admit(order)?;
        let mut taker = Incoming {
            order_id: order.order_id,
            participant: order.participant,
            side_number: SideNumber::new(order.book, order.side),
            key,
            leaves: lots,
            filled: 0,
        };
        if order.kind.looks_ahead() {
            self.looks_ahead(order.kind, &taker)?;
        }
        self.order_id_last = order.order_id;
        events.push(Event::Accepted {
            order_id: order.order_id,
            energy_milliwh: order.energy_milliwh,
            price_micro_per_kwh: self.grid.price(tick_of(key, order.side)),
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
    #[inline(always)]
    fn rest(&mut self, order: &Incoming, post_only: bool) {
        let place = self.orders.insert(order.order_id);
        self.orders[place].fill_in(order.participant, order.leaves, order.filled, post_only);
        self.join(place, order.leaves, order.side_number, order.key);
        let account = &mut self.accounts[order.participant as usize];
        account.orders += 1;
        account.energy_milliwh += self.grid.energy_milliwh(order.leaves);
    }

    /// Asks the rules one by one, up to those that need the orders of others; returns the lots and
    /// the key of the limit. Small numbers stay in registers, where a struct would go over memory.
    #[inline(always)]
    fn admit(&self, order: &Submission) -> Result<(u32, u32), Refusal> {
        let book = self.opened(order.book)?;
        let account = account(&self.accounts, order.participant)?;
        if order.order_id <= self.order_id_last {
            return Err(Refusal::OrderIdRepeated);
        }
        trading(book.status)?;
        if order.energy_milliwh <= 0 {
            return Err(Refusal::EnergyNotPositive);
        }
        let lots = self.grid.lots(order.energy_milliwh)?;
        let tick = self.tick_within(book, order)?;
        if order.energy_milliwh > self.config.order_energy_milliwh_max {
            return Err(Refusal::OrderEnergyLimit);
        }
        let key = key(tick, order.side);
        if order.kind.rests() {
            self.may_rest(account, order, key)?;
        }
        Ok((lots, key))
    }

    /// Asks what depends on the orders of others, before any of them is touched.
    #[cold]
    fn looks_ahead(&self, kind: OrderKind, taker: &Incoming) -> Result<(), Refusal> {
        if kind == OrderKind::PostOnly && self.takes_foreign(taker) {
            return Err(Refusal::PostOnlyCrosses);
        }
        if kind.is_whole() && !self.fills_whole(taker) {
            return Err(Refusal::FillOrKillUnfilled);
        }
        Ok(())
    }

    /// Returns the tick of the limit; that of a market order is the end of the collar.
    #[inline(always)]
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
    #[inline(always)]
    fn may_rest(&self, account: &Account, order: &Submission, key: u32) -> Result<(), Refusal> {
        account.admits_order()?;
        account.admits_energy(order.energy_milliwh)?;
        if self.orders.is_full() {
            return Err(Refusal::OrdersFull);
        }
        self.has_block(SideNumber::new(order.book, order.side), key)
    }

    /// Asks whether a price has its block, or could have one.
    #[inline(always)]
    pub(super) fn has_block(&self, side_number: SideNumber, key: u32) -> Result<(), Refusal> {
        let root = side_number.of(&self.books).root;
        if self.blocks.is_full() && self.blocks.find(root, key).is_none() {
            return Err(Refusal::PriceBlocksFull);
        }
        Ok(())
    }
}

/// Asks whether a book takes orders.
#[inline(always)]
fn trading(status: BookStatus) -> Result<(), Refusal> {
    match status {
        BookStatus::Open => Ok(()),
        BookStatus::Halted => Err(Refusal::BookHalted),
        BookStatus::Closed | BookStatus::Unopened => Err(Refusal::GateClosed),
    }
}

/// Asks whether a limit is within the collar.
#[inline(always)]
pub(super) fn within_collar(book: &Book, tick: u32) -> Result<(), Refusal> {
    if tick < book.tick_min || tick > book.tick_max {
        return Err(Refusal::PriceCollar);
    }
    Ok(())
}
