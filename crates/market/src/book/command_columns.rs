//! Batches: commands as columns, without an object for any of them.
//!
//! # Invariants
//! A batch is carried out whole or, if a column is short or a code unknown, not at all. Row i of the
//! batch is command i, and every event names the row it answers, rising from the first to the last.
//!
//! # Limits
//! [`BATCH_MAX`] commands. The columns carry the commands of every day; participants, collars and
//! the opening of a book are set one at a time.
//!
//! # Cost
//! A command is decoded as it is carried out: the batch is read once and never copied.

use gridrig_quantity::Side;

use super::{Command, EventColumns, Exchange, OrderKind};

/// Most commands of one batch.
pub const BATCH_MAX: usize = 1 << 24;

/// What a row of a batch does, by code.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[repr(u8)]
pub enum Action {
    /// [`Command::Submit`].
    Submit = 0,
    /// [`Command::Cancel`].
    Cancel = 1,
    /// [`Command::Amend`].
    Amend = 2,
    /// [`Command::CancelAll`].
    CancelAll = 3,
    /// [`Command::Halt`].
    Halt = 4,
    /// [`Command::Resume`].
    Resume = 5,
    /// [`Command::CloseGate`].
    CloseGate = 6,
}

impl Action {
    /// Every action, by code.
    pub const ALL: [Self; 7] = [
        Self::Submit,
        Self::Cancel,
        Self::Amend,
        Self::CancelAll,
        Self::Halt,
        Self::Resume,
        Self::CloseGate,
    ];
}

const SUBMIT: u8 = Action::Submit as u8;
const CANCEL: u8 = Action::Cancel as u8;
const AMEND: u8 = Action::Amend as u8;
const CANCEL_ALL: u8 = Action::CancelAll as u8;
const HALT: u8 = Action::Halt as u8;
const RESUME: u8 = Action::Resume as u8;

/// A batch cannot be read; nothing of it was carried out.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum ColumnError {
    /// There are more commands than one batch takes.
    #[error("{found} commands are more than the {BATCH_MAX} of a batch")]
    BatchTooLong {
        /// How many there are.
        found: usize,
    },
    /// A column has another length than the first one.
    #[error("column {column} has {found} rows, column action has {expected}")]
    Length {
        /// Which column.
        column: &'static str,
        /// How many rows it has.
        found: usize,
        /// How many the first column has.
        expected: usize,
    },
    /// A code stands for nothing.
    #[error("column {column} holds {found} in row {row}, the codes are 0 to {last}")]
    Code {
        /// Which column.
        column: &'static str,
        /// In which row, the first of the column.
        row: usize,
        /// What it holds.
        found: u8,
        /// The largest code there is.
        last: u8,
    },
}

impl ColumnError {
    /// Returns the stable name of the failure.
    pub const fn code(&self) -> &'static str {
        match self {
            Self::BatchTooLong { .. } => "market.batch_bound",
            Self::Length { .. } => "market.column_length",
            Self::Code { .. } => "market.column_code",
        }
    }
}

/// The commands of a batch, one column a field; what an action does not need is not read.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct CommandColumns {
    /// [`Action`] by code.
    pub action: Vec<u8>,
    /// Arrival numbers.
    pub order_id: Vec<u64>,
    /// Who asks.
    pub participant: Vec<u32>,
    /// Where to.
    pub book: Vec<u32>,
    /// 0 for a bid, 1 for an offer.
    pub side: Vec<u8>,
    /// [`OrderKind`] by code.
    pub kind: Vec<u8>,
    /// [mWh]
    pub energy_milliwh: Vec<i64>,
    /// [millionths/kWh]
    pub price_micro_per_kwh: Vec<i32>,
}

impl CommandColumns {
    /// Checks that all columns are of one length and all codes known.
    ///
    /// # Errors
    /// The first [`ColumnError`], by column and then by row.
    pub fn check(&self) -> Result<(), ColumnError> {
        let expected = self.action.len();
        if expected > BATCH_MAX {
            return Err(ColumnError::BatchTooLong { found: expected });
        }
        for (column, found) in [
            ("order_id", self.order_id.len()),
            ("participant", self.participant.len()),
            ("book", self.book.len()),
            ("side", self.side.len()),
            ("kind", self.kind.len()),
            ("energy_milliwh", self.energy_milliwh.len()),
            ("price_micro_per_kwh", self.price_micro_per_kwh.len()),
        ] {
            if found != expected {
                return Err(ColumnError::Length {
                    column,
                    found,
                    expected,
                });
            }
        }
        for (column, codes, count) in [
            ("action", &self.action, Action::ALL.len()),
            ("side", &self.side, 2),
            ("kind", &self.kind, OrderKind::ALL.len()),
        ] {
            let last = count as u8 - 1;
            if codes.iter().copied().max().unwrap_or(0) > last {
                let row = codes.iter().position(|&code| code > last).unwrap_or(0);
                return Err(ColumnError::Code {
                    column,
                    row,
                    found: codes[row],
                    last,
                });
            }
        }
        Ok(())
    }

    /// Returns how many commands there are.
    pub fn len(&self) -> usize {
        self.action.len()
    }

    /// Returns whether there is none.
    pub fn is_empty(&self) -> bool {
        self.action.is_empty()
    }

    /// Returns the command of a row; the columns have been checked.
    #[inline]
    pub(super) fn command(&self, row: usize) -> Command {
        let order_id = self.order_id[row];
        let participant = self.participant[row];
        let book = self.book[row];
        let energy_milliwh = self.energy_milliwh[row];
        let price_micro_per_kwh = self.price_micro_per_kwh[row];
        match self.action[row] {
            SUBMIT => Command::Submit {
                order_id,
                energy_milliwh,
                price_micro_per_kwh,
                participant,
                book,
                side: if self.side[row] == 0 {
                    Side::Bid
                } else {
                    Side::Offer
                },
                kind: OrderKind::ALL[usize::from(self.kind[row])],
            },
            CANCEL => Command::Cancel {
                order_id,
                participant,
            },
            AMEND => Command::Amend {
                order_id,
                energy_milliwh,
                price_micro_per_kwh,
                participant,
            },
            CANCEL_ALL => Command::CancelAll { participant },
            HALT => Command::Halt { book },
            RESUME => Command::Resume { book },
            _ => Command::CloseGate { book },
        }
    }
}

impl Exchange {
    /// Carries out a batch, as [`Exchange::apply`] row by row would, and adds to `events`.
    ///
    /// # Errors
    /// A [`ColumnError`]; nothing is carried out then.
    pub fn apply_columns(
        &mut self,
        batch: &CommandColumns,
        events: &mut EventColumns,
    ) -> Result<(), ColumnError> {
        batch.check()?;
        for row in 0..batch.len() {
            events.begin_row(row as u32);
            self.apply(&batch.command(row), events);
        }
        events.flush();
        Ok(())
    }
}
