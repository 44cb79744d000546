//! Merkle trees over any leaves, and proofs that one leaf is in a tree, checked with the root alone.
//!
//! # What is hashed
//! SHA-256 throughout; the leaf count has 8 bytes, big-endian:
//!
//! | hash | of |
//! |---|---|
//! | leaf | `00`, the bytes of the leaf |
//! | node | `01`, left, right (65 bytes) |
//! | root | `02`, leaf count, top node (41 bytes) |
//!
//! Leaf, node and shape are those of RFC 9162, section 2.1: of n leaves the left half has the largest
//! power of two below n. The top node of no leaves is the SHA-256 of nothing. The root is ours: it
//! adds the count.
//!
//! # Invariants
//! - First bytes differ: no leaf passes for a node, no node for a root.
//! - The root binds the leaf count, and count and index fix the side of each sibling in a path.
//! - An odd node is promoted as it is, never doubled: two lists of leaves with one root are one list.
//!
//! # Ordering
//! Leaves stand in the order given. Whoever makes a tree states the order.
//!
//! # Limits
//! [`LEAVES_MAX`]; a path has at most [`PATH_MAX`] siblings.
//!
//! # Known gaps
//! What the bytes of a leaf say is for the caller: a leaf is as secret as its bytes are hard to guess.
//! That a leaf is *not* in a tree cannot be shown.
//!
//! # Cost
//! Two hashes per leaf, on as many threads as asked for; memory for one hash per leaf and, while
//! hashing, half as much again.

mod canonical;
mod errors;
mod proof;
#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "what is wrong here fails the test")]
mod tests;
mod tree;

pub use canonical::{Item, append_canonical, canonical_bytes};
pub use errors::MerkleError;
pub use proof::{InclusionProof, VerifiedLeaf};
pub use tree::MerkleTree;

use sha2::{Digest, Sha256};

/// A hash.
pub type Hash = [u8; 32];

/// Most leaves of one tree.
pub const LEAVES_MAX: u64 = 1 << 32;

/// Most siblings of a path.
pub const PATH_MAX: usize = 32;

const LEAF: u8 = 0;
const NODE: u8 = 1;
const ROOT: u8 = 2;

/// Hashes the bytes of a leaf.
pub fn leaf_hash(bytes: &[u8]) -> Hash {
    let mut hasher = Sha256::new_with_prefix([LEAF]);
    hasher.update(bytes);
    hasher.finalize().into()
}

/// Hashes two nodes into one.
fn node(left: &Hash, right: &Hash) -> Hash {
    let mut bytes = [NODE; 65];
    bytes[1..33].copy_from_slice(left);
    bytes[33..].copy_from_slice(right);
    Sha256::digest(bytes).into()
}

/// Hashes the top node with the leaf count.
fn root(leaf_count: u64, top: &Hash) -> Hash {
    let mut hasher = Sha256::new_with_prefix([ROOT]);
    hasher.update(leaf_count.to_be_bytes());
    hasher.update(top);
    hasher.finalize().into()
}
