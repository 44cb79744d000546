//! What is certified: a connection point, and the way its energy flows.

use std::fmt;

use sha3::{Digest, Keccak256};

use super::CertificateError;

/// The pseudonym of a connection point: 32 random bytes, given once and used by every issuer.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Asset([u8; 32]);

impl Asset {
    /// Takes the pseudonym.
    ///
    /// # Errors
    /// [`CertificateError::AssetMalformed`] unless it is of 32 bytes and not all zero.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, CertificateError> {
        match <[u8; 32]>::try_from(bytes) {
            Ok(asset) if asset != [0; 32] => Ok(Self(asset)),
            _ => Err(CertificateError::AssetMalformed { bytes: bytes.len() }),
        }
    }

    /// Returns the bytes.
    pub const fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }
}

impl fmt::Display for Asset {
    fn fmt(&self, to: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(to, "{byte:02x}"))
    }
}

impl fmt::Debug for Asset {
    fn fmt(&self, to: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(to, "Asset({self})")
    }
}

/// Which way the energy flowed through the connection point.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Direction {
    /// Into the grid.
    Export,
    /// From the grid.
    Import,
}

impl Direction {
    /// Returns the word, as files and Python spell it.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Export => "export",
            Self::Import => "import",
        }
    }

    /// Reads the word.
    pub fn from_word(word: &str) -> Option<Self> {
        [Self::Export, Self::Import]
            .into_iter()
            .find(|direction| direction.word() == word)
    }
}

/// Returns what a claim on one quantum is entered under: `keccak256(abi.encode(asset, quantum,
/// direction))`, as the contract `CertificateRegistry` computes it.
pub fn key(asset: &Asset, quantum: u64, direction: Direction) -> [u8; 32] {
    let mut words = [0; 96];
    words[..32].copy_from_slice(&asset.0);
    words[56..64].copy_from_slice(&quantum.to_be_bytes());
    words[95] = direction as u8;
    Keccak256::digest(words).into()
}
