//! Orders joining and leaving the queue at a price.
//!
//! The links at the ends of a queue point to nobody, an entry that takes the writes meant
//! for no neighbour, so both moves are free of branches that depend on the place in the queue.

use super::Exchange;
use super::orders::NOBODY;
use super::sides::SideNumber;

impl Exchange {
    /// Puts an order at the end of the queue at `key`; its energy is not in any account yet.
    #[inline(always)]
    pub(super) fn join(&mut self, place: u32, leaves: u32, side_number: SideNumber, key: u32) {
        let side = side_number.of_mut(&mut self.books);
        let level = self.blocks.take(&mut side.root, side_number.0, key);
        if key < side.best_key {
            side.best_key = key;
            side.best_level = level;
        }
        let queue = &mut self.blocks[level];
        let last = queue.last;
        queue.lots += u64::from(leaves);
        queue.last = place;
        queue.first = if last == NOBODY { place } else { queue.first };
        let entry = &mut self.orders[place];
        entry.set_level(level);
        entry.ahead = last;
        entry.behind = NOBODY;
        self.orders[last].behind = place;
    }

    /// Takes an order out of its queue; its entry and its account stay as they are.
    #[inline(always)]
    pub(super) fn part(&mut self, place: u32) {
        let entry = &self.orders[place];
        let (ahead, behind) = (entry.ahead, entry.behind);
        let (level, leaves) = (entry.level(), entry.leaves);
        self.orders[ahead].behind = behind;
        self.orders[behind].ahead = ahead;
        let queue = &mut self.blocks[level];
        queue.lots -= u64::from(leaves);
        queue.first = if ahead == NOBODY { behind } else { queue.first };
        queue.last = if behind == NOBODY { ahead } else { queue.last };
        if queue.first == NOBODY {
            self.leave_level(level);
        }
    }

    /// Takes an order out of its queue, its entry and its account.
    #[inline(always)]
    pub(super) fn take_out(&mut self, place: u32) {
        let entry = &self.orders[place];
        let (participant, leaves) = (entry.participant, entry.leaves);
        self.part(place);
        self.orders.remove(place);
        let account = &mut self.accounts[participant as usize];
        account.orders -= 1;
        account.energy_milliwh -= self.grid.energy_milliwh(leaves);
    }

    /// Forgets a level that has become empty, its block too if it was the last one there.
    #[inline(always)]
    fn leave_level(&mut self, level: u32) {
        let side_number = SideNumber(self.blocks.side(level));
        let side = side_number.of_mut(&mut self.books);
        if self.blocks.leave(level) {
            let key = self.blocks.key(level);
            self.blocks.remove_block(&mut side.root, key);
            if side.best_level == level {
                (side.best_key, side.best_level) =
                    self.blocks.first(side.root).unwrap_or(super::sides::EMPTY);
            }
        } else if side.best_level == level {
            // The best block is the one with the best level in it.
            (side.best_key, side.best_level) = self.blocks.first_beside(level);
        }
    }
}
