//! Reads scenario tables: `command | outcome; outcome`, lots for energy, prices as they are.
//!
//! A lot is 10 mWh and a tick 5 millionths/kWh, so that both can be missed.

use std::fmt::Write;

use gridrig_market::MarketRules;
use gridrig_market::book::{
    Capacity, Command, Event, Exchange, ExchangeConfig, OrderKind, SelfMatch,
};
use gridrig_quantity::Side;

const LOT_MILLIWH: i64 = 10;

/// An exchange with book 0 open, and a policy for all participants.
pub struct Table {
    exchange: Exchange,
}

fn config(orders: u32, price_blocks: u32) -> ExchangeConfig {
    let rules = MarketRules::new(LOT_MILLIWH, 5).expect("positive steps");
    let capacity = Capacity {
        books: 2,
        participants: 4,
        orders,
        price_blocks,
    };
    ExchangeConfig {
        order_energy_milliwh_max: 1000 * LOT_MILLIWH,
        ..ExchangeConfig::unlimited(rules, capacity)
    }
}

impl Table {
    fn of(config: ExchangeConfig) -> Self {
        let exchange = Exchange::new(config).expect("within bounds");
        let mut table = Self { exchange };
        assert_eq!(table.outcome("open 0"), "opened 0");
        table
    }

    pub fn new() -> Self {
        Self::of(config(100, 100))
    }

    /// Room for three orders in two price blocks.
    pub fn tiny() -> Self {
        Self::of(config(3, 2))
    }

    pub fn policy(self, word: &str) -> Self {
        let policy = SelfMatch::ALL
            .into_iter()
            .find(|policy| policy.word() == word);
        let config = ExchangeConfig {
            self_match: policy.expect("a policy"),
            ..*self.exchange.config()
        };
        Self::of(config)
    }

    /// Carries out every line and compares its outcome.
    pub fn runs(mut self, table: &str) -> Self {
        let mut lines = 0;
        for line in table.lines().filter(|line| !line.trim().is_empty()) {
            let (command, expected) = line.split_once('|').expect("a bar");
            assert_eq!(self.outcome(command), expected.trim(), "{}", command.trim());
            lines += 1;
        }
        assert!(lines > 0, "a table has lines");
        self
    }

    fn outcome(&mut self, line: &str) -> String {
        let words: Vec<&str> = line.split_whitespace().collect();
        if words == ["depth"] {
            return self.depth();
        }
        let mut events: Vec<Event> = Vec::new();
        self.exchange.apply(&command(&words), &mut events);
        events.iter().map(told).collect::<Vec<_>>().join("; ")
    }

    fn depth(&self) -> String {
        let mut text = String::new();
        let mut levels = Vec::new();
        for (side, name) in [(Side::Bid, "bids"), (Side::Offer, "; offers")] {
            self.exchange.depth(0, side, 10, &mut levels);
            text.push_str(name);
            for (number, level) in levels.iter().enumerate() {
                let comma = if number == 0 { "" } else { "," };
                let energy = lots(level.energy_milliwh);
                let (price, orders) = (level.price_micro_per_kwh, level.orders);
                write!(text, "{comma} {energy} @ {price} ({orders})").expect("a string grows");
            }
            if levels.is_empty() {
                text.push_str(" none");
            }
        }
        text
    }
}

/// Returns the refusals that a table expects, in its order.
pub fn refusals_of(table: &str) -> Vec<&str> {
    table
        .lines()
        .filter_map(|line| line.split("| refused ").nth(1))
        .collect()
}

fn number<T: std::str::FromStr>(word: &str) -> T {
    let digits = word.trim_start_matches('P');
    digits
        .parse()
        .unwrap_or_else(|_| panic!("{word} is not a number"))
}

fn energy(word: &str) -> i64 {
    match word {
        "max" => i64::MAX,
        "1.5" => LOT_MILLIWH + LOT_MILLIWH / 2,
        lots => number::<i64>(lots) * LOT_MILLIWH,
    }
}

fn range(word: &str) -> (i32, i32) {
    let (min, max) = word.split_once("..").expect("a range");
    (number(min), number(max))
}

fn command(words: &[&str]) -> Command {
    match *words {
        ["open", book] => Command::OpenBook {
            book: number(book),
            period: 0,
            zone: 0,
            price_micro_per_kwh_min: -1000,
            price_micro_per_kwh_max: 1000,
        },
        ["collar", book, prices] => Command::SetCollar {
            book: number(book),
            price_micro_per_kwh_min: range(prices).0,
            price_micro_per_kwh_max: range(prices).1,
        },
        ["halt", book] => Command::Halt { book: number(book) },
        ["resume", book] => Command::Resume { book: number(book) },
        ["close", book] => Command::CloseGate { book: number(book) },
        ["limit", participant, orders, "orders", lots] => Command::SetParticipant {
            participant: number(participant),
            orders_max: number(orders),
            energy_milliwh_max: energy(lots),
            self_match: SelfMatch::default(),
        },
        ["cancel", order, participant] => Command::Cancel {
            order_id: number(order),
            participant: number(participant),
        },
        ["cancel-all", participant] => Command::CancelAll {
            participant: number(participant),
        },
        ["amend", order, participant, lots, "@", price] => Command::Amend {
            order_id: number(order),
            energy_milliwh: energy(lots),
            price_micro_per_kwh: number(price),
            participant: number(participant),
        },
        [order, participant, side, lots, ref how @ ..] => {
            let (price, kind, book) = manner(how);
            Command::Submit {
                order_id: number(order),
                energy_milliwh: energy(lots),
                price_micro_per_kwh: price,
                participant: number(participant),
                book,
                side: Side::from_word(side).expect("a side"),
                kind,
            }
        }
        _ => panic!("{words:?} is not a command"),
    }
}

/// Reads `@ price`, the kind and `in book`, each of which may be missing.
fn manner(words: &[&str]) -> (i32, OrderKind, u32) {
    let mut manner = (0, OrderKind::Limit, 0);
    let mut words = words.iter();
    while let Some(&word) = words.next() {
        match word {
            "@" => manner.0 = number(words.next().expect("a price")),
            "in" => manner.2 = number(words.next().expect("a book")),
            _ => {
                let kind = OrderKind::ALL.into_iter().find(|kind| kind.word() == word);
                manner.1 = kind.expect("a kind of order");
            }
        }
    }
    manner
}

fn lots(energy_milliwh: i64) -> i64 {
    assert_eq!(energy_milliwh % LOT_MILLIWH, 0);
    energy_milliwh / LOT_MILLIWH
}

/// The words for an event.
fn told(event: &Event) -> String {
    match *event {
        Event::Accepted { order_id, .. } => format!("accepted {order_id}"),
        Event::Refused { refusal, .. } => format!("refused {}", refusal.code()),
        Event::Traded {
            maker_id,
            taker_id,
            energy_milliwh,
            price_micro_per_kwh,
            ..
        } => {
            let lots = lots(energy_milliwh);
            format!("{taker_id} takes {lots} of {maker_id} @ {price_micro_per_kwh}")
        }
        Event::Amended {
            order_id,
            energy_milliwh,
            price_micro_per_kwh,
            priority_kept,
            ..
        } => {
            let place = if priority_kept { "kept" } else { "back" };
            let lots = lots(energy_milliwh);
            format!("amended {order_id} to {lots} @ {price_micro_per_kwh}, {place}")
        }
        Event::Reduced {
            order_id,
            energy_milliwh,
            ..
        } => format!("reduced {order_id} by {}", lots(energy_milliwh)),
        Event::Cancelled {
            order_id,
            energy_milliwh,
            reason,
            ..
        } => format!(
            "cancelled {order_id} with {} ({})",
            lots(energy_milliwh),
            reason.word()
        ),
        Event::Expired {
            order_id,
            energy_milliwh,
            ..
        } => format!("expired {order_id} with {}", lots(energy_milliwh)),
        Event::AllCancelled {
            participant,
            orders,
        } => {
            format!("all of P{participant} cancelled ({orders})")
        }
        Event::ParticipantSet { participant, .. } => format!("set P{participant}"),
        Event::BookOpened { book, .. } => format!("opened {book}"),
        Event::CollarSet {
            book,
            price_micro_per_kwh_min: min,
            price_micro_per_kwh_max: max,
        } => format!("collar {book} {min}..{max}"),
        Event::Halted { book } => format!("halted {book}"),
        Event::Resumed { book } => format!("resumed {book}"),
        Event::GateClosed { book, orders } => format!("gate of {book} closed ({orders})"),
    }
}
