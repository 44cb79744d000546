//! An incoming order against the other side, best price first, first come first served.

use gridrig_quantity::Side;

use super::grid::tick_of;
use super::sides::SideNumber;
use super::{CancelReason, Event, EventSink, Exchange, OrderId, Participant, SelfMatch};

/// An order on its way in, not in any queue.
#[derive(Debug, Clone, Copy)]
pub(super) struct Incoming {
    pub(super) order_id: OrderId,
    pub(super) participant: Participant,
    /// Where it would rest.
    pub(super) side_number: SideNumber,
    /// Its limit, as a key of its own side.
    pub(super) key: u32,
    /// What is left of it. [lots]
    pub(super) leaves: u32,
    /// What it has traded. [lots]
    pub(super) filled: u32,
}

impl Incoming {
    /// Returns the worst key of the other side that its limit reaches.
    #[inline]
    fn reach(&self) -> u32 {
        !self.key
    }
}

impl Exchange {
    /// Trades an incoming order as far as its limit goes; what is left is in `taker.leaves`.
    #[inline]
    pub(super) fn match_incoming<S: EventSink>(&mut self, taker: &mut Incoming, events: &mut S) {
        let other = taker.side_number.opposite();
        while taker.leaves > 0 {
            let side = other.of(&self.books);
            if side.best_key > taker.reach() {
                break;
            }
            let (key, level) = (side.best_key, side.best_level);
            let place = self.blocks[level].first;
            if self.orders[place].participant == taker.participant {
                self.meet_self(taker, place, events);
            } else {
                let price = self.grid.price(tick_of(key, other.side()));
                self.trade(taker, place, level, price, events);
            }
        }
    }

    #[inline]
    fn trade<S: EventSink>(
        &mut self,
        taker: &mut Incoming,
        place: u32,
        level: u32,
        price_micro_per_kwh: i32,
        events: &mut S,
    ) {
        let maker = &mut self.orders[place];
        let lots = taker.leaves.min(maker.leaves);
        let energy_milliwh = self.grid.energy_milliwh(lots);
        taker.leaves -= lots;
        taker.filled += lots;
        events.push(Event::Traded {
            maker_id: maker.order_id,
            taker_id: taker.order_id,
            energy_milliwh,
            price_micro_per_kwh,
            maker: maker.participant,
            taker: taker.participant,
            book: taker.side_number.book(),
            taker_side: taker.side_number.side(),
        });
        if lots == maker.leaves {
            self.take_out(place);
        } else {
            maker.leaves -= lots;
            maker.filled += lots;
            let participant = maker.participant as usize;
            self.blocks[level].lots -= u64::from(lots);
            self.accounts[participant].energy_milliwh -= energy_milliwh;
        }
    }

    /// Keeps a participant from trading with itself.
    #[cold]
    fn meet_self<S: EventSink>(&mut self, taker: &mut Incoming, place: u32, events: &mut S) {
        match self.accounts[taker.participant as usize].self_match {
            SelfMatch::CancelResting => {
                self.cancel_resting(place, CancelReason::SelfMatch, events);
            }
            SelfMatch::CancelIncoming => self.give_up(taker, CancelReason::SelfMatch, events),
            SelfMatch::CancelBoth => {
                self.cancel_resting(place, CancelReason::SelfMatch, events);
                self.give_up(taker, CancelReason::SelfMatch, events);
            }
            SelfMatch::Decrement => self.decrement(taker, place, events),
        }
    }

    /// Takes the smaller energy from both orders: the resting one is told of first.
    fn decrement<S: EventSink>(&mut self, taker: &mut Incoming, place: u32, events: &mut S) {
        let resting = self.orders[place];
        let lots = taker.leaves.min(resting.leaves);
        let energy_milliwh = self.grid.energy_milliwh(lots);
        if lots == resting.leaves {
            self.cancel_resting(place, CancelReason::SelfMatch, events);
        } else {
            self.orders[place].leaves -= lots;
            self.blocks[resting.level()].lots -= u64::from(lots);
            self.accounts[taker.participant as usize].energy_milliwh -= energy_milliwh;
            events.push(Event::Reduced {
                order_id: resting.order_id,
                energy_milliwh,
                participant: resting.participant,
                book: taker.side_number.book(),
            });
        }
        if lots == taker.leaves {
            self.give_up(taker, CancelReason::SelfMatch, events);
        } else {
            taker.leaves -= lots;
            events.push(Event::Reduced {
                order_id: taker.order_id,
                energy_milliwh,
                participant: taker.participant,
                book: taker.side_number.book(),
            });
        }
    }

    /// Cancels what is left of an incoming order.
    #[inline]
    pub(super) fn give_up<S: EventSink>(
        &self,
        taker: &mut Incoming,
        reason: CancelReason,
        events: &mut S,
    ) {
        events.push(Event::Cancelled {
            order_id: taker.order_id,
            energy_milliwh: self.grid.energy_milliwh(taker.leaves),
            participant: taker.participant,
            book: taker.side_number.book(),
            reason,
        });
        taker.leaves = 0;
    }

    /// Returns whether the limit of an incoming order reaches an order of somebody else.
    #[inline]
    pub(super) fn takes_foreign(&self, taker: &Incoming) -> bool {
        self.foreign_lots(taker, 1, true) >= 1
    }

    /// Returns whether an incoming order would be filled whole under its self-match policy.
    pub(super) fn fills_whole(&self, taker: &Incoming) -> bool {
        let policy = self.accounts[taker.participant as usize].self_match;
        let passes_self = policy == SelfMatch::CancelResting;
        self.foreign_lots(taker, taker.leaves, passes_self) >= taker.leaves
    }

    /// Counts what others offer within the limit, up to `wanted`: all of it, or with `passes_self`
    /// false what stands before the first order of the same participant. [lots]
    #[inline]
    fn foreign_lots(&self, taker: &Incoming, wanted: u32, passes_self: bool) -> u32 {
        let side = taker.side_number.opposite().of(&self.books);
        if side.best_key > taker.reach() {
            return 0;
        }
        let mut found = 0;
        let mut next = Some((side.best_key, side.best_level));
        while let Some((key, level)) = next.filter(|&(key, _)| key <= taker.reach()) {
            let mut place = self.blocks[level].first;
            while place != super::orders::NOBODY {
                let entry = &self.orders[place];
                if entry.participant != taker.participant {
                    found += entry.leaves.min(wanted - found);
                } else if !passes_self {
                    return found;
                }
                if found == wanted {
                    return found;
                }
                place = entry.behind;
            }
            next = self.blocks.first_from(side.root, key + 1);
        }
        found
    }

    /// Returns which way the book number and side of an order point.
    pub(super) fn side_of(&self, place: u32) -> SideNumber {
        SideNumber(self.blocks.side(self.orders[place].level()))
    }

    /// Returns the limit of a resting order.
    pub(super) fn price_of(&self, level: u32, side: Side) -> i32 {
        self.grid.price(tick_of(self.blocks.key(level), side))
    }
}
