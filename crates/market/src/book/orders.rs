//! Where orders live: a hash table whose entries are the orders themselves and never move.
//!
//! An order is found by its arrival number with one cache miss. Its home is the number modulo the
//! table, so orders that arrive together lie together; if the home is taken, it goes on in
//! steps that depend on the high bits of its number. An entry freed is simply empty: a
//! search goes as far as any order ever had to, and no further.

use super::table::filled;
use super::{BookError, OrderId, Participant};

/// No order; the entry that takes the writes meant for nobody, so that links need no branch.
pub(super) const NOBODY: u32 = 0;

const POST_ONLY: u32 = 1 << 31;

/// One resting order, half a cache line.
#[derive(Debug, Clone, Copy, Default)]
#[repr(C, align(32))]
pub(super) struct Entry {
    /// Its arrival number; 0 in an empty entry.
    pub(super) order_id: OrderId,
    /// What is left of it. [lots]
    pub(super) leaves: u32,
    /// What it has traded. [lots]
    pub(super) filled: u32,
    /// Who stands before and behind it at its price.
    pub(super) ahead: u32,
    pub(super) behind: u32,
    pub(super) participant: Participant,
    level_and_post_only: u32,
}

const _: () = assert!(size_of::<Entry>() == 32);

impl Entry {
    /// Describes an order that has its number; its place in a queue is still to come.
    #[inline(always)]
    pub(super) fn fill_in(
        &mut self,
        participant: Participant,
        leaves: u32,
        filled: u32,
        post_only: bool,
    ) {
        self.participant = participant;
        self.leaves = leaves;
        self.filled = filled;
        self.level_and_post_only = if post_only { POST_ONLY } else { 0 };
    }

    #[inline(always)]
    pub(super) fn level(&self) -> u32 {
        self.level_and_post_only & !POST_ONLY
    }

    #[inline(always)]
    pub(super) fn set_level(&mut self, level: u32) {
        self.level_and_post_only = level | (self.level_and_post_only & POST_ONLY);
    }

    #[inline(always)]
    pub(super) fn is_post_only(&self) -> bool {
        self.level_and_post_only & POST_ONLY != 0
    }
}

/// All resting orders of an exchange.
#[derive(Debug)]
pub(super) struct OrderTable {
    entries: Vec<Entry>,
    mask: u64,
    /// Most steps any order ever was from its home.
    steps_max: u32,
    resting: u32,
    capacity: u32,
}

impl OrderTable {
    pub(super) fn new(capacity: u32) -> Result<Self, BookError> {
        // At most two thirds full: a step meets an empty entry with one chance in three or better.
        let wanted = capacity as usize + capacity as usize / 2 + 2;
        let entries = filled(Entry::default(), wanted.next_power_of_two())?;
        Ok(Self {
            mask: entries.len() as u64 - 1,
            entries,
            steps_max: 0,
            resting: 0,
            capacity,
        })
    }

    pub(super) fn resting(&self) -> u32 {
        self.resting
    }

    #[inline(always)]
    pub(super) fn is_full(&self) -> bool {
        self.resting == self.capacity
    }

    /// Returns the distance between the places an order may be at, odd so that it visits all.
    fn step(&self, order_id: OrderId) -> u64 {
        let lap = order_id >> self.mask.count_ones();
        (lap.wrapping_add(1).wrapping_mul(0x9E37_79B9_7F4A_7C15) >> 32) | 1
    }

    #[inline(always)]
    pub(super) fn find(&self, order_id: OrderId) -> Option<u32> {
        let home = order_id & self.mask;
        if self.entries[home as usize].order_id == order_id && order_id != 0 {
            return Some(home as u32);
        }
        self.find_displaced(order_id, home)
    }

    fn find_displaced(&self, order_id: OrderId, home: u64) -> Option<u32> {
        if order_id == 0 {
            return None;
        }
        let step = self.step(order_id);
        let mut place = home;
        for _ in 0..self.steps_max {
            place = place.wrapping_add(step) & self.mask;
            if self.entries[place as usize].order_id == order_id {
                return Some(place as u32);
            }
        }
        None
    }

    /// Takes an entry for a number; the caller has made sure that there is room and it is new.
    #[inline(always)]
    pub(super) fn insert(&mut self, order_id: OrderId) -> u32 {
        let mut place = order_id & self.mask;
        if place == u64::from(NOBODY) || self.entries[place as usize].order_id != 0 {
            place = self.displace(order_id, place);
        }
        self.resting += 1;
        self.entries[place as usize].order_id = order_id;
        place as u32
    }

    #[cold]
    fn displace(&mut self, order_id: OrderId, home: u64) -> u64 {
        let step = self.step(order_id);
        let mut place = home;
        let mut steps = 0;
        while place == u64::from(NOBODY) || self.entries[place as usize].order_id != 0 {
            place = place.wrapping_add(step) & self.mask;
            steps += 1;
        }
        self.steps_max = self.steps_max.max(steps);
        place
    }

    #[inline(always)]
    pub(super) fn remove(&mut self, place: u32) {
        self.entries[place as usize].order_id = 0;
        self.resting -= 1;
    }

    /// Writes the orders of a participant into `found` by rising arrival number.
    pub(super) fn of_participant(
        &self,
        participant: Participant,
        orders: u32,
        found: &mut Vec<(OrderId, u32)>,
    ) {
        found.clear();
        found.reserve(orders as usize);
        let mut place = 0;
        while found.len() < orders as usize && place < self.entries.len() {
            let entry = &self.entries[place];
            if entry.order_id != 0 && entry.participant == participant {
                found.push((entry.order_id, place as u32));
            }
            place += 1;
        }
        found.sort_unstable();
    }
}

impl std::ops::Index<u32> for OrderTable {
    type Output = Entry;

    #[inline(always)]
    fn index(&self, place: u32) -> &Entry {
        &self.entries[place as usize]
    }
}

impl std::ops::IndexMut<u32> for OrderTable {
    #[inline(always)]
    fn index_mut(&mut self, place: u32) -> &mut Entry {
        &mut self.entries[place as usize]
    }
}
