//! The lowest and the highest prices at which the cleared flow is what everybody wants.
//!
//! Those prices obey differences: a way that carries less than its limit holds the rise along it to its
//! fee, a way that carries something holds it up to its fee; in a zone the last order taken and the
//! first one left bound the price itself. Such prices have a lowest and a highest vector, found as
//! shortest distances, and the floor of the middle of any two of them obeys the differences too.

use gridrig_quantity::PRICE_MICRO_PER_KWH_MAX;

use crate::{MarketError, PriceRule};

/// One way as the prices see it.
pub(super) struct Way {
    pub(super) from: usize,
    pub(super) to: usize,
    pub(super) forward_milliwh_max: i128,
    pub(super) backward_milliwh_max: i128,
    pub(super) forward_fee: i64,
    pub(super) backward_fee: i64,
    /// Net, forward positive. [mWh]
    pub(super) flow_milliwh: i128,
}

/// What prices obey, and the lowest and the highest that do, by node. [millionths/kWh]
pub(super) struct Extremes {
    differences: Vec<AtMost>,
    lowest: Vec<i64>,
    highest: Vec<i64>,
}

/// `to` is at most `from` + `rise`.
struct AtMost {
    from: usize,
    to: usize,
    rise: i64,
}

impl Extremes {
    /// Starts from what the orders of each node say: (last taken, first left), if there are any.
    ///
    /// A node without orders that nothing bounds gets the bounds of a price, in whole ticks.
    ///
    /// # Errors
    /// [`MarketError::ZonePrices`] if the flow is not optimal, which is an error in this crate.
    pub(super) fn of(
        bounds: &[(Option<i64>, Option<i64>)],
        ways: &[Way],
        tick: i64,
    ) -> Result<Self, MarketError> {
        let differences: Vec<AtMost> = ways.iter().flat_map(Way::differences).collect();
        let most = PRICE_MICRO_PER_KWH_MAX / tick * tick;
        let mut highest: Vec<i64> = bounds.iter().map(|b| b.1.unwrap_or(most)).collect();
        relax(&mut highest, &differences, |at| (at.from, at.to))?;
        // The lowest prices are the highest of the market turned upside down.
        let mut negated: Vec<i64> = bounds.iter().map(|b| -b.0.unwrap_or(-most)).collect();
        relax(&mut negated, &differences, |at| (at.to, at.from))?;
        let lowest: Vec<i64> = negated.into_iter().map(|price| -price).collect();
        if lowest.iter().zip(&highest).any(|(low, high)| low > high) {
            return Err(MarketError::ZonePrices);
        }
        Ok(Self {
            differences,
            lowest,
            highest,
        })
    }

    /// Chooses prices by a rule, and makes sure that they support the flow.
    ///
    /// Why the floored middle does: let `l` and `h` be the extremes in ticks, and `l_b <= l_a + r`
    /// and `h_b <= h_a + r` with a whole `r`. Then `(l_b + h_b) / 2 <= (l_a + h_a) / 2 + r`, and the
    /// floor keeps an order and moves with a whole number.
    ///
    /// # Errors
    /// [`MarketError::ZonePrices`] if they do not, which is an error in this crate.
    pub(super) fn choose(&self, rule: PriceRule, tick: i64) -> Result<Vec<i64>, MarketError> {
        let ends = self.lowest.iter().zip(&self.highest);
        let chosen: Vec<i64> = ends
            .clone()
            .map(|(&l, &h)| rule.choose(l, h, tick))
            .collect();
        let within = ends
            .zip(&chosen)
            .all(|((l, h), price)| (l..=h).contains(&price));
        let obeys = |at: &AtMost| chosen[at.to] <= chosen[at.from] + at.rise;
        if within && self.differences.iter().all(obeys) {
            Ok(chosen)
        } else {
            Err(MarketError::ZonePrices)
        }
    }
}

impl Way {
    fn differences(&self) -> Vec<AtMost> {
        let (from, to) = (self.from, self.to);
        let mut found = Vec::with_capacity(2);
        let mut at_most = |from, to, rise| found.push(AtMost { from, to, rise });
        if self.flow_milliwh < self.forward_milliwh_max {
            // Net flow backward that could shrink earns back the backward fee.
            let fee = if self.flow_milliwh < 0 {
                -self.backward_fee
            } else {
                self.forward_fee
            };
            at_most(from, to, fee);
        }
        if self.flow_milliwh > -self.backward_milliwh_max {
            let fee = if self.flow_milliwh > 0 {
                -self.forward_fee
            } else {
                self.backward_fee
            };
            at_most(to, from, fee);
        }
        found
    }

    /// Returns the fee per kWh of the direction in which it carries. [millionths/kWh]
    pub(super) const fn fee(&self) -> i64 {
        if self.flow_milliwh < 0 {
            self.backward_fee
        } else {
            self.forward_fee
        }
    }
}

/// Lowers each price to what the differences allow (Bellman and Ford).
fn relax(
    prices: &mut [i64],
    differences: &[AtMost],
    ends: impl Fn(&AtMost) -> (usize, usize),
) -> Result<(), MarketError> {
    for _ in 0..=prices.len() {
        let mut moved = false;
        for difference in differences {
            let (from, to) = ends(difference);
            let most = prices[from] + difference.rise;
            if most < prices[to] {
                prices[to] = most;
                moved = true;
            }
        }
        if !moved {
            return Ok(());
        }
    }
    Err(MarketError::ZonePrices)
}
