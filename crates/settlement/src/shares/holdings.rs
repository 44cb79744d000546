//! Who holds how many shares of an asset, and for how long.

use std::collections::BTreeMap;

use super::ShareError;

/// Most shares of one asset.
pub const SHARES_MAX: u64 = 100_000_000;

/// Longest span that is weighed: 400 days. [ms]
pub const SPAN_MAX_MS: i64 = 400 * 86_400_000;

/// The shares of one asset: their number never changes, they only move.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ShareRegister {
    founders: BTreeMap<String, u64>,
    held: BTreeMap<String, u64>,
    transfers: Vec<Transfer>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
struct Transfer {
    at_ms: i64,
    holder: String,
    to: String,
    shares: u64,
}

impl ShareRegister {
    /// Gives out the shares of an asset.
    ///
    /// # Errors
    /// [`ShareError::HolderRepeated`], [`ShareError::ShareCount`].
    pub fn new(founders: Vec<(String, u64)>) -> Result<Self, ShareError> {
        let mut held = BTreeMap::new();
        let mut found = 0_u64;
        for (holder, shares) in founders {
            found = found.saturating_add(shares);
            if holder.is_empty() || held.contains_key(&holder) {
                return Err(ShareError::HolderRepeated { holder });
            }
            held.insert(holder, shares);
        }
        if found == 0 || found > SHARES_MAX {
            return Err(ShareError::ShareCount { found });
        }
        Ok(Self {
            founders: held.clone(),
            held,
            transfers: Vec::new(),
        })
    }

    /// Moves shares from one holder to another; transfers are entered in the order of time.
    ///
    /// # Errors
    /// [`ShareError::TransferEmpty`], [`ShareError::TransferBehind`], [`ShareError::SharesShort`].
    /// Nothing is moved then.
    pub fn transfer(
        &mut self,
        at_ms: i64,
        holder: &str,
        to: &str,
        shares: u64,
    ) -> Result<(), ShareError> {
        let (holder, to) = (holder.to_owned(), to.to_owned());
        if shares == 0 || to.is_empty() || to == holder {
            return Err(ShareError::TransferEmpty { holder, to, shares });
        }
        if let Some(last_ms) = self.transfers.last().map(|last| last.at_ms)
            && at_ms < last_ms
        {
            return Err(ShareError::TransferBehind { at_ms, last_ms });
        }
        let held = self.held.get(&holder).copied().unwrap_or(0);
        if held < shares {
            return Err(ShareError::SharesShort {
                holder,
                shares,
                held,
            });
        }
        self.held.insert(holder.clone(), held - shares);
        *self.held.entry(to.clone()).or_insert(0) += shares;
        self.transfers.push(Transfer {
            at_ms,
            holder,
            to,
            shares,
        });
        Ok(())
    }

    /// Returns who holds how many now, by name.
    pub const fn held(&self) -> &BTreeMap<String, u64> {
        &self.held
    }

    /// Returns the shares times milliseconds of every holder in a span, by name.
    ///
    /// # Errors
    /// [`ShareError::SpanBound`].
    pub fn weights(&self, from_ms: i64, to_ms: i64) -> Result<BTreeMap<String, u64>, ShareError> {
        let span = i128::from(to_ms) - i128::from(from_ms);
        if span <= 0 || span > i128::from(SPAN_MAX_MS) {
            return Err(ShareError::SpanBound { from_ms, to_ms });
        }
        // Within 63 bits, by the two limits.
        let whole = span as u64;
        let mut weights: BTreeMap<String, u64> = self
            .founders
            .iter()
            .map(|(holder, shares)| (holder.clone(), shares * whole))
            .collect();
        for moved in &self.transfers {
            let after = (to_ms - moved.at_ms.clamp(from_ms, to_ms)) as u64;
            *weights.entry(moved.to.clone()).or_insert(0) += moved.shares * after;
            if let Some(weight) = weights.get_mut(&moved.holder) {
                *weight -= moved.shares * after;
            }
        }
        Ok(weights)
    }
}
