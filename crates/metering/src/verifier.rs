//! The only maker of verified readings.

use gridrig_quantity::Energy;
use sha2::{Digest, Sha256};

use crate::enrolment::TrustStore;
use crate::ledger::Ledger;
use crate::ocmf::{EXPORT, IMPORT, Record, parse_record};
use crate::{
    EnrolmentError, KeyRecord, LedgerError, LedgerRow, MeteringError, Refusal, SignatureFault,
    VerifiedReading,
};

/// Most records one call of [`Verifier::verify_batch`] takes.
pub const BATCH_MAX: usize = 65_536;

/// How far a meter's clock may be ahead of the receiver's. [s]
pub const CLOCK_AHEAD_MAX_S: i64 = 60;

/// A trust store and the replay ledger of its keys.
#[derive(Debug, Clone, Default)]
pub struct Verifier {
    trust: TrustStore,
    ledger: Ledger,
}

impl Verifier {
    /// Makes a verifier that believes nobody.
    pub fn new() -> Self {
        Self::default()
    }

    /// Enrols a key.
    ///
    /// # Errors
    /// [`EnrolmentError`]; nothing is enrolled then.
    pub fn enrol(&mut self, record: KeyRecord) -> Result<(), EnrolmentError> {
        self.trust.enrol(record)
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
        let anonymous = |fault| Refusal {
            meter: None,
            error: MeteringError::Format(fault),
        };
        let record = parse_record(received).map_err(anonymous)?;
        let reading = self.authenticate(&record, at_s);
        let admitted = reading.and_then(|reading| {
            if let Some(asked) = asked.filter(|asked| *asked != reading.meter()) {
                return Err(MeteringError::OtherMeter {
                    meter: reading.meter().to_owned(),
                    asked: asked.to_owned(),
                });
            }
            self.ledger.admit(LedgerRow::of(&reading))?;
            Ok(reading)
        });
        let meter = || self.trust.meter_of(&record.serial).map(str::to_owned);
        admitted.map_err(|error| Refusal {
            meter: meter(),
            error,
        })
    }

    /// Judges each record in the order given; one outcome per record.
    ///
    /// Of a batch longer than [`BATCH_MAX`] nothing is judged, and `None` is the answer.
    pub fn verify_batch<B: AsRef<[u8]>>(
        &mut self,
        received: &[B],
        at_s: i64,
    ) -> Option<Vec<Result<VerifiedReading, Refusal>>> {
        let within = received.len() <= BATCH_MAX;
        within.then(|| {
            received
                .iter()
                .map(|record| self.verify(record.as_ref(), at_s))
                .collect()
        })
    }

    /// Checks everything a record says by itself, without the history of its key.
    fn authenticate(
        &self,
        record: &Record<'_>,
        at_s: i64,
    ) -> Result<VerifiedReading, MeteringError> {
        let time_ms = record.time.utc_ms;
        let time_s = time_ms.div_euclid(1000);
        let enrolled = self.trust.key_at(&record.serial, time_s)?;
        if let Some(declared) = &record.declared_algorithm {
            // The field is not signed, so it cannot choose a curve; it can only confirm one.
            if declared != enrolled.algorithm.ocmf_name() {
                return Err(MeteringError::AlgorithmOther {
                    declared: declared.clone(),
                    enrolled: enrolled.algorithm.ocmf_name(),
                });
            }
        }
        let encoding = |fault: &String| MeteringError::SignatureEncoding {
            fault: fault.clone(),
        };
        let signature = record.signature.as_ref().map_err(encoding)?;
        enrolled
            .key
            .check(record.payload, signature)
            .map_err(|fault| match fault {
                SignatureFault::Encoding(fault) => MeteringError::SignatureEncoding { fault },
                SignatureFault::False => MeteringError::SignatureFalse,
            })?;
        let (import, export) = registers(record)?;
        if time_s > at_s.saturating_add(CLOCK_AHEAD_MAX_S) {
            return Err(MeteringError::TimeAhead { time_s, at_s });
        }
        Ok(VerifiedReading {
            meter: enrolled.meter.clone(),
            serial: record.serial.clone(),
            key_id: enrolled.key.id(),
            context: record.context,
            pagination: record.pagination,
            time_ms,
            clock_status: record.time.status,
            import,
            export,
            digest: Sha256::digest(record.payload).into(),
        })
    }

    /// Lists what the ledger remembers, by key, context and pagination.
    pub fn ledger_rows(&self) -> impl Iterator<Item = &LedgerRow> {
        self.ledger.rows()
    }

    /// Fills an empty ledger with stored rows, which may come in any order.
    ///
    /// # Errors
    /// [`LedgerError`]; the ledger then stays empty. Keys have to be enrolled first.
    pub fn restore(&mut self, rows: &[LedgerRow]) -> Result<(), LedgerError> {
        if !self.ledger.is_empty() {
            return Err(LedgerError::NotEmpty);
        }
        let mut order: Vec<usize> = (0..rows.len()).collect();
        order.sort_by_key(|&row| rows[row].pagination);
        let mut ledger = Ledger::default();
        for row in order {
            if !self.trust.knows(&rows[row].key_id) {
                return Err(LedgerError::KeyUnknown { row });
            }
            ledger
                .admit(rows[row].clone())
                .map_err(|fault| LedgerError::Contradiction {
                    row,
                    fault: Box::new(fault),
                })?;
        }
        self.ledger = ledger;
        Ok(())
    }
}

/// Takes both registers, each rule asked of both before the next rule is asked.
fn registers(record: &Record<'_>) -> Result<(Energy, Energy), MeteringError> {
    let missing = |obis| MeteringError::RegisterMissing { obis };
    let import = record.import.as_ref().ok_or_else(|| missing(IMPORT))?;
    let export = record.export.as_ref().ok_or_else(|| missing(EXPORT))?;
    import.check_status()?;
    export.check_status()?;
    Ok((import.energy()?, export.energy()?))
}
