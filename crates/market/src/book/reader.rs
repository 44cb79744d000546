//! Little-endian fields read from bytes that may be anything.

use super::BookError;

/// Bytes and how far they have been read.
#[derive(Debug, Clone, Copy)]
pub(super) struct Reader<'a> {
    bytes: &'a [u8],
    at: usize,
}

impl<'a> Reader<'a> {
    pub(super) const fn new(bytes: &'a [u8]) -> Self {
        Self { bytes, at: 0 }
    }

    pub(super) const fn offset(&self) -> usize {
        self.at
    }

    /// Returns the bytes between two offsets that have been passed.
    pub(super) fn between(&self, from: usize, to: usize) -> &'a [u8] {
        &self.bytes[from..to]
    }

    pub(super) fn left(&self) -> usize {
        self.bytes.len() - self.at
    }

    pub(super) fn take(&mut self, needed: usize) -> Result<&'a [u8], BookError> {
        let found = self.left();
        if found < needed {
            return Err(BookError::Truncated {
                offset: self.at,
                needed,
                found,
            });
        }
        let taken = &self.bytes[self.at..self.at + needed];
        self.at += needed;
        Ok(taken)
    }

    pub(super) fn array<const N: usize>(&mut self) -> Result<[u8; N], BookError> {
        let mut array = [0; N];
        array.copy_from_slice(self.take(N)?);
        Ok(array)
    }

    pub(super) fn u32(&mut self) -> Result<u32, BookError> {
        self.array().map(u32::from_le_bytes)
    }

    pub(super) fn i32(&mut self) -> Result<i32, BookError> {
        self.array().map(i32::from_le_bytes)
    }

    pub(super) fn u64(&mut self) -> Result<u64, BookError> {
        self.array().map(u64::from_le_bytes)
    }

    pub(super) fn i64(&mut self) -> Result<i64, BookError> {
        self.array().map(i64::from_le_bytes)
    }

    /// Reads a code of four bytes that `known` translates.
    pub(super) fn code<T>(
        &mut self,
        what: &'static str,
        known: impl Fn(u8) -> Option<T>,
    ) -> Result<T, BookError> {
        let offset = self.at;
        let found = self.u32()?;
        u8::try_from(found)
            .ok()
            .and_then(known)
            .ok_or(BookError::Field {
                what,
                offset,
                found: i64::from(found),
            })
    }

    /// Asks that `magic` and `version` come next.
    pub(super) fn begins(
        &mut self,
        magic: &[u8; 16],
        version: u32,
        expected: &'static str,
    ) -> Result<(), BookError> {
        if self.left() < magic.len() || self.take(magic.len())? != magic {
            return Err(BookError::Magic { expected });
        }
        match self.u32()? {
            found if found == version => Ok(()),
            found => Err(BookError::Version {
                found,
                expected: version,
            }),
        }
    }

    /// Asks that nothing comes next.
    pub(super) fn ends(&self) -> Result<(), BookError> {
        match self.left() {
            0 => Ok(()),
            found => Err(BookError::Trailing {
                offset: self.at,
                found,
            }),
        }
    }
}
