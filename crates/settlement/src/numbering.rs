//! Numbers for names, each given once, from 1 on.
//!
//! A number that is given is *new* until it is [kept](Numbering::keep) or
//! [forgotten](Numbering::forget): whoever stores the names does so in between, and may fail.

use std::collections::HashMap;
use std::sync::Arc;

/// The numbers of some names, which are any bytes.
#[derive(Debug, Default)]
pub struct Numbering {
    given: HashMap<Arc<[u8]>, i64>,
    new: Vec<Arc<[u8]>>,
}

impl Numbering {
    /// Numbers the names that are kept already, in their order.
    pub fn kept(names: impl IntoIterator<Item = Vec<u8>>) -> Self {
        let mut numbering = Self::default();
        for name in names {
            numbering.number(&name);
        }
        numbering.keep();
        numbering
    }

    /// Returns the number of a name; one that has none is given the next.
    pub fn number(&mut self, name: &[u8]) -> i64 {
        if let Some(&number) = self.given.get(name) {
            return number;
        }
        let number = self.given.len() as i64 + 1;
        let name: Arc<[u8]> = name.into();
        self.given.insert(Arc::clone(&name), number);
        self.new.push(name);
        number
    }

    /// Returns the highest number that is kept.
    pub fn last(&self) -> usize {
        self.given.len() - self.new.len()
    }

    /// Lists the names that are new, whose numbers follow the last one.
    pub fn new_names(&self) -> &[Arc<[u8]>] {
        &self.new
    }

    /// Keeps what is new.
    pub fn keep(&mut self) {
        self.new.clear();
    }

    /// Forgets what is new: the numbers are given again.
    pub fn forget(&mut self) {
        for name in self.new.drain(..) {
            self.given.remove(&name);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_given_once_and_those_that_are_forgotten_again() {
        let mut numbering = Numbering::kept([b"a".to_vec(), b"b".to_vec()]);
        assert_eq!((numbering.last(), numbering.number(b"b")), (2, 2));
        assert_eq!(
            [b"d", b"c", b"d"].map(|name| numbering.number(name)),
            [3, 4, 3]
        );
        assert_eq!(numbering.new_names(), [Arc::from(*b"d"), Arc::from(*b"c")]);
        numbering.forget();
        assert_eq!((numbering.last(), numbering.number(b"c")), (2, 3));
        numbering.keep();
        assert_eq!((numbering.last(), numbering.new_names().len()), (3, 0));
        numbering.forget();
        assert_eq!(numbering.number(b"c"), 3);
    }
}
