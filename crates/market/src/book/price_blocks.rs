//! Price levels of all sides of all books: blocks of 64 neighbouring ticks under a radix tree.
//!
//! A key (see `grid`) is read as digits of 6 bits. The last digit picks a level in a block, and a
//! bitmap says which levels hold orders. The blocks of one side hang in a tree that branches
//! on the other digits, but only where keys differ, so a side with one block has no tree at all and
//! a far price costs one more step, wherever it is. Any price has its place; nothing is re-centred.

use super::BookError;
use super::table::{empty, filled};

/// No block, no tree, no level: block 0 is never used and level 0 lies in it.
pub(super) const NONE: u32 = 0;

const DIGIT_BITS: u32 = 6;
const DIGITS: usize = 1 << DIGIT_BITS;
const BRANCH: u32 = 1 << 31;

/// The queue at one price.
#[derive(Debug, Clone, Copy, Default)]
#[repr(C, align(16))]
pub(super) struct Level {
    /// What is left of its orders. [lots]
    pub(super) lots: u64,
    /// The order to trade first and the one to trade last.
    pub(super) first: u32,
    pub(super) last: u32,
}

/// Sixty-four neighbouring ticks of one side.
#[derive(Debug, Clone, Copy)]
struct Block {
    /// Which of its levels hold orders.
    taken: u64,
    /// The digits that its keys share.
    prefix: u32,
    /// Which side of which book: twice the book number, and one more for offers.
    side: u32,
}

/// A place in the tree where keys differ in one digit.
#[derive(Debug, Clone, Copy)]
struct Branch {
    taken: u64,
    /// A key below it, with the digit and those after it zero.
    base: u32,
    /// Where the digit begins.
    shift: u32,
    /// Blocks, or branches with the highest bit set.
    children: [u32; DIGITS],
}

/// What a side keeps of its tree.
pub(super) type Root = u32;

/// The storage of all trees.
#[derive(Debug)]
pub(super) struct PriceBlocks {
    levels: Vec<Level>,
    blocks: Vec<Block>,
    branches: Vec<Branch>,
    free_blocks: Vec<u32>,
    free_branches: Vec<u32>,
}

#[inline(always)]
fn digit(key: u32, shift: u32) -> usize {
    (key >> shift) as usize % DIGITS
}

/// Returns the number of a level. Neighbours share cache lines; which line of its block they are
/// in depends on the block, or equal prices of many books would compete for the same cache sets.
#[inline(always)]
fn level_of(block: u32, digit: u32) -> u32 {
    (block << DIGIT_BITS) | (digit ^ ((block << 2) & 0x3C))
}

/// Returns the block and the digit of a level.
#[inline(always)]
fn place_of(level: u32) -> (u32, u32) {
    let block = level >> DIGIT_BITS;
    (block, (level & 0x3F) ^ ((block << 2) & 0x3C))
}

impl PriceBlocks {
    pub(super) fn new(capacity: u32) -> Result<Self, BookError> {
        let unused = Block {
            taken: 0,
            prefix: u32::MAX,
            side: 0,
        };
        let branch = Branch {
            taken: 0,
            base: 0,
            shift: 0,
            children: [NONE; DIGITS],
        };
        // A branch has two children or more, so there are fewer branches than blocks.
        let mut free_blocks = empty(capacity as usize)?;
        free_blocks.extend((1..=capacity).rev());
        let mut free_branches = empty(capacity as usize)?;
        free_branches.extend((0..capacity).rev());
        Ok(Self {
            levels: filled(Level::default(), (capacity as usize + 1) * DIGITS)?,
            blocks: filled(unused, capacity as usize + 1)?,
            branches: filled(branch, capacity as usize)?,
            free_blocks,
            free_branches,
        })
    }

    #[inline(always)]
    pub(super) fn is_full(&self) -> bool {
        self.free_blocks.is_empty()
    }

    /// Returns how many blocks hold orders.
    pub(super) fn used(&self) -> usize {
        self.blocks.len() - 1 - self.free_blocks.len()
    }

    /// Returns the level of a key if its block exists.
    #[inline(always)]
    pub(super) fn find(&self, root: Root, key: u32) -> Option<u32> {
        let mut at = root;
        while at & BRANCH != 0 {
            let branch = &self.branches[(at ^ BRANCH) as usize];
            at = branch.children[digit(key, branch.shift)];
        }
        // The digits that no branch looked at are compared here, all at once.
        (self.blocks[at as usize].prefix == key >> DIGIT_BITS).then(|| level_of(at, key & 0x3F))
    }

    /// Returns the level of a key and marks it as taken; its block is made if it is not there.
    #[inline(always)]
    pub(super) fn take(&mut self, root: &mut Root, side: u32, key: u32) -> u32 {
        let level = match self.find(*root, key) {
            Some(level) => level,
            None => level_of(self.add_block(root, side, key), key & 0x3F),
        };
        self.blocks[(level >> DIGIT_BITS) as usize].taken |= 1 << (key & 0x3F);
        level
    }

    /// Marks a level as empty and returns whether its block is empty now.
    #[inline(always)]
    pub(super) fn leave(&mut self, level: u32) -> bool {
        let (block, digit) = place_of(level);
        let block = &mut self.blocks[block as usize];
        block.taken &= !(1 << digit);
        block.taken == 0
    }

    #[inline(always)]
    pub(super) fn key(&self, level: u32) -> u32 {
        let (block, digit) = place_of(level);
        (self.blocks[block as usize].prefix << DIGIT_BITS) | digit
    }

    #[inline(always)]
    pub(super) fn side(&self, level: u32) -> u32 {
        self.blocks[(level >> DIGIT_BITS) as usize].side
    }

    /// Returns the best level in the block of `level`, which has one.
    #[inline(always)]
    pub(super) fn first_beside(&self, level: u32) -> (u32, u32) {
        self.first_in_block(level >> DIGIT_BITS)
    }

    fn first_in_block(&self, at: u32) -> (u32, u32) {
        let block = &self.blocks[at as usize];
        let digit = block.taken.trailing_zeros();
        ((block.prefix << DIGIT_BITS) | digit, level_of(at, digit))
    }

    /// Returns the lowest key of a tree and its level.
    pub(super) fn first(&self, root: Root) -> Option<(u32, u32)> {
        let mut at = root;
        while at & BRANCH != 0 {
            let branch = &self.branches[(at ^ BRANCH) as usize];
            at = branch.children[branch.taken.trailing_zeros() as usize % DIGITS];
        }
        (at != NONE).then(|| self.first_in_block(at))
    }

    /// Returns the lowest key of a tree at or above `key`, and its level.
    pub(super) fn first_from(&self, root: Root, key: u32) -> Option<(u32, u32)> {
        if root == NONE {
            return None;
        }
        if root & BRANCH == 0 {
            let block = &self.blocks[root as usize];
            let prefix = key >> DIGIT_BITS;
            let taken = match block.prefix.cmp(&prefix) {
                std::cmp::Ordering::Less => 0,
                std::cmp::Ordering::Equal => block.taken & (u64::MAX << (key & 0x3F)),
                std::cmp::Ordering::Greater => block.taken,
            };
            let digit = taken.trailing_zeros();
            return (taken != 0)
                .then(|| ((block.prefix << DIGIT_BITS) | digit, level_of(root, digit)));
        }
        let branch = &self.branches[(root ^ BRANCH) as usize];
        let above = |key: u32| u64::from(key) >> (branch.shift + DIGIT_BITS);
        match above(branch.base).cmp(&above(key)) {
            std::cmp::Ordering::Less => None,
            std::cmp::Ordering::Greater => self.first(root),
            std::cmp::Ordering::Equal => {
                let at = digit(key, branch.shift);
                self.first_from(branch.children[at], key).or_else(|| {
                    let later = branch.taken & (u64::MAX << at) & !(1 << at);
                    let next = branch.children[later.trailing_zeros() as usize % DIGITS];
                    (later != 0).then(|| self.first(next)).flatten()
                })
            }
        }
    }

    #[cold]
    fn add_block(&mut self, root: &mut Root, side: u32, key: u32) -> u32 {
        let added = self
            .free_blocks
            .pop()
            .expect("the caller asked whether there is room");
        self.blocks[added as usize] = Block {
            taken: 0,
            prefix: key >> DIGIT_BITS,
            side,
        };
        let mut parent = None;
        let mut at = *root;
        let grown = loop {
            if at == NONE {
                break added;
            }
            let (base, width) = self.span(at);
            let differs = key ^ base;
            if u64::from(differs) >> width == 0 {
                let index = at ^ BRANCH;
                let digit = digit(key, self.branches[index as usize].shift);
                parent = Some((index, digit));
                at = self.branches[index as usize].children[digit];
                continue;
            }
            let shift = differs.ilog2() / DIGIT_BITS * DIGIT_BITS;
            break self.fork(shift, (base, at), (key, added));
        };
        self.set_child(root, parent, grown);
        added
    }

    /// Returns the lowest key below a node and how many low bits its keys may differ in.
    fn span(&self, at: u32) -> (u32, u32) {
        if at & BRANCH == 0 {
            (self.blocks[at as usize].prefix << DIGIT_BITS, DIGIT_BITS)
        } else {
            let branch = &self.branches[(at ^ BRANCH) as usize];
            (branch.base, branch.shift + DIGIT_BITS)
        }
    }

    fn fork(&mut self, shift: u32, one: (u32, u32), other: (u32, u32)) -> u32 {
        let index = self
            .free_branches
            .pop()
            .expect("there are fewer branches than blocks");
        let branch = &mut self.branches[index as usize];
        branch.shift = shift;
        branch.base = (u64::from(one.0) >> (shift + DIGIT_BITS) << (shift + DIGIT_BITS)) as u32;
        branch.taken = 0;
        branch.children = [NONE; DIGITS];
        for (key, at) in [one, other] {
            branch.taken |= 1 << digit(key, shift);
            branch.children[digit(key, shift)] = at;
        }
        index | BRANCH
    }

    fn set_child(&mut self, root: &mut Root, parent: Option<(u32, usize)>, child: u32) {
        match parent {
            None => *root = child,
            Some((index, digit)) => {
                let branch = &mut self.branches[index as usize];
                branch.children[digit] = child;
                branch.taken |= 1 << digit;
            }
        }
    }

    /// Takes the empty block of `key` out of its tree.
    #[cold]
    pub(super) fn remove_block(&mut self, root: &mut Root, key: u32) {
        let (mut grandparent, mut parent) = (None, None);
        let mut at = *root;
        while at & BRANCH != 0 {
            let index = at ^ BRANCH;
            let digit = digit(key, self.branches[index as usize].shift);
            grandparent = parent;
            parent = Some((index, digit));
            at = self.branches[index as usize].children[digit];
        }
        self.free_blocks.push(at);
        let Some((index, digit)) = parent else {
            *root = NONE;
            return;
        };
        let branch = &mut self.branches[index as usize];
        branch.children[digit] = NONE;
        branch.taken &= !(1 << digit);
        if branch.taken.count_ones() == 1 {
            let only = branch.children[branch.taken.trailing_zeros() as usize % DIGITS];
            self.free_branches.push(index);
            self.set_child(root, grandparent, only);
        }
    }
}

impl std::ops::Index<u32> for PriceBlocks {
    type Output = Level;

    #[inline(always)]
    fn index(&self, level: u32) -> &Level {
        &self.levels[level as usize]
    }
}

impl std::ops::IndexMut<u32> for PriceBlocks {
    #[inline(always)]
    fn index_mut(&mut self, level: u32) -> &mut Level {
        &mut self.levels[level as usize]
    }
}
