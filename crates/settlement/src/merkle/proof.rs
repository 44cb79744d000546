//! Proofs of single leaves.

use crate::sides::sides;

use super::{Hash, MerkleError, PATH_MAX, leaf_hash, node, root};

/// The place of a leaf and the siblings that lead from it to the root.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct InclusionProof {
    /// The place of the leaf.
    pub index: u64,
    /// How many leaves the tree has.
    pub leaf_count: u64,
    /// The siblings, from the leaf upwards; none where a node was promoted.
    pub path: Vec<Hash>,
}

/// A leaf that a root was proven to contain.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct VerifiedLeaf {
    bytes: Vec<u8>,
    index: u64,
    root: Hash,
}

impl VerifiedLeaf {
    /// Returns the bytes of the leaf.
    pub fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// Returns its place.
    pub const fn index(&self) -> u64 {
        self.index
    }

    /// Returns the root that contains it.
    pub const fn root(&self) -> &Hash {
        &self.root
    }
}

impl InclusionProof {
    /// Makes a proof of parts of unknown length.
    ///
    /// # Errors
    /// [`MerkleError::HashLength`], [`MerkleError::PathLength`] for more than any leaf has.
    pub fn from_parts(
        index: u64,
        leaf_count: u64,
        path: &[impl AsRef<[u8]>],
    ) -> Result<Self, MerkleError> {
        if path.len() > PATH_MAX {
            return Err(MerkleError::PathLength {
                index,
                leaf_count,
                found: path.len(),
                expected: PATH_MAX,
            });
        }
        let path = path
            .iter()
            .map(|part| hash_from("sibling", part.as_ref()))
            .collect::<Result<_, _>>()?;
        Ok(Self {
            index,
            leaf_count,
            path,
        })
    }

    /// Proves a leaf against a root.
    ///
    /// # Errors
    /// [`MerkleError::HashLength`] if the root is not of 32 bytes, [`MerkleError::IndexBound`],
    /// [`MerkleError::PathLength`], [`MerkleError::RootMismatch`].
    pub fn verify(&self, leaf: &[u8], expected: &[u8]) -> Result<VerifiedLeaf, MerkleError> {
        let Self {
            index, leaf_count, ..
        } = *self;
        let expected = hash_from("root", expected)?;
        if index >= leaf_count {
            return Err(MerkleError::IndexBound { index, leaf_count });
        }
        let sides = sides(index, leaf_count);
        if self.path.len() != sides.len() {
            return Err(MerkleError::PathLength {
                index,
                leaf_count,
                found: self.path.len(),
                expected: sides.len(),
            });
        }
        let mut top = leaf_hash(leaf);
        for (sibling, is_left) in self.path.iter().zip(sides) {
            top = if is_left {
                node(sibling, &top)
            } else {
                node(&top, sibling)
            };
        }
        if root(leaf_count, &top) != expected {
            return Err(MerkleError::RootMismatch { index, leaf_count });
        }
        Ok(VerifiedLeaf {
            bytes: leaf.to_vec(),
            index,
            root: expected,
        })
    }
}

fn hash_from(what: &'static str, bytes: &[u8]) -> Result<Hash, MerkleError> {
    let found = bytes.len();
    bytes
        .try_into()
        .map_err(|_| MerkleError::HashLength { what, found })
}
