//! Any bytes as commands, with every law asked after each: what a fuzzer and the tests call.

use gridrig_quantity::Side;

use super::{
    BookError, BookNumber, Capacity, Command, CommandLog, DepthLevel, Event, Exchange,
    ExchangeConfig, OrderKind, RECORD_BYTES, Replica, RestingOrder, SelfMatch,
};
use crate::MarketRules;

const BOOKS: u32 = 3;
const PARTICIPANTS: u32 = 4;

/// A small exchange whose every limit is within reach of a few dozen commands.
///
/// # Errors
/// None for these numbers; they are checked like any others.
pub fn small_exchange() -> Result<Exchange, BookError> {
    let rules = MarketRules::new(10, 5).map_err(|_| BookError::Limit {
        what: "rules",
        found: 0,
    })?;
    Exchange::new(ExchangeConfig {
        rules,
        capacity: Capacity {
            books: BOOKS,
            participants: PARTICIPANTS,
            orders: 14,
            price_blocks: 8,
        },
        order_energy_milliwh_max: 300,
        participant_orders_max: 8,
        participant_energy_milliwh_max: 1500,
        self_match: SelfMatch::CancelResting,
    })
}

/// Reads bytes as commands that are mostly sensible: books, participants and prices are few.
///
/// Eight bytes make a command; what is left over at the end is not read.
pub fn commands(bytes: &[u8]) -> Vec<Command> {
    let mut order_id = 0;
    let mut made: Vec<Command> = (0..2).map(|book| open(book, 0)).collect();
    let pieces = bytes.chunks(8).filter_map(<[u8]>::first_chunk::<8>);
    made.extend(pieces.map(|&piece| command(piece, &mut order_id)));
    made
}

fn open(book: BookNumber, narrow: i32) -> Command {
    Command::OpenBook {
        book,
        period: book,
        zone: 1,
        price_micro_per_kwh_min: -2000 + narrow,
        price_micro_per_kwh_max: 2000 - narrow,
    }
}

/// Mostly a price near zero, now and then a far, forbidden or odd one.
fn price(byte: u8, far: u8) -> i32 {
    let near = i32::from(byte % 16) * 5 - 40;
    match far {
        0..=199 => near,
        200..=239 => near * 41,
        240..=247 => near + 1,
        248..=251 => i32::MIN + i32::from(byte),
        252..=255 => i32::MAX - i32::from(byte),
    }
}

/// Mostly a few lots, now and then none, too many or a broken one.
fn energy(byte: u8) -> i64 {
    match byte {
        0..=239 => i64::from(byte % 12 + 1) * 10,
        240..=247 => i64::from(byte - 240) * 50,
        248..=251 => i64::from(byte),
        252 => -10,
        253 => i64::MIN,
        254..=255 => i64::MAX,
    }
}

fn command(
    [what, who, size, at, far, about, flags, place]: [u8; 8],
    order_id: &mut u64,
) -> Command {
    let participant = if who == 255 {
        PARTICIPANTS
    } else {
        u32::from(who) % PARTICIPANTS
    };
    let book = u32::from(place) % 2 + u32::from(place >= 250) * 2;
    let price_micro_per_kwh = price(at, far);
    let named = order_id.saturating_sub(u64::from(about % 16) + u64::from(about / 64) * 63);
    match what {
        0..=159 => {
            // Now and then a whole lap of the order table, so that homes are taken.
            *order_id += u64::from(flags >= 4) + if about >= 224 { 63 } else { 0 };
            Command::Submit {
                order_id: *order_id,
                energy_milliwh: energy(size),
                price_micro_per_kwh,
                participant,
                book,
                side: if flags & 1 == 0 {
                    Side::Bid
                } else {
                    Side::Offer
                },
                kind: OrderKind::ALL
                    [usize::from(flags >> 1) % if flags & 128 == 0 { 1 } else { 6 }],
            }
        }
        160..=184 => Command::Cancel {
            order_id: named,
            participant,
        },
        185..=234 => Command::Amend {
            order_id: named,
            energy_milliwh: energy(size),
            price_micro_per_kwh,
            participant,
        },
        235..=237 => Command::CancelAll { participant },
        238..=242 => Command::SetParticipant {
            participant,
            orders_max: u32::from(size) % 12,
            energy_milliwh_max: energy(at).saturating_mul(20),
            self_match: SelfMatch::ALL[usize::from(flags) % 4],
        },
        243..=246 => open(book, i32::from(at) * 8),
        247..=248 => Command::SetCollar {
            book,
            price_micro_per_kwh_min: price_micro_per_kwh,
            price_micro_per_kwh_max: price_micro_per_kwh.saturating_add(size.into()),
        },
        249..=250 => Command::Halt { book },
        251..=253 => Command::Resume { book },
        254..=255 => Command::CloseGate { book },
    }
}

/// Carries out commands and asks every law after each of them; the exchange is returned.
///
/// # Panics
/// If a law is broken: depth and queues differ from the replica of the event stream, an account
/// does not add up, the log does not replay to the state hash, or a snapshot has another future.
pub fn assert_laws(mut exchange: Exchange, commands: &[Command]) -> Exchange {
    let mut replica = Replica::new();
    let mut log = CommandLog::new(exchange.config(), 0);
    let mut events = Vec::new();
    let mut restored: Option<(Exchange, Vec<Event>)> = None;
    for (number, command) in commands.iter().enumerate() {
        if number == commands.len() / 2 {
            let twin = Exchange::restore(&exchange.snapshot()).expect("a snapshot is whole");
            assert_eq!(
                twin.state_hash(),
                exchange.state_hash(),
                "a snapshot keeps the state"
            );
            restored = Some((twin, Vec::new()));
        }
        let before = exchange.state_hash();
        events.clear();
        exchange.apply(command, &mut events);
        log.append(command);
        assert!(!events.is_empty(), "{command:?} has an answer");
        if matches!(events[0], Event::Refused { .. }) {
            assert_eq!(
                exchange.state_hash(),
                before,
                "{command:?} refused changes nothing"
            );
            assert_eq!(events.len(), 1, "a refusal is the whole answer");
        }
        if let Err(breach) = replica.follow(&events) {
            panic!("{command:?}: {breach}: {events:?}");
        }
        assert_agrees(&exchange, &replica);
        if let Some((twin, future)) = &mut restored {
            future.clear();
            twin.apply(command, future);
            assert_eq!(*future, events, "a snapshot has the same future");
        }
    }
    let replayed = Exchange::replay(log.seal(), &mut Vec::new()).expect("a log is whole");
    assert_eq!(
        replayed.state_hash(),
        exchange.state_hash(),
        "a log replays to the state"
    );
    if let Some((twin, _)) = restored {
        assert_eq!(
            twin.state_hash(),
            exchange.state_hash(),
            "the same future, the same state"
        );
    }
    exchange
}

/// Asks that queues, depth, single orders and accounts say what the replica says.
fn assert_agrees(exchange: &Exchange, replica: &Replica) {
    let capacity = exchange.config().capacity;
    let mut accounts = vec![(0, 0); capacity.participants as usize];
    let mut depth = Vec::new();
    for book in 0..capacity.books {
        for side in [Side::Bid, Side::Offer] {
            let expected = replica.resting(book, side);
            let mut found = Vec::new();
            exchange.for_each_resting(book, side, |order| found.push(order));
            assert_eq!(found, expected, "queue of book {book}");
            exchange.depth(book, side, usize::MAX, &mut depth);
            assert_eq!(depth, summed(&expected), "depth of book {book}");
            for order in expected {
                assert_eq!(exchange.order(order.order_id), Some(order));
                let (orders, energy) = &mut accounts[order.participant as usize];
                *orders += 1;
                *energy += order.leaves_milliwh;
            }
        }
    }
    for (participant, expected) in (0..).zip(accounts) {
        let state = exchange.participant(participant);
        let found = state.map(|state| (state.orders, state.energy_milliwh));
        assert_eq!(
            found,
            Some(expected),
            "account of participant {participant}"
        );
    }
    assert_eq!(exchange.orders_resting() as usize, replica.orders_resting());
}

/// Adds up a queue by price.
fn summed(queue: &[RestingOrder]) -> Vec<DepthLevel> {
    let same_price =
        |a: &RestingOrder, b: &RestingOrder| a.price_micro_per_kwh == b.price_micro_per_kwh;
    queue
        .chunk_by(same_price)
        .map(|orders| DepthLevel {
            price_micro_per_kwh: orders[0].price_micro_per_kwh,
            energy_milliwh: orders.iter().map(|order| order.leaves_milliwh).sum(),
            orders: orders.len() as u32,
        })
        .collect()
}

/// Gives any bytes to all that reads bytes: as commands, records, a log and a snapshot.
///
/// # Panics
/// If a law is broken, or a reader does more than refuse.
pub fn exercise(bytes: &[u8]) {
    let exchange = small_exchange().expect("within bounds");
    assert_laws(exchange, &commands(bytes));
    for record in bytes.chunks(RECORD_BYTES).filter_map(<[u8]>::first_chunk) {
        if let Ok(command) = Command::from_bytes(record) {
            assert_eq!(command.to_bytes(), *record, "print is the inverse of parse");
        }
    }
    // Nothing that was not sealed is believed; reading must come to an end all the same.
    let _ = Exchange::replay(bytes, &mut Vec::new());
    let _ = Exchange::restore(bytes);
}
