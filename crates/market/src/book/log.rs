//! The command log: what was asked, so that it can be asked again.
//!
//! A log is a header and frames. Header: 16 bytes `gridrig-book-log`, version, configuration,
//! number of the first command (u64), CRC-32 of all that. Frame: number of its first command
//! (u64), how many there are (u32), CRC-32 of these two and the records, then the records of 32
//! bytes (see `record`). Numbers are little-endian. A frame is complete or it is an error; a log
//! that ends after a frame is whole, so what guards its tail is the state hash.
//!
//! # Source
//! CRC-32 as in ISO/IEC/IEEE 8802-3 (IEEE 802.3), clause 3.2.9, from the `crc32fast` crate.

use super::config::CONFIG_BYTES;
use super::reader::Reader;
use super::record::RECORD_BYTES;
use super::{BookError, Command, EventSink, Exchange, ExchangeConfig};

const MAGIC: &[u8; 16] = b"gridrig-book-log";
const VERSION: u32 = 1;
const FRAME_HEADER_BYTES: usize = 16;

/// Writes a log. Appending is a copy of 32 bytes; sealing pays for the checksum.
#[derive(Debug, Clone)]
pub struct CommandLog {
    bytes: Vec<u8>,
    /// Where the open frame begins.
    frame: usize,
    /// How many commands came before the open frame.
    commands: u64,
}

impl CommandLog {
    /// Begins the log of an exchange that has carried out `commands` before.
    pub fn new(config: &ExchangeConfig, commands: u64) -> Self {
        let mut bytes = Vec::new();
        bytes.extend_from_slice(MAGIC);
        bytes.extend_from_slice(&VERSION.to_le_bytes());
        config.write(&mut bytes);
        bytes.extend_from_slice(&commands.to_le_bytes());
        let checksum = crc32fast::hash(&bytes);
        bytes.extend_from_slice(&checksum.to_le_bytes());
        let mut log = Self {
            frame: bytes.len(),
            bytes,
            commands,
        };
        log.open_frame();
        log
    }

    /// Makes room, so that appending up to that many more commands allocates nothing.
    pub fn reserve(&mut self, commands: usize) {
        self.bytes.reserve(commands * RECORD_BYTES);
    }

    fn open_frame(&mut self) {
        self.frame = self.bytes.len();
        self.bytes.extend_from_slice(&[0; FRAME_HEADER_BYTES]);
    }

    /// Appends a command to the open frame.
    #[inline]
    pub fn append(&mut self, command: &Command) {
        self.bytes.extend_from_slice(&command.to_bytes());
    }

    /// Closes the open frame and returns all bytes written since the log began or was drained.
    pub fn seal(&mut self) -> &[u8] {
        let records = self.frame + FRAME_HEADER_BYTES;
        let count = (self.bytes.len() - records) / RECORD_BYTES;
        if count > 0 {
            let frame = &mut self.bytes[self.frame..];
            frame[..8].copy_from_slice(&self.commands.to_le_bytes());
            frame[8..12].copy_from_slice(&(count as u32).to_le_bytes());
            let checksum = checksum(&frame[..12], &frame[FRAME_HEADER_BYTES..]);
            frame[12..16].copy_from_slice(&checksum.to_le_bytes());
            self.commands += count as u64;
            self.open_frame();
        }
        &self.bytes[..self.frame]
    }

    /// Forgets the sealed bytes, once they are written elsewhere, and keeps their memory.
    pub fn drain(&mut self) {
        self.bytes.drain(..self.frame);
        self.frame = 0;
    }
}

fn checksum(head: &[u8], records: &[u8]) -> u32 {
    let mut hasher = crc32fast::Hasher::new();
    hasher.update(head);
    hasher.update(records);
    hasher.finalize()
}

/// Reads a log, frame by frame; a frame is checked before its first command is given out.
#[derive(Debug, Clone)]
pub struct CommandLogReader<'a> {
    reader: Reader<'a>,
    config: ExchangeConfig,
    next_command: u64,
    frame_end: usize,
}

impl<'a> CommandLogReader<'a> {
    /// Reads the header.
    ///
    /// # Errors
    /// A [`BookError`] that names what is wrong with the bytes, and where.
    pub fn new(bytes: &'a [u8]) -> Result<Self, BookError> {
        let mut reader = Reader::new(bytes);
        reader.begins(MAGIC, VERSION, "command log")?;
        let mut fields = reader;
        reader.take(CONFIG_BYTES + 8)?;
        let header = reader.between(0, reader.offset());
        if reader.u32()? != crc32fast::hash(header) {
            return Err(BookError::Checksum { offset: 0 });
        }
        Ok(Self {
            config: ExchangeConfig::read(&mut fields)?,
            next_command: fields.u64()?,
            frame_end: reader.offset(),
            reader,
        })
    }

    /// Returns what the exchange was made with.
    pub const fn config(&self) -> &ExchangeConfig {
        &self.config
    }

    /// Returns how many commands the exchange has carried out before the next one.
    pub const fn commands_before(&self) -> u64 {
        self.next_command
    }

    /// Returns the next command, or `None` after the last.
    ///
    /// # Errors
    /// A [`BookError`] that names what is wrong with the bytes, and where; nothing follows it.
    pub fn next_command(&mut self) -> Result<Option<Command>, BookError> {
        if self.reader.offset() == self.frame_end {
            if self.reader.left() == 0 {
                return Ok(None);
            }
            self.enter_frame()?;
        }
        let start = self.reader.offset();
        let command = Command::from_bytes(&self.reader.array()?).map_err(|error| match error {
            BookError::Field {
                what,
                offset,
                found,
            } => BookError::Field {
                what,
                offset: start + offset,
                found,
            },
            other => other,
        })?;
        self.next_command += 1;
        Ok(Some(command))
    }

    fn enter_frame(&mut self) -> Result<(), BookError> {
        let offset = self.reader.offset();
        let found = self.reader.u64()?;
        let count = self.reader.u32()?;
        let head = self.reader.between(offset, offset + 12);
        let expected_checksum = self.reader.u32()?;
        let mut ahead = self.reader;
        let records = ahead.take(count as usize * RECORD_BYTES)?;
        if count == 0 || checksum(head, records) != expected_checksum {
            return Err(BookError::Checksum { offset });
        }
        if found != self.next_command {
            return Err(BookError::Sequence {
                offset,
                expected: self.next_command,
                found,
            });
        }
        self.frame_end = ahead.offset();
        Ok(())
    }
}

impl Exchange {
    /// Makes the exchange that a log from the first command on leads to.
    ///
    /// # Errors
    /// A [`BookError`] that names what is wrong with the bytes, and where;
    /// [`BookError::Sequence`] if the log begins later.
    pub fn replay<S: EventSink>(log: &[u8], events: &mut S) -> Result<Self, BookError> {
        let reader = CommandLogReader::new(log)?;
        let mut exchange = Self::new(reader.config)?;
        exchange.replay_on(log, 0, events)?;
        Ok(exchange)
    }

    /// Carries out the commands of a log that begins after `commands_before` commands, as one that
    /// goes on from a snapshot does.
    ///
    /// # Errors
    /// A [`BookError`] that names what is wrong with the bytes, and where. The commands before it
    /// have been carried out.
    pub fn replay_on<S: EventSink>(
        &mut self,
        log: &[u8],
        commands_before: u64,
        events: &mut S,
    ) -> Result<(), BookError> {
        let mut reader = CommandLogReader::new(log)?;
        if reader.next_command != commands_before {
            return Err(BookError::Sequence {
                offset: 0,
                expected: commands_before,
                found: reader.next_command,
            });
        }
        while let Some(command) = reader.next_command()? {
            self.apply(&command, events);
        }
        Ok(())
    }
}
