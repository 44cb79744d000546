//! The streams W1, W2 and W3: liquibook's and exchange-core's mixes on a generator of our own.

use gridrig_market::MarketRules;
use gridrig_market::book::{Capacity, Command, Event, EventSink, ExchangeConfig, OrderKind};
use gridrig_quantity::{PRICE_MICRO_PER_KWH_MAX, Side};

/// The linear congruential generator of the streams, high bits out.
pub struct Stream(u64);

impl Stream {
    pub fn new() -> Self {
        Self(42)
    }

    pub fn next(&mut self) -> u64 {
        self.0 = self
            .0
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        self.0 >> 33
    }

    pub fn below(&mut self, bound: u64) -> u64 {
        self.next() % bound
    }
}

/// Buyers and sellers are different participants, so nobody meets itself.
pub const PARTICIPANTS: u32 = 1000;

pub fn participant(order_id: u64, side: Side) -> u32 {
    (order_id % u64::from(PARTICIPANTS / 2)) as u32 * 2 + side as u32
}

pub fn config(books: u32, orders: u32) -> ExchangeConfig {
    let rules = MarketRules::new(1, 1).expect("the smallest steps there are");
    ExchangeConfig::unlimited(
        rules,
        Capacity {
            books: books + 1,
            participants: PARTICIPANTS,
            orders,
            price_blocks: 4 * books + 60,
        },
    )
}

pub fn open(book: u32) -> Command {
    Command::OpenBook {
        book,
        period: book,
        zone: 0,
        price_micro_per_kwh_min: -PRICE_MICRO_PER_KWH_MAX as i32,
        price_micro_per_kwh_max: PRICE_MICRO_PER_KWH_MAX as i32,
    }
}

fn submit(order_id: u64, book: u32, side: Side, kind: OrderKind, price: u64, lots: u64) -> Command {
    Command::Submit {
        order_id,
        energy_milliwh: lots as i64,
        price_micro_per_kwh: price as i32,
        participant: participant(order_id, side),
        book,
        side,
        kind,
    }
}

/// W1 with one book, W3 with a thousand.
pub fn growing(orders: u64, books: u64) -> Vec<Command> {
    let mut stream = Stream::new();
    (0..orders)
        .map(|i| {
            let side = if i / books % 2 == 0 {
                Side::Bid
            } else {
                Side::Offer
            };
            let from = if side == Side::Bid { 1880 } else { 1884 };
            let price = stream.below(10) + from;
            let lots = (stream.below(10) + 1) * 100;
            let book = (i % books) as u32 + 1;
            submit(i + 1, book, side, OrderKind::Limit, price, lots)
        })
        .collect()
}

/// What W2 has to know of a live order.
#[derive(Clone, Copy)]
pub struct Live {
    pub order_id: u64,
    pub side: Side,
    pub price: u64,
}

/// Makes W2 step by step: which orders are live depends on what the engine filled.
pub struct Moving {
    stream: Stream,
    pub live: Vec<Live>,
    /// Where an order is in `live`, by number.
    position: Vec<usize>,
}

const MID: u64 = 10_000;

impl Moving {
    pub fn new() -> Self {
        Self {
            stream: Stream::new(),
            live: Vec::new(),
            position: vec![usize::MAX],
        }
    }

    fn add(&mut self, order: Live) {
        self.position[order.order_id as usize] = self.live.len();
        self.live.push(order);
    }

    pub fn remove(&mut self, order_id: u64) {
        let at = std::mem::replace(&mut self.position[order_id as usize], usize::MAX);
        if at != usize::MAX {
            self.live.swap_remove(at);
            if let Some(moved) = self.live.get(at) {
                self.position[moved.order_id as usize] = at;
            }
        }
    }

    fn own_side(side: Side, distance: u64) -> u64 {
        match side {
            Side::Bid => MID - distance,
            Side::Offer => MID + distance,
        }
    }

    fn side(&mut self) -> Side {
        if self.stream.next() & 1 == 1 {
            Side::Bid
        } else {
            Side::Offer
        }
    }

    pub fn rest(&mut self) -> Command {
        let side = self.side();
        let price = Self::own_side(side, 1 + self.stream.below(400));
        let lots = 1 + self.stream.below(10);
        let order_id = self.position.len() as u64;
        self.position.push(usize::MAX);
        self.add(Live {
            order_id,
            side,
            price,
        });
        submit(order_id, 1, side, OrderKind::Limit, price, lots)
    }

    fn take(&mut self) -> Command {
        let side = self.side();
        let lots = 1 + self.stream.below(10);
        let order_id = self.position.len() as u64;
        self.position.push(usize::MAX);
        let price = Self::own_side(side.opposite(), 400);
        submit(order_id, 1, side, OrderKind::ImmediateOrCancel, price, lots)
    }

    fn pick(&mut self) -> Live {
        let at = self.stream.below(self.live.len() as u64);
        self.live[at as usize]
    }

    fn cancel(&mut self) -> Command {
        let Live { order_id, side, .. } = self.pick();
        self.remove(order_id);
        Command::Cancel {
            order_id,
            participant: participant(order_id, side),
        }
    }

    /// `total` gives what an order was submitted with; a move leaves it.
    fn shift(&mut self, total: impl Fn(u64) -> i64) -> Command {
        let Live {
            order_id,
            side,
            price,
        } = self.pick();
        let distance = 1 + self.stream.below(400);
        let mut to = Self::own_side(side, distance);
        if to == price {
            to = Self::own_side(side, distance % 400 + 1);
        }
        self.remove(order_id);
        self.add(Live {
            order_id,
            side,
            price: to,
        });
        Command::Amend {
            order_id,
            energy_milliwh: total(order_id),
            price_micro_per_kwh: to as i32,
            participant: participant(order_id, side),
        }
    }

    pub fn step(&mut self, total: impl Fn(u64) -> i64) -> Command {
        let choice = if self.live.len() < 100 {
            0
        } else {
            self.stream.below(100)
        };
        match choice {
            0..9 => self.rest(),
            9..12 => self.take(),
            12..18 => self.cancel(),
            _ => self.shift(total),
        }
    }
}

/// What the known answers count.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
pub struct Tally {
    pub trades: u64,
    pub volume: i64,
    pub notional: i64,
    pub refused: u64,
}

impl EventSink for Tally {
    fn push(&mut self, event: Event) {
        match event {
            Event::Traded {
                energy_milliwh,
                price_micro_per_kwh,
                ..
            } => {
                self.trades += 1;
                self.volume += energy_milliwh;
                self.notional += energy_milliwh * i64::from(price_micro_per_kwh);
            }
            Event::Refused { .. } => self.refused += 1,
            _ => {}
        }
    }
}
