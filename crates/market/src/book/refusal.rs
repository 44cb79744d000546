//! Why a command is not carried out.

/// Rules a command can break, in the order in which they are checked; the first broken is reported.
///
/// A refusal is a result and changes nothing: the order number stays free, no order is touched.
/// Each command is asked the rules that concern it; `docs/market.md` has the table.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, thiserror::Error)]
#[repr(u8)]
pub enum Refusal {
    /// The book number is beyond the capacity, or the book was never opened.
    #[error("no such book")]
    BookUnknown = 0,
    /// The book to be opened is open.
    #[error("book is open already")]
    BookOpen = 1,
    /// The participant number is beyond the capacity.
    #[error("no such participant")]
    ParticipantUnknown = 2,
    /// A limit of a participant is negative, or a collar is out of bounds or holds no tick.
    #[error("limits are not valid")]
    LimitsInvalid = 3,
    /// The arrival number is not above the last one taken, so it is a repetition or out of turn.
    #[error("order number is not above the last one taken")]
    OrderIdRepeated = 4,
    /// No such order rests.
    #[error("no such order rests")]
    OrderUnknown = 5,
    /// The order rests, and another participant sent it.
    #[error("order belongs to another participant")]
    OrderNotOwned = 6,
    /// The gate of the book has closed.
    #[error("gate has closed")]
    GateClosed = 7,
    /// The book is halted.
    #[error("book is halted")]
    BookHalted = 8,
    /// The book to be resumed is not halted.
    #[error("book is not halted")]
    BookNotHalted = 9,
    /// The energy is negative, or zero where zero means nothing.
    #[error("energy is not positive")]
    EnergyNotPositive = 10,
    /// The energy is beyond the bound of an energy, or more lots than an order can hold.
    #[error("energy is beyond its bound")]
    EnergyBound = 11,
    /// The energy is not a whole number of lots.
    #[error("energy is not a multiple of the lot")]
    Lot = 12,
    /// The price is beyond its bound.
    #[error("price is beyond its bound")]
    PriceBound = 13,
    /// The price is not a whole number of ticks.
    #[error("price is not a multiple of the tick")]
    PriceOffTick = 14,
    /// The price is outside the collar of the book.
    #[error("price is outside the collar")]
    PriceCollar = 15,
    /// The energy is more than one order may have in this market.
    #[error("energy is above the limit of one order")]
    OrderEnergyLimit = 16,
    /// The participant has as many orders resting as it may have.
    #[error("participant has as many orders resting as it may have")]
    ParticipantOrdersLimit = 17,
    /// The participant would have more energy resting than it may have.
    #[error("participant would have more energy resting than it may have")]
    ParticipantEnergyLimit = 18,
    /// The exchange holds as many orders as it can.
    #[error("exchange holds as many orders as it can")]
    OrdersFull = 19,
    /// The exchange holds as many price blocks as it can.
    #[error("exchange holds as many price blocks as it can")]
    PriceBlocksFull = 20,
    /// A post-only order would take another participant's order.
    #[error("post-only order would take")]
    PostOnlyCrosses = 21,
    /// The energy asked for cannot be had whole at the limit.
    #[error("energy cannot be had whole at the limit")]
    FillOrKillUnfilled = 22,
}

impl Refusal {
    /// Every refusal, in the order in which they are checked.
    pub const ALL: [Self; 23] = [
        Self::BookUnknown,
        Self::BookOpen,
        Self::ParticipantUnknown,
        Self::LimitsInvalid,
        Self::OrderIdRepeated,
        Self::OrderUnknown,
        Self::OrderNotOwned,
        Self::GateClosed,
        Self::BookHalted,
        Self::BookNotHalted,
        Self::EnergyNotPositive,
        Self::EnergyBound,
        Self::Lot,
        Self::PriceBound,
        Self::PriceOffTick,
        Self::PriceCollar,
        Self::OrderEnergyLimit,
        Self::ParticipantOrdersLimit,
        Self::ParticipantEnergyLimit,
        Self::OrdersFull,
        Self::PriceBlocksFull,
        Self::PostOnlyCrosses,
        Self::FillOrKillUnfilled,
    ];

    /// Returns the stable name of the rule; one that the auction shares has the same name there.
    pub const fn code(self) -> &'static str {
        match self {
            Self::BookUnknown => "market.book_unknown",
            Self::BookOpen => "market.book_open",
            Self::ParticipantUnknown => "market.participant_unknown",
            Self::LimitsInvalid => "market.limits_invalid",
            Self::OrderIdRepeated => "market.order_id_repeated",
            Self::OrderUnknown => "market.order_unknown",
            Self::OrderNotOwned => "market.order_not_owned",
            Self::GateClosed => "market.gate_closed",
            Self::BookHalted => "market.book_halted",
            Self::BookNotHalted => "market.book_not_halted",
            Self::EnergyNotPositive => "market.energy_not_positive",
            Self::EnergyBound => "market.energy_bound",
            Self::Lot => "market.lot",
            Self::PriceBound => "market.price_bound",
            Self::PriceOffTick => "market.price_off_tick",
            Self::PriceCollar => "market.price_collar",
            Self::OrderEnergyLimit => "market.order_energy_limit",
            Self::ParticipantOrdersLimit => "market.participant_orders_limit",
            Self::ParticipantEnergyLimit => "market.participant_energy_limit",
            Self::OrdersFull => "market.orders_full",
            Self::PriceBlocksFull => "market.price_blocks_full",
            Self::PostOnlyCrosses => "market.post_only_crosses",
            Self::FillOrKillUnfilled => "market.fill_or_kill_unfilled",
        }
    }
}
