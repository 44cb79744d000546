//! Events as columns: every event has the same fields, zero where one says nothing.
//!
//! # Cost
//! Events are collected in a block that stays in the nearest cache, and a full block is appended to
//! the columns: a push is one store a field, without asking each column whether it has room.

use gridrig_quantity::Side;

use super::{CancelReason, Event, EventSink, OrderKind, Refusal, SelfMatch};

/// An event as a row: every event has the same fields, zero where one says nothing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct EventRow {
    /// Which event, see [`EventRow::WORDS`].
    pub event: u8,
    /// Of an acceptance the [`OrderKind`], of a refusal the [`Refusal`](super::Refusal), of a
    /// cancellation the [`CancelReason`](super::CancelReason), of an amendment 1 if the priority
    /// was kept, of a participant the [`SelfMatch`](super::SelfMatch); by code.
    pub detail: u8,
    /// 0 for a bid, 1 for an offer: the side of the order, of a trade that of the taker.
    pub side: u8,
    /// The order; of a trade the one that rested.
    pub order_id: u64,
    /// Of a trade the order that came in.
    pub taker_id: u64,
    /// As in the event; of a participant its limit. [mWh]
    pub energy_milliwh: i64,
    /// As in the event; of a collar its lower end. [millionths/kWh]
    pub price_micro_per_kwh: i32,
    /// Whose order it is; of a trade whose order rested.
    pub participant: u32,
    /// Of a trade whose order came in.
    pub taker: u32,
    /// The book.
    pub book: u32,
    /// How many orders were cancelled or expired, or may rest.
    pub orders: u32,
}

impl EventRow {
    /// The word for each event, by code.
    pub const WORDS: [&'static str; 14] = [
        "accepted",
        "refused",
        "traded",
        "amended",
        "reduced",
        "cancelled",
        "expired",
        "all-cancelled",
        "participant-set",
        "book-opened",
        "collar-set",
        "halted",
        "resumed",
        "gate-closed",
    ];

    /// Returns the word for the event.
    pub fn event_word(&self) -> &'static str {
        Self::WORDS[usize::from(self.event)]
    }

    /// Returns the rule that was broken, if the event is a refusal.
    pub fn refusal(&self) -> Option<Refusal> {
        let refusal = || Refusal::ALL[usize::from(self.detail)];
        (self.event_word() == "refused").then(refusal)
    }

    /// Returns the word for the side, if the event has one.
    pub fn side_word(&self) -> Option<&'static str> {
        let word = || {
            if self.side == 0 {
                Side::Bid
            } else {
                Side::Offer
            }
            .word()
        };
        matches!(self.event_word(), "accepted" | "traded").then(word)
    }

    /// Returns the word for the detail, if the event has one; of a refusal its stable code.
    pub fn detail_word(&self) -> Option<&'static str> {
        let code = usize::from(self.detail);
        match self.event_word() {
            "accepted" => Some(OrderKind::ALL[code].word()),
            "refused" => Some(Refusal::ALL[code].code()),
            "amended" => Some(["priority-lost", "priority-kept"][code]),
            "cancelled" => Some(CancelReason::ALL[code].word()),
            "participant-set" => Some(SelfMatch::ALL[code].word()),
            _ => None,
        }
    }
}

impl From<Event> for EventRow {
    #[inline]
    fn from(event: Event) -> Self {
        let none = Self::default();
        match event {
            Event::Accepted {
                order_id,
                energy_milliwh,
                price_micro_per_kwh,
                participant,
                book,
                side,
                kind,
            } => Self {
                event: 0,
                detail: kind as u8,
                side: side as u8,
                order_id,
                energy_milliwh,
                price_micro_per_kwh,
                participant,
                book,
                ..none
            },
            Event::Refused {
                order_id,
                participant,
                book,
                refusal,
            } => Self {
                event: 1,
                detail: refusal as u8,
                order_id,
                participant,
                book,
                ..none
            },
            Event::Traded {
                maker_id,
                taker_id,
                energy_milliwh,
                price_micro_per_kwh,
                maker,
                taker,
                book,
                taker_side,
            } => Self {
                event: 2,
                side: taker_side as u8,
                order_id: maker_id,
                taker_id,
                energy_milliwh,
                price_micro_per_kwh,
                participant: maker,
                taker,
                book,
                ..none
            },
            Event::Amended {
                order_id,
                energy_milliwh,
                price_micro_per_kwh,
                participant,
                book,
                priority_kept,
            } => Self {
                event: 3,
                detail: u8::from(priority_kept),
                order_id,
                energy_milliwh,
                price_micro_per_kwh,
                participant,
                book,
                ..none
            },
            Event::Reduced {
                order_id,
                energy_milliwh,
                participant,
                book,
            } => Self {
                event: 4,
                order_id,
                energy_milliwh,
                participant,
                book,
                ..none
            },
            Event::Cancelled {
                order_id,
                energy_milliwh,
                participant,
                book,
                reason,
            } => Self {
                event: 5,
                detail: reason as u8,
                order_id,
                energy_milliwh,
                participant,
                book,
                ..none
            },
            Event::Expired {
                order_id,
                energy_milliwh,
                participant,
                book,
            } => Self {
                event: 6,
                order_id,
                energy_milliwh,
                participant,
                book,
                ..none
            },
            Event::AllCancelled {
                participant,
                orders,
            } => Self {
                event: 7,
                participant,
                orders,
                ..none
            },
            Event::ParticipantSet {
                participant,
                orders_max,
                energy_milliwh_max,
                self_match,
            } => Self {
                event: 8,
                detail: self_match as u8,
                energy_milliwh: energy_milliwh_max,
                participant,
                orders: orders_max,
                ..none
            },
            Event::BookOpened {
                book,
                price_micro_per_kwh_min,
                ..
            } => Self {
                event: 9,
                price_micro_per_kwh: price_micro_per_kwh_min,
                book,
                ..none
            },
            Event::CollarSet {
                book,
                price_micro_per_kwh_min,
                ..
            } => Self {
                event: 10,
                price_micro_per_kwh: price_micro_per_kwh_min,
                book,
                ..none
            },
            Event::Halted { book } => Self {
                event: 11,
                book,
                ..none
            },
            Event::Resumed { book } => Self {
                event: 12,
                book,
                ..none
            },
            Event::GateClosed { book, orders } => Self {
                event: 13,
                book,
                orders,
                ..none
            },
        }
    }
}

/// Rows of a block: a power of two, so that a row number wraps without a check of bounds.
const BLOCK_ROWS: usize = 256;

macro_rules! columns {
    ($($(#[$text:meta])* $name:ident: $type:ty,)*) => {
        #[derive(Debug, Clone)]
        struct Block {
            $($name: [$type; BLOCK_ROWS],)*
        }

        /// Events, one column a field of [`EventRow`], and the row of the batch each answers.
        ///
        /// [`Exchange::apply_columns`](super::Exchange::apply_columns) fills them.
        #[derive(Debug, Clone)]
        pub struct EventColumns {
            $($(#[$text])* pub $name: Vec<$type>,)*
            block: Box<Block>,
            filled: usize,
            row: u32,
        }

        impl EventColumns {
            /// Makes empty columns with room for so many events.
            pub fn with_capacity(events: usize) -> Self {
                Self {
                    $($name: Vec::with_capacity(events),)*
                    block: Box::new(Block { $($name: [0; BLOCK_ROWS],)* }),
                    filled: 0,
                    row: 0,
                }
            }

            /// Appends what the block holds to the columns.
            pub(super) fn flush(&mut self) {
                $(self.$name.extend_from_slice(&self.block.$name[..self.filled]);)*
                self.filled = 0;
            }
        }
    };
}

columns! {
    /// Row of the batch, from 0.
    command: u32,
    /// See [`EventRow::event`].
    event: u8,
    /// See [`EventRow::detail`].
    detail: u8,
    /// See [`EventRow::side`].
    side: u8,
    /// See [`EventRow::order_id`].
    order_id: u64,
    /// See [`EventRow::taker_id`].
    taker_id: u64,
    /// See [`EventRow::energy_milliwh`].
    energy_milliwh: i64,
    /// See [`EventRow::price_micro_per_kwh`].
    price_micro_per_kwh: i32,
    /// See [`EventRow::participant`].
    participant: u32,
    /// See [`EventRow::taker`].
    taker: u32,
    /// See [`EventRow::book`].
    book: u32,
    /// See [`EventRow::orders`].
    orders: u32,
}

impl EventColumns {
    /// Says which row of the batch the next events answer.
    #[inline]
    pub(super) const fn begin_row(&mut self, row: u32) {
        self.row = row;
    }
}

impl EventSink for EventColumns {
    #[inline]
    fn push(&mut self, event: Event) {
        let row = EventRow::from(event);
        let (block, at) = (&mut *self.block, self.filled % BLOCK_ROWS);
        block.command[at] = self.row;
        block.event[at] = row.event;
        block.detail[at] = row.detail;
        block.side[at] = row.side;
        block.order_id[at] = row.order_id;
        block.taker_id[at] = row.taker_id;
        block.energy_milliwh[at] = row.energy_milliwh;
        block.price_micro_per_kwh[at] = row.price_micro_per_kwh;
        block.participant[at] = row.participant;
        block.taker[at] = row.taker;
        block.book[at] = row.book;
        block.orders[at] = row.orders;
        self.filled += 1;
        if self.filled == BLOCK_ROWS {
            self.flush();
        }
    }
}
