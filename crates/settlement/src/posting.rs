//! What a journal keeps of a settled period or of a correction: rows, and leaves.
//!
//! # Leaves
//! Every entry and every meter has a leaf, the [canonical bytes](crate::merkle::canonical_bytes) of
//!
//! | leaf | items |
//! |---|---|
//! | entry | `gridrig entry 1`, period, revision, booked in, line, kind, debit, credit, amount \[micro\], energy \[mWh\], price \[micro/kWh\], trade or null, meter or null |
//! | meter | `gridrig metered 1`, period, revision, booked in, meter, participant, from \[UTC ms\], to \[UTC ms\], import \[mWh\], export \[mWh\], quality, SHA-256 digests of the readings behind it in one byte string |
//!
//! # Ordering
//! Settlements by period and revision; of each its entries by line, then its meters by participant
//! and name. So a root is a function of what was settled, and of nothing else.

use std::sync::Arc;
use std::thread;

use gridrig_quantity::DeliveryPeriod;

use crate::merkle::{Hash, Item, MerkleError, MerkleTree, append_canonical, leaf_hash};
use crate::{Correction, Entry, MeterPeriod, Settled};

pub use crate::posted_rows::{NO_METER, NO_TRADE, rows_image};

/// What one settlement of a period adds to a journal.
#[derive(Debug, Clone, Copy)]
pub struct Posting<'a> {
    pub(crate) period: DeliveryPeriod,
    pub(crate) revision: u32,
    booked_in: DeliveryPeriod,
    /// Names of the accounts, by their places in the entries.
    pub accounts: &'a [Arc<str>],
    /// The meters, by their places in the entries.
    pub meters: &'a [MeterPeriod],
    pub(crate) entries: &'a [Entry],
}

impl<'a> From<&'a Settled> for Posting<'a> {
    fn from(settled: &'a Settled) -> Self {
        Self {
            period: settled.period,
            revision: settled.revision,
            booked_in: settled.period,
            accounts: &settled.accounts,
            meters: &settled.meters,
            entries: &settled.entries,
        }
    }
}

impl<'a> From<&'a Correction> for Posting<'a> {
    fn from(correction: &'a Correction) -> Self {
        Self {
            period: correction.period,
            revision: correction.revision,
            booked_in: correction.booked_in,
            accounts: &correction.accounts,
            meters: &correction.meters,
            entries: &correction.entries,
        }
    }
}

impl Posting<'_> {
    fn entry_leaf(&self, buffer: &mut Vec<u8>, place: usize) {
        let entry = &self.entries[place];
        let meter = entry
            .meter
            .map(|meter| &**self.meters[meter as usize].meter());
        append_canonical(
            buffer,
            &[
                Item::Text("gridrig entry 1"),
                Item::Unsigned(self.period.number().into()),
                Item::Unsigned(self.revision.into()),
                Item::Unsigned(self.booked_in.number().into()),
                Item::Unsigned(place as u64 + 1),
                Item::Text(entry.kind.word()),
                Item::Text(&self.accounts[entry.debit.place()]),
                Item::Text(&self.accounts[entry.credit.place()]),
                Item::Int(entry.amount.micro()),
                Item::Int(entry.energy.milliwh()),
                Item::Int(entry.price.micro_per_kwh()),
                entry.trade_id.map_or(Item::Null, Item::Unsigned),
                meter.map_or(Item::Null, Item::Text),
            ],
        );
    }

    fn meter_leaf(&self, buffer: &mut Vec<u8>, meter: &MeterPeriod) {
        append_canonical(
            buffer,
            &[
                Item::Text("gridrig metered 1"),
                Item::Unsigned(self.period.number().into()),
                Item::Unsigned(self.revision.into()),
                Item::Unsigned(self.booked_in.number().into()),
                Item::Text(meter.meter()),
                Item::Text(meter.participant()),
                Item::Int(meter.from_ms()),
                Item::Int(meter.to_ms()),
                Item::Int(meter.import().milliwh()),
                Item::Int(meter.export().milliwh()),
                Item::Text(meter.quality().word()),
                Item::Bytes(&digests(meter)),
            ],
        );
    }

    fn leaf_hashes(&self, threads: usize) -> Vec<Hash> {
        let name =
            |meter: &'_ &MeterPeriod| (Arc::clone(meter.participant()), Arc::clone(meter.meter()));
        let mut meters: Vec<&MeterPeriod> = self.meters.iter().collect();
        if !meters.is_sorted_by_key(name) {
            meters.sort_by_cached_key(name);
        }
        let entries: Vec<usize> = (0..self.entries.len()).collect();
        let mut hashes = in_parts(&entries, threads, |buffer, place| {
            self.entry_leaf(buffer, *place)
        });
        hashes.extend(in_parts(&meters, threads, |buffer, meter| {
            self.meter_leaf(buffer, meter)
        }));
        hashes
    }
}

/// Returns the digests of the readings behind a meter's energy, first to last, in one string.
pub fn digests(meter: &MeterPeriod) -> Vec<u8> {
    let readings = meter.readings();
    readings
        .iter()
        .flat_map(|reading| *reading.digest())
        .collect()
}

/// Returns the tree of a post: of everything that is booked in one period.
///
/// # Errors
/// [`MerkleError::TooManyLeaves`].
pub fn tree_of_post(
    mut postings: Vec<Posting<'_>>,
    threads: usize,
) -> Result<MerkleTree, MerkleError> {
    postings.sort_by_key(|posting| (posting.period, posting.revision));
    let leaves = postings
        .iter()
        .flat_map(|posting| posting.leaf_hashes(threads));
    MerkleTree::from_hashes(leaves.collect())
}

/// Hashes the leaves of a list, each part of it on a thread of its own.
fn in_parts<T: Sync>(
    list: &[T],
    threads: usize,
    leaf: impl Fn(&mut Vec<u8>, &T) + Sync,
) -> Vec<Hash> {
    let hashes = |part: &[T]| -> Vec<Hash> {
        let mut buffer = Vec::new();
        let hash = |item| {
            buffer.clear();
            leaf(&mut buffer, item);
            leaf_hash(&buffer)
        };
        part.iter().map(hash).collect()
    };
    let part = list.len().div_ceil(threads.max(1)).max(1);
    thread::scope(|scope| {
        let work: Vec<_> = list
            .chunks(part)
            .map(|part| scope.spawn(|| hashes(part)))
            .collect();
        let done = work.into_iter().map(thread::ScopedJoinHandle::join);
        // Hashing does not panic; were it to, the panic goes on where it is waited for.
        done.flat_map(|done| done.unwrap_or_else(|panic| std::panic::resume_unwind(panic)))
            .collect()
    })
}
