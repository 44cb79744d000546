//! The logical state in canonical order: what is hashed, and what a snapshot holds.
//!
//! A snapshot is 16 bytes `gridrig-book-snp`, version (u32), the body, and the SHA-256 of version
//! and body, which is the state hash. The body: configuration; last arrival number (u64);
//! participants whose limits or policy differ from the configuration (count, then each by rising
//! number); books that were ever opened (count, then each by rising number with its bids and
//! offers by priority). Numbers are little-endian. Where an order lies in memory, what came before
//! and how often the exchange was restored leave no trace in it.

use gridrig_quantity::Side;
use sha2::{Digest, Sha256};

use super::accounts::Account;
use super::grid::{key, tick_of};
use super::reader::Reader;
use super::sides::{Book, SideNumber};
use super::{BookError, BookStatus, Exchange, ExchangeConfig, OrderKind, SelfMatch};

const MAGIC: &[u8; 16] = b"gridrig-book-snp";
const VERSION: u32 = 1;
const HASH_BYTES: usize = 32;

/// Where canonical bytes go: a buffer or a hash.
trait Canonical {
    fn put(&mut self, bytes: &[u8]);
}

impl Canonical for Vec<u8> {
    fn put(&mut self, bytes: &[u8]) {
        self.extend_from_slice(bytes);
    }
}

impl Canonical for Sha256 {
    fn put(&mut self, bytes: &[u8]) {
        self.update(bytes);
    }
}

impl Exchange {
    /// Returns the SHA-256 of the logical state: what the future depends on, in canonical order.
    pub fn state_hash(&self) -> [u8; 32] {
        let mut hash = Sha256::new();
        self.write_state(&mut hash);
        hash.finalize().into()
    }

    /// Writes the logical state in canonical order, with its hash.
    pub fn snapshot(&self) -> Vec<u8> {
        let mut bytes = MAGIC.to_vec();
        self.write_state(&mut bytes);
        let hash = Sha256::digest(&bytes[MAGIC.len()..]);
        bytes.extend_from_slice(&hash);
        bytes
    }

    fn write_state(&self, out: &mut impl Canonical) {
        out.put(&VERSION.to_le_bytes());
        let mut config = Vec::new();
        self.config.write(&mut config);
        out.put(&config);
        out.put(&self.order_id_last.to_le_bytes());
        self.write_participants(out);
        let opened = |book: &&Book| book.status != BookStatus::Unopened;
        let books = self.books.iter().filter(opened).count() as u32;
        out.put(&books.to_le_bytes());
        for (number, book) in (0..).zip(&self.books).filter(|(_, book)| opened(book)) {
            self.write_book(number, book, out);
        }
    }

    fn write_participants(&self, out: &mut impl Canonical) {
        let usual = Account::new(&self.config);
        let differs = |account: &Account| {
            (
                account.orders_max,
                account.energy_milliwh_max,
                account.self_match,
            ) != (usual.orders_max, usual.energy_milliwh_max, usual.self_match)
        };
        let count = self.accounts.iter().filter(|a| differs(a)).count() as u32;
        out.put(&count.to_le_bytes());
        for (number, account) in (0_u32..).zip(&self.accounts).filter(|(_, a)| differs(a)) {
            out.put(&number.to_le_bytes());
            out.put(&account.orders_max.to_le_bytes());
            out.put(&account.energy_milliwh_max.to_le_bytes());
            out.put(&u32::from(account.self_match as u8).to_le_bytes());
        }
    }

    fn write_book(&self, number: u32, book: &Book, out: &mut impl Canonical) {
        for field in [
            number,
            book.period,
            book.zone,
            book.tick_min,
            book.tick_max,
            book.status as u32,
        ] {
            out.put(&field.to_le_bytes());
        }
        for side in [Side::Bid, Side::Offer] {
            let mut orders = 0_u32;
            self.for_each_entry(number, side, |_, _| orders += 1);
            out.put(&orders.to_le_bytes());
            self.for_each_entry(number, side, |key, entry| {
                out.put(&entry.order_id.to_le_bytes());
                for field in [
                    entry.participant,
                    tick_of(key, side),
                    entry.leaves,
                    entry.filled,
                    u32::from(entry.is_post_only()),
                ] {
                    out.put(&field.to_le_bytes());
                }
            });
        }
    }

    /// Brings back the exchange that wrote `snapshot`, with the same state hash and future.
    ///
    /// # Errors
    /// A [`BookError`] that names what is wrong with the bytes, and where.
    pub fn restore(snapshot: &[u8]) -> Result<Self, BookError> {
        let body_end = snapshot.len().saturating_sub(HASH_BYTES);
        let mut reader = Reader::new(&snapshot[..body_end]);
        reader.begins(MAGIC, VERSION, "snapshot of an exchange")?;
        let hashed = &snapshot[MAGIC.len()..body_end];
        if Sha256::digest(hashed)[..] != snapshot[body_end..] {
            return Err(BookError::Checksum {
                offset: MAGIC.len(),
            });
        }
        let mut exchange = Self::new(ExchangeConfig::read(&mut reader)?)?;
        exchange.order_id_last = reader.u64()?;
        exchange.read_participants(&mut reader)?;
        exchange.read_books(&mut reader)?;
        reader.ends()?;
        Ok(exchange)
    }

    fn read_participants(&mut self, reader: &mut Reader<'_>) -> Result<(), BookError> {
        for _ in 0..reader.u32()? {
            let offset = reader.offset();
            let number = reader.u32()?;
            let account = self.accounts.get_mut(number as usize).ok_or(field(
                "participant",
                offset,
                number,
            ))?;
            account.orders_max = reader.u32()?;
            account.energy_milliwh_max = reader.i64()?;
            account.self_match = reader.code("policy", SelfMatch::from_code)?;
        }
        Ok(())
    }

    fn read_books(&mut self, reader: &mut Reader<'_>) -> Result<(), BookError> {
        let mut lowest = 0;
        for _ in 0..reader.u32()? {
            let offset = reader.offset();
            let number = reader.u32()?;
            if number < lowest || number as usize >= self.books.len() {
                return Err(field("book", offset, number));
            }
            lowest = number + 1;
            self.books[number as usize] = self.read_book(reader)?;
            for side in [Side::Bid, Side::Offer] {
                self.read_side(SideNumber::new(number, side), reader)?;
            }
            let sides = &self.books[number as usize].sides;
            if sides[1].best_key <= !sides[0].best_key {
                return Err(field("crossed book", offset, number));
            }
        }
        Ok(())
    }

    fn read_book(&self, reader: &mut Reader<'_>) -> Result<Book, BookError> {
        let (period, zone) = (reader.u32()?, reader.u32()?);
        let offset = reader.offset();
        let (tick_min, tick_max) = (reader.u32()?, reader.u32()?);
        if !(self.grid.has_tick(tick_min) && self.grid.has_tick(tick_max) && tick_min <= tick_max) {
            return Err(field("collar", offset, tick_min));
        }
        let status = reader.code("status of a book", |code| match code {
            1 => Some(BookStatus::Open),
            2 => Some(BookStatus::Halted),
            3 => Some(BookStatus::Closed),
            _ => None,
        })?;
        Ok(Book {
            tick_min,
            tick_max,
            period,
            zone,
            status,
            ..Book::UNOPENED
        })
    }

    fn read_side(&mut self, side: SideNumber, reader: &mut Reader<'_>) -> Result<(), BookError> {
        let mut key_last = 0;
        let offset = reader.offset();
        let orders = reader.u32()?;
        if orders > 0 && self.books[side.book() as usize].status == BookStatus::Closed {
            return Err(field("orders of a closed book", offset, orders));
        }
        for _ in 0..orders {
            let offset = reader.offset();
            let key = self.read_order(side, reader)?;
            if key < key_last {
                return Err(field("order of prices", offset, tick_of(key, side.side())));
            }
            key_last = key;
        }
        Ok(())
    }

    /// Reads one order, puts it at the end of its queue and returns its key.
    fn read_order(&mut self, side: SideNumber, reader: &mut Reader<'_>) -> Result<u32, BookError> {
        let offset = reader.offset();
        let order_id = reader.u64()?;
        let participant = reader.u32()?;
        let tick = reader.u32()?;
        let (leaves, filled) = (reader.u32()?, reader.u32()?);
        let kind = reader.code("post-only", |code| match code {
            0 => Some(OrderKind::Limit),
            1 => Some(OrderKind::PostOnly),
            _ => None,
        })?;
        let wrong = |what| BookError::Field {
            what,
            offset,
            found: order_id as i64,
        };
        if order_id == 0 || order_id > self.order_id_last || self.orders.find(order_id).is_some() {
            return Err(wrong("order number"));
        }
        if !self.grid.has_tick(tick) {
            return Err(wrong("price of order"));
        }
        if leaves == 0 || !self.grid.has_lots(leaves, filled) {
            return Err(wrong("energy of order"));
        }
        let key = key(tick, side.side());
        if self.orders.is_full() || self.has_block(side, key).is_err() {
            return Err(wrong("order beyond the capacity"));
        }
        let account = self
            .accounts
            .get_mut(participant as usize)
            .ok_or(wrong("participant of order"))?;
        account.orders += 1;
        account.energy_milliwh += self.grid.energy_milliwh(leaves);
        let place = self.orders.insert(order_id);
        let post_only = kind == OrderKind::PostOnly;
        self.orders[place].fill_in(participant, leaves, filled, post_only);
        self.join(place, leaves, side, key);
        Ok(key)
    }
}

fn field(what: &'static str, offset: usize, found: u32) -> BookError {
    BookError::Field {
        what,
        offset,
        found: i64::from(found),
    }
}
