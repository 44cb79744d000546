//! One book: what it is doing, its collar, and the top of its two sides.

use gridrig_quantity::Side;

use super::price_blocks::{NONE, Root};
use super::{BookNumber, BookStatus};

/// The key of the best price of an empty side, which no limit reaches.
pub(super) const NO_KEY: u32 = u32::MAX;

/// The best key and level of an empty side.
pub(super) const EMPTY: (u32, u32) = (NO_KEY, NONE);

/// One side of a book.
#[derive(Debug, Clone, Copy)]
pub(super) struct BookSide {
    pub(super) root: Root,
    /// The best price there is.
    pub(super) best_key: u32,
    pub(super) best_level: u32,
}

/// One book, one cache line.
#[derive(Debug, Clone, Copy)]
#[repr(C, align(64))]
pub(super) struct Book {
    pub(super) sides: [BookSide; 2],
    pub(super) tick_min: u32,
    pub(super) tick_max: u32,
    pub(super) period: u32,
    pub(super) zone: u32,
    pub(super) status: BookStatus,
}

const _: () = assert!(size_of::<Book>() == 64);

impl Book {
    pub(super) const UNOPENED: Self = Self {
        sides: [BookSide {
            root: NONE,
            best_key: NO_KEY,
            best_level: NONE,
        }; 2],
        tick_min: 0,
        tick_max: 0,
        period: 0,
        zone: 0,
        status: BookStatus::Unopened,
    };
}

/// Which side of which book: what a price block and so every order knows about its place.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct SideNumber(pub(super) u32);

impl SideNumber {
    #[inline(always)]
    pub(super) fn new(book: BookNumber, side: Side) -> Self {
        Self(book << 1 | side as u32)
    }

    #[inline(always)]
    pub(super) fn book(self) -> BookNumber {
        self.0 >> 1
    }

    #[inline(always)]
    pub(super) fn side(self) -> Side {
        if self.0 & 1 == 0 {
            Side::Bid
        } else {
            Side::Offer
        }
    }

    #[inline(always)]
    pub(super) fn opposite(self) -> Self {
        Self(self.0 ^ 1)
    }

    /// Finds the side in the books.
    #[inline(always)]
    pub(super) fn of(self, books: &[Book]) -> &BookSide {
        &books[self.book() as usize].sides[(self.0 & 1) as usize]
    }

    /// Finds the side in the books, to change it.
    #[inline(always)]
    pub(super) fn of_mut(self, books: &mut [Book]) -> &mut BookSide {
        &mut books[self.book() as usize].sides[(self.0 & 1) as usize]
    }
}
