//! Salts, commitments and what opens them.

use hmac::{Hmac, KeyInit, Mac};
use sha2::{Digest, Sha256};

use super::CommitmentError;

/// Length of a participant's secret.
pub const SECRET_BYTES: usize = 32;

/// Longest leaf id. [bytes]
pub const LEAF_ID_MAX: usize = 256;

/// Longest payload. [bytes]
pub const PAYLOAD_MAX: usize = 1 << 20;

/// What hides a payload.
pub type Salt = [u8; 32];

/// What is public of a payload.
pub type Commitment = [u8; 32];

const DOMAIN: &[u8] = b"gridrig.commitment.1\0";

/// Returns the salt of a leaf.
///
/// # Errors
/// [`CommitmentError::SecretLength`], [`CommitmentError::LeafIdLength`].
pub fn salt(secret: &[u8], leaf_id: &str) -> Result<Salt, CommitmentError> {
    let found = secret.len();
    if found != SECRET_BYTES || secret.iter().all(|&byte| byte == 0) {
        return Err(CommitmentError::SecretLength { found });
    }
    require_leaf_id(leaf_id)?;
    let mut mac = <Hmac<Sha256> as KeyInit>::new_from_slice(secret)
        .map_err(|_| CommitmentError::SecretLength { found })?;
    mac.update(leaf_id.as_bytes());
    Ok(mac.finalize().into_bytes().into())
}

/// All that opens a commitment: whoever has it knows the payload, and nothing else.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Opening {
    leaf_id: String,
    salt: Salt,
    payload: Vec<u8>,
}

impl Opening {
    /// Makes the opening of a payload under a salt.
    ///
    /// # Errors
    /// [`CommitmentError::LeafIdLength`], [`CommitmentError::HashLength`],
    /// [`CommitmentError::PayloadLength`].
    pub fn new(leaf_id: &str, salt: &[u8], payload: &[u8]) -> Result<Self, CommitmentError> {
        require_leaf_id(leaf_id)?;
        let hash_length = |_| CommitmentError::HashLength {
            what: "a salt",
            found: salt.len(),
        };
        let salt = salt.try_into().map_err(hash_length)?;
        let found = payload.len();
        if found > PAYLOAD_MAX {
            return Err(CommitmentError::PayloadLength { found });
        }
        Ok(Self {
            leaf_id: leaf_id.to_owned(),
            salt,
            payload: payload.to_vec(),
        })
    }

    /// Returns what is public of it.
    pub fn commitment(&self) -> Commitment {
        let mut hasher = Sha256::new_with_prefix(DOMAIN);
        hasher.update((self.leaf_id.len() as u64).to_be_bytes());
        hasher.update(self.leaf_id.as_bytes());
        hasher.update(self.salt);
        hasher.update(&self.payload);
        hasher.finalize().into()
    }

    /// Opens a commitment: returns the payload that it is proven to be of.
    ///
    /// # Errors
    /// [`CommitmentError::HashLength`], [`CommitmentError::OpensAnother`].
    pub fn open(&self, commitment: &[u8]) -> Result<&[u8], CommitmentError> {
        let found = commitment.len();
        if found != 32 {
            let what = "a commitment";
            return Err(CommitmentError::HashLength { what, found });
        }
        if self.commitment() != commitment {
            let leaf_id = self.leaf_id.clone();
            return Err(CommitmentError::OpensAnother { leaf_id });
        }
        Ok(&self.payload)
    }
}

fn require_leaf_id(leaf_id: &str) -> Result<(), CommitmentError> {
    let found = leaf_id.len();
    if found == 0 || found > LEAF_ID_MAX {
        return Err(CommitmentError::LeafIdLength { found });
    }
    Ok(())
}
