//! What the exchange answers: a stream from which every book can be rebuilt.

use gridrig_quantity::Side;

use super::{BookNumber, Command, OrderId, OrderKind, Participant, Refusal, SelfMatch};

/// Why an order left the book, or gave up what was left of it, without trading.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[repr(u8)]
pub enum CancelReason {
    /// Its participant asked for it.
    Requested = 0,
    /// Its participant asked for all of its orders to go.
    AllRequested = 1,
    /// It was amended to a total at or below what had been filled.
    AmendedToFilled = 2,
    /// It may not rest, and nothing more could be had at its limit.
    Unfilled = 3,
    /// It would have traded with its own participant.
    SelfMatch = 4,
}

impl CancelReason {
    /// Every reason, by code.
    pub const ALL: [Self; 5] = [
        Self::Requested,
        Self::AllRequested,
        Self::AmendedToFilled,
        Self::Unfilled,
        Self::SelfMatch,
    ];

    /// Returns the word for the reason.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Requested => "requested",
            Self::AllRequested => "all-requested",
            Self::AmendedToFilled => "amended-to-filled",
            Self::Unfilled => "unfilled",
            Self::SelfMatch => "self-match",
        }
    }
}

/// One thing that happened. A command leads to one event or more, in this order: what became of
/// the command itself, then what followed from it.
///
/// The book follows from the stream: *accepted* puts the order with all its energy at the end of
/// the queue at its price, *amended* restates it and, unless priority was kept, moves it to the end
/// of the queue at its new price; *traded* and *reduced* take energy from orders, which leave the
/// book at zero; *cancelled* and *expired* take them out. Between the events of one command an
/// incoming order may stand across the other side; after the last one it does not.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Event {
    /// An order was taken.
    Accepted {
        /// The order.
        order_id: OrderId,
        /// All of its energy. [mWh]
        energy_milliwh: i64,
        /// Its limit; for a market order the collar. [millionths/kWh]
        price_micro_per_kwh: i32,
        /// Whose it is.
        participant: Participant,
        /// Where it went.
        book: BookNumber,
        /// Which way it points.
        side: Side,
        /// How it trades and rests.
        kind: OrderKind,
    },
    /// A command was not carried out and changed nothing.
    Refused {
        /// The order it was about, 0 if none.
        order_id: OrderId,
        /// Who asked, or about whom; 0 if nobody.
        participant: Participant,
        /// The book it named, 0 if it named none.
        book: BookNumber,
        /// The first rule it broke.
        refusal: Refusal,
    },
    /// Two orders traded, at the price of the one that rested.
    Traded {
        /// The order that rested.
        maker_id: OrderId,
        /// The order that came in.
        taker_id: OrderId,
        /// How much. [mWh]
        energy_milliwh: i64,
        /// At which price. [millionths/kWh]
        price_micro_per_kwh: i32,
        /// Whose order rested.
        maker: Participant,
        /// Whose order came in.
        taker: Participant,
        /// In which book.
        book: BookNumber,
        /// Which way the incoming order points.
        taker_side: Side,
    },
    /// An order was restated.
    Amended {
        /// The order.
        order_id: OrderId,
        /// Its new total, what has been filled included. [mWh]
        energy_milliwh: i64,
        /// Its limit from now on. [millionths/kWh]
        price_micro_per_kwh: i32,
        /// Whose it is.
        participant: Participant,
        /// Where it rests.
        book: BookNumber,
        /// Whether it kept its place in the queue.
        priority_kept: bool,
    },
    /// An order lost energy to its own participant's, and has some left.
    Reduced {
        /// The order.
        order_id: OrderId,
        /// What it lost. [mWh]
        energy_milliwh: i64,
        /// Whose it is.
        participant: Participant,
        /// Where it is.
        book: BookNumber,
    },
    /// An order left without trading the rest.
    Cancelled {
        /// The order.
        order_id: OrderId,
        /// What was left of it. [mWh]
        energy_milliwh: i64,
        /// Whose it was.
        participant: Participant,
        /// Where it was.
        book: BookNumber,
        /// Why it left.
        reason: CancelReason,
    },
    /// An order was still resting at gate closure.
    Expired {
        /// The order.
        order_id: OrderId,
        /// What was left of it. [mWh]
        energy_milliwh: i64,
        /// Whose it was.
        participant: Participant,
        /// Where it was.
        book: BookNumber,
    },
    /// All orders of a participant are gone; follows their cancellations.
    AllCancelled {
        /// Whose orders.
        participant: Participant,
        /// How many there were.
        orders: u32,
    },
    /// A participant's policy and limits were set.
    ParticipantSet {
        /// Which participant.
        participant: Participant,
        /// Most orders resting.
        orders_max: u32,
        /// Most energy resting. [mWh]
        energy_milliwh_max: i64,
        /// What happens when it would trade with itself.
        self_match: SelfMatch,
    },
    /// A book was opened.
    BookOpened {
        /// Which book.
        book: BookNumber,
        /// The delivery period it is for.
        period: u32,
        /// The zone it is for.
        zone: u32,
        /// Lowest limit price taken. [millionths/kWh]
        price_micro_per_kwh_min: i32,
        /// Highest limit price taken. [millionths/kWh]
        price_micro_per_kwh_max: i32,
    },
    /// The price collar was moved.
    CollarSet {
        /// Which book.
        book: BookNumber,
        /// Lowest limit price taken from now on. [millionths/kWh]
        price_micro_per_kwh_min: i32,
        /// Highest limit price taken from now on. [millionths/kWh]
        price_micro_per_kwh_max: i32,
    },
    /// Trading stopped.
    Halted {
        /// Which book.
        book: BookNumber,
    },
    /// Trading was taken up again.
    Resumed {
        /// Which book.
        book: BookNumber,
    },
    /// The gate closed; follows the expiries.
    GateClosed {
        /// Which book.
        book: BookNumber,
        /// How many orders expired.
        orders: u32,
    },
}

const _: () = assert!(size_of::<Event>() == 48);

/// Where events go. A `Vec` that is cleared between batches allocates nothing once warm.
pub trait EventSink {
    /// Takes the next event of the stream.
    fn push(&mut self, event: Event);
}

impl EventSink for Vec<Event> {
    #[inline]
    fn push(&mut self, event: Event) {
        Self::push(self, event);
    }
}

impl Event {
    /// Makes the answer to a command that breaks a rule.
    #[cold]
    pub(super) fn refused(command: &Command, refusal: Refusal) -> Self {
        let (order_id, participant, book) = match *command {
            Command::Submit {
                order_id,
                participant,
                book,
                ..
            } => (order_id, participant, book),
            Command::Cancel {
                order_id,
                participant,
            }
            | Command::Amend {
                order_id,
                participant,
                ..
            } => (order_id, participant, 0),
            Command::CancelAll { participant } | Command::SetParticipant { participant, .. } => {
                (0, participant, 0)
            }
            Command::OpenBook { book, .. }
            | Command::SetCollar { book, .. }
            | Command::Halt { book }
            | Command::Resume { book }
            | Command::CloseGate { book } => (0, 0, book),
        };
        Self::Refused {
            order_id,
            participant,
            book,
            refusal,
        }
    }
}
