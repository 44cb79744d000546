//! The only maker of verified readings.

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::authentication::{Authentic, Reception, authenticate_all};
use crate::columns::METER_UNKNOWN;
use crate::formats;
use crate::ledger::Ledger;
use crate::trust_store::TrustStore;
use crate::{
    BatchError, CounterContext, EnrolmentError, KeyRecord, LEDGER_HISTORY_MAX, LedgerError,
    LedgerRow, MeteringError, Refusal, VerdictColumns, VerifiedReading,
};

/// Most records of one batch.
pub const BATCH_MAX: usize = 65_536;

/// How far a meter's clock may be ahead of the receiver's. [s]
pub const CLOCK_AHEAD_MAX_S: i64 = 60;

/// A trust store and the replay ledger of its keys.
#[derive(Debug, Clone)]
pub struct Verifier {
    trust: TrustStore,
    ledger: Ledger,
}

/// Records of a batch that were judged by themselves, before their history is asked.
#[derive(Debug, Clone)]
pub struct Authenticated(Vec<Result<Authentic, Refusal>>);

/// A place in a ledger: key, context, counter.
pub type LedgerKey = ([u8; 32], CounterContext, u64);

/// Two payloads under one counter: what the ledger had, and what came.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fork {
    /// Place of the record in its batch.
    pub record: usize,
    /// Place of the key among [`Verifier::key_ids`].
    pub place: u32,
    /// Key, context and counter of both.
    pub key: LedgerKey,
    /// SHA-256 of the signed bytes of the record that came.
    pub digest: [u8; 32],
}

/// A batch staged in the ledger: what it says, and what a store has to keep before it is committed.
#[derive(Debug, Clone, Default)]
pub struct Staged {
    /// One outcome a record.
    pub outcomes: Vec<Result<VerifiedReading, Refusal>>,
    /// Place of each record's meter among [`Verifier::meter_names`], -1 where it is not known.
    pub meters: Vec<i32>,
    /// Rows to add, each with the place of its record in the batch and of its key among
    /// [`Verifier::key_ids`].
    pub rows: Vec<(usize, u32, LedgerRow)>,
    /// Contradictions to keep as proof.
    pub forks: Vec<Fork>,
}

impl Staged {
    /// Lays the outcomes out in columns.
    pub fn columns(&self) -> VerdictColumns {
        VerdictColumns::of(&self.outcomes, self.meters.clone())
    }

    /// Returns the SHA-256 of the signed bytes of each record, one after the other; zeros if
    /// refused.
    pub fn digests(&self) -> Vec<u8> {
        let digest = |outcome: &Result<VerifiedReading, Refusal>| match outcome {
            Ok(reading) => *reading.digest(),
            Err(_) => [0; 32],
        };
        self.outcomes.iter().flat_map(digest).collect()
    }
}

impl Default for Verifier {
    fn default() -> Self {
        Self::with_history(LEDGER_HISTORY_MAX)
    }
}

impl Verifier {
    /// Makes a verifier that believes nobody.
    pub fn new() -> Self {
        Self::default()
    }

    /// Makes a verifier that remembers `history` counters a chain, at least one; a store recalls
    /// what is older.
    pub fn with_history(history: usize) -> Self {
        Self {
            trust: TrustStore::default(),
            ledger: Ledger::new(history.max(1)),
        }
    }

    /// Enrols a key.
    ///
    /// # Errors
    /// [`EnrolmentError`]; nothing is enrolled then.
    pub fn enrol(&mut self, record: KeyRecord) -> Result<(), EnrolmentError> {
        self.trust.enrol(record)
    }

    /// Names the enrolled meters, in the order of their first key.
    pub fn meter_names(&self) -> &[Arc<str>] {
        self.trust.meter_names()
    }

    /// Lists the ids of the enrolled keys, in the order of their enrolment.
    pub fn key_ids(&self) -> impl Iterator<Item = &[u8; 32]> {
        self.trust.key_ids()
    }

    /// Names the meter of each enrolled key, in the order of their enrolment.
    pub fn key_meters(&self) -> impl Iterator<Item = &str> {
        self.trust.key_meters()
    }

    /// Returns the canonical SPKI DER of an enrolled key.
    pub fn public_key_der(&self, key_id: &[u8; 32]) -> Option<Vec<u8>> {
        self.trust.public_key_der(key_id)
    }

    /// Turns received bytes into a verified reading and remembers it.
    ///
    /// `at_s` is when the bytes were received; a record verified later, from a file, has no such
    /// moment and takes `i64::MAX`. [UTC s]
    ///
    /// # Errors
    /// [`Refusal`] with the first rule broken; the ledger is then as it was.
    pub fn verify(&mut self, received: &[u8], at_s: i64) -> Result<VerifiedReading, Refusal> {
        self.judge(received, at_s, None)
    }

    /// As [`Verifier::verify`], for bytes that came over the wire of the meter `asked`: a record
    /// of any other meter is refused, and leaves that meter's history alone.
    ///
    /// # Errors
    /// [`Refusal`] with the first rule broken; the ledger is then as it was.
    pub fn verify_of(
        &mut self,
        asked: &str,
        received: &[u8],
        at_s: i64,
    ) -> Result<VerifiedReading, Refusal> {
        self.judge(received, at_s, Some(asked))
    }

    fn judge(
        &mut self,
        received: &[u8],
        at_s: i64,
        asked: Option<&str>,
    ) -> Result<VerifiedReading, Refusal> {
        let format = None;
        let authenticated = self.authenticate_all(&[received], Reception { format, at_s }, 1);
        let mut staged = self.stage_asked(authenticated, &BTreeMap::new(), asked)?;
        self.commit();
        // One record has one outcome.
        staged.outcomes.pop().unwrap_or(Err(BATCH_OPEN))
    }

    /// Judges each record in the order given; one outcome per record.
    ///
    /// # Errors
    /// [`BatchError::TooLong`] beyond [`BATCH_MAX`]; nothing is judged then.
    pub fn verify_batch<B: AsRef<[u8]> + Sync>(
        &mut self,
        received: &[B],
        at_s: i64,
    ) -> Result<Vec<Result<VerifiedReading, Refusal>>, BatchError> {
        let authenticated = self.authenticate(received, at_s, None, 1)?;
        match self.stage_asked(authenticated, &BTreeMap::new(), None) {
            Ok(staged) => {
                self.commit();
                Ok(staged.outcomes)
            }
            Err(refusal) => Ok(vec![Err(refusal); received.len()]),
        }
    }

    /// Judges records by themselves: format, key, signatures, measure. On up to `threads` threads;
    /// the outcome is the same on any number of them.
    ///
    /// `format` names the one format the records are of, see [`crate::format_names`]; the format of
    /// each is detected if it is none.
    ///
    /// # Errors
    /// [`BatchError::TooLong`] beyond [`BATCH_MAX`], [`BatchError::Format`]; nothing is judged then.
    pub fn authenticate<B: AsRef<[u8]> + Sync>(
        &self,
        received: &[B],
        at_s: i64,
        format: Option<&str>,
        threads: usize,
    ) -> Result<Authenticated, BatchError> {
        if received.len() > BATCH_MAX {
            let found = received.len();
            return Err(BatchError::TooLong { found });
        }
        let named = |name: &str| {
            let found = name.to_owned();
            formats::by_name(name).ok_or(BatchError::Format { found })
        };
        let format = format.map(named).transpose()?;
        Ok(self.authenticate_all(received, Reception { format, at_s }, threads))
    }

    fn authenticate_all<B: AsRef<[u8]> + Sync>(
        &self,
        received: &[B],
        reception: Reception,
        threads: usize,
    ) -> Authenticated {
        Authenticated(authenticate_all(&self.trust, received, reception, threads))
    }

    /// Lists what a store has to be asked before a batch is staged: counters older than what is
    /// remembered, which may be repeats or contradictions.
    pub fn forgotten(&self, authenticated: &Authenticated) -> Vec<LedgerKey> {
        let authentic = authenticated.0.iter().flatten();
        let forgotten = authentic.filter(|one| {
            let chain = (one.place, one.reading.context);
            self.ledger.is_forgotten(chain, one.reading.counter)
        });
        forgotten.map(|one| ledger_key(&one.reading)).collect()
    }

    /// Asks whether a batch may be staged.
    ///
    /// # Errors
    /// [`LedgerError::BatchOpen`] if one is staged already.
    pub fn check_closed(&self) -> Result<(), LedgerError> {
        if self.ledger.is_staged() {
            return Err(LedgerError::BatchOpen);
        }
        Ok(())
    }

    /// Stages a batch in the order given. Nothing else is admitted until [`Verifier::commit`] or
    /// [`Verifier::roll_back`].
    ///
    /// `recalled` holds the digests a store has of what [`Verifier::forgotten`] listed.
    ///
    /// # Errors
    /// [`LedgerError::BatchOpen`] if a batch is staged already.
    pub fn stage(
        &mut self,
        authenticated: Authenticated,
        recalled: &BTreeMap<LedgerKey, [u8; 32]>,
    ) -> Result<Staged, LedgerError> {
        let staged = self.stage_asked(authenticated, recalled, None);
        staged.map_err(|_| LedgerError::BatchOpen)
    }

    fn stage_asked(
        &mut self,
        authenticated: Authenticated,
        recalled: &BTreeMap<LedgerKey, [u8; 32]>,
        asked: Option<&str>,
    ) -> Result<Staged, Refusal> {
        if self.ledger.is_staged() {
            return Err(BATCH_OPEN);
        }
        let mut staged = Staged::default();
        staged.outcomes.reserve_exact(authenticated.0.len());
        staged.meters.reserve_exact(authenticated.0.len());
        for (record, outcome) in authenticated.0.into_iter().enumerate() {
            let meter = match &outcome {
                Ok(one) => Some(self.trust.key(one.place).meter_index),
                Err(refusal) => refusal
                    .meter
                    .as_ref()
                    .and_then(|name| self.trust.meter_index(name)),
            };
            let index = meter.and_then(|index| i32::try_from(index).ok());
            staged.meters.push(index.unwrap_or(METER_UNKNOWN));
            let outcome = outcome.and_then(|one| {
                let meter = one.reading.meter.clone();
                self.admit(one, record, recalled, asked, &mut staged)
                    .map_err(|error| Refusal {
                        meter: Some(meter),
                        error,
                    })
            });
            staged.outcomes.push(outcome);
        }
        Ok(staged)
    }

    fn admit(
        &mut self,
        one: Authentic,
        record: usize,
        recalled: &BTreeMap<LedgerKey, [u8; 32]>,
        asked: Option<&str>,
        staged: &mut Staged,
    ) -> Result<VerifiedReading, MeteringError> {
        let mut reading = one.reading;
        if let Some(asked) = asked.filter(|asked| *asked != reading.meter()) {
            return Err(MeteringError::OtherMeter {
                meter: reading.meter().to_owned(),
                asked: asked.to_owned(),
            });
        }
        let row = LedgerRow::of(&reading, &one.power);
        let known = if recalled.is_empty() {
            None
        } else {
            recalled.get(&ledger_key(&reading))
        };
        let enrolled = self.trust.key(one.place);
        let admitted = self
            .ledger
            .admit(one.place, enrolled, &row, &one.power, known);
        if let Err(MeteringError::Equivocation { .. }) = admitted {
            staged.forks.push(Fork {
                record,
                place: one.place,
                key: ledger_key(&reading),
                digest: reading.digest,
            });
        }
        let admission = admitted?;
        (reading.missing, reading.findings) = (admission.missing, admission.findings);
        staged.rows.push((record, one.place, row));
        Ok(reading)
    }

    /// Keeps the staged batch.
    pub fn commit(&mut self) {
        self.ledger.commit();
    }

    /// Forgets the staged batch; the ledger is then as it was.
    pub fn roll_back(&mut self) {
        self.ledger.roll_back();
    }

    /// Lists what the ledger remembers, by key, context and counter.
    pub fn ledger_rows(&self) -> impl Iterator<Item = &LedgerRow> {
        self.ledger.rows()
    }

    /// Fills an empty ledger with stored rows, which may come in any order, and marks the keys that
    /// contradicted themselves.
    ///
    /// # Errors
    /// [`LedgerError`]; the ledger then stays empty. Keys have to be enrolled first.
    pub fn restore(&mut self, rows: &[LedgerRow], forked: &[[u8; 32]]) -> Result<(), LedgerError> {
        if !self.ledger.is_empty() {
            return Err(LedgerError::NotEmpty);
        }
        let mut order: Vec<usize> = (0..rows.len()).collect();
        order.sort_by_key(|&row| rows[row].counter);
        let mut ledger = Ledger::new(self.ledger.history());
        let place = |row: usize, key_id| {
            let place = self.trust.place_of(key_id);
            place.ok_or(LedgerError::KeyUnknown { row })
        };
        for row in order {
            let place = place(row, &rows[row].key_id)?;
            let enrolled = self.trust.key(place);
            let admitted = ledger.admit(place, enrolled, &rows[row], &[], None);
            admitted.map_err(|fault| LedgerError::Contradiction {
                row,
                fault: Box::new(fault),
            })?;
        }
        for (row, key_id) in forked.iter().enumerate() {
            ledger.mark_forked(place(row, key_id)?);
        }
        ledger.commit();
        self.ledger = ledger;
        Ok(())
    }
}

const BATCH_OPEN: Refusal = Refusal {
    meter: None,
    error: MeteringError::BatchOpen,
};

fn ledger_key(reading: &VerifiedReading) -> LedgerKey {
    (reading.key_id, reading.context, reading.counter)
}
