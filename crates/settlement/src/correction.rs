//! Corrections of periods that were posted: new less old, line by line, as entries of their own.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::sync::Arc;

use gridrig_quantity::{Amount, DeliveryPeriod, Energy, Price, QuantityError};

use crate::accounts::{HOUSE, house_names};
use crate::{AccountId, Entry, EntryKind, MeterPeriod, Settled, SettlementError};

/// Which line of a period: an entry of each revision may be of it.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
struct LineKey {
    /// The account that settles with the house.
    account: Arc<str>,
    /// What the line is for.
    kind: EntryKind,
    /// The trade it settles, if it settles one.
    trade_id: Option<u64>,
    /// The meter behind it, if one is.
    meter: Option<Arc<str>>,
}

/// What a line comes to over all revisions so far.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Line {
    /// By the formula of the line, of either sign. [millionths]
    micro: i64,
    /// The energy.
    energy: Energy,
    /// The price in force.
    price: Price,
}

/// An entry as a journal keeps it, with the names of accounts and meter.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PostedEntry<'a> {
    /// What it is for.
    pub kind: EntryKind,
    /// The account that paid.
    pub debit: &'a str,
    /// The account that was paid.
    pub credit: &'a str,
    /// What was paid.
    pub amount: Amount,
    /// The energy it is for.
    pub energy: Energy,
    /// The price per energy.
    pub price: Price,
    /// The trade it settles.
    pub trade_id: Option<u64>,
    /// The meter behind it.
    pub meter: Option<&'a str>,
}

/// What a period comes to, line by line, as it was posted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PostedLines {
    period: DeliveryPeriod,
    revision: u32,
    lines: BTreeMap<LineKey, Line>,
    /// What the meters counted, where the lines are of a settled period.
    meters: Vec<MeterPeriod>,
}

impl PostedLines {
    /// Returns the lines of a period that stands as it was settled.
    pub fn of(settled: &Settled) -> Self {
        let lines = settled.entries.iter().filter_map(|entry| {
            let (account, micro) = entry.line()?;
            let key = LineKey {
                account: Arc::clone(settled.account(account)),
                kind: entry.kind,
                trade_id: entry.trade_id,
                meter: settled
                    .meter_of(entry)
                    .map(|meter| Arc::clone(meter.meter())),
            };
            let (energy, price) = (entry.energy, entry.price);
            Some((
                key,
                Line {
                    micro,
                    energy,
                    price,
                },
            ))
        });
        Self {
            period: settled.period,
            revision: settled.revision,
            lines: lines.collect(),
            meters: settled.meters.clone(),
        }
    }

    /// Returns a period of which no line is known yet; [`Self::add`] adds those of its entries.
    pub const fn empty(period: DeliveryPeriod, revision: u32) -> Self {
        Self {
            period,
            revision,
            lines: BTreeMap::new(),
            meters: Vec::new(),
        }
    }

    /// Adds an entry as a journal keeps it, of whichever revision, in the order of revisions: the
    /// price of the last one is that in force. An entry that the house has no part in is no line.
    ///
    /// # Errors
    /// [`SettlementError::Quantity`] if a sum leaves its bound.
    pub fn add(&mut self, entry: &PostedEntry<'_>) -> Result<(), SettlementError> {
        let Some((house, pays)) = entry.kind.house() else {
            return Ok(());
        };
        let house_pays = entry.debit == house;
        let account = if house_pays {
            entry.credit
        } else {
            entry.debit
        };
        let key = LineKey {
            account: account.into(),
            kind: entry.kind,
            trade_id: entry.trade_id,
            meter: entry.meter.map(Arc::from),
        };
        let micro = i128::from(entry.amount.micro());
        let line = self.lines.entry(key).or_insert(Line {
            micro: 0,
            energy: Energy::ZERO,
            price: entry.price,
        });
        let found = i128::from(line.micro) + if house_pays == pays { micro } else { -micro };
        line.micro = i64::try_from(found).map_err(|_| QuantityError::AmountBound { found })?;
        line.energy = line.energy.plus(entry.energy)?;
        line.price = entry.price;
        Ok(())
    }

    /// Returns the revision in force.
    pub const fn revision(&self) -> u32 {
        self.revision
    }
}

/// Entries that turn what was posted of a period into what it comes to now.
///
/// They are booked in a later, open period: what was posted stays as it is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Correction {
    /// The period corrected.
    pub period: DeliveryPeriod,
    /// The revision that is in force with it.
    pub revision: u32,
    /// The open period that the entries are posted in.
    pub booked_in: DeliveryPeriod,
    /// Names of the accounts: those of the house, then those of the entries, by name.
    pub accounts: Vec<Arc<str>>,
    /// The meters behind the entries, and those that are known otherwise than when they were posted,
    /// as they count now, by name.
    pub meters: Vec<MeterPeriod>,
    /// The entries, by account, kind, trade and meter; the number of an entry is its place, counted
    /// from 1.
    pub entries: Vec<Entry>,
    /// Numbers of the trades that were not known when the period was posted, rising.
    pub trades_added: Vec<u64>,
}

impl Correction {
    /// Compares what was posted with the period settled anew.
    ///
    /// For every line, the amounts of all its entries then sum to what the formula gives for the sum
    /// of their energies at the price in force. A line that is as it was has no entry.
    ///
    /// # Errors
    /// [`SettlementError::RevisionOrder`], [`SettlementError::MeterDropped`],
    /// [`SettlementError::Quantity`].
    pub fn between(
        posted: &PostedLines,
        settled: &Settled,
        booked_in: DeliveryPeriod,
    ) -> Result<Self, SettlementError> {
        if settled.period != posted.period
            || settled.revision <= posted.revision
            || booked_in <= settled.period
        {
            return Err(SettlementError::RevisionOrder {
                period: posted.period.number(),
                revision: settled.revision,
                booked_in: booked_in.number(),
                last: posted.revision,
            });
        }
        let now = PostedLines::of(settled).lines;
        let mut changed: BTreeMap<&LineKey, (i128, i128, Price)> = BTreeMap::new();
        for (key, line) in &now {
            changed.insert(
                key,
                (line.micro.into(), line.energy.milliwh().into(), line.price),
            );
        }
        for (key, line) in &posted.lines {
            let sums = changed.entry(key).or_insert((0, 0, line.price));
            sums.0 -= i128::from(line.micro);
            sums.1 -= i128::from(line.energy.milliwh());
        }
        changed.retain(|_, (micro, milliwh, _)| *micro != 0 || *milliwh != 0);
        let mut correction = Self {
            period: settled.period,
            revision: settled.revision,
            booked_in,
            accounts: house_names(),
            meters: meters_of(posted, settled, &changed)?,
            entries: Vec::with_capacity(changed.len()),
            trades_added: trades_added(posted, settled),
        };
        for (key, (micro, milliwh, price)) in changed {
            correction.book(key, micro, milliwh, price)?;
        }
        Ok(correction)
    }

    fn book(
        &mut self,
        key: &LineKey,
        micro: i128,
        milliwh: i128,
        price: Price,
    ) -> Result<(), SettlementError> {
        let narrow =
            |found: i128| i64::try_from(found).map_err(|_| QuantityError::AmountBound { found });
        let energy = Energy::from_milliwh(narrow(milliwh)?)?;
        let account = self.account_id(&key.account);
        let meter = key.meter.as_deref().and_then(|name| {
            self.meters
                .binary_search_by(|meter| (**meter.meter()).cmp(name))
                .ok()
        });
        self.entries.push(Entry {
            trade_id: key.trade_id,
            meter: meter.map(|place| place as u32),
            ..Entry::with_house(
                key.kind,
                account,
                Amount::from_micro(narrow(micro)?),
                energy,
                price,
            )
        });
        Ok(())
    }

    /// Keys come by account, so the account is of the house, the last one, or new.
    fn account_id(&mut self, name: &Arc<str>) -> AccountId {
        let is_last = self.accounts.last() == Some(name);
        let of_house = || HOUSE.iter().position(|house| *house == &**name);
        let place = if is_last {
            Some(self.accounts.len() - 1)
        } else {
            of_house()
        };
        AccountId(place.unwrap_or_else(|| {
            self.accounts.push(Arc::clone(name));
            self.accounts.len() - 1
        }) as u32)
    }

    /// Returns the name of an account.
    pub fn account(&self, id: AccountId) -> &Arc<str> {
        &self.accounts[id.place()]
    }

    /// Returns the meter behind an entry, if one is.
    pub fn meter_of(&self, entry: &Entry) -> Option<&MeterPeriod> {
        entry.meter.map(|place| &self.meters[place as usize])
    }
}

/// Lists the trades of a period settled anew of which no line was posted.
fn trades_added(posted: &PostedLines, settled: &Settled) -> Vec<u64> {
    let known: HashSet<u64> = posted.lines.keys().filter_map(|key| key.trade_id).collect();
    let numbers = settled.trades.iter().map(|trade| trade.trade_id);
    numbers.filter(|number| !known.contains(number)).collect()
}

/// Lists the meters behind changed lines, and those that count otherwise or for another reason.
fn meters_of(
    posted: &PostedLines,
    settled: &Settled,
    changed: &BTreeMap<&LineKey, (i128, i128, Price)>,
) -> Result<Vec<MeterPeriod>, SettlementError> {
    let by_name: HashMap<&str, &MeterPeriod> = settled
        .meters
        .iter()
        .map(|meter| (&**meter.meter(), meter))
        .collect();
    let behind_lines = changed.keys().filter_map(|key| key.meter.as_deref());
    let told_anew = posted.meters.iter().filter_map(|old| {
        let name: &str = old.meter();
        (by_name.get(name) != Some(&old)).then_some(name)
    });
    let mut found = BTreeMap::new();
    for name in behind_lines.chain(told_anew) {
        let meter = by_name
            .get(name)
            .ok_or_else(|| SettlementError::MeterDropped {
                period: settled.period.number(),
                meter: name.to_owned(),
            })?;
        found.insert(name, (*meter).clone());
    }
    Ok(found.into_values().collect())
}
