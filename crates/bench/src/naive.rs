//! The floor of the benchmark: the book that everybody writes first.
//!
//! An ordered map from price to a queue of orders for each side, and a hash map from an order's
//! number to where it rests. Best price by the end of the map, arrival by the queue; a cancel
//! looks through one queue. It has no owners, limits, rules or log: it does less than the engine.
//!
//! The hash function is a parameter: the standard library's, which resists chosen keys, is what
//! everybody has; a faster one that does not is the next thing to try, so both are measured.

use std::collections::btree_map::Entry;
use std::collections::{BTreeMap, HashMap, VecDeque};
use std::hash::{BuildHasher, RandomState};

use rustc_hash::FxBuildHasher;

use crate::stream::{Kind, Op};
use crate::venue::{Answer, Venue};

#[derive(Debug, Clone, Copy)]
struct Resting {
    order_id: u64,
    quantity: i64,
}

type Queue = VecDeque<Resting>;
type Levels = BTreeMap<i64, Queue>;

#[derive(Debug, Clone, Copy)]
struct Place {
    buys: bool,
    price: i64,
}

/// A trade as the naive book reports it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Fill {
    /// The resting order.
    pub(crate) order_id: u64,
    /// Quantity traded.
    pub(crate) quantity: i64,
    /// Price of the resting order.
    pub(crate) price: i64,
    /// Whether nothing is left of the resting order.
    pub(crate) is_last: bool,
}

/// One book of price-time priority out of the standard collections.
#[derive(Debug, Default)]
pub(crate) struct NaiveBook<H = RandomState> {
    bids: Levels,
    offers: Levels,
    places: HashMap<u64, Place, H>,
}

impl<H: BuildHasher> NaiveBook<H> {
    /// Matches an order against the other side and returns what is left of it.
    pub(crate) fn take(&mut self, op: &Op, mut report: impl FnMut(Fill)) -> i64 {
        let mut left = op.quantity;
        while left > 0 {
            let best = if op.buys {
                self.offers.first_entry()
            } else {
                self.bids.last_entry()
            };
            let Some(mut level) = best else { break };
            let price = *level.key();
            if (op.buys && price > op.price) || (!op.buys && price < op.price) {
                break;
            }
            let queue = level.get_mut();
            while left > 0 {
                let Some(first) = queue.front_mut() else {
                    break;
                };
                let quantity = left.min(first.quantity);
                first.quantity -= quantity;
                left -= quantity;
                let (order_id, is_last) = (first.order_id, first.quantity == 0);
                if is_last {
                    queue.pop_front();
                    self.places.remove(&order_id);
                }
                report(Fill {
                    order_id,
                    quantity,
                    price,
                    is_last,
                });
            }
            if queue.is_empty() {
                level.remove();
            }
        }
        left
    }

    /// Rests an order at the end of its queue.
    pub(crate) fn rest(&mut self, op: &Op, quantity: i64) {
        let (buys, price) = (op.buys, op.price);
        let resting = Resting {
            order_id: op.order_id,
            quantity,
        };
        self.side(buys).entry(price).or_default().push_back(resting);
        self.places.insert(op.order_id, Place { buys, price });
    }

    /// Takes an order out of the book and returns its open quantity, if it rests there.
    pub(crate) fn remove(&mut self, order_id: u64) -> Option<i64> {
        let Place { buys, price } = self.places.remove(&order_id)?;
        let Entry::Occupied(mut level) = self.side(buys).entry(price) else {
            return None;
        };
        let queue = level.get_mut();
        let index = queue.iter().position(|one| one.order_id == order_id)?;
        let resting = queue.remove(index)?;
        if queue.is_empty() {
            level.remove();
        }
        Some(resting.quantity)
    }

    /// Returns the side, price and open quantity of a resting order.
    pub(crate) fn find(&mut self, order_id: u64) -> Option<(bool, i64, i64)> {
        let Place { buys, price } = *self.places.get(&order_id)?;
        let queue = self.side(buys).get(&price)?;
        let resting = queue.iter().find(|one| one.order_id == order_id)?;
        Some((buys, price, resting.quantity))
    }

    fn side(&mut self, buys: bool) -> &mut Levels {
        if buys {
            &mut self.bids
        } else {
            &mut self.offers
        }
    }

    fn apply(&mut self, op: &Op, report: impl FnMut(Fill)) {
        match op.kind {
            Kind::Add => {
                let left = self.take(op, report);
                if left > 0 {
                    self.rest(op, left);
                }
            }
            Kind::ImmediateOrCancel => {
                self.take(op, report);
            }
            Kind::Cancel => {
                self.remove(op.order_id);
            }
            Kind::Move => {
                if let Some(quantity) = self.remove(op.order_id) {
                    let left = self.take(&Op { quantity, ..*op }, report);
                    if left > 0 {
                        self.rest(op, left);
                    }
                }
            }
        }
    }
}

/// Naive books side by side, as a venue, with the sums of their trades.
#[derive(Debug)]
pub struct NaiveVenue<H = RandomState> {
    books: Vec<NaiveBook<H>>,
    sums: Answer,
}

impl NaiveVenue {
    /// Opens books 1 to `books` with the standard library's hash function.
    pub fn standard(books: u32) -> Self {
        Self::open(books)
    }
}

impl NaiveVenue<FxBuildHasher> {
    /// Opens books 1 to `books` with a fast hash function.
    pub fn fast_hash(books: u32) -> Self {
        Self::open(books)
    }
}

impl<H: BuildHasher + Default> NaiveVenue<H> {
    fn open(books: u32) -> Self {
        Self {
            books: (0..books).map(|_| NaiveBook::default()).collect(),
            sums: Answer::default(),
        }
    }
}

impl<H: BuildHasher> Venue for NaiveVenue<H> {
    fn apply(&mut self, op: &Op) {
        let Self { books, sums } = self;
        if let Some(book) = books.get_mut(op.book as usize - 1) {
            book.apply(op, |fill| sums.count(fill.price, fill.quantity));
        }
    }

    fn answer(&self) -> Answer {
        let resting = self.books.iter().map(|book| book.places.len() as u64).sum();
        Answer {
            resting,
            ..self.sums
        }
    }
}
