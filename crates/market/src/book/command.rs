//! What the exchange is told to do: thirty-two bytes that can be copied, logged and replayed.

use gridrig_quantity::Side;

/// Number of a book; the caller maps (delivery period, zone) to it.
pub type BookNumber = u32;

/// Number of a participant, below [`Capacity::participants`](super::Capacity::participants).
pub type Participant = u32;

/// Arrival number of an order, given by the caller, larger than any taken before.
pub type OrderId = u64;

/// How an order may trade and whether what is left of it rests.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[repr(u8)]
pub enum OrderKind {
    /// Trades up to its limit price; the residual rests until gate closure.
    Limit = 0,
    /// Rests whole until gate closure, or is refused: it never takes.
    PostOnly = 1,
    /// Trades up to its limit price; the residual is cancelled.
    ImmediateOrCancel = 2,
    /// Trades whole up to its limit price, or is refused.
    FillOrKill = 3,
    /// Trades up to the price collar; the residual is cancelled. Its price is not read.
    Market = 4,
    /// Trades whole up to the price collar, or is refused. Its price is not read.
    MarketFillOrKill = 5,
}

impl OrderKind {
    /// Every kind, by code.
    pub const ALL: [Self; 6] = [
        Self::Limit,
        Self::PostOnly,
        Self::ImmediateOrCancel,
        Self::FillOrKill,
        Self::Market,
        Self::MarketFillOrKill,
    ];

    /// Returns the kind with this code.
    pub fn from_code(code: u8) -> Option<Self> {
        Self::ALL.get(usize::from(code)).copied()
    }

    /// Returns the word for the kind.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Limit => "limit",
            Self::PostOnly => "post-only",
            Self::ImmediateOrCancel => "ioc",
            Self::FillOrKill => "fok",
            Self::Market => "market",
            Self::MarketFillOrKill => "market-fok",
        }
    }

    /// Returns whether what is left of the order rests.
    pub const fn rests(self) -> bool {
        matches!(self, Self::Limit | Self::PostOnly)
    }

    /// Returns whether the collar is the limit of the order.
    pub const fn is_market(self) -> bool {
        matches!(self, Self::Market | Self::MarketFillOrKill)
    }

    /// Returns whether the order is refused for what others have resting.
    pub(super) const fn looks_ahead(self) -> bool {
        matches!(self, Self::PostOnly) || self.is_whole()
    }

    /// Returns whether the order trades whole or is refused.
    pub const fn is_whole(self) -> bool {
        matches!(self, Self::FillOrKill | Self::MarketFillOrKill)
    }
}

/// What happens when an order would trade with one of the same participant.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
#[repr(u8)]
pub enum SelfMatch {
    /// The resting order is cancelled, the incoming one goes on.
    #[default]
    CancelResting = 0,
    /// What is left of the incoming order is cancelled, the resting one stays.
    CancelIncoming = 1,
    /// Both are cancelled.
    CancelBoth = 2,
    /// Both lose the smaller of the two energies; what reaches zero is cancelled.
    Decrement = 3,
}

impl SelfMatch {
    /// Every policy, by code.
    pub const ALL: [Self; 4] = [
        Self::CancelResting,
        Self::CancelIncoming,
        Self::CancelBoth,
        Self::Decrement,
    ];

    /// Returns the policy with this code.
    pub fn from_code(code: u8) -> Option<Self> {
        Self::ALL.get(usize::from(code)).copied()
    }

    /// Returns the word for the policy.
    pub const fn word(self) -> &'static str {
        match self {
            Self::CancelResting => "cancel-resting",
            Self::CancelIncoming => "cancel-incoming",
            Self::CancelBoth => "cancel-both",
            Self::Decrement => "decrement",
        }
    }
}

/// One instruction to the exchange; the numbers are as received and checked when applied.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Command {
    /// A new order.
    Submit {
        /// Its arrival number.
        order_id: OrderId,
        /// Most energy to trade. [mWh]
        energy_milliwh: i64,
        /// Worst price accepted; not read for market orders. [millionths/kWh]
        price_micro_per_kwh: i32,
        /// Who sends it.
        participant: Participant,
        /// Where it goes.
        book: BookNumber,
        /// Which way it points.
        side: Side,
        /// How it trades and rests.
        kind: OrderKind,
    },
    /// Takes a resting order out.
    Cancel {
        /// The order.
        order_id: OrderId,
        /// Who asks; the order must be its own.
        participant: Participant,
    },
    /// Restates a resting order.
    Amend {
        /// The order.
        order_id: OrderId,
        /// New total, what has been filled included; at or below that cancels. [mWh]
        energy_milliwh: i64,
        /// New limit price. [millionths/kWh]
        price_micro_per_kwh: i32,
        /// Who asks; the order must be its own.
        participant: Participant,
    },
    /// Cancels every resting order of a participant, by rising arrival number.
    CancelAll {
        /// Whose orders.
        participant: Participant,
    },
    /// Sets how a participant meets itself and the most it may have resting in all books.
    SetParticipant {
        /// Which participant.
        participant: Participant,
        /// Most orders resting.
        orders_max: u32,
        /// Most energy resting, bids and offers added up. [mWh]
        energy_milliwh_max: i64,
        /// What happens when it would trade with itself.
        self_match: SelfMatch,
    },
    /// Opens a book that was never open, or whose gate has closed, for a delivery period.
    OpenBook {
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
    /// Moves the price collar; what rests outside stays.
    SetCollar {
        /// Which book.
        book: BookNumber,
        /// Lowest limit price taken from now on. [millionths/kWh]
        price_micro_per_kwh_min: i32,
        /// Highest limit price taken from now on. [millionths/kWh]
        price_micro_per_kwh_max: i32,
    },
    /// Stops trading; what rests stays and can be cancelled.
    Halt {
        /// Which book.
        book: BookNumber,
    },
    /// Takes trading up again.
    Resume {
        /// Which book.
        book: BookNumber,
    },
    /// Closes the gate: what rests expires, best price first, bids before offers.
    CloseGate {
        /// Which book.
        book: BookNumber,
    },
}

const _: () = assert!(size_of::<Command>() == 32);
