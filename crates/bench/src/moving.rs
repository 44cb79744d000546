//! W2: one book in which four commands of five move a resting order to another price.

use std::collections::HashMap;

use crate::lcg::Lcg;
use crate::naive::NaiveBook;
use crate::stream::{Kind, Op, participant_of};

const SEED: u64 = 42;
const MID: i64 = 10_000;
/// Prices stay within so many ticks of the middle.
const DEPTH: i64 = 400;
const QUANTITY_MAX: u64 = 10;
pub(crate) const RESTS_FIRST: usize = 1_000;
pub(crate) const STEPS: usize = 3_000_000;
/// Fewer live orders than this, and the next command rests one.
const LIVE_MIN: usize = 100;

/// Makes W2: 1,000 resting orders, then three million commands.
///
/// # Source
/// The mix of exchange-core's throughput test: 9 % limit orders, 3 % immediate-or-cancel, 6 %
/// cancels, 82 % moves.
pub fn w2() -> Vec<Op> {
    w2_steps(STEPS)
}

/// Makes the first part of W2, with `steps` commands after the first thousand.
pub fn w2_steps(steps: usize) -> Vec<Op> {
    let mut maker = Maker {
        random: Lcg::seeded(SEED),
        book: NaiveBook::default(),
        live: Vec::new(),
        index: HashMap::new(),
        totals: Vec::new(),
        stream: Vec::with_capacity(RESTS_FIRST + steps),
    };
    for _ in 0..RESTS_FIRST {
        maker.rest();
    }
    for _ in 0..steps {
        let u = maker.random.draw_below(100);
        match u {
            _ if maker.live.len() < LIVE_MIN => maker.rest(),
            0..9 => maker.rest(),
            9..12 => maker.immediate_or_cancel(),
            12..18 => maker.cancel(),
            _ => maker.move_one(),
        }
    }
    maker.stream
}

/// Makes the stream and keeps a book of its own, which tells what is live and how much of it.
struct Maker {
    random: Lcg,
    book: NaiveBook,
    /// Orders with an open quantity; a removal puts the last one in the gap.
    live: Vec<u64>,
    index: HashMap<u64, usize>,
    /// The quantity that order i + 1 came with.
    totals: Vec<i64>,
    stream: Vec<Op>,
}

impl Maker {
    fn rest(&mut self) {
        let buys = self.random.draw_below(2) == 1;
        let depth = 1 + self.random.draw_step(DEPTH as u64);
        let op = self.order(
            Kind::Add,
            buys,
            if buys { MID - depth } else { MID + depth },
        );
        self.book.rest(&op, op.quantity);
        self.join(op.order_id);
        self.stream.push(op);
    }

    fn immediate_or_cancel(&mut self) {
        let buys = self.random.draw_below(2) == 1;
        let price = if buys { MID + DEPTH } else { MID - DEPTH };
        let op = self.order(Kind::ImmediateOrCancel, buys, price);
        let mut gone = Vec::new();
        self.book.take(&op, |fill| {
            if fill.is_last {
                gone.push(fill.order_id);
            }
        });
        gone.into_iter().for_each(|order_id| self.leave(order_id));
        self.stream.push(op);
    }

    fn cancel(&mut self) {
        let order_id = self.any_live();
        let Some((buys, ..)) = self.book.find(order_id) else {
            return;
        };
        self.book.remove(order_id);
        self.leave(order_id);
        self.stream.push(Op {
            kind: Kind::Cancel,
            buys: false,
            book: 1,
            order_id,
            participant: participant_of(order_id, buys),
            price: 0,
            quantity: 0,
            quantity_total: 0,
        });
    }

    fn move_one(&mut self) {
        let order_id = self.any_live();
        let depth = 1 + self.random.draw_step(DEPTH as u64);
        let Some((buys, present, quantity)) = self.book.find(order_id) else {
            return;
        };
        let own_side = |depth: i64| if buys { MID - depth } else { MID + depth };
        let other_depth = depth % DEPTH + 1;
        let price = if own_side(depth) == present {
            own_side(other_depth)
        } else {
            own_side(depth)
        };
        let op = Op {
            kind: Kind::Move,
            buys,
            book: 1,
            order_id,
            participant: participant_of(order_id, buys),
            price,
            quantity,
            quantity_total: self.totals[order_id as usize - 1],
        };
        self.book.remove(order_id);
        self.book.rest(&op, quantity);
        self.leave(order_id);
        self.join(order_id);
        self.stream.push(op);
    }

    /// Makes an order with the next number; its quantity is the next draw.
    fn order(&mut self, kind: Kind, buys: bool, price: i64) -> Op {
        let quantity = 1 + self.random.draw_step(QUANTITY_MAX);
        self.totals.push(quantity);
        let order_id = self.totals.len() as u64;
        Op {
            kind,
            buys,
            book: 1,
            order_id,
            participant: participant_of(order_id, buys),
            price,
            quantity,
            quantity_total: quantity,
        }
    }

    fn any_live(&mut self) -> u64 {
        let index = self.random.draw_below(self.live.len() as u64);
        self.live[index as usize]
    }

    fn join(&mut self, order_id: u64) {
        self.index.insert(order_id, self.live.len());
        self.live.push(order_id);
    }

    fn leave(&mut self, order_id: u64) {
        if let Some(gap) = self.index.remove(&order_id) {
            self.live.swap_remove(gap);
            if let Some(&moved) = self.live.get(gap) {
                self.index.insert(moved, gap);
            }
        }
    }
}
