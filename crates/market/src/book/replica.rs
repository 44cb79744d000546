//! A plain book kept from the event stream alone, which names the first law that the stream breaks.
//!
//! It shares nothing with the engine but the events: ordered maps of queues, no limits, no speed.
//! Whoever receives the stream can keep one; the tests compare it with the engine after every
//! command.

use std::collections::{BTreeMap, VecDeque};

use gridrig_quantity::Side;

use super::{BookNumber, CancelReason, Event, OrderId, OrderKind, Participant, RestingOrder};

/// A law that an event broke.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("{law} (order {order_id})")]
pub struct Breach {
    /// The law, in words.
    pub law: &'static str,
    /// The order it was broken by.
    pub order_id: OrderId,
}

/// Levels of one side by rank: the lowest rank is the best price.
type Levels = BTreeMap<i32, VecDeque<OrderId>>;

/// The books as their events tell them.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Replica {
    orders: BTreeMap<OrderId, RestingOrder>,
    sides: BTreeMap<(BookNumber, Side), Levels>,
    order_id_last: OrderId,
    traded_milliwh: i128,
}

fn rank(side: Side, price_micro_per_kwh: i32) -> i32 {
    match side {
        Side::Bid => -price_micro_per_kwh,
        Side::Offer => price_micro_per_kwh,
    }
}

impl Replica {
    /// Begins before the first event.
    pub fn new() -> Self {
        Self::default()
    }

    /// Follows the events of one command, and asks that no order stands where it may not.
    ///
    /// # Errors
    /// The first law broken.
    pub fn follow(&mut self, events: &[Event]) -> Result<(), Breach> {
        for event in events {
            self.apply(event)?;
        }
        for event in events {
            if let Event::Accepted { order_id, book, .. } | Event::Amended { order_id, book, .. } =
                *event
            {
                self.settled(order_id, book)?;
            }
        }
        Ok(())
    }

    /// Returns the energy traded so far. [mWh]
    pub const fn traded_milliwh(&self) -> i128 {
        self.traded_milliwh
    }

    /// Returns how many orders rest.
    pub fn orders_resting(&self) -> usize {
        self.orders.len()
    }

    /// Lists the resting orders of one side by priority.
    pub fn resting(&self, book: BookNumber, side: Side) -> Vec<RestingOrder> {
        let levels = self.sides.get(&(book, side)).into_iter();
        levels
            .flat_map(BTreeMap::values)
            .flatten()
            .map(|order_id| self.orders[order_id])
            .collect()
    }

    fn apply(&mut self, event: &Event) -> Result<(), Breach> {
        match *event {
            Event::Accepted {
                order_id,
                energy_milliwh,
                price_micro_per_kwh,
                participant,
                book,
                side,
                kind,
            } => self.accept(RestingOrder {
                order_id,
                participant,
                book,
                side,
                kind,
                price_micro_per_kwh,
                filled_milliwh: 0,
                leaves_milliwh: energy_milliwh,
            }),
            Event::Traded {
                maker_id,
                taker_id,
                energy_milliwh,
                price_micro_per_kwh,
                ..
            } => self.trade(maker_id, taker_id, energy_milliwh, price_micro_per_kwh),
            Event::Amended {
                order_id,
                energy_milliwh,
                price_micro_per_kwh,
                priority_kept,
                ..
            } => self.amend(order_id, energy_milliwh, price_micro_per_kwh, priority_kept),
            Event::Reduced {
                order_id,
                energy_milliwh,
                ..
            } => {
                let left = self.lose(order_id, energy_milliwh)?;
                law(left > 0, "a reduced order has some left", order_id)
            }
            Event::Cancelled {
                order_id,
                energy_milliwh,
                reason,
                ..
            } => {
                let order = self.known(order_id)?;
                let may_rest = reason != CancelReason::Unfilled || !order.kind.rests();
                law(may_rest, "only what may not rest goes unfilled", order_id)?;
                self.leave(order_id, energy_milliwh)
            }
            Event::Expired {
                order_id,
                energy_milliwh,
                ..
            } => self.leave(order_id, energy_milliwh),
            Event::AllCancelled { participant, .. } => self.nothing_left_of(participant),
            Event::GateClosed { book, .. } => self.nothing_left_in(book),
            Event::Refused { .. }
            | Event::ParticipantSet { .. }
            | Event::BookOpened { .. }
            | Event::CollarSet { .. }
            | Event::Halted { .. }
            | Event::Resumed { .. } => Ok(()),
        }
    }

    fn known(&self, order_id: OrderId) -> Result<RestingOrder, Breach> {
        self.orders.get(&order_id).copied().ok_or(Breach {
            law: "only known orders have events",
            order_id,
        })
    }

    fn accept(&mut self, order: RestingOrder) -> Result<(), Breach> {
        let order_id = order.order_id;
        law(
            order_id > self.order_id_last,
            "arrival numbers rise",
            order_id,
        )?;
        law(order.leaves_milliwh > 0, "energy is positive", order_id)?;
        self.order_id_last = order_id;
        self.orders.insert(order_id, order);
        self.enqueue(&order);
        Ok(())
    }

    fn enqueue(&mut self, order: &RestingOrder) {
        self.sides
            .entry((order.book, order.side))
            .or_default()
            .entry(rank(order.side, order.price_micro_per_kwh))
            .or_default()
            .push_back(order.order_id);
    }

    fn dequeue(&mut self, order: &RestingOrder) {
        let at = rank(order.side, order.price_micro_per_kwh);
        let levels = self.sides.entry((order.book, order.side)).or_default();
        if let Some(queue) = levels.get_mut(&at) {
            queue.retain(|&order_id| order_id != order.order_id);
            if queue.is_empty() {
                levels.remove(&at);
            }
        }
    }

    fn trade(
        &mut self,
        maker_id: OrderId,
        taker_id: OrderId,
        energy_milliwh: i64,
        price: i32,
    ) -> Result<(), Breach> {
        let (maker, taker) = (self.known(maker_id)?, self.known(taker_id)?);
        let limit = rank(maker.side, taker.price_micro_per_kwh);
        let opposite = maker.side == taker.side.opposite() && maker.book == taker.book;
        law(opposite, "opposite sides of one book trade", taker_id)?;
        law(energy_milliwh > 0, "a trade has energy", taker_id)?;
        law(
            price == maker.price_micro_per_kwh,
            "the resting price is the price",
            maker_id,
        )?;
        law(
            rank(maker.side, price) <= limit,
            "no fill is worse than a limit",
            taker_id,
        )?;
        law(
            maker.participant != taker.participant,
            "nobody trades with itself",
            taker_id,
        )?;
        law(
            self.first(maker.book, maker.side) == Some(maker_id),
            "priority is kept",
            maker_id,
        )?;
        law(
            taker.kind != OrderKind::PostOnly,
            "post-only never takes",
            taker_id,
        )?;
        self.traded_milliwh += i128::from(energy_milliwh);
        for order_id in [maker_id, taker_id] {
            if let Some(order) = self.orders.get_mut(&order_id) {
                order.filled_milliwh += energy_milliwh;
            }
            self.lose(order_id, energy_milliwh)?;
        }
        Ok(())
    }

    fn first(&self, book: BookNumber, side: Side) -> Option<OrderId> {
        let (_, queue) = self.sides.get(&(book, side))?.first_key_value()?;
        queue.front().copied()
    }

    /// Takes energy from an order, which leaves at zero; returns what is left.
    fn lose(&mut self, order_id: OrderId, energy_milliwh: i64) -> Result<i64, Breach> {
        let mut order = self.known(order_id)?;
        let left = order.leaves_milliwh - energy_milliwh;
        law(left >= 0, "no order is filled beyond its energy", order_id)?;
        order.leaves_milliwh = left;
        self.orders.insert(order_id, order);
        if left == 0 {
            self.leave(order_id, 0)?;
        }
        Ok(left)
    }

    fn leave(&mut self, order_id: OrderId, energy_milliwh: i64) -> Result<(), Breach> {
        let order = self.known(order_id)?;
        let agrees = order.leaves_milliwh == energy_milliwh;
        law(agrees, "an order leaves with what is left of it", order_id)?;
        self.dequeue(&order);
        self.orders.remove(&order_id);
        Ok(())
    }

    fn amend(
        &mut self,
        order_id: OrderId,
        energy_milliwh: i64,
        price: i32,
        priority_kept: bool,
    ) -> Result<(), Breach> {
        let before = self.known(order_id)?;
        let mut order = before;
        order.leaves_milliwh = energy_milliwh - before.filled_milliwh;
        order.price_micro_per_kwh = price;
        law(
            order.leaves_milliwh > 0,
            "an amended order has some left",
            order_id,
        )?;
        let keeps =
            price == before.price_micro_per_kwh && order.leaves_milliwh <= before.leaves_milliwh;
        law(
            keeps == priority_kept,
            "smaller keeps priority, all else loses it",
            order_id,
        )?;
        self.orders.insert(order_id, order);
        if !priority_kept {
            self.dequeue(&before);
            self.enqueue(&order);
        }
        Ok(())
    }

    fn nothing_left_of(&self, participant: Participant) -> Result<(), Breach> {
        let left = self.orders.values().find(|o| o.participant == participant);
        let order_id = left.map_or(0, |order| order.order_id);
        law(left.is_none(), "all of a participant's orders go", order_id)
    }

    fn nothing_left_in(&self, book: BookNumber) -> Result<(), Breach> {
        let left = self.orders.values().find(|order| order.book == book);
        let order_id = left.map_or(0, |order| order.order_id);
        law(left.is_none(), "a closed book is empty", order_id)
    }

    /// Asks that a command has left the book uncrossed and the order only where it may be.
    fn settled(&self, order_id: OrderId, book: BookNumber) -> Result<(), Breach> {
        if let Some(order) = self.orders.get(&order_id) {
            law(
                order.kind.rests(),
                "only limit and post-only orders rest",
                order_id,
            )?;
        }
        let best = |side| {
            self.first(book, side)
                .map(|order_id| self.orders[&order_id])
        };
        match (best(Side::Bid), best(Side::Offer)) {
            (Some(bid), Some(offer)) => {
                let apart = bid.price_micro_per_kwh < offer.price_micro_per_kwh;
                law(apart, "no book is left crossed", order_id)
            }
            _ => Ok(()),
        }
    }
}

fn law(holds: bool, law: &'static str, order_id: OrderId) -> Result<(), Breach> {
    if holds {
        Ok(())
    } else {
        Err(Breach { law, order_id })
    }
}
