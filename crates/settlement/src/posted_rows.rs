//! The rows that a journal adds for a post, laid out for SQLite.
//!
//! Names are numbers there. Rows stand by primary key, as the tables do: each is added behind the last
//! one.

use std::num::TryFromIntError;
use std::sync::Arc;

use crate::Entry;
use crate::numbering::Numbering;
use crate::posting::{Posting, digests};
use crate::table_image::{Cell, TableImage};

/// What stands for no trade in a row.
pub const NO_TRADE: i64 = -1;

/// What stands for no meter in a row.
pub const NO_METER: i64 = 0;

const ENTRY: &str = "period, revision, account, kind, trade_id, meter, line, debit, credit, \
                     amount_micro, energy_milliwh, price_micro_per_kwh";
const METERED: &str = "period, revision, meter, account, from_ms, to_ms, import_milliwh, \
                       export_milliwh, quality, readings";

/// Account, kind, trade and meter of an entry, and its place.
type EntryKey = ([i64; 4], u32);

/// A posting with the numbers of its names, in their order.
struct Numbered<'a> {
    posting: Posting<'a>,
    accounts: Vec<i64>,
    meters: Vec<i64>,
    /// The number of each meter's owner among the accounts.
    owners: Vec<i64>,
}

impl<'a> Numbered<'a> {
    /// Numbers the accounts, then the participants that own a meter and are in no entry, then meters.
    fn new(posting: Posting<'a>, accounts: &mut Numbering, meters: &mut Numbering) -> Self {
        let mut account = |name: &Arc<str>| accounts.number(name.as_bytes());
        Self {
            posting,
            accounts: posting.accounts.iter().map(&mut account).collect(),
            owners: posting
                .meters
                .iter()
                .map(|meter| account(meter.participant()))
                .collect(),
            meters: posting
                .meters
                .iter()
                .map(|meter| meters.number(meter.meter().as_bytes()))
                .collect(),
        }
    }

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
        } = self.posting;
        [period.number(), revision].map(|number| Cell::Int(number.into()))
    }
}

/// Returns the tables `entry` and `metered` of a post as a database; names that are new are numbered.
///
/// # Errors
/// [`TryFromIntError`] for a trade whose number has more than 63 bits.
pub fn rows_image(
    postings: Vec<Posting<'_>>,
    accounts: &mut Numbering,
    meters: &mut Numbering,
) -> Result<Vec<u8>, TryFromIntError> {
    let mut postings: Vec<Numbered<'_>> = postings
        .into_iter()
        .map(|posting| Numbered::new(posting, accounts, meters))
        .collect();
    postings.sort_by_key(|one| (one.posting.period, one.posting.revision));
    let mut image = TableImage::default();
    let mut rows = image.table("entry", ENTRY);
    for one in &postings {
        let [period, revision] = one.settlement();
        for ([account, kind, trade, meter], line) in by_key(one)? {
            let entry = &one.posting.entries[line as usize];
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
        let mut places: Vec<usize> = (0..one.posting.meters.len()).collect();
        places.sort_by_key(|&place| one.meters[place]);
        for place in places {
            let meter = &one.posting.meters[place];
            rows.push(&[
                period,
                revision,
                Cell::Int(one.meters[place]),
                Cell::Int(one.owners[place]),
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
    let entries = one.posting.entries.iter().zip(0..);
    let keys = entries.map(|(entry, line)| one.key(entry).map(|key| (key, line)));
    let mut keys: Vec<EntryKey> = keys.collect::<Result<_, _>>()?;
    keys.sort_unstable();
    Ok(keys)
}
