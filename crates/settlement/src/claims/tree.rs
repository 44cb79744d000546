//! The tree of one bucket.

use super::{Address, ClaimError, ClaimProof, Hash, leaf, node, root};

/// Most claims a bucket takes.
pub const CLAIMS_MAX: usize = 1 << 24;

/// Longest path of a proof: log2 of [`CLAIMS_MAX`].
pub const PATH_MAX: usize = CLAIMS_MAX.ilog2() as usize;

/// Largest amount of one claim: with [`CLAIMS_MAX`] of them the total stays below 2^120.
pub const AMOUNT_MAX: i128 = (1 << 96) - 1;

/// The money that claims are about: one bucket of one contract on one chain.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Bucket {
    /// EIP-155 chain id.
    pub chain_id: u64,
    /// The contract that holds the money.
    pub contract: Address,
    /// Number of the bucket in that contract.
    pub number: u64,
}

/// What one account may take, in the smallest unit of the token.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Claim {
    account: Address,
    amount: u128,
}

impl Claim {
    /// Makes a claim.
    ///
    /// # Errors
    /// [`ClaimError::AmountBound`].
    pub fn new(account: Address, amount: i128) -> Result<Self, ClaimError> {
        let outside = ClaimError::AmountBound {
            account,
            found: amount,
        };
        match u128::try_from(amount) {
            Ok(positive @ 1..) if amount <= AMOUNT_MAX => Ok(Self {
                account,
                amount: positive,
            }),
            _ => Err(outside),
        }
    }

    /// Makes the claims of two columns.
    ///
    /// # Errors
    /// [`ClaimError::ColumnsDiffer`], or that of the first claim that is wrong.
    pub fn from_columns(
        accounts: &[impl AsRef<[u8]>],
        amounts: &[i128],
    ) -> Result<Vec<Self>, ClaimError> {
        if accounts.len() != amounts.len() {
            return Err(ClaimError::ColumnsDiffer {
                accounts: accounts.len(),
                amounts: amounts.len(),
            });
        }
        accounts
            .iter()
            .zip(amounts)
            .map(|(account, &amount)| Self::new(Address::from_bytes(account.as_ref())?, amount))
            .collect()
    }

    /// Returns who is paid.
    pub const fn account(&self) -> &Address {
        &self.account
    }

    /// Returns how much, positive.
    pub const fn amount(&self) -> u128 {
        self.amount
    }
}

/// All claims on one bucket, hashed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ClaimTree {
    bucket: Bucket,
    claims: Vec<Claim>,
    /// Hashes from the leaves up to the one top node.
    levels: Vec<Vec<Hash>>,
    total: u128,
}

impl ClaimTree {
    /// Makes the tree of a bucket.
    ///
    /// # Errors
    /// [`ClaimError::Count`], [`ClaimError::AccountRepeated`].
    pub fn new(bucket: Bucket, mut claims: Vec<Claim>) -> Result<Self, ClaimError> {
        let found = claims.len();
        if found == 0 || found > CLAIMS_MAX {
            return Err(ClaimError::Count { found });
        }
        claims.sort_unstable_by_key(|claim| claim.account);
        if let Some(twice) = claims.windows(2).find(|w| w[0].account == w[1].account) {
            let account = twice[0].account;
            return Err(ClaimError::AccountRepeated { account });
        }
        let leaves = (0..).zip(&claims).map(|(i, claim)| leaf(&bucket, i, claim));
        let levels = levels_above(leaves.collect());
        // Within 120 bits, by the two limits.
        let total = claims.iter().map(|claim| claim.amount).sum();
        Ok(Self {
            bucket,
            claims,
            levels,
            total,
        })
    }

    /// Returns the bucket.
    pub const fn bucket(&self) -> &Bucket {
        &self.bucket
    }

    /// Returns the claims by account.
    pub fn claims(&self) -> &[Claim] {
        &self.claims
    }

    /// Returns how many claims there are.
    pub fn leaf_count(&self) -> u64 {
        self.claims.len() as u64
    }

    /// Returns the sum of the claims.
    pub const fn total(&self) -> u128 {
        self.total
    }

    /// Returns the root that the contract is given.
    pub fn root(&self) -> Hash {
        root(
            self.leaf_count(),
            self.total,
            &self.levels[self.levels.len() - 1][0],
        )
    }

    /// Returns the proof of an account's claim.
    ///
    /// # Errors
    /// [`ClaimError::AccountUnknown`].
    pub fn proof(&self, account: &Address) -> Result<ClaimProof, ClaimError> {
        let place = self
            .claims
            .binary_search_by_key(account, |claim| claim.account)
            .map_err(|_| ClaimError::AccountUnknown { account: *account })?;
        let below_top = &self.levels[..self.levels.len() - 1];
        let path = (0..)
            .zip(below_top)
            .filter_map(|(height, level)| level.get((place >> height) ^ 1).copied())
            .collect();
        Ok(ClaimProof {
            bucket: self.bucket,
            leaf_count: self.leaf_count(),
            total: self.total,
            index: place as u64,
            claim: self.claims[place],
            path,
        })
    }
}

/// Hashes pairs until one node is left; the last of an odd level is promoted as it is.
fn levels_above(leaves: Vec<Hash>) -> Vec<Vec<Hash>> {
    let mut levels = vec![leaves];
    loop {
        let below = &levels[levels.len() - 1];
        if below.len() == 1 {
            return levels;
        }
        let pair = |pair: &[Hash]| match pair {
            [left, right] => node(left, right),
            odd => odd[0],
        };
        let above = below.chunks(2).map(pair).collect();
        levels.push(above);
    }
}
