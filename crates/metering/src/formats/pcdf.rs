//! PCDF: `128.8.0(ST:..)(CT:..)...(SG:..)`, the energy of one charging session.
//!
//! Signed is the text before `(SG:`. The key in the record is for information: whoever changes the
//! record can change the key. A session is an interval of energy taken from the grid; a record made
//! before its end is not final, and its energy is that of another interval. Times are read as UTC,
//! since the format names no zone.
//!
//! # Source
//! Fields: S.A.F.E. e.V. transparenzsoftware 1.4.1 (Apache-2.0), read for facts and checked against
//! signatures of genuine meters.

use std::borrow::Cow;

use gridrig_curves::Scheme;
use gridrig_quantity::Energy;

use super::Format;
use crate::decimal::{DecimalFault, energy_from_decimal};
use crate::signed_record::{
    Measure, MeterTime, Prehash, SignatureEncoding, SignedPart, SignedRecord,
};
use crate::timestamp::seconds_since_epoch;
use crate::{ClockStatus, FormatFault, MeteringError};

/// Charging sessions on P-256.
pub(crate) static FORMAT: Format = Format {
    name: "pcdf",
    record_bytes_max: 1_024,
    schemes: &[Scheme::EcdsaP256],
    profiles: &[],
    recognises: |received| framed(received).starts_with(HEADER),
    read,
};

const HEADER: &[u8] = b"128.8.0(";

/// Every field; each comes once.
const FIELDS: [&str; 14] = [
    "ST", "CT", "CD", "TV", "BV", "CSC", "SP", "RV", "SI", "CS", "HW", "DT", "PK", "SG",
];

/// White space and the frame marks STX and ETX belong to the line, not to the record.
fn framed(received: &[u8]) -> &[u8] {
    let record = received.trim_ascii();
    let record = record.strip_prefix(b"\x02").unwrap_or(record);
    record.strip_suffix(b"\x03").unwrap_or(record)
}

fn read(received: &[u8]) -> Result<SignedRecord<'_>, FormatFault> {
    let record = std::str::from_utf8(framed(received))
        .map_err(|fault| FormatFault::structure("record", fault))?;
    let fields = fields_of(record)?;
    let [st, ct, cd, tv, bv, csc, sp, rv, si, cs, hw, dt, pk, sg] = fields;
    let (start_s, end_s) = (time("ST", st)?, time("CT", ct)?);
    if end_s < start_s {
        return Err(FormatFault::value("CT", ct, "a time not before ST"));
    }
    digits("CD", cd, 6)?;
    digits("CSC", csc, 0)?;
    digits("DT", dt, 0)?;
    let synchronised = flag("TV", tv)?;
    let billable = flag("BV", bv)?;
    let last = flag("SP", sp)?;
    if hw.is_empty() {
        return Err(FormatFault::value("HW", hw, "a serial number"));
    }
    let status = format!("TV {tv} BV {bv} SP {sp} CSC {csc} CS {cs}");
    let measure = session(rv, start_s)?.and_then(|measure| {
        let status = status.clone();
        (billable && last)
            .then_some(measure)
            .ok_or(MeteringError::StatusNotGood { status })
    });
    let informed_key = hex::decode(pk).map_err(|_| FormatFault::value("PK", pk, "hex digits"))?;
    // The fields were found in the record, so the mark before the signature is there.
    let signed = record.find("(SG:").unwrap_or(record.len());
    Ok(SignedRecord {
        serial: Cow::Borrowed(hw),
        named_key: None,
        declared: None,
        nested: Vec::new(),
        counter: None,
        local: None,
        operating_s: None,
        time: MeterTime {
            utc_ms: end_s * 1000,
            status: if synchronised {
                ClockStatus::Synchronised
            } else {
                ClockStatus::Unsynchronised
            },
        },
        measure,
        power: Vec::new(),
        status: Cow::Owned(status),
        contract: Some(Cow::Borrowed(si)),
        deviations: Vec::new(),
        informed_key: Some(Cow::Owned(informed_key)),
        signed: SignedPart {
            bytes: Cow::Borrowed(&record.as_bytes()[..signed]),
            prehash: Prehash::Sha256,
            encoding: SignatureEncoding::Der,
            signature: hex::decode(sg)
                .map(Cow::Owned)
                .map_err(|fault| fault.to_string()),
        },
    })
}

/// Parts `(name:value)` pairs and puts them into the order of [`FIELDS`].
fn fields_of(record: &str) -> Result<[&str; FIELDS.len()], FormatFault> {
    let shape = || FormatFault::structure("record", "not 128.8.0 and fields (name:value)");
    let body = record.strip_prefix("128.8.0").ok_or_else(shape)?;
    let body = body
        .strip_prefix('(')
        .and_then(|body| body.strip_suffix(')'));
    let mut found = [None; FIELDS.len()];
    let mut last = "";
    for field in body.ok_or_else(shape)?.split(")(") {
        let (name, value) = field.split_once(':').ok_or_else(shape)?;
        let place = FIELDS.iter().position(|known| *known == name);
        let Some(place) = place.filter(|_| !value.contains(['(', ')'])) else {
            return Err(FormatFault::value("field", field, "a field of the format"));
        };
        if found[place].replace(value).is_some() {
            return Err(FormatFault::Repeated {
                field: FIELDS[place],
            });
        }
        last = name;
    }
    if last != "SG" {
        return Err(FormatFault::structure(
            "record",
            "signature is not its last field",
        ));
    }
    let mut values = [""; FIELDS.len()];
    for ((value, found), field) in values.iter_mut().zip(found).zip(FIELDS) {
        *value = found.ok_or(FormatFault::Missing { field })?;
    }
    Ok(values)
}

fn digits(field: &'static str, text: &str, count: usize) -> Result<(), FormatFault> {
    let counted = count == 0 || text.len() == count;
    let held = counted && !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    held.then_some(())
        .ok_or_else(|| FormatFault::value(field, text, "digits of the format's length"))
}

fn flag(field: &'static str, text: &str) -> Result<bool, FormatFault> {
    match text {
        "0" => Ok(false),
        "1" => Ok(true),
        _ => Err(FormatFault::value(field, text, "0 or 1")),
    }
}

/// Reads `YYMMDDhhmmss` of the years 2000 to 2099.
fn time(field: &'static str, text: &str) -> Result<i64, FormatFault> {
    let read = || {
        digits(field, text, 12).ok()?;
        let pair = |at: usize| text[at..at + 2].parse::<i64>().ok();
        seconds_since_epoch(
            [2000 + pair(0)?, pair(2)?, pair(4)?],
            [pair(6)?, pair(8)?, pair(10)?],
        )
    };
    read().ok_or_else(|| FormatFault::value(field, text, "a time as YYMMDDhhmmss"))
}

/// Reads `0003.276*kWh`.
fn session(text: &str, start_s: i64) -> Result<Result<Measure, MeteringError>, FormatFault> {
    let expected = "a decimal number and *kWh";
    let other = || FormatFault::value("RV", text, expected);
    let number = text.strip_suffix("*kWh").ok_or_else(other)?;
    match energy_from_decimal(number, 6) {
        Ok(import) => Ok(Ok(Measure::Interval {
            start_ms: start_s * 1000,
            import,
            export: Energy::ZERO,
        })),
        Err(DecimalFault::Finer) => Ok(Err(MeteringError::Resolution {
            text: number.to_owned(),
            unit: "kWh",
        })),
        Err(DecimalFault::Malformed) => Err(other()),
        Err(DecimalFault::Bound) => Err(FormatFault::value("RV", text, "at most 10^15 mWh")),
    }
}
