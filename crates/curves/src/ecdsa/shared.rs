//! Inverses of many field elements at the price of one.

use super::field::Field;
use super::modular::Fp;
use crate::lanes::Step;

/// Chains of products that run side by side, so that one need not wait for the other.
const CHAINS: usize = 4;

/// Work that takes inverses: of so many denominators, and what is then done with each inverse.
///
/// `denominator` and `finish` are called within a step: `#[inline(always)]`, as is all they call.
pub(crate) trait Work {
    /// What is inverted.
    type Field: Field;

    /// Returns the number of denominators.
    fn count(&self) -> usize;

    /// Returns a denominator. None of those before it may change when it is finished.
    fn denominator(&self, at: usize) -> Self::Field;

    /// Takes the inverse of a denominator, the last one first.
    fn finish(&mut self, at: usize, inverse: Self::Field);

    /// Is told in which lanes a denominator is zero, before any is finished. What is finished there
    /// is to be thrown away.
    fn zero(&mut self, at: usize, lanes: u8);
}

/// Does work with one inversion, and three multiplications for each denominator.
pub(crate) fn invert_all<W: Work>(work: &mut W, products: &mut Vec<W::Field>) {
    if attempt(work, products).is_none() {
        without_zeros(work, products);
    }
}

/// Gives up, with nothing finished, if a denominator is zero.
fn attempt<W: Work>(work: &mut W, products: &mut Vec<W::Field>) -> Option<()> {
    if products.len() < work.count() {
        products.resize(work.count(), W::Field::from_lanes(|_| Fp::ONE));
    }
    let running = W::Field::step(MultiplyUp {
        work: &*work,
        products: &mut *products,
    });
    let inverse = W::Field::step(Total(running)).invert()?;
    let inverses = W::Field::step(Parts { running, inverse });
    W::Field::step(ComeDown {
        work,
        products,
        inverses,
    });
    Some(())
}

/// Leaves before each denominator the product of those before it in its chain.
struct MultiplyUp<'a, W: Work> {
    work: &'a W,
    products: &'a mut [W::Field],
}

impl<W: Work> Step for MultiplyUp<'_, W> {
    type Output = [W::Field; CHAINS];

    #[inline(always)]
    fn take(self) -> [W::Field; CHAINS] {
        let mut running = [W::Field::splat(Fp::ONE); CHAINS];
        for (at, product) in self.products[..self.work.count()].iter_mut().enumerate() {
            let chain = &mut running[at % CHAINS];
            *product = *chain;
            *chain = *chain * self.work.denominator(at);
        }
        running
    }
}

/// The product of the chains.
struct Total<F>([F; CHAINS]);

impl<F: Field> Step for Total<F> {
    type Output = F;

    #[inline(always)]
    fn take(self) -> F {
        let [a, b, c, d] = self.0;
        a * b * (c * d)
    }
}

/// The inverse of each chain, given that of their product.
struct Parts<F> {
    running: [F; CHAINS],
    inverse: F,
}

impl<F: Field> Step for Parts<F> {
    type Output = [F; CHAINS];

    #[inline(always)]
    fn take(self) -> [F; CHAINS] {
        let [a, b, c, d] = self.running;
        let (ab, cd) = (self.inverse * (c * d), self.inverse * (a * b));
        [ab * b, ab * a, cd * d, cd * c]
    }
}

/// Finishes each denominator, the last one first.
struct ComeDown<'a, W: Work> {
    work: &'a mut W,
    products: &'a [W::Field],
    inverses: [W::Field; CHAINS],
}

impl<W: Work> Step for ComeDown<'_, W> {
    type Output = ();

    #[inline(always)]
    fn take(self) {
        let Self {
            work,
            products,
            mut inverses,
        } = self;
        for at in (0..work.count()).rev() {
            let chain = &mut inverses[at % CHAINS];
            let inverse = *chain * products[at];
            *chain = *chain * work.denominator(at);
            work.finish(at, inverse);
        }
    }
}

/// Reports zeros and puts one in their place. Rare, so everything is done again and slowly.
#[cold]
#[inline(never)]
fn without_zeros<W: Work>(work: &mut W, products: &mut Vec<W::Field>) {
    let mut denominators = Vec::with_capacity(work.count());
    for at in 0..work.count() {
        let denominator = W::Field::step(Denominator { work: &*work, at });
        let lanes = denominator.zeros();
        if lanes == 0 {
            denominators.push(denominator);
        } else {
            work.zero(at, lanes);
            denominators.push(denominator.or_one(lanes));
        }
    }
    let done = attempt(&mut Patched { work, denominators }, products);
    debug_assert!(done.is_some(), "no denominator is zero any more");
}

struct Denominator<'a, W> {
    work: &'a W,
    at: usize,
}

impl<W: Work> Step for Denominator<'_, W> {
    type Output = W::Field;

    #[inline(always)]
    fn take(self) -> W::Field {
        self.work.denominator(self.at).tidy()
    }
}

/// Work whose zeros have been replaced.
struct Patched<'a, W: Work> {
    work: &'a mut W,
    denominators: Vec<W::Field>,
}

impl<W: Work> Work for Patched<'_, W> {
    type Field = W::Field;

    #[inline(always)]
    fn count(&self) -> usize {
        self.denominators.len()
    }

    #[inline(always)]
    fn denominator(&self, at: usize) -> W::Field {
        self.denominators[at]
    }

    #[inline(always)]
    fn finish(&mut self, at: usize, inverse: W::Field) {
        self.work.finish(at, inverse);
    }

    fn zero(&mut self, at: usize, lanes: u8) {
        self.work.zero(at, lanes);
    }
}
