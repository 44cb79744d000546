//! A command as 32 bytes, the same on every machine.
//!
//! | bytes | submit | cancel | amend | cancel all | set participant | open book | set collar | others |
//! |---|---|---|---|---|---|---|---|---|
//! | 0 | 1 | 2 | 3 | 4 | 5 | 6 | 7 | halt 8, resume 9, close gate 10 |
//! | 1 | side | | | | policy | | | |
//! | 2 | kind | | | | | | | |
//! | 3 | | | | | | | | |
//! | 4..8 | participant | participant | participant | participant | participant | | | |
//! | 8..16 | order | order | order | | | period, zone | | |
//! | 16..24 | energy | | energy | | energy max | price max | price max | |
//! | 24..28 | price | | price | | | price min | price min | |
//! | 28..32 | book | | | | orders max | book | book | book |
//!
//! Numbers are little-endian; what a command does not use is zero, and anything else is an error.

use gridrig_quantity::Side;

use super::reader::Reader;
use super::{BookError, Command, OrderKind, SelfMatch};

/// Length of a record. [bytes]
pub const RECORD_BYTES: usize = 32;

/// The fields of a record, whatever they mean to a command.
#[derive(Default)]
struct Record {
    command: u8,
    side_or_policy: u8,
    kind: u8,
    participant: u32,
    order_id: u64,
    energy_milliwh: i64,
    price: i32,
    book: u32,
}

impl Record {
    #[inline]
    fn to_bytes(&self) -> [u8; RECORD_BYTES] {
        let mut bytes = [0; RECORD_BYTES];
        bytes[0] = self.command;
        bytes[1] = self.side_or_policy;
        bytes[2] = self.kind;
        bytes[4..8].copy_from_slice(&self.participant.to_le_bytes());
        bytes[8..16].copy_from_slice(&self.order_id.to_le_bytes());
        bytes[16..24].copy_from_slice(&self.energy_milliwh.to_le_bytes());
        bytes[24..28].copy_from_slice(&self.price.to_le_bytes());
        bytes[28..32].copy_from_slice(&self.book.to_le_bytes());
        bytes
    }

    fn read(bytes: &[u8; RECORD_BYTES]) -> Result<Self, BookError> {
        let mut reader = Reader::new(bytes);
        let [command, side_or_policy, kind, _] = reader.array()?;
        Ok(Self {
            command,
            side_or_policy,
            kind,
            participant: reader.u32()?,
            order_id: reader.u64()?,
            energy_milliwh: reader.i64()?,
            price: reader.i32()?,
            book: reader.u32()?,
        })
    }
}

impl Command {
    /// Writes the command as a record.
    #[inline]
    pub fn to_bytes(&self) -> [u8; RECORD_BYTES] {
        self.record().to_bytes()
    }

    /// Reads the command from a record.
    ///
    /// # Errors
    /// [`BookError::Field`] if a code is not known or an unused byte is not zero.
    pub fn from_bytes(bytes: &[u8; RECORD_BYTES]) -> Result<Self, BookError> {
        let record = Record::read(bytes)?;
        let command = record.command()?;
        let written = command.to_bytes();
        match (0..RECORD_BYTES).find(|&offset| written[offset] != bytes[offset]) {
            None => Ok(command),
            Some(offset) => Err(BookError::Field {
                what: "unused byte",
                offset,
                found: i64::from(bytes[offset]),
            }),
        }
    }

    #[inline]
    fn record(&self) -> Record {
        match *self {
            Self::Submit {
                order_id,
                energy_milliwh,
                price_micro_per_kwh: price,
                participant,
                book,
                side,
                kind,
            } => Record {
                command: 1,
                side_or_policy: side as u8,
                kind: kind as u8,
                participant,
                order_id,
                energy_milliwh,
                price,
                book,
            },
            Self::Cancel {
                order_id,
                participant,
            } => Record {
                command: 2,
                participant,
                order_id,
                ..Record::default()
            },
            Self::Amend {
                order_id,
                energy_milliwh,
                price_micro_per_kwh: price,
                participant,
            } => Record {
                command: 3,
                participant,
                order_id,
                energy_milliwh,
                price,
                ..Record::default()
            },
            _ => self.control_record(),
        }
    }

    fn control_record(&self) -> Record {
        let about = |command, book| Record {
            command,
            book,
            ..Record::default()
        };
        match *self {
            Self::CancelAll { participant } => Record {
                participant,
                ..about(4, 0)
            },
            Self::SetParticipant {
                participant,
                orders_max,
                energy_milliwh_max,
                self_match,
            } => Record {
                side_or_policy: self_match as u8,
                participant,
                energy_milliwh: energy_milliwh_max,
                ..about(5, orders_max)
            },
            Self::OpenBook {
                book,
                period,
                zone,
                price_micro_per_kwh_min: price,
                price_micro_per_kwh_max: max,
            } => Record {
                order_id: u64::from(zone) << 32 | u64::from(period),
                energy_milliwh: i64::from(max),
                price,
                ..about(6, book)
            },
            Self::SetCollar {
                book,
                price_micro_per_kwh_min: price,
                price_micro_per_kwh_max: max,
            } => Record {
                energy_milliwh: i64::from(max),
                price,
                ..about(7, book)
            },
            Self::Halt { book } => about(8, book),
            Self::Resume { book } => about(9, book),
            Self::CloseGate { book } => about(10, book),
            Self::Submit { .. } | Self::Cancel { .. } | Self::Amend { .. } => self.record(),
        }
    }
}

impl Record {
    fn command(&self) -> Result<Command, BookError> {
        let Self {
            participant,
            order_id,
            energy_milliwh,
            price,
            book,
            ..
        } = *self;
        Ok(match self.command {
            1 => Command::Submit {
                order_id,
                energy_milliwh,
                price_micro_per_kwh: price,
                participant,
                book,
                side: self.side()?,
                kind: OrderKind::from_code(self.kind).ok_or(unknown(
                    "kind of order",
                    2,
                    self.kind.into(),
                ))?,
            },
            2 => Command::Cancel {
                order_id,
                participant,
            },
            3 => Command::Amend {
                order_id,
                energy_milliwh,
                price_micro_per_kwh: price,
                participant,
            },
            4 => Command::CancelAll { participant },
            5 => Command::SetParticipant {
                participant,
                orders_max: book,
                energy_milliwh_max: energy_milliwh,
                self_match: SelfMatch::from_code(self.side_or_policy).ok_or(unknown(
                    "policy",
                    1,
                    self.side_or_policy.into(),
                ))?,
            },
            6 => Command::OpenBook {
                book,
                period: order_id as u32,
                zone: (order_id >> 32) as u32,
                price_micro_per_kwh_min: price,
                price_micro_per_kwh_max: self.price_max()?,
            },
            7 => Command::SetCollar {
                book,
                price_micro_per_kwh_min: price,
                price_micro_per_kwh_max: self.price_max()?,
            },
            8 => Command::Halt { book },
            9 => Command::Resume { book },
            10 => Command::CloseGate { book },
            found => return Err(unknown("command", 0, found.into())),
        })
    }

    fn side(&self) -> Result<Side, BookError> {
        match self.side_or_policy {
            0 => Ok(Side::Bid),
            1 => Ok(Side::Offer),
            found => Err(unknown("side", 1, found.into())),
        }
    }

    fn price_max(&self) -> Result<i32, BookError> {
        i32::try_from(self.energy_milliwh)
            .map_err(|_| unknown("highest price", 16, self.energy_milliwh))
    }
}

const fn unknown(what: &'static str, offset: usize, found: i64) -> BookError {
    BookError::Field {
        what,
        offset,
        found,
    }
}
