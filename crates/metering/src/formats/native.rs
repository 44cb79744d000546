//! The compact record of gridrig's own meters: COSE_Sign1 with Ed25519 over a small CBOR map.
//!
//! Everything is deterministic CBOR: shortest numbers, definite lengths, keys in order. A record
//! that is encoded in another way is refused, so one reading has one encoding. Signed is the
//! `Sig_structure` of COSE over protected header and payload as they were received, with
//! `gridrig-reading-1` as external data, so that no other COSE message reads as a reading.
//!
//! `docs/metering_formats.md` describes the payload in CDDL.
//!
//! # Source
//! RFC 9052 "CBOR Object Signing and Encryption", section 4.4; RFC 9864 for the algorithm; RFC 8949,
//! section 4.2.1 for the encoding.

use std::borrow::Cow;

use ciborium::Value;
use gridrig_curves::Scheme;
use gridrig_quantity::Energy;

use super::Format;
use crate::signed_record::{
    Counter, DeclaredAlgorithm, Measure, MeterTime, PowerSample, Prehash, SignatureEncoding,
    SignedPart, SignedRecord,
};
use crate::{ClockStatus, CounterContext, FormatFault, MeteringError};

/// Records of rigs of our own, on Ed25519.
pub(crate) static FORMAT: Format = Format {
    name: "gridrig",
    record_bytes_max: 512,
    schemes: &[Scheme::Ed25519],
    profiles: &[],
    recognises: |received| received.starts_with(&[0xd2, 0x84]),
    read,
};

/// What is signed beside header and payload.
const EXTERNAL_DATA: &[u8] = b"gridrig-reading-1";

/// CBOR within CBOR: a tag, a list and a map.
const DEPTH_MAX: usize = 4;

/// Longest serial number or contract. [bytes]
const TEXT_BYTES_MAX: usize = 64;

const TAG_SIGN1: u64 = 18;
const HEADER_ALGORITHM: u64 = 1;
const HEADER_KEY_ID: u64 = 4;
/// Ed25519 in the registry of COSE algorithms.
const ALGORITHM_ED25519: i128 = -19;
/// The first octets of the SHA-256 of the key.
const KEY_ID_BYTES: usize = 8;

const SERIAL: u64 = 1;
const SEQUENCE: u64 = 2;
const TIME_MS: u64 = 3;
const CLOCK: u64 = 4;
const IMPORT: u64 = 5;
const EXPORT: u64 = 6;
const POWER: u64 = 7;
const STATUS: u64 = 8;
const CONTRACT: u64 = 9;
const OPERATING_S: u64 = 10;

fn read(received: &[u8]) -> Result<SignedRecord<'_>, FormatFault> {
    let Sign1 {
        header,
        payload,
        signature,
    } = match deterministic("record", received)? {
        Value::Tag(TAG_SIGN1, signed) => sign1_of(*signed)?,
        _ => return Err(FormatFault::structure("record", "not tag 18, COSE_Sign1")),
    };
    let bytes = sig_structure(&header, &payload)?;
    let mut header = Fields::of("protected header", &header)?;
    let algorithm = header.needed(HEADER_ALGORITHM, "alg", integer)?;
    let key_id = header.needed(HEADER_KEY_ID, "kid", |value| {
        let octets = value.into_bytes().ok()?;
        (octets.len() == KEY_ID_BYTES).then_some(octets)
    })?;
    header.nothing_left()?;
    let mut fields = Fields::of("payload", &payload)?;
    let serial = fields.needed(SERIAL, "serial", text)?;
    let sequence = fields.needed(SEQUENCE, "sequence", unsigned)?;
    let utc_ms = fields.needed(TIME_MS, "time", stored)?;
    let status = fields.needed(CLOCK, "clock", clock_status)?;
    let import = fields.needed(IMPORT, "import", energy)?;
    let export = fields.needed(EXPORT, "export", energy)?;
    let power = fields.optional(POWER, "power", |value| i64::try_from(integer(value)?).ok())?;
    let flags = fields.optional(STATUS, "status", unsigned)?.unwrap_or(0);
    let contract = fields.optional(CONTRACT, "contract", text)?;
    let operating_s = fields.optional(OPERATING_S, "operating time", unsigned)?;
    fields.nothing_left()?;
    Ok(SignedRecord {
        serial: Cow::Owned(serial),
        named_key: Some(Cow::Owned(key_id)),
        declared: Some(DeclaredAlgorithm {
            text: Cow::Owned(algorithm.to_string()),
            scheme: (algorithm == ALGORITHM_ED25519).then_some(Scheme::Ed25519),
        }),
        nested: Vec::new(),
        counter: Some(Counter {
            context: CounterContext::Sequence,
            value: sequence,
        }),
        local: None,
        operating_s,
        time: MeterTime { utc_ms, status },
        measure: measure(flags, import, export),
        power: power
            .map(|power_milliwatt| PowerSample {
                time_ms: utc_ms,
                power_milliwatt,
            })
            .into_iter()
            .collect(),
        status: Cow::Owned(format!("{flags:x}")),
        contract: contract.map(Cow::Owned),
        deviations: Vec::new(),
        informed_key: None,
        signed: SignedPart {
            bytes: Cow::Owned(bytes),
            prehash: Prehash::Message,
            encoding: SignatureEncoding::Fixed,
            signature: Ok(Cow::Owned(signature)),
        },
    })
}

fn measure(flags: u64, import: Energy, export: Energy) -> Result<Measure, MeteringError> {
    if flags != 0 {
        let status = format!("{flags:x}");
        return Err(MeteringError::StatusNotGood { status });
    }
    Ok(Measure::Registers {
        import: Some(import),
        export: Some(export),
    })
}

/// Reads CBOR that is written as this verifier would write it, to the last byte.
fn deterministic(part: &'static str, bytes: &[u8]) -> Result<Value, FormatFault> {
    let mut rest = bytes;
    let value: Value = ciborium::de::from_reader_with_recursion_limit(&mut rest, DEPTH_MAX)
        .map_err(|fault| FormatFault::structure(part, format!("{fault:?}")))?;
    let again = encoded(&value)?;
    if !rest.is_empty() || again != bytes {
        return Err(FormatFault::structure(
            part,
            "CBOR is not deterministic or is not all",
        ));
    }
    Ok(value)
}

fn encoded(value: &Value) -> Result<Vec<u8>, FormatFault> {
    let mut bytes = Vec::new();
    ciborium::into_writer(value, &mut bytes)
        .map_err(|fault| FormatFault::structure("CBOR", format!("{fault:?}")))?;
    Ok(bytes)
}

/// The parts of COSE_Sign1; nothing may be in the unprotected header, which is not signed.
struct Sign1 {
    header: Vec<u8>,
    payload: Vec<u8>,
    signature: Vec<u8>,
}

fn sign1_of(signed: Value) -> Result<Sign1, FormatFault> {
    let parts: Option<[Value; 4]> = signed.into_array().ok().and_then(|p| p.try_into().ok());
    match parts {
        Some(
            [
                Value::Bytes(header),
                Value::Map(unprotected),
                Value::Bytes(payload),
                Value::Bytes(signature),
            ],
        ) if unprotected.is_empty() => Ok(Sign1 {
            header,
            payload,
            signature,
        }),
        _ => {
            let fault = "not protected header, empty map, payload and signature";
            Err(FormatFault::structure("record", fault))
        }
    }
}

/// What COSE signs: context, protected header, external data, payload.
fn sig_structure(header: &[u8], payload: &[u8]) -> Result<Vec<u8>, FormatFault> {
    encoded(&Value::Array(vec![
        Value::Text("Signature1".to_owned()),
        Value::Bytes(header.to_vec()),
        Value::Bytes(EXTERNAL_DATA.to_vec()),
        Value::Bytes(payload.to_vec()),
    ]))
}

/// The fields of a map with small unsigned keys, which are taken out one by one in their order.
struct Fields {
    part: &'static str,
    left: std::iter::Peekable<std::vec::IntoIter<(u64, Value)>>,
}

impl Fields {
    fn of(part: &'static str, bytes: &[u8]) -> Result<Self, FormatFault> {
        let fault = || FormatFault::structure(part, "not a map with rising unsigned keys");
        let map = deterministic(part, bytes)?
            .into_map()
            .map_err(|_| fault())?;
        let key = |(key, value)| unsigned(key).map(|key| (key, value));
        let fields: Option<Vec<_>> = map.into_iter().map(key).collect();
        let fields = fields.ok_or_else(fault)?;
        if !fields.is_sorted_by(|(a, _), (b, _)| a < b) {
            return Err(fault());
        }
        let left = fields.into_iter().peekable();
        Ok(Self { part, left })
    }

    fn optional<T>(
        &mut self,
        key: u64,
        field: &'static str,
        read: impl Fn(Value) -> Option<T>,
    ) -> Result<Option<T>, FormatFault> {
        let Some((_, value)) = self.left.next_if(|(next, _)| *next == key) else {
            return Ok(None);
        };
        let found = format!("{value:?}");
        let expected = "a value of the type and range of the field";
        let read = read(value).ok_or_else(|| FormatFault::value(field, found, expected))?;
        Ok(Some(read))
    }

    fn needed<T>(
        &mut self,
        key: u64,
        field: &'static str,
        read: impl Fn(Value) -> Option<T>,
    ) -> Result<T, FormatFault> {
        self.optional(key, field, read)?
            .ok_or(FormatFault::Missing { field })
    }

    fn nothing_left(mut self) -> Result<(), FormatFault> {
        match self.left.next() {
            None => Ok(()),
            Some((key, _)) => {
                let fault = format!("key {key} is unknown or out of order");
                Err(FormatFault::structure(self.part, fault))
            }
        }
    }
}

fn integer(value: Value) -> Option<i128> {
    value.into_integer().ok().map(i128::from)
}

/// A number from zero that a store of signed 64-bit numbers holds.
fn stored(value: Value) -> Option<i64> {
    i64::try_from(integer(value)?)
        .ok()
        .filter(|&number| number >= 0)
}

fn unsigned(value: Value) -> Option<u64> {
    stored(value)?.try_into().ok()
}

fn energy(value: Value) -> Option<Energy> {
    Energy::from_milliwh(stored(value)?).ok()
}

fn text(value: Value) -> Option<String> {
    let within = |text: &String| (1..=TEXT_BYTES_MAX).contains(&text.len());
    value.into_text().ok().filter(within)
}

fn clock_status(value: Value) -> Option<ClockStatus> {
    let letter = text(value)?;
    let mut letters = letter.chars();
    let status = ClockStatus::from_letter(letters.next()?);
    status.filter(|_| letters.next().is_none())
}
