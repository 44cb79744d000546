//! Net revenue paid to holders, losses carried.

use super::{ShareError, ShareRegister, largest_remainder};

/// What a span pays.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Distribution {
    /// Revenue kept to make good earlier losses. [millionths]
    pub made_good_micro: i64,
    /// What each holder of the span is paid, by name, never negative. [millionths]
    pub payouts: Vec<(String, i64)>,
    /// Losses carried on. [millionths]
    pub losses_micro: i64,
}

/// The losses of an asset that its revenue has not yet made good.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Waterfall {
    losses_micro: i64,
}

impl Waterfall {
    /// Goes on from the losses carried so far. [millionths]
    ///
    /// # Errors
    /// [`ShareError::LossBound`] if they are negative.
    pub fn carrying(losses_micro: i64) -> Result<Self, ShareError> {
        if losses_micro < 0 {
            let found = i128::from(losses_micro);
            return Err(ShareError::LossBound { found });
        }
        Ok(Self { losses_micro })
    }

    /// Returns the losses carried. [millionths]
    pub const fn losses_micro(&self) -> i64 {
        self.losses_micro
    }

    /// Pays the net revenue of a span to those who held shares in it.
    ///
    /// # Errors
    /// [`ShareError::SpanBound`], [`ShareError::LossBound`]. Nothing is carried then.
    pub fn distribute(
        &mut self,
        net_revenue_micro: i64,
        shares: &ShareRegister,
        from_ms: i64,
        to_ms: i64,
    ) -> Result<Distribution, ShareError> {
        let weights = shares.weights(from_ms, to_ms)?;
        let balance = i128::from(net_revenue_micro) - i128::from(self.losses_micro);
        // Both terms fit, so a positive balance does; only losses can pile up.
        let paid = balance.max(0) as i64;
        let losses_micro = i64::try_from((-balance).max(0))
            .map_err(|_| ShareError::LossBound { found: -balance })?;
        let columns: Vec<u64> = weights.values().copied().collect();
        let parts = largest_remainder(paid, &columns)?;
        self.losses_micro = losses_micro;
        Ok(Distribution {
            made_good_micro: net_revenue_micro.max(0) - paid,
            payouts: weights.into_keys().zip(parts).collect(),
            losses_micro,
        })
    }
}
