//! Addresses of accounts and contracts.

use std::fmt;

use super::ClaimError;

/// The address of an account or a contract, never the zero address.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Address([u8; 20]);

impl Address {
    /// Makes an address of its 20 bytes.
    ///
    /// # Errors
    /// [`ClaimError::AddressLength`], [`ClaimError::AddressZero`].
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, ClaimError> {
        let found = bytes.len();
        let address: [u8; 20] = bytes
            .try_into()
            .map_err(|_| ClaimError::AddressLength { found })?;
        if address == [0; 20] {
            return Err(ClaimError::AddressZero);
        }
        Ok(Self(address))
    }

    /// Returns its bytes.
    pub const fn as_bytes(&self) -> &[u8; 20] {
        &self.0
    }
}

impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "0x")?;
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

impl fmt::Debug for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}
