//! Reading an exchange: depth, queues, single orders.

use gridrig_quantity::Side;

use super::grid::tick_of;
use super::orders::{Entry, NOBODY};
use super::price_blocks::NONE;
use super::sides::SideNumber;
use super::{
    BookNumber, BookState, DepthLevel, Exchange, OrderId, OrderKind, Participant, ParticipantState,
    RestingOrder,
};

impl Exchange {
    /// Returns the state of a book, or `None` if its number is beyond the capacity.
    pub fn book(&self, book: BookNumber) -> Option<BookState> {
        self.books.get(book as usize).map(|book| BookState {
            status: book.status,
            period: book.period,
            zone: book.zone,
            price_micro_per_kwh_min: self.grid.price(book.tick_min),
            price_micro_per_kwh_max: self.grid.price(book.tick_max),
        })
    }

    /// Returns what a participant has resting, or `None` if its number is beyond the capacity.
    pub fn participant(&self, participant: Participant) -> Option<ParticipantState> {
        let account = self.accounts.get(participant as usize)?;
        Some(account.state())
    }

    /// Returns the order if it rests.
    pub fn order(&self, order_id: OrderId) -> Option<RestingOrder> {
        let place = self.orders.find(order_id)?;
        Some(self.resting(place))
    }

    /// Writes up to `levels_max` levels of one side, best price first, into `out`, which is
    /// cleared. A book beyond the capacity has none.
    pub fn depth(
        &self,
        book: BookNumber,
        side: Side,
        levels_max: usize,
        out: &mut Vec<DepthLevel>,
    ) {
        out.clear();
        self.for_each_level(book, side, |key, level| {
            if out.len() < levels_max {
                out.push(DepthLevel {
                    price_micro_per_kwh: self.grid.price(tick_of(key, side)),
                    energy_milliwh: self.grid.energy_milliwh_of(self.blocks[level].lots),
                    orders: self.queue(level).count() as u32,
                });
            }
            out.len() < levels_max
        });
    }

    /// Visits the resting orders of one side by priority: best price first, then arrival.
    pub fn for_each_resting(
        &self,
        book: BookNumber,
        side: Side,
        mut visit: impl FnMut(RestingOrder),
    ) {
        self.for_each_level(book, side, |_, level| {
            for place in self.queue(level) {
                visit(self.resting(place));
            }
            true
        });
    }

    /// Visits the levels of one side, best price first, while `visit` says so.
    fn for_each_level(
        &self,
        book: BookNumber,
        side: Side,
        mut visit: impl FnMut(u32, u32) -> bool,
    ) {
        let root = if (book as usize) < self.books.len() {
            SideNumber::new(book, side).of(&self.books).root
        } else {
            NONE
        };
        let mut next = self.blocks.first(root);
        while let Some((key, level)) = next {
            if !visit(key, level) {
                return;
            }
            next = self.blocks.first_from(root, key + 1);
        }
    }

    /// Visits keys and entries of one side by priority.
    pub(super) fn for_each_entry(
        &self,
        book: BookNumber,
        side: Side,
        mut visit: impl FnMut(u32, &Entry),
    ) {
        self.for_each_level(book, side, |key, level| {
            for place in self.queue(level) {
                visit(key, &self.orders[place]);
            }
            true
        });
    }

    /// Lists the entries queued at a level.
    fn queue(&self, level: u32) -> impl Iterator<Item = u32> {
        let some = |place: u32| (place != NOBODY).then_some(place);
        std::iter::successors(some(self.blocks[level].first), move |&place| {
            some(self.orders[place].behind)
        })
    }

    fn resting(&self, place: u32) -> RestingOrder {
        let entry = &self.orders[place];
        let side_number = self.side_of(place);
        RestingOrder {
            order_id: entry.order_id,
            participant: entry.participant,
            book: side_number.book(),
            side: side_number.side(),
            kind: if entry.is_post_only() {
                OrderKind::PostOnly
            } else {
                OrderKind::Limit
            },
            price_micro_per_kwh: self.price_of(entry.level(), side_number.side()),
            filled_milliwh: self.grid.energy_milliwh(entry.filled),
            leaves_milliwh: self.grid.energy_milliwh(entry.leaves),
        }
    }
}
