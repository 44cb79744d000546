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
    if attempt(work, None, products).is_none() {
        without_zeros(work, products);
    }
}

/// Gives up, with nothing finished, if a denominator is zero. Takes others in place of the work's own
/// denominators if they are given.
///
/// Compiled once for each work: what is long in code is finished here and nowhere else.
#[inline(never)]
fn attempt<W: Work>(
    work: &mut W,
    others: Option<&[W::Field]>,
    products: &mut Vec<W::Field>,
) -> Option<()> {
    if products.len() < work.count() {
        products.resize(work.count(), W::Field::from_lanes(|_| Fp::ONE));
    }
    let running = W::Field::step(MultiplyUp {
        work: &*work,
        others,
        products: &mut *products,
    });
    let inverses = inverses(running)?;
    W::Field::step(ComeDown {
        work,
        others,
        products,
        inverses,
    });
    Some(())
}

/// Returns the inverse of each chain; none if one is zero. It is asked for once in a batch and is the
/// same for all work of a field: in place, it would be half of the code of each.
#[inline(never)]
fn inverses<F: Field>(running: [F; CHAINS]) -> Option<[F; CHAINS]> {
    let inverse = F::step(Total(running)).invert()?;
    Some(F::step(Parts { running, inverse }))
}

#[inline(always)]
fn denominator<W: Work>(work: &W, others: Option<&[W::Field]>, at: usize) -> W::Field {
    match others {
        None => work.denominator(at),
        Some(others) => others[at],
    }
}

/// Leaves before each denominator the product of those before it in its chain.
struct MultiplyUp<'a, W: Work> {
    work: &'a W,
    others: Option<&'a [W::Field]>,
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
            *chain = *chain * denominator(self.work, self.others, at);
        }
        running
    }
}

/// A product where time is not of the essence.
struct Product<F>(F, F);

impl<F: Field> Step for Product<F> {
    type Output = F;

    #[inline(always)]
    fn take(self) -> F {
        self.0 * self.1
    }
}

#[inline(always)]
fn product<F: Field>(one: F, other: F) -> F {
    F::piece(Product(one, other))
}

/// The product of the chains.
struct Total<F>([F; CHAINS]);

impl<F: Field> Step for Total<F> {
    type Output = F;

    #[inline(always)]
    fn take(self) -> F {
        let [a, b, c, d] = self.0;
        product(product(a, b), product(c, d))
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
        let ab = product(self.inverse, product(c, d));
        let cd = product(self.inverse, product(a, b));
        [
            product(ab, b),
            product(ab, a),
            product(cd, d),
            product(cd, c),
        ]
    }
}

/// Finishes each denominator, the last one first.
struct ComeDown<'a, W: Work> {
    work: &'a mut W,
    others: Option<&'a [W::Field]>,
    products: &'a [W::Field],
    inverses: [W::Field; CHAINS],
}

impl<W: Work> Step for ComeDown<'_, W> {
    type Output = ();

    #[inline(always)]
    fn take(self) {
        let Self {
            work,
            others,
            products,
            mut inverses,
        } = self;
        for at in (0..work.count()).rev() {
            let chain = &mut inverses[at % CHAINS];
            let inverse = *chain * products[at];
            *chain = *chain * denominator(&*work, others, at);
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
    let done = attempt(work, Some(&denominators), products);
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
