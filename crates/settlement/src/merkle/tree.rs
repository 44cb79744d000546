//! The tree: leaf hashes in, root and proofs out.

use std::thread;

use sha2::{Digest, Sha256};

use super::{Hash, InclusionProof, LEAVES_MAX, MerkleError, leaf_hash, node, root};

/// Below so many leaves another thread costs more than it saves.
const LEAVES_PER_THREAD_MIN: usize = 4_096;

/// The leaves of a tree, hashed, in their order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MerkleTree {
    leaves: Vec<Hash>,
}

impl MerkleTree {
    /// Makes the tree of leaves that are given as bytes.
    ///
    /// # Errors
    /// [`MerkleError::TooManyLeaves`].
    pub fn from_leaves<L: AsRef<[u8]>>(
        leaves: impl IntoIterator<Item = L>,
    ) -> Result<Self, MerkleError> {
        Self::from_hashes(
            leaves
                .into_iter()
                .map(|leaf| leaf_hash(leaf.as_ref()))
                .collect(),
        )
    }

    /// Makes the tree of leaves that are hashed already, each by [`leaf_hash`].
    ///
    /// # Errors
    /// [`MerkleError::TooManyLeaves`].
    pub fn from_hashes(leaves: Vec<Hash>) -> Result<Self, MerkleError> {
        let found = leaves.len() as u64;
        if found > LEAVES_MAX {
            return Err(MerkleError::TooManyLeaves { found });
        }
        Ok(Self { leaves })
    }

    /// Returns how many leaves there are.
    pub fn leaf_count(&self) -> u64 {
        self.leaves.len() as u64
    }

    /// Returns the top node, which is the Merkle tree hash of RFC 9162.
    pub fn top(&self, threads: usize) -> Hash {
        top(&self.leaves, threads)
    }

    /// Returns the root: the top node bound to the leaf count. It does not depend on the threads.
    pub fn root(&self, threads: usize) -> Hash {
        root(self.leaf_count(), &self.top(threads))
    }

    /// Returns the proof that the leaf at a place is in the tree.
    ///
    /// # Errors
    /// [`MerkleError::IndexBound`].
    pub fn proof(&self, index: u64) -> Result<InclusionProof, MerkleError> {
        let leaf_count = self.leaf_count();
        if index >= leaf_count {
            return Err(MerkleError::IndexBound { index, leaf_count });
        }
        let mut place = index as usize;
        let mut level = self.leaves.clone();
        let mut path = Vec::new();
        while level.len() > 1 {
            path.extend(level.get(place ^ 1));
            level = above(&level);
            place >>= 1;
        }
        Ok(InclusionProof {
            index,
            leaf_count,
            path,
        })
    }
}

/// Returns the top node over some leaves. Halves as RFC 9162 parts them meet in one node, so each
/// may be hashed by itself.
fn top(leaves: &[Hash], threads: usize) -> Hash {
    if threads > 1 && leaves.len() >= 2 * LEAVES_PER_THREAD_MIN {
        let (left, right) = leaves.split_at(leaves.len().next_power_of_two() / 2);
        let (left, right) = thread::scope(|scope| {
            let right = scope.spawn(|| top(right, threads / 2));
            (top(left, threads - threads / 2), right.join())
        });
        // Hashing does not panic; were it to, the panic goes on where it is waited for.
        let right = right.unwrap_or_else(|panic| std::panic::resume_unwind(panic));
        return node(&left, &right);
    }
    let mut level = match leaves {
        [] => return Sha256::digest([]).into(),
        [only] => return *only,
        _ => above(leaves),
    };
    while level.len() > 1 {
        level = above(&level);
    }
    level[0]
}

/// Hashes pairs; the last of an odd level is promoted as it is.
fn above(level: &[Hash]) -> Vec<Hash> {
    let pair = |pair: &[Hash]| match pair {
        [left, right] => node(left, right),
        odd => odd[0],
    };
    level.chunks(2).map(pair).collect()
}
