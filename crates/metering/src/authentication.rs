//! What can be said of a record without the history of its meter: its key, its signatures, its
//! measure.
//!
//! Nothing here changes anything, so records are judged on as many threads as are asked for, and
//! the outcome does not depend on how many those are.

use std::borrow::Cow;

use gridrig_curves::{Scheme, Signature, SignatureEncoding, Signed, Task, Verdict};
use sha2::{Digest, Sha256};
use sha3::Keccak256;

use crate::formats::{self, Format};
use crate::profile::{DER_UNPADDED, Profile, SIGNATURE_FIXED};
use crate::signed_record::{Counter, PowerSample, Prehash, SignedPart, SignedRecord};
use crate::trust_store::{Enrolled, TrustStore};
use crate::{
    CLOCK_AHEAD_MAX_S, CounterContext, Findings, FormatFault, MeteringError, Refusal,
    VerifiedReading,
};

/// Records judged together: enough to share what signatures can share, few enough to stay in the
/// cache.
const PIECE: usize = 1_024;

/// A reading whose key, signatures and measure are right; its place in history is not known yet.
#[derive(Debug, Clone)]
pub(crate) struct Authentic {
    pub(crate) reading: VerifiedReading,
    /// Place of its key in the trust store.
    pub(crate) place: u32,
    pub(crate) power: Vec<PowerSample>,
}

/// How records are to be read.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Reception {
    /// The one format they are of; none to have it detected.
    pub(crate) format: Option<&'static Format>,
    /// When they were received; `i64::MAX` if nobody knows. [UTC s]
    pub(crate) at_s: i64,
}

/// Judges records, on up to `threads` threads; one outcome a record, in their order.
pub(crate) fn authenticate_all<B: AsRef<[u8]> + Sync>(
    trust: &TrustStore,
    received: &[B],
    reception: Reception,
    threads: usize,
) -> Vec<Result<Authentic, Refusal>> {
    let share = received.len().div_ceil(threads.max(1)).max(1);
    if share >= received.len() {
        return authenticate_share(trust, received, reception);
    }
    std::thread::scope(|scope| {
        let workers: Vec<_> = received
            .chunks(share)
            .map(|share| scope.spawn(move || authenticate_share(trust, share, reception)))
            .collect();
        let done = workers.into_iter().map(|worker| match worker.join() {
            Ok(outcomes) => outcomes,
            Err(panic) => std::panic::resume_unwind(panic),
        });
        done.flatten().collect()
    })
}

fn authenticate_share<B: AsRef<[u8]>>(
    trust: &TrustStore,
    received: &[B],
    reception: Reception,
) -> Vec<Result<Authentic, Refusal>> {
    let pieces = received.chunks(PIECE);
    pieces
        .flat_map(|piece| authenticate_piece(trust, piece, reception))
        .collect()
}

/// A record whose key is known and whose signatures can be asked for.
struct Claim<'a> {
    format: &'static Format,
    record: SignedRecord<'a>,
    place: u32,
    digest: [u8; 32],
    /// What is hashed of its own and nested parts, where the scheme takes a digest.
    prehashes: Vec<Prehashed>,
    profiles: Vec<&'static str>,
}

/// A digest and a signature, ready to be a task.
struct Prehashed {
    digest: Option<[u8; 32]>,
    signature: Signature,
}

fn authenticate_piece<B: AsRef<[u8]>>(
    trust: &TrustStore,
    received: &[B],
    reception: Reception,
) -> Vec<Result<Authentic, Refusal>> {
    let claims: Vec<Result<Claim<'_>, Refusal>> = received
        .iter()
        .map(|bytes| claim(trust, bytes.as_ref(), reception))
        .collect();
    let tasks: Vec<Task<'_>> = claims
        .iter()
        .flatten()
        .flat_map(|claim| claim.tasks(trust))
        .collect();
    let verdicts = trust.ring.verify(&tasks);
    drop(tasks);
    let mut verdicts = verdicts.into_iter();
    let finish = |claim: Result<Claim<'_>, Refusal>| {
        let claim = claim?;
        let count = claim.prehashes.len();
        // The first verdict that is not right speaks for the record.
        let verdict = verdicts.by_ref().take(count).fold(Ok(()), Verdict::and);
        let enrolled = trust.key(claim.place);
        let meter = enrolled.meter.clone();
        let finished = claim.finish(enrolled, verdict, reception.at_s);
        finished.map_err(|error| Refusal {
            meter: Some(meter),
            error,
        })
    };
    claims.into_iter().map(finish).collect()
}

/// Reads a record and finds its key.
fn claim<'a>(
    trust: &TrustStore,
    received: &'a [u8],
    reception: Reception,
) -> Result<Claim<'a>, Refusal> {
    let unreadable = |fault: FormatFault| Refusal {
        meter: None,
        error: MeteringError::Format(fault),
    };
    let format = match reception.format {
        Some(format) => format,
        None => formats::detect(received).map_err(unreadable)?,
    };
    let mut record = format.read_bounded(received).map_err(unreadable)?;
    let claimed = trust.key_of(format, &record).and_then(|(place, time_ms)| {
        record.time.utc_ms = time_ms;
        let claimed = claim_key(trust, format, &record, place, reception.at_s)?;
        Ok((place, claimed))
    });
    match claimed {
        Ok((place, (digest, prehashes, profiles))) => Ok(Claim {
            format,
            record,
            place,
            digest,
            prehashes,
            profiles,
        }),
        Err(error) => Err(Refusal {
            meter: trust
                .meter_of(format, &record.serial)
                .map(|key| key.meter.clone()),
            error,
        }),
    }
}

type Claimed = ([u8; 32], Vec<Prehashed>, Vec<&'static str>);

/// Asks what can be asked of the key that may have signed, before its signature is.
fn claim_key(
    trust: &TrustStore,
    format: &'static Format,
    record: &SignedRecord<'_>,
    place: u32,
    at_s: i64,
) -> Result<Claimed, MeteringError> {
    let enrolled = trust.key(place);
    enrolled.check_arrival(record.time.utc_ms.div_euclid(1000), at_s)?;
    if let Some(named) = &record.named_key
        && (named.is_empty() || !enrolled.key_id.starts_with(named))
    {
        let named = hex::encode(named);
        return Err(MeteringError::KeyOther { named });
    }
    check_algorithm(format, record, enrolled.scheme)?;
    let mut profiles = Vec::new();
    for deviation in &record.deviations {
        if !enrolled.bears(deviation) {
            let profile = deviation.name;
            return Err(MeteringError::Deviation { profile });
        }
        if !enrolled.is_settled(deviation) {
            profiles.push(deviation.name);
        }
    }
    let parts = std::iter::once(&record.signed).chain(&record.nested);
    let mut prehashes = Vec::with_capacity(1 + record.nested.len());
    for part in parts {
        let (signature, borne) = read_signature(part, enrolled)?;
        profiles.extend(borne.map(|profile| profile.name));
        let digest = match part.prehash {
            Prehash::Sha256 => Some(Sha256::digest(&part.bytes).into()),
            Prehash::Keccak256 => Some(Keccak256::digest(&part.bytes).into()),
            Prehash::Message => None,
        };
        prehashes.push(Prehashed { digest, signature });
    }
    let digest = match prehashes[0].digest {
        Some(digest) if record.signed.prehash == Prehash::Sha256 => digest,
        _ => Sha256::digest(&record.signed.bytes).into(),
    };
    Ok((digest, prehashes, profiles))
}

/// What a record declares cannot choose an algorithm; it can only confirm the one of its key.
fn check_algorithm(
    format: &Format,
    record: &SignedRecord<'_>,
    scheme: Scheme,
) -> Result<(), MeteringError> {
    let other = |declared: &str| MeteringError::AlgorithmOther {
        declared: declared.to_owned(),
        enrolled: scheme.name(),
    };
    match &record.declared {
        Some(declared) if declared.scheme != Some(scheme) => Err(other(&declared.text)),
        _ if !format.schemes.contains(&scheme) => Err(other(format.name)),
        _ => Ok(()),
    }
}

type Borne = Option<&'static Profile>;

/// Reads a signature as its format says, or in the one deviation that is borne and fits.
fn read_signature(
    part: &SignedPart<'_>,
    enrolled: &Enrolled,
) -> Result<(Signature, Borne), MeteringError> {
    let fault = |fault: String| MeteringError::SignatureEncoding { fault };
    let bytes = part
        .signature
        .as_ref()
        .map_err(|text| fault(text.clone()))?;
    let read = |encoding| Signature::read(enrolled.scheme, encoding, bytes);
    let strict = match read(part.encoding) {
        Ok(signature) => return Ok((signature, None)),
        Err(strict) => strict,
    };
    if part.encoding == SignatureEncoding::Der {
        for (profile, encoding) in [
            (&DER_UNPADDED, SignatureEncoding::DerWithoutPad),
            (&SIGNATURE_FIXED, SignatureEncoding::Fixed),
        ] {
            if enrolled.bears(profile)
                && let Ok(signature) = read(encoding)
            {
                return Ok((signature, Some(profile)));
            }
        }
    }
    Err(fault(strict.to_string()))
}

impl Claim<'_> {
    fn tasks<'c>(&'c self, trust: &TrustStore) -> impl Iterator<Item = Task<'c>> + use<'c> {
        let key = trust.key(self.place).key;
        let parts = std::iter::once(&self.record.signed).chain(&self.record.nested);
        parts.zip(&self.prehashes).map(move |(part, ready)| Task {
            key,
            signed: match &ready.digest {
                Some(digest) => Signed::Digest(digest),
                None => Signed::Message(&part.bytes),
            },
            signature: ready.signature,
        })
    }

    /// Asks what may be asked only after the signatures were right.
    fn finish(
        self,
        enrolled: &Enrolled,
        verdict: Verdict,
        at_s: i64,
    ) -> Result<Authentic, MeteringError> {
        // The scheme, the digest and the key were chosen here, so that only `False` can come.
        verdict.map_err(|_| MeteringError::SignatureFalse)?;
        let record = self.record;
        let measure = record.measure?;
        let time_ms = record.time.utc_ms;
        let time_s = time_ms.div_euclid(1000);
        if time_s > at_s.saturating_add(CLOCK_AHEAD_MAX_S) {
            return Err(MeteringError::TimeAhead { time_s, at_s });
        }
        let counter = record.counter.unwrap_or(Counter {
            context: CounterContext::Clock,
            value: u64::try_from(time_ms).unwrap_or(0),
        });
        let reading = VerifiedReading {
            meter: enrolled.meter.clone(),
            serial: enrolled.serial.clone(),
            key_id: enrolled.key_id,
            start: enrolled.start,
            format: self.format.name,
            algorithm: enrolled.scheme.name(),
            profiles: self.profiles,
            context: counter.context,
            counter: counter.value,
            missing: 0,
            operating_s: record.operating_s,
            time_ms,
            clock_status: record.time.status,
            measure,
            status: boxed(record.status),
            contract: record.contract.map(boxed),
            informed_key: record.informed_key.map(|key| key.into_owned().into()),
            findings: Findings::default(),
            digest: self.digest,
        };
        Ok(Authentic {
            reading,
            place: self.place,
            power: record.power,
        })
    }
}

fn boxed(text: Cow<'_, str>) -> Box<str> {
    text.into_owned().into_boxed_str()
}
