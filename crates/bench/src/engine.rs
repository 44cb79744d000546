//! The engine under the workloads: all checks, limits, self-match rules and events on.

use std::hint;

use gridrig_market::MarketRules;
use gridrig_market::book::{
    BookError, Capacity, Command, CommandLog, Event, EventSink, Exchange, ExchangeConfig, OrderKind,
};
use gridrig_quantity::Side;

use crate::stream::{Kind, Op, PARTICIPANTS};
use crate::venue::{Answer, Venue};

/// The usual smallest steps: one Wh, and a thousandth of the currency.
const LOT_MILLIWH: i64 = 1_000;
const TICK_MICRO_PER_KWH: i32 = 1_000;
/// Events held before they are forgotten, as a reader that keeps up would let them be.
const EVENTS_HELD: usize = 1_024;

/// Returns the energy of an operation; a quantity is a number of lots. [mWh]
pub(crate) const fn energy_milliwh(op: &Op) -> i64 {
    op.quantity_total * LOT_MILLIWH
}

/// Returns the price of an operation, which counts ticks. [millionths/kWh]
pub(crate) const fn price_micro_per_kwh(op: &Op) -> i32 {
    op.price as i32 * TICK_MICRO_PER_KWH
}

/// Returns the command that an operation stands for, in the units of the market.
pub fn command(op: &Op) -> Command {
    let Op {
        order_id,
        participant,
        ..
    } = *op;
    let (energy_milliwh, price_micro_per_kwh) = (energy_milliwh(op), price_micro_per_kwh(op));
    match op.kind {
        Kind::Add | Kind::ImmediateOrCancel => Command::Submit {
            order_id,
            energy_milliwh,
            price_micro_per_kwh,
            participant,
            book: op.book - 1,
            side: if op.buys { Side::Bid } else { Side::Offer },
            kind: if op.kind == Kind::Add {
                OrderKind::Limit
            } else {
                OrderKind::ImmediateOrCancel
            },
        },
        Kind::Cancel => Command::Cancel {
            order_id,
            participant,
        },
        Kind::Move => Command::Amend {
            order_id,
            energy_milliwh,
            price_micro_per_kwh,
            participant,
        },
    }
}

/// Makes the exchange of the workloads with its books open.
///
/// # Errors
/// [`BookError::Capacity`] if there are more books or orders than an exchange can hold.
pub fn exchange(books: u32, orders: u32) -> Result<Exchange, BookError> {
    let rules = MarketRules::new(LOT_MILLIWH, i64::from(TICK_MICRO_PER_KWH));
    let capacity = Capacity {
        books,
        participants: PARTICIPANTS,
        orders,
        price_blocks: 16 * books + 64,
    };
    let rules = rules.expect("constant rules are valid");
    let mut exchange = Exchange::new(ExchangeConfig::unlimited(rules, capacity))?;
    let mut events = Vec::new();
    for book in 0..books {
        let opened = Command::OpenBook {
            book,
            period: book,
            zone: 0,
            price_micro_per_kwh_min: 0,
            price_micro_per_kwh_max: 1_000_000_000,
        };
        exchange.apply(&opened, &mut events);
    }
    Ok(exchange)
}

/// Keeps every event for a while, as a reader needs it, and counts the trades.
#[derive(Debug)]
struct Recorder {
    events: Vec<Event>,
    sums: Answer,
}

impl EventSink for Recorder {
    #[inline]
    fn push(&mut self, event: Event) {
        if let Event::Traded {
            energy_milliwh,
            price_micro_per_kwh,
            ..
        } = event
        {
            let (price, quantity) = (
                price_micro_per_kwh / TICK_MICRO_PER_KWH,
                energy_milliwh / LOT_MILLIWH,
            );
            self.sums.count(i64::from(price), quantity);
        }
        if self.events.len() == EVENTS_HELD {
            self.events.clear();
        }
        self.events.push(event);
    }
}

/// The engine as a venue.
#[derive(Debug)]
pub struct EngineVenue {
    exchange: Exchange,
    recorder: Recorder,
}

impl EngineVenue {
    /// Opens books 1 to `books` with room for `orders` resting orders.
    ///
    /// # Errors
    /// [`BookError::Capacity`] if an exchange cannot hold so much.
    pub fn open(books: u32, orders: u32) -> Result<Self, BookError> {
        Ok(Self {
            exchange: exchange(books, orders)?,
            recorder: Recorder {
                events: Vec::with_capacity(EVENTS_HELD),
                sums: Answer::default(),
            },
        })
    }
}

impl Venue for EngineVenue {
    #[inline]
    fn apply(&mut self, op: &Op) {
        self.exchange.apply(&command(op), &mut self.recorder);
    }

    fn answer(&self) -> Answer {
        Answer {
            resting: u64::from(self.exchange.orders_resting()),
            ..self.recorder.sums
        }
    }
}

/// Commands in a frame of the log: what a writer would sync together.
const FRAME_COMMANDS: u32 = 4_096;

/// The engine with its command log on: each command is appended before it is carried out, frames
/// are sealed with their checksum and given away.
#[derive(Debug)]
pub struct LoggedVenue {
    engine: EngineVenue,
    log: CommandLog,
    in_frame: u32,
}

impl LoggedVenue {
    /// Opens books 1 to `books` with room for `orders` resting orders.
    ///
    /// # Errors
    /// [`BookError::Capacity`] if an exchange cannot hold so much.
    pub fn open(books: u32, orders: u32) -> Result<Self, BookError> {
        let engine = EngineVenue::open(books, orders)?;
        let mut log = CommandLog::new(engine.exchange.config(), u64::from(books));
        log.reserve(FRAME_COMMANDS as usize + 1);
        Ok(Self {
            engine,
            log,
            in_frame: 0,
        })
    }
}

impl Venue for LoggedVenue {
    #[inline]
    fn apply(&mut self, op: &Op) {
        self.log.append(&command(op));
        self.engine.apply(op);
        self.in_frame += 1;
        if self.in_frame == FRAME_COMMANDS {
            hint::black_box(self.log.seal());
            self.log.drain();
            self.in_frame = 0;
        }
    }

    fn answer(&self) -> Answer {
        self.engine.answer()
    }
}
