//! Claim trees: who may take how much from a bucket of money that a contract holds.
//!
//! # What is hashed
//! Keccak-256 throughout, integers big-endian in 32 bytes, addresses in 20:
//!
//! | hash | of |
//! |---|---|
//! | leaf | `00`, chain id, contract, bucket, index, account, amount (169 bytes) |
//! | node | `01`, left, right (65 bytes) |
//! | root | `02`, leaf count, total, top node (97 bytes) |
//!
//! # Invariants
//! - A leaf speaks of one chain, contract, bucket and place: it is worth nothing elsewhere.
//! - First bytes and lengths differ: no leaf passes for a node, no node for a root.
//! - The root binds the leaf count, and count and index fix the side of each sibling in a path; an
//!   odd node is promoted as it is, never doubled. The shape is that of RFC 9162, section 2.1.
//! - The root binds the total, the sum of the leaves: a bucket funded with another total pays
//!   nobody.
//! - One leaf per account and bucket.
//!
//! # Ordering
//! Leaves stand by account, rising: the root does not depend on the order of the claims.
//!
//! # Limits
//! [`CLAIMS_MAX`], [`AMOUNT_MAX`].
//!
//! # Known gaps
//! Leaves are not salted: who knows an account and guesses its amount can see the guess confirmed.
//! A claim that is paid is public in any case.
//!
//! # Cost
//! Two hashes per claim, one of two blocks; memory for two hashes per claim. A path has at most
//! log2 n siblings.

mod address;
mod errors;
mod proof;
mod tree;

pub use address::Address;
pub use errors::ClaimError;
pub use proof::{ClaimProof, VerifiedClaim};
pub use tree::{AMOUNT_MAX, Bucket, CLAIMS_MAX, Claim, ClaimTree, PATH_MAX};

use sha3::{Digest, Keccak256};

/// A hash, as the contracts hold it.
pub type Hash = [u8; 32];

const LEAF: u8 = 0;
const NODE: u8 = 1;
const ROOT: u8 = 2;

/// Hashes a leaf.
fn leaf(bucket: &Bucket, index: u64, claim: &Claim) -> Hash {
    let mut hasher = Keccak256::new_with_prefix([LEAF]);
    hasher.update(word(u128::from(bucket.chain_id)));
    hasher.update(bucket.contract.as_bytes());
    hasher.update(word(u128::from(bucket.number)));
    hasher.update(word(u128::from(index)));
    hasher.update(claim.account().as_bytes());
    hasher.update(word(claim.amount()));
    hasher.finalize().into()
}

/// Hashes two nodes into one.
fn node(left: &Hash, right: &Hash) -> Hash {
    let mut hasher = Keccak256::new_with_prefix([NODE]);
    hasher.update(left);
    hasher.update(right);
    hasher.finalize().into()
}

/// Hashes the top node with what the root binds.
fn root(leaf_count: u64, total: u128, top: &Hash) -> Hash {
    let mut hasher = Keccak256::new_with_prefix([ROOT]);
    hasher.update(word(u128::from(leaf_count)));
    hasher.update(word(total));
    hasher.update(top);
    hasher.finalize().into()
}

/// Returns an integer as the 256-bit word of a contract.
fn word(value: u128) -> Hash {
    let mut word = [0; 32];
    word[16..].copy_from_slice(&value.to_be_bytes());
    word
}
