//! The operations on eight elements, each of which is done in place within a longer step, or called
//! where the word is long in code.

use std::marker::PhantomData;

use super::eight::{Eight, LIMBS};
use super::modular::{Limbs, Modulus};
use crate::lanes::{Step, Word, limbs};

/// A product.
pub(super) struct Product<M, W>(pub(super) Eight<M, W>, pub(super) Eight<M, W>);

impl<M: Modulus, W: Word> Step for Product<M, W> {
    type Output = Eight<M, W>;

    #[inline(always)]
    fn take(self) -> Eight<M, W> {
        self.0.multiplied(self.1)
    }
}

/// A sum.
pub(super) struct Sum<M, W>(pub(super) Eight<M, W>, pub(super) Eight<M, W>);

impl<M: Modulus, W: Word> Step for Sum<M, W> {
    type Output = Eight<M, W>;

    #[inline(always)]
    fn take(self) -> Eight<M, W> {
        self.0.added(self.1)
    }
}

/// A difference.
pub(super) struct Difference<M, W>(pub(super) Eight<M, W>, pub(super) Eight<M, W>);

impl<M: Modulus, W: Word> Step for Difference<M, W> {
    type Output = Eight<M, W>;

    #[inline(always)]
    fn take(self) -> Eight<M, W> {
        self.0.subtracted(self.1)
    }
}

/// The same element, tight.
pub(super) struct Folding<M, W>(pub(super) Eight<M, W>);

impl<M: Modulus, W: Word> Step for Folding<M, W> {
    type Output = Eight<M, W>;

    #[inline(always)]
    fn take(self) -> Eight<M, W> {
        self.0.folded()
    }
}

/// The limbs of tight elements as they lie in memory.
pub(super) struct Rows<M, W>(pub(super) Eight<M, W>);

impl<M: Modulus, W: Word> Step for Rows<M, W> {
    type Output = [[u64; 8]; LIMBS];

    #[inline(always)]
    fn take(self) -> [[u64; 8]; LIMBS] {
        let tight = self.0.folded().0;
        limbs!(i => tight[i].to_array())
    }
}

/// Elements as four limbs hold them.
pub(super) struct Entry<'a, M, W>(pub(super) [&'a Limbs; 8], pub(super) PhantomData<(M, W)>);

impl<M: Modulus, W: Word> Step for Entry<'_, M, W> {
    type Output = Eight<M, W>;

    #[inline(always)]
    fn take(self) -> Eight<M, W> {
        Eight::entered(W::from_rows(self.0))
    }
}
