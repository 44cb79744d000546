//! What each key has said before, so that nothing counts twice and nothing is taken back.
//!
//! A chain is what one key said under one of its counters; a device is all keys of one meter with
//! one serial number. Counters rise along a chain, registers along the time of a device.
//!
//! A batch is admitted record by record and then committed or rolled back whole, so that a store
//! can make it durable in between. Nothing is forgotten before the commit.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use gridrig_quantity::Energy;

use crate::plausibility::{Point, findings_between};
use crate::signed_record::PowerSample;
use crate::trust_store::Enrolled;
use crate::{ClockStatus, CounterContext, Finding, Findings, MeteringError, VerifiedReading};

mod errors;
#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "what is wrong here fails the test")]
mod tests;

pub use errors::LedgerError;

/// Counters remembered per chain, and readings per device, where nothing else is asked for; what is
/// older is refused as a step back, unless a store recalls it.
pub const LEDGER_HISTORY_MAX: usize = 4_096;

/// One reading admitted, as a store keeps it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LedgerRow {
    /// SHA-256 of the verifying key.
    pub key_id: [u8; 32],
    /// Which counter the reading is numbered by.
    pub context: CounterContext,
    /// The counter.
    pub counter: u64,
    /// Time of the reading; of an interval, its end. [UTC ms]
    pub time_ms: i64,
    /// How far the meter trusts that time.
    pub clock_status: ClockStatus,
    /// Beginning of the interval, if the energy is of one. [UTC ms]
    pub start_ms: Option<i64>,
    /// The import register, or the energy taken in the interval.
    pub import: Option<Energy>,
    /// The export register, or the energy given in the interval.
    pub export: Option<Energy>,
    /// How long the meter has been running. [s]
    pub operating_s: Option<u64>,
    /// Power signed for the time of the reading, positive into the grid. [mW]
    pub power_milliwatt: Option<i64>,
    /// SHA-256 of the signed bytes.
    pub digest: [u8; 32],
}

impl LedgerRow {
    /// Returns the row of a reading.
    pub(crate) fn of(reading: &VerifiedReading, power: &[PowerSample]) -> Self {
        let at_end = |sample: &&PowerSample| sample.time_ms == reading.time_ms;
        Self {
            key_id: reading.key_id,
            context: reading.context,
            counter: reading.counter,
            time_ms: reading.time_ms,
            clock_status: reading.clock_status,
            start_ms: reading.start_ms(),
            import: reading.import().or(reading.interval_import()),
            export: reading.export().or(reading.interval_export()),
            operating_s: reading.operating_s,
            power_milliwatt: power.last().filter(at_end).map(|last| last.power_milliwatt),
            digest: reading.digest,
        }
    }

    fn point(&self) -> Point {
        Point {
            time_ms: self.time_ms,
            import: self.import,
            export: self.export,
            power_milliwatt: self.power_milliwatt,
        }
    }
}

/// What the ledger knows of a reading it admitted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Admission {
    pub(crate) missing: u64,
    pub(crate) findings: Findings,
}

/// What one key said under one counter.
#[derive(Debug, Clone, Default)]
struct Chain {
    /// What was admitted, by rising counter; the oldest are forgotten.
    rows: VecDeque<LedgerRow>,
    last_time_ms: i64,
    operating_s: Option<u64>,
}

type ChainKey = (u32, CounterContext);

/// How to take back one admission.
#[derive(Debug, Clone)]
enum Undo {
    Admitted {
        chain: ChainKey,
        counter: u64,
        last_time_ms: i64,
        operating_s: Option<u64>,
        device: Option<(u32, i64)>,
    },
    Forked {
        key: u32,
    },
}

/// The chains and devices, and what is staged.
#[derive(Debug, Clone)]
pub(crate) struct Ledger {
    chains: BTreeMap<ChainKey, Chain>,
    /// Registers of each device, by time; readings at one time keep the order of their admission.
    devices: BTreeMap<u32, VecDeque<Point>>,
    /// Keys that signed two payloads under one counter.
    forked: BTreeSet<u32>,
    staged: Vec<Undo>,
    history: usize,
}

impl Ledger {
    pub(crate) const fn new(history: usize) -> Self {
        Self {
            chains: BTreeMap::new(),
            devices: BTreeMap::new(),
            forked: BTreeSet::new(),
            staged: Vec::new(),
            history,
        }
    }

    pub(crate) const fn history(&self) -> usize {
        self.history
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.chains.is_empty()
    }

    /// Tells whether something is staged, or was since the last commit.
    pub(crate) fn is_staged(&self) -> bool {
        !self.staged.is_empty()
    }

    /// Lists the rows by key, context and counter.
    pub(crate) fn rows(&self) -> impl Iterator<Item = &LedgerRow> {
        self.chains.values().flat_map(|chain| &chain.rows)
    }

    /// Tells whether a counter is older than anything still remembered of its chain.
    pub(crate) fn is_forgotten(&self, chain: ChainKey, counter: u64) -> bool {
        let chain = self.chains.get(&chain);
        let full = chain.filter(|chain| chain.rows.len() >= self.history);
        let oldest = full.and_then(|chain| chain.rows.front());
        oldest.is_some_and(|oldest| counter < oldest.counter)
    }

    /// Stages a row if it follows what is known of its key and device.
    ///
    /// `recalled` is the digest a store holds for the row's counter, if it was asked.
    pub(crate) fn admit(
        &mut self,
        place: u32,
        enrolled: &Enrolled,
        row: &LedgerRow,
        power: &[PowerSample],
        recalled: Option<&[u8; 32]>,
    ) -> Result<Admission, MeteringError> {
        let key = (place, row.context);
        let chain = self.chains.get(&key);
        let missing = match chain.map(|chain| chain.follow(row, recalled)) {
            None => 0,
            Some(Ok(missing)) => missing,
            Some(Err(fault)) => {
                if matches!(fault, MeteringError::Equivocation { .. }) && self.forked.insert(place)
                {
                    self.staged.push(Undo::Forked { key: place });
                }
                return Err(fault);
            }
        };
        let points = self.devices.get(&enrolled.device);
        let mut findings = Findings::default();
        if row.start_ms.is_none() {
            check_start(enrolled, row)?;
            if let Some(points) = points {
                let (before, after) = neighbours(points, row.time_ms);
                check_registers(before, after, row)?;
                if let Some(before) = before {
                    findings = findings_between(&enrolled.limits, before, &row.point(), power);
                }
            }
        }
        if let Some(chain) = chain {
            chain.check_time(row)?;
        }
        if missing > 0 {
            findings.add(Finding::Gap);
        }
        if self.forked.contains(&place) {
            findings.add(Finding::KeyEquivocated);
        }
        if enrolled.scheme.is_weak() {
            findings.add(Finding::WeakAlgorithm);
        }
        self.stage(key, enrolled.device, row);
        Ok(Admission { missing, findings })
    }

    /// Adds a row that was found to follow.
    fn stage(&mut self, key: ChainKey, device: u32, row: &LedgerRow) {
        let chain = self.chains.entry(key).or_default();
        let is_register = row.start_ms.is_none();
        self.staged.push(Undo::Admitted {
            chain: key,
            counter: row.counter,
            last_time_ms: chain.last_time_ms,
            operating_s: chain.operating_s,
            device: is_register.then_some((device, row.time_ms)),
        });
        let place = chain
            .rows
            .partition_point(|other| other.counter < row.counter);
        if place == chain.rows.len() {
            chain.last_time_ms = row.time_ms;
            chain.operating_s = row.operating_s.or(chain.operating_s);
        }
        chain.rows.insert(place, row.clone());
        if is_register {
            let points = self.devices.entry(device).or_default();
            let place = points.partition_point(|point| point.time_ms <= row.time_ms);
            let mut point = row.point();
            if let Some(before) = place.checked_sub(1).and_then(|before| points.get(before)) {
                // A register left out of one record stands where it stood.
                point.import = point.import.or(before.import);
                point.export = point.export.or(before.export);
            }
            points.insert(place, point);
        }
    }

    /// Keeps what is staged, and forgets what is beyond the history.
    pub(crate) fn commit(&mut self) {
        for undo in std::mem::take(&mut self.staged) {
            let Undo::Admitted { chain, device, .. } = undo else {
                continue;
            };
            if let Some(chain) = self.chains.get_mut(&chain) {
                let beyond = chain.rows.len().saturating_sub(self.history);
                chain.rows.drain(..beyond);
            }
            if let Some(points) = device.and_then(|(device, _)| self.devices.get_mut(&device)) {
                let beyond = points.len().saturating_sub(self.history);
                points.drain(..beyond);
            }
        }
    }

    /// Takes back what is staged; the ledger is then as it was.
    pub(crate) fn roll_back(&mut self) {
        for undo in std::mem::take(&mut self.staged).into_iter().rev() {
            match undo {
                Undo::Forked { key } => {
                    self.forked.remove(&key);
                }
                Undo::Admitted {
                    chain: key,
                    counter,
                    last_time_ms,
                    operating_s,
                    device,
                } => {
                    if let Some(chain) = self.chains.get_mut(&key) {
                        let place = chain.rows.partition_point(|other| other.counter < counter);
                        chain.rows.remove(place);
                        (chain.last_time_ms, chain.operating_s) = (last_time_ms, operating_s);
                        if chain.rows.is_empty() {
                            self.chains.remove(&key);
                        }
                    }
                    if let Some((device, time_ms)) = device
                        && let Some(points) = self.devices.get_mut(&device)
                    {
                        let after = points.partition_point(|point| point.time_ms <= time_ms);
                        points.remove(after.saturating_sub(1));
                        if points.is_empty() {
                            self.devices.remove(&device);
                        }
                    }
                }
            }
        }
    }

    /// Remembers that a key signed two payloads under one counter.
    pub(crate) fn mark_forked(&mut self, key: u32) {
        self.forked.insert(key);
    }
}

impl Chain {
    /// Asks whether a counter comes after those known, and how many are missing in between.
    fn follow(&self, row: &LedgerRow, recalled: Option<&[u8; 32]>) -> Result<u64, MeteringError> {
        let (counter, counted) = (row.counter, row.context.counts_each());
        let known = self.rows.binary_search_by_key(&counter, |row| row.counter);
        let known = known
            .ok()
            .map(|place| &self.rows[place].digest)
            .or(recalled);
        match known {
            Some(digest) if *digest == row.digest => {
                return Err(MeteringError::Replayed { counter });
            }
            // Without a counter, one moment may be signed twice; it is only not later.
            Some(_) if counted => return Err(MeteringError::Equivocation { counter }),
            _ => {}
        }
        let (Some(oldest), Some(last)) = (self.rows.front(), self.rows.back()) else {
            return Ok(0);
        };
        let (oldest, last) = (oldest.counter, last.counter);
        // A slot states its own time, so it may come late without a step back of the meter.
        let may_come_late = row.context == CounterContext::Slot && counter > oldest;
        if counter < last && counted && !may_come_late {
            return Err(MeteringError::CounterBack { counter, last });
        }
        let between = counter.saturating_sub(last).saturating_sub(1);
        Ok(if counted { between } else { 0 })
    }

    /// Asks whether time went forward along the chain.
    fn check_time(&self, row: &LedgerRow) -> Result<(), MeteringError> {
        let last = self.rows.back().map_or(0, |last| last.counter);
        if row.context == CounterContext::Slot && row.counter < last {
            return Ok(());
        }
        let (time_ms, last_ms) = (row.time_ms, self.last_time_ms);
        if let (Some(operating_s), Some(last_s)) = (row.operating_s, self.operating_s)
            && operating_s < last_s
        {
            return Err(MeteringError::OperatingFell {
                operating_s,
                last_s,
            });
        }
        match row.start_ms {
            Some(start_ms) if start_ms < last_ms => {
                Err(MeteringError::IntervalOverlaps { start_ms, last_ms })
            }
            _ if time_ms <= last_ms => Err(MeteringError::TimeNotRising { time_ms, last_ms }),
            _ => Ok(()),
        }
    }
}

/// Finds the readings of a device right before and right after a time.
fn neighbours(points: &VecDeque<Point>, time_ms: i64) -> (Option<&Point>, Option<&Point>) {
    let after = points.partition_point(|point| point.time_ms <= time_ms);
    let before = after.checked_sub(1).and_then(|before| points.get(before));
    (before, points.get(after))
}

const REGISTERS: [&str; 2] = ["import", "export"];

/// Asks whether registers are at least where they were when the meter was mounted.
fn check_start(enrolled: &Enrolled, row: &LedgerRow) -> Result<(), MeteringError> {
    let Some(start) = enrolled.start else {
        return Ok(());
    };
    let pairs = [(row.import, start.import), (row.export, start.export)];
    for (register, (now, start)) in REGISTERS.into_iter().zip(pairs) {
        if now.is_some_and(|now| now < start) {
            return Err(MeteringError::BelowStart {
                register,
                milliwh: now.map_or(0, Energy::milliwh),
                start_milliwh: start.milliwh(),
            });
        }
    }
    Ok(())
}

/// Asks whether registers rise with time across all keys and counters of a device.
fn check_registers(
    before: Option<&Point>,
    after: Option<&Point>,
    row: &LedgerRow,
) -> Result<(), MeteringError> {
    let fell = |register, last: Option<Energy>, now: Option<Energy>| match (last, now) {
        (Some(last), Some(now)) if now < last => Err(MeteringError::RegisterFell {
            register,
            milliwh: now.milliwh(),
            last_milliwh: last.milliwh(),
        }),
        _ => Ok(()),
    };
    if let Some(before) = before {
        fell(REGISTERS[0], before.import, row.import)?;
        fell(REGISTERS[1], before.export, row.export)?;
    }
    if let Some(after) = after {
        fell(REGISTERS[0], row.import, after.import)?;
        fell(REGISTERS[1], row.export, after.export)?;
    }
    Ok(())
}
