//! The rows that a journal adds for a post, laid out for SQLite.
//!
//! Names are numbers there, which the journal gives; the rest of a row is known here. Rows stand by
//! primary key, as the tables do: each is added behind the last one.

use std::collections::HashMap;
use std::num::TryFromIntError;
use std::sync::Arc;

use crate::posting::{Posting, digests};
use crate::table_image::{Cell, TableImage};
use crate::{Entry, MeterPeriod};

/// What stands for no trade in a row.
pub const NO_TRADE: i64 = -1;

/// What stands for no meter in a row.
pub const NO_METER: i64 = 0;

const ENTRY: &str = "period, revision, account, kind, trade_id, meter, line, debit, credit, \
                     amount_micro, energy_milliwh, price_micro_per_kwh";
const METERED: &str = "period, revision, meter, account, from_ms, to_ms, import_milliwh, \
                       export_milliwh, quality, readings";

/// The names that the rows of a posting have, each of which the journal numbers.
#[derive(Debug)]
pub struct PostedNames<'a> {
    posting: Posting<'a>,
    /// Participants that own a meter and have no account in any entry.
    others: Vec<&'a Arc<str>>,
    /// Place of each meter's owner among the accounts, and behind them among the others.
    owners: Vec<usize>,
}

impl<'a> From<Posting<'a>> for PostedNames<'a> {
    fn from(posting: Posting<'a>) -> Self {
        let mut places: HashMap<&str, usize> = posting
            .accounts
            .iter()
            .map(AsRef::as_ref)
            .zip(0..)
            .collect();
        let mut others = Vec::new();
        let owner = |meter: &'a MeterPeriod| {
            let next = places.len();
            *places.entry(meter.participant()).or_insert_with(|| {
                others.push(meter.participant());
                next
            })
        };
        let owners = posting.meters.iter().map(owner).collect();
        Self {
            posting,
            others,
            owners,
        }
    }
}

impl<'a> PostedNames<'a> {
    /// Names the accounts: those of the entries, then those that only own a meter.
    pub fn accounts(&self) -> impl Iterator<Item = &'a str> {
        let accounts = self.posting.accounts.iter();
        accounts
            .chain(self.others.iter().copied())
            .map(AsRef::as_ref)
    }

    /// Names the meters.
    pub fn meters(&self) -> impl Iterator<Item = &'a str> {
        self.posting.meters.iter().map(|meter| &**meter.meter())
    }
}

/// Account, kind, trade and meter of an entry, and its place.
type EntryKey = ([i64; 4], u32);

/// A posting with the numbers of its names, in their order.
struct Numbered<'a> {
    names: &'a PostedNames<'a>,
    accounts: &'a [i64],
    meters: &'a [i64],
}

impl Numbered<'_> {
    fn meter(&self, place: Option<u32>) -> i64 {
        place.map_or(NO_METER, |place| self.meters[place as usize])
    }

    /// Returns the key of an entry's row behind period and revision: account, kind, trade, meter.
    ///
    /// The account is that of the line: who settles with the house, of two accounts of one participant
    /// the first.
    fn key(&self, entry: &Entry) -> Result<[i64; 4], TryFromIntError> {
        let first = entry.debit.min(entry.credit);
        let account = entry.line().map_or(first, |(account, _)| account);
        Ok([
            self.accounts[account.place()],
            entry.kind as i64,
            entry.trade_id.map_or(Ok(NO_TRADE), i64::try_from)?,
            self.meter(entry.meter),
        ])
    }

    fn settlement(&self) -> [Cell<'static>; 2] {
        let Posting {
            period, revision, ..
        } = self.names.posting;
        [period.number(), revision].map(|number| Cell::Int(number.into()))
    }
}

/// Returns the tables `entry` and `metered` of a post as a database, each posting with the numbers of
/// its accounts and of its meters.
///
/// # Errors
/// [`TryFromIntError`] for a trade whose number has more than 63 bits.
///
/// # Panics
/// If a posting is given fewer numbers than it has names.
pub fn rows_image(
    postings: &[(PostedNames<'_>, &[i64], &[i64])],
) -> Result<Vec<u8>, TryFromIntError> {
    let mut postings: Vec<Numbered<'_>> = postings
        .iter()
        .map(|(names, accounts, meters)| Numbered {
            names,
            accounts,
            meters,
        })
        .collect();
    postings.sort_by_key(|one| (one.names.posting.period, one.names.posting.revision));
    let mut image = TableImage::default();
    let mut rows = image.table("entry", ENTRY);
    for one in &postings {
        let [period, revision] = one.settlement();
        for ([account, kind, trade, meter], line) in by_key(one)? {
            let entry = &one.names.posting.entries[line as usize];
            let number = |account: crate::AccountId| Cell::Int(one.accounts[account.place()]);
            rows.push(&[
                period,
                revision,
                Cell::Int(account),
                Cell::Int(kind),
                Cell::Int(trade),
                Cell::Int(meter),
                Cell::Int(i64::from(line) + 1),
                number(entry.debit),
                number(entry.credit),
                Cell::Int(entry.amount.micro()),
                Cell::Int(entry.energy.milliwh()),
                Cell::Int(entry.price.micro_per_kwh()),
            ]);
        }
    }
    rows.finish();
    let mut rows = image.table("metered", METERED);
    for one in &postings {
        let [period, revision] = one.settlement();
        let mut places: Vec<usize> = (0..one.names.posting.meters.len()).collect();
        places.sort_by_key(|&place| one.meters[place]);
        for place in places {
            let meter = &one.names.posting.meters[place];
            rows.push(&[
                period,
                revision,
                Cell::Int(one.meters[place]),
                Cell::Int(one.accounts[one.names.owners[place]]),
                Cell::Int(meter.from_ms()),
                Cell::Int(meter.to_ms()),
                Cell::Int(meter.import().milliwh()),
                Cell::Int(meter.export().milliwh()),
                Cell::Int(meter.quality() as i64),
                Cell::Blob(&digests(meter)),
            ]);
        }
    }
    rows.finish();
    Ok(image.finish())
}

/// Returns the keys of the entries, rising, each with the place of its entry.
fn by_key(one: &Numbered<'_>) -> Result<Vec<EntryKey>, TryFromIntError> {
    let entries = one.names.posting.entries.iter().zip(0..);
    let keys = entries.map(|(entry, line)| one.key(entry).map(|key| (key, line)));
    let mut keys: Vec<EntryKey> = keys.collect::<Result<_, _>>()?;
    keys.sort_unstable();
    Ok(keys)
}
