//! Proofs of single claims, verified with the root alone.

use crate::sides::sides;

use super::{Address, Bucket, Claim, ClaimError, Hash, PATH_MAX, leaf, node, root};

/// A claim, its place, and the siblings that lead from it to the root.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct ClaimProof {
    /// The bucket it is about.
    pub bucket: Bucket,
    /// How many leaves the tree has.
    pub leaf_count: u64,
    /// The sum of all claims.
    pub total: u128,
    /// The place of the leaf.
    pub index: u64,
    /// The claim.
    pub claim: Claim,
    /// The siblings, from the leaf upwards; none where a node was promoted.
    pub path: Vec<Hash>,
}

/// A claim that a root was proven to contain.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct VerifiedClaim {
    claim: Claim,
    root: Hash,
}

impl VerifiedClaim {
    /// Returns who is paid.
    pub const fn account(&self) -> &Address {
        self.claim.account()
    }

    /// Returns how much.
    pub const fn amount(&self) -> u128 {
        self.claim.amount()
    }

    /// Returns the root that contains it.
    pub const fn root(&self) -> &Hash {
        &self.root
    }
}

impl ClaimProof {
    /// Proves the claim against a root, as the contract does.
    ///
    /// # Errors
    /// [`ClaimError::IndexBound`], [`ClaimError::PathLength`], [`ClaimError::RootMismatch`].
    pub fn verify(&self, expected: &Hash) -> Result<VerifiedClaim, ClaimError> {
        let Self {
            index, leaf_count, ..
        } = *self;
        if index >= leaf_count {
            return Err(ClaimError::IndexBound { index, leaf_count });
        }
        let sides = sides(index, leaf_count);
        if self.path.len() != sides.len() {
            return Err(ClaimError::PathLength {
                index,
                leaf_count,
                found: self.path.len(),
                expected: sides.len(),
            });
        }
        let mut top = leaf(&self.bucket, index, &self.claim);
        for (sibling, is_left) in self.path.iter().zip(sides) {
            top = if is_left {
                node(sibling, &top)
            } else {
                node(&top, sibling)
            };
        }
        if root(leaf_count, self.total, &top) != *expected {
            let account = *self.claim.account();
            return Err(ClaimError::RootMismatch { account });
        }
        Ok(VerifiedClaim {
            claim: self.claim,
            root: *expected,
        })
    }

    /// As [`ClaimProof::verify`], for a root of unknown length.
    ///
    /// # Errors
    /// As there; a root that is not of 32 bytes is [`ClaimError::RootMismatch`].
    pub fn verify_bytes(&self, expected: &[u8]) -> Result<VerifiedClaim, ClaimError> {
        let account = *self.claim.account();
        let root = expected.try_into();
        self.verify(root.map_err(|_| ClaimError::RootMismatch { account })?)
    }

    /// Returns a path of its parts.
    ///
    /// # Errors
    /// [`ClaimError::PathMalformed`].
    pub fn path_from(parts: &[impl AsRef<[u8]>]) -> Result<Vec<Hash>, ClaimError> {
        let siblings = parts.len();
        let malformed = |bytes| ClaimError::PathMalformed { siblings, bytes };
        if siblings > PATH_MAX {
            return Err(malformed(32));
        }
        let hash = |part: &[u8]| part.try_into().map_err(|_| malformed(part.len()));
        parts.iter().map(|part| hash(part.as_ref())).collect()
    }
}
