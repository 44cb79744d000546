//! What participants owe beyond their balances, booked by name instead of failing a period.

use std::collections::BTreeMap;
use std::sync::Arc;

use gridrig_quantity::{Amount, Energy, Price, QuantityError};

use crate::{
    AccountId, Correction, Entry, EntryKind, RECEIVABLE_PREFIX, Settled, SettlementError,
    is_reserved,
};

/// Where a participant stands before a period is posted; one of the two is zero.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub struct Standing {
    /// What its account holds. [millionths]
    pub balance: i64,
    /// What it owes. [millionths]
    pub owed: i64,
}

impl Settled {
    /// Adds what participants owe beyond their balances, or pay back, once this period is posted
    /// together with `corrections`.
    ///
    /// An account that would be overdrawn is lifted to zero from its receivable, and what an account
    /// then holds pays back what it owes first. So balance and debt depend on the sum of all that was
    /// ever posted to a participant, not on its order. A participant without a standing has nothing
    /// and owes nothing.
    ///
    /// # Errors
    /// [`SettlementError::Quantity`] beyond 64 bits.
    pub fn with_receivables(
        mut self,
        corrections: &[&Correction],
        standings: &BTreeMap<String, Standing>,
    ) -> Result<Self, SettlementError> {
        let mut changes: BTreeMap<Arc<str>, i128> = BTreeMap::new();
        add_changes(&mut changes, &self.entries, &self.accounts);
        for correction in corrections {
            add_changes(&mut changes, &correction.entries, &correction.accounts);
        }
        let places: BTreeMap<Arc<str>, usize> = self.accounts.iter().cloned().zip(0..).collect();
        for (name, change) in changes {
            let Standing { balance, owed } = standings.get(&*name).copied().unwrap_or_default();
            let left = i128::from(balance) + change;
            let (kind, found) = if left < 0 {
                (EntryKind::Receivable, -left)
            } else {
                (EntryKind::Recovered, left.min(i128::from(owed)))
            };
            if found == 0 {
                continue;
            }
            let micro = i64::try_from(found).map_err(|_| QuantityError::AmountBound { found })?;
            let own = match places.get(&name) {
                Some(place) => AccountId(*place as u32),
                None => self.add_account(Arc::clone(&name)),
            };
            let receivable = self.add_account(format!("{RECEIVABLE_PREFIX}{name}").into());
            let (debit, credit) = if kind == EntryKind::Receivable {
                (receivable, own)
            } else {
                (own, receivable)
            };
            self.entries.push(Entry {
                kind,
                debit,
                credit,
                amount: Amount::from_micro(micro),
                energy: Energy::ZERO,
                price: Price::ZERO,
                trade_id: None,
                meter: None,
            });
        }
        Ok(self)
    }

    fn add_account(&mut self, name: Arc<str>) -> AccountId {
        self.accounts.push(name);
        AccountId((self.accounts.len() - 1) as u32)
    }
}

/// Adds up what participants are paid less what they pay.
fn add_changes(changes: &mut BTreeMap<Arc<str>, i128>, entries: &[Entry], accounts: &[Arc<str>]) {
    let mut sums = vec![0i128; accounts.len()];
    for entry in entries {
        let micro = i128::from(entry.amount.micro());
        sums[entry.debit.place()] -= micro;
        sums[entry.credit.place()] += micro;
    }
    for (name, sum) in accounts.iter().zip(sums) {
        if sum != 0 && !is_reserved(name) {
            *changes.entry(Arc::clone(name)).or_default() += sum;
        }
    }
}
