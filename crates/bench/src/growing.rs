//! W1 and W3: limit orders only, crossing by six ticks of ten, so that books grow without end.

use crate::lcg::Lcg;
use crate::stream::{Kind, Op, participant_of};

const SEED: u64 = 42;
const BOOKS: u32 = 1_000;

/// Makes W1: `orders` limit orders into one book, bids and offers in turn.
///
/// # Source
/// The mix of liquibook's own performance test, with another generator of random numbers.
pub fn w1(orders: u32) -> Vec<Op> {
    limit_orders(orders, |_| 1, |i| i % 2 == 0)
}

/// Makes W3: the mix of W1 dealt over a thousand books, one order each in turn.
pub fn w3(orders: u32) -> Vec<Op> {
    limit_orders(orders, |i| i % BOOKS + 1, |i| (i / BOOKS).is_multiple_of(2))
}

fn limit_orders(orders: u32, book: impl Fn(u32) -> u32, buys: impl Fn(u32) -> bool) -> Vec<Op> {
    let mut random = Lcg::seeded(SEED);
    let order = |i: u32| {
        let price = random.draw_step(10) + if buys(i) { 1_880 } else { 1_884 };
        let quantity = (random.draw_step(10) + 1) * 100;
        Op {
            kind: Kind::Add,
            buys: buys(i),
            book: book(i),
            order_id: u64::from(i) + 1,
            participant: participant_of(u64::from(i) + 1, buys(i)),
            price,
            quantity,
            quantity_total: quantity,
        }
    };
    (0..orders).map(order).collect()
}
