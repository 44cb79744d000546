//! Enrolled keys with what was computed for each, and verification in batches.

use std::sync::OnceLock;

use crate::key::Point;
use crate::{Scheme, SignatureFault, Task, Verdict, VerifyingKey, ecdsa, ed25519};

/// Most keys a ring holds.
pub const KEYS_MAX: usize = 1 << 24;

/// A key's place in its ring. It means nothing to another ring.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct KeyIndex(u32);

/// How much memory a key's table may take; a larger table means fewer additions a signature.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum TableSize {
    /// No table: a cold key, verified by doubling and adding.
    None,
    /// For 100,000 keys and more.
    Small,
    /// For tens of thousands of keys.
    Medium,
    /// For thousands of keys.
    Large,
}

/// Why a key is not added to a ring.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum RingFault {
    /// The ring holds [`KEYS_MAX`] keys.
    #[error("the ring is full with {KEYS_MAX} keys")]
    KeysFull,
    /// The key's table would not fit into the memory that the ring may use.
    #[error("a table of {asked} bytes does not fit beside {used} of {limit} bytes")]
    TablesFull {
        /// Size of the table. [bytes]
        asked: usize,
        /// What the tables of the ring take already. [bytes]
        used: usize,
        /// What they may take. [bytes]
        limit: usize,
    },
}

/// Enrolled keys, each with its table.
#[derive(Debug, Clone)]
pub struct KeyRing {
    keys: Vec<Enrolled>,
    table_bytes: usize,
    table_bytes_max: usize,
}

#[derive(Debug, Clone)]
struct Enrolled {
    key: VerifyingKey,
    size: TableSize,
    /// Computed when it is first asked for; inside, none if there is none of this key and size.
    table: OnceLock<Option<Table>>,
}

/// What was computed for a key.
#[derive(Debug, Clone)]
enum Table {
    Ed25519(ed25519::Table),
    Ecdsa(ecdsa::KeyTable),
}

/// Returns how many signatures are handed over at once.
///
/// Of Ed25519 they share one inversion. ECDSA takes as many of them together as suit its tables.
const fn chunk(scheme: Scheme) -> usize {
    match scheme {
        Scheme::Ed25519 => 128,
        _ => 4096,
    }
}

impl KeyRing {
    /// Makes an empty ring whose keys' tables may take `table_bytes_max` together. [bytes]
    pub const fn new(table_bytes_max: usize) -> Self {
        Self {
            keys: Vec::new(),
            table_bytes: 0,
            table_bytes_max,
        }
    }

    /// Adds a key and keeps room for its table.
    ///
    /// The table is computed when the first signature of the key is checked, so that keys of which
    /// nothing is heard cost no time, or by [`Self::prepare`].
    ///
    /// A key that is added twice has two places; a trust store asks [`VerifyingKey::id`] first.
    ///
    /// # Errors
    /// [`RingFault`]; the ring is then as it was, and the key may be added with a smaller table.
    pub fn add(&mut self, key: VerifyingKey, size: TableSize) -> Result<KeyIndex, RingFault> {
        if self.keys.len() >= KEYS_MAX {
            return Err(RingFault::KeysFull);
        }
        let index = KeyIndex(u32::try_from(self.keys.len()).map_err(|_| RingFault::KeysFull)?);
        let (asked, used, limit) = (
            key.table_bytes(size),
            self.table_bytes,
            self.table_bytes_max,
        );
        if asked > limit - used {
            return Err(RingFault::TablesFull { asked, used, limit });
        }
        self.table_bytes += asked;
        self.keys.push(Enrolled {
            key,
            size,
            table: OnceLock::new(),
        });
        Ok(index)
    }

    /// Computes the tables that have not been needed yet.
    pub fn prepare(&self) {
        self.prepare_on(1);
    }

    /// Computes the tables that have not been needed yet, on so many threads.
    pub fn prepare_on(&self, threads: usize) {
        let share = self.keys.len().div_ceil(threads.max(1)).max(1);
        std::thread::scope(|scope| {
            for keys in self.keys.chunks(share) {
                scope.spawn(move || {
                    for enrolled in keys {
                        enrolled.table();
                    }
                });
            }
        });
    }

    /// Returns the key at a place.
    pub fn key(&self, index: KeyIndex) -> Option<&VerifyingKey> {
        self.enrolled(index).map(|enrolled| &enrolled.key)
    }

    fn enrolled(&self, index: KeyIndex) -> Option<&Enrolled> {
        self.keys.get(usize::try_from(index.0).ok()?)
    }

    /// Returns the number of keys.
    pub const fn len(&self) -> usize {
        self.keys.len()
    }

    /// Tells whether the ring has no key.
    pub const fn is_empty(&self) -> bool {
        self.keys.is_empty()
    }

    /// Returns what the tables take, or will. [bytes]
    pub const fn table_bytes(&self) -> usize {
        self.table_bytes
    }

    /// Returns what the tables may take. [bytes]
    pub const fn table_bytes_max(&self) -> usize {
        self.table_bytes_max
    }

    /// Checks one signature.
    ///
    /// # Errors
    /// [`SignatureFault`]
    pub fn verify_one(&self, task: &Task<'_>) -> Verdict {
        self.verify(std::slice::from_ref(task))[0]
    }

    /// Checks signatures, each by itself: one verdict a task, in the order of the tasks.
    ///
    /// What the other tasks of a batch are changes no verdict. Within a batch tasks are taken by
    /// key, so a large batch over many keys reads each table but once.
    pub fn verify(&self, tasks: &[Task<'_>]) -> Vec<Verdict> {
        let mut verdicts = vec![Ok(()); tasks.len()];
        let mut order = Vec::with_capacity(tasks.len());
        for (place, task) in tasks.iter().enumerate() {
            match self.asked(task) {
                Ok(enrolled) => order.push((enrolled.kind(), task.key, place, enrolled)),
                Err(fault) => verdicts[place] = Err(fault),
            }
        }
        order.sort_unstable_by_key(|&(kind, key, place, _)| (kind, key, place));
        for run in order.chunk_by(|one, other| one.0 == other.0) {
            for chunk in run.chunks(chunk(run[0].0.0)) {
                let jobs = chunk
                    .iter()
                    .map(|&(.., place, enrolled)| (&tasks[place], enrolled));
                for (&(.., place, _), verdict) in chunk.iter().zip(check(jobs)) {
                    verdicts[place] = verdict;
                }
            }
        }
        verdicts
    }

    /// Finds the key of a task, if the question can be asked.
    fn asked(&self, task: &Task<'_>) -> Result<&Enrolled, SignatureFault> {
        let enrolled = self.enrolled(task.key).ok_or(SignatureFault::KeyUnknown {
            index: task.key.0,
            keys: u32::try_from(self.keys.len()).unwrap_or(u32::MAX),
        })?;
        task.signed
            .check_for(enrolled.key.scheme(), &task.signature)?;
        Ok(enrolled)
    }
}

impl Enrolled {
    /// Returns the key's table, computing it if this is its first use; none for a cold key.
    fn table(&self) -> Option<&Table> {
        let Self { key, size, table } = self;
        let compute = || match &key.point {
            Point::Ed25519(point) => ed25519::Table::new(point, *size).map(Table::Ed25519),
            Point::Ecdsa(_) => {
                ecdsa::KeyTable::new(key.scheme(), key.as_bytes(), *size).map(Table::Ecdsa)
            }
        };
        table.get_or_init(compute).as_ref()
    }

    /// Signatures of one kind are checked in the same way.
    fn kind(&self) -> (Scheme, TableSize) {
        (self.key.scheme(), self.size)
    }
}

/// Checks signatures of one kind.
fn check<'a>(jobs: impl Iterator<Item = (&'a Task<'a>, &'a Enrolled)>) -> Vec<Verdict> {
    let (mut ed25519_jobs, mut ecdsa_jobs) = (Vec::new(), Vec::new());
    for (task, enrolled) in jobs {
        let (key, table) = (&enrolled.key, enrolled.table());
        match &key.point {
            Point::Ed25519(point) => ed25519_jobs.push(ed25519::Job {
                key: point,
                table: match table {
                    Some(Table::Ed25519(table)) => Some(table),
                    _ => None,
                },
                message: task.signed.bytes(),
                signature: &task.signature,
            }),
            Point::Ecdsa(point) => ecdsa_jobs.push(ecdsa::Job {
                key: point,
                coordinates: key.as_bytes(),
                table: match table {
                    Some(Table::Ecdsa(table)) => Some(table),
                    _ => None,
                },
                digest: task.signed.bytes(),
                signature: &task.signature,
            }),
        }
    }
    let mut verdicts = ed25519::verify(&ed25519_jobs);
    verdicts.extend(ecdsa::verify_all(&ecdsa_jobs));
    verdicts
}
