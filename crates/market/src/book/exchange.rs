//! The single writer: every command goes through here, one after the other.

use super::accounts::Account;
use super::amend::Amendment;
use super::grid::Grid;
use super::orders::OrderTable;
use super::price_blocks::PriceBlocks;
use super::sides::Book;
use super::submit::Submission;
use super::table::filled;
use super::{BookError, Command, Event, EventSink, ExchangeConfig, OrderId, ParticipantState};

/// Thousands of order books behind one sequence of commands.
#[derive(Debug)]
pub struct Exchange {
    pub(super) config: ExchangeConfig,
    pub(super) grid: Grid,
    pub(super) order_id_last: OrderId,
    pub(super) books: Vec<Book>,
    pub(super) accounts: Vec<Account>,
    pub(super) orders: OrderTable,
    pub(super) blocks: PriceBlocks,
    /// Scratch of `cancel_all`, kept so that it allocates once.
    pub(super) found: Vec<(OrderId, u32)>,
}

impl Exchange {
    /// Makes an exchange without an open book and allocates all it will hold.
    ///
    /// # Errors
    /// [`BookError::Capacity`], [`BookError::Limit`] if the configuration is out of bounds;
    /// [`BookError::Memory`] if the system does not give that much.
    pub fn new(config: ExchangeConfig) -> Result<Self, BookError> {
        config.check()?;
        let capacity = config.capacity;
        Ok(Self {
            grid: Grid::new(&config),
            order_id_last: 0,
            books: filled(Book::UNOPENED, capacity.books as usize)?,
            accounts: filled(Account::new(&config), capacity.participants as usize)?,
            orders: OrderTable::new(capacity.orders)?,
            blocks: PriceBlocks::new(capacity.price_blocks)?,
            found: Vec::new(),
            config,
        })
    }

    /// Carries out one command and reports what happened.
    #[inline]
    pub fn apply<S: EventSink>(&mut self, command: &Command, events: &mut S) {
        let outcome = match *command {
            Command::Submit {
                order_id,
                energy_milliwh,
                price_micro_per_kwh,
                participant,
                book,
                side,
                kind,
            } => {
                let order = Submission {
                    order_id,
                    energy_milliwh,
                    price_micro_per_kwh,
                    participant,
                    book,
                    side,
                    kind,
                };
                self.submit(&order, events)
            }
            Command::Cancel {
                order_id,
                participant,
            } => self.cancel(order_id, participant, events),
            Command::Amend {
                order_id,
                energy_milliwh,
                price_micro_per_kwh,
                participant,
            } => {
                let amendment = Amendment {
                    order_id,
                    energy_milliwh,
                    price_micro_per_kwh,
                    participant,
                };
                self.amend(&amendment, events)
            }
            _ => self.control(command, events),
        };
        if let Err(refusal) = outcome {
            events.push(Event::refused(command, refusal));
        }
    }

    /// Carries out the commands that are not about one order.
    #[cold]
    fn control<S: EventSink>(
        &mut self,
        command: &Command,
        events: &mut S,
    ) -> Result<(), super::Refusal> {
        match *command {
            Command::CancelAll { participant } => self.cancel_all(participant, events),
            Command::SetParticipant {
                participant,
                orders_max,
                energy_milliwh_max,
                self_match,
            } => {
                let wanted = ParticipantState {
                    orders: 0,
                    energy_milliwh: 0,
                    orders_max,
                    energy_milliwh_max,
                    self_match,
                };
                self.set_participant(participant, wanted, events)
            }
            Command::OpenBook {
                book,
                period,
                zone,
                price_micro_per_kwh_min: min,
                price_micro_per_kwh_max: max,
            } => self.open_book(book, (period, zone), (min, max), events),
            Command::SetCollar {
                book,
                price_micro_per_kwh_min: min,
                price_micro_per_kwh_max: max,
            } => self.set_collar(book, (min, max), events),
            Command::Halt { book } => self.halt(book, events),
            Command::Resume { book } => self.resume(book, events),
            Command::CloseGate { book } => self.close_gate(book, events),
            Command::Submit { .. } | Command::Cancel { .. } | Command::Amend { .. } => Ok(()),
        }
    }

    /// Carries out many commands, as [`Exchange::apply`] one by one would.
    pub fn apply_all<S: EventSink>(&mut self, commands: &[Command], events: &mut S) {
        for command in commands {
            self.apply(command, events);
        }
    }

    /// Returns what the exchange was made with.
    pub const fn config(&self) -> &ExchangeConfig {
        &self.config
    }

    /// Returns the largest arrival number taken, 0 before the first.
    pub const fn order_id_last(&self) -> OrderId {
        self.order_id_last
    }

    /// Returns how many orders rest in all books.
    pub fn orders_resting(&self) -> u32 {
        self.orders.resting()
    }

    /// Returns how many price blocks hold orders.
    pub fn price_blocks_used(&self) -> u32 {
        self.blocks.used() as u32
    }
}
