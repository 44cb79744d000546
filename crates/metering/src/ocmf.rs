//! The OCMF wire format: `OCMF|{payload}|{signature}`.
//!
//! # Source
//! S.A.F.E. e.V., "Open Charge Metering Format", 1.4.1: sections, fields, inheritance of readings.

use std::borrow::Cow;

use gridrig_quantity::Energy;
use serde_json::value::RawValue;

use crate::decimal::{DecimalFault, energy_from_decimal};
use crate::ocmf_text::{PayloadText, ReadingText, SignatureText};
use crate::timestamp::{Timestamp, parse_timestamp};
use crate::{FormatFault, MeteringError, PaginationContext};

/// Longest record read. [bytes]
pub const RECORD_BYTES_MAX: usize = 16_384;

/// Most readings in one record.
pub const READINGS_MAX: usize = 64;

/// The import register, energy taken from the grid.
pub(crate) const IMPORT: &str = "1.8.0";

/// The export register, energy given to the grid.
pub(crate) const EXPORT: &str = "2.8.0";

/// A record that can be read, of which nothing is believed yet.
#[derive(Debug)]
pub(crate) struct Record<'a> {
    /// The bytes that are signed, as received.
    pub(crate) payload: &'a [u8],
    /// The meter's serial number, or the gateway's where a meter has none of its own.
    pub(crate) serial: String,
    pub(crate) context: PaginationContext,
    pub(crate) pagination: u64,
    /// The last moment in the record; it is the one the registers are taken at.
    pub(crate) time: Timestamp,
    pub(crate) import: Option<Register>,
    pub(crate) export: Option<Register>,
    pub(crate) declared_algorithm: Option<String>,
    /// The signature, or why its text is none.
    pub(crate) signature: Result<Vec<u8>, String>,
}

/// One register at the last moment of a record.
#[derive(Debug)]
pub(crate) struct Register {
    /// The energy, unless its digits are finer than a milliwatt-hour.
    energy: Option<Energy>,
    text: String,
    unit: &'static str,
    status: String,
    error_flags: String,
}

impl Register {
    /// Asks whether the meter vouches for the value.
    pub(crate) fn check_status(&self) -> Result<(), MeteringError> {
        if self.status == "G" && self.error_flags.is_empty() {
            return Ok(());
        }
        let (status, flags) = (self.status.clone(), self.error_flags.clone());
        Err(MeteringError::StatusNotGood { status, flags })
    }

    /// Answers the energy if its digits are exact in milliwatt-hours.
    pub(crate) fn energy(&self) -> Result<Energy, MeteringError> {
        let finer = || MeteringError::Resolution {
            text: self.text.clone(),
            unit: self.unit,
        };
        self.energy.ok_or_else(finer)
    }
}

/// Parts a record into its sections and reads them; believes nothing.
pub(crate) fn parse_record(received: &[u8]) -> Result<Record<'_>, FormatFault> {
    if received.len() > RECORD_BYTES_MAX {
        return Err(FormatFault::TooLong {
            bytes: received.len(),
        });
    }
    // White space around a record belongs to its file or frame, not to the record.
    let sections: Vec<&[u8]> = received.trim_ascii().split(|&byte| byte == b'|').collect();
    let &[header, payload, signature] = sections.as_slice() else {
        return Err(FormatFault::Sections {
            found: sections.len(),
        });
    };
    if header != b"OCMF" {
        return Err(FormatFault::Header);
    }
    let json = |section: &'static str| {
        move |fault: serde_json::Error| FormatFault::Json {
            section,
            fault: fault.to_string(),
        }
    };
    let text = utf8("payload", payload)?;
    let text: PayloadText<'_> = serde_json::from_str(text).map_err(json("payload"))?;
    let signed = utf8("signature", signature)?;
    let signed: SignatureText<'_> = serde_json::from_str(signed).map_err(json("signature"))?;
    check_version(text.format_version)?;
    let serial = text.meter_serial.filter(|serial| !serial.is_empty());
    let serial = serial
        .or(text.gateway_serial)
        .filter(|serial| !serial.is_empty());
    let serial = serial
        .ok_or(FormatFault::Missing { field: "MS" })?
        .into_owned();
    let (context, pagination) = parse_pagination(&needed(text.pagination, "PG")?)?;
    let (time, import, export) = parse_readings(needed(text.readings, "RD")?)?;
    let signature = decode_signature(&signed)?;
    let declared_algorithm = signed.algorithm.map(Cow::into_owned);
    Ok(Record {
        payload,
        serial,
        context,
        pagination,
        time,
        import,
        export,
        declared_algorithm,
        signature,
    })
}

/// The parser would pass over bytes that are no text in fields it skips; a record is text
/// throughout.
fn utf8<'a>(section: &'static str, bytes: &'a [u8]) -> Result<&'a str, FormatFault> {
    std::str::from_utf8(bytes).map_err(|fault| FormatFault::Json {
        section,
        fault: fault.to_string(),
    })
}

fn needed<T>(value: Option<T>, field: &'static str) -> Result<T, FormatFault> {
    value.ok_or(FormatFault::Missing { field })
}

fn unread(field: &'static str, found: &str, expected: &'static str) -> FormatFault {
    FormatFault::Value {
        field,
        found: found.to_owned(),
        expected,
    }
}

/// The version may be absent, a text or a number; every 1.x reads alike.
fn check_version(version: Option<&RawValue>) -> Result<(), FormatFault> {
    let Some(version) = version.map(RawValue::get) else {
        return Ok(());
    };
    let bare = version.trim_matches('"');
    let known = bare == "1" || bare.starts_with("1.");
    if known {
        Ok(())
    } else {
        Err(unread("FV", version, "version 1"))
    }
}

fn parse_pagination(text: &str) -> Result<(PaginationContext, u64), FormatFault> {
    let parse = || {
        let context = PaginationContext::from_letter(text.chars().next()?)?;
        let digits = text.get(1..)?;
        let all_digits = !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit());
        let counter: u64 = all_digits.then(|| digits.parse().ok())??;
        // Stores hold signed 64-bit numbers.
        i64::try_from(counter).ok().map(|_| (context, counter))
    };
    parse().ok_or_else(|| unread("PG", text, "T or F and a counter below 2^63"))
}

type Readings = (Timestamp, Option<Register>, Option<Register>);

/// Resolves inheritance and takes the two registers at the last moment of the record.
fn parse_readings(texts: Vec<ReadingText<'_>>) -> Result<Readings, FormatFault> {
    if texts.is_empty() || texts.len() > READINGS_MAX {
        return Err(FormatFault::Readings { found: texts.len() });
    }
    let mut readings: Vec<(Timestamp, ReadingText<'_>)> = Vec::with_capacity(texts.len());
    for text in texts {
        let reading = text.inherit(readings.last().map(|(_, before)| before));
        let written = reading
            .time
            .as_deref()
            .ok_or(FormatFault::Missing { field: "TM" })?;
        let time = parse_timestamp(written)
            .ok_or_else(|| unread("TM", written, "YYYY-MM-DDThh:mm:ss,mmm+hhmm U|I|S|R"))?;
        readings.push((time, reading));
    }
    let (mut import, mut export) = (None, None);
    let last = readings.last().map(|(time, _)| *time);
    let last = last.ok_or(FormatFault::Readings { found: 0 })?;
    for (_, reading) in readings.iter().filter(|(time, _)| *time == last) {
        let identification = reading.identification.as_deref();
        let (place, obis) = match register_of(needed(identification, "RI")?) {
            Some(IMPORT) => (&mut import, IMPORT),
            Some(EXPORT) => (&mut export, EXPORT),
            _ => continue,
        };
        if place.replace(parse_register(reading)?).is_some() {
            return Err(FormatFault::RegisterRepeated { obis });
        }
    }
    Ok((last, import, export))
}

/// Reads an OBIS code such as `1-b:1.8.0`, `01-00:01.08.00.FF` or `1-0:1.8.0*198` as far as it is
/// one of the two total energy registers.
fn register_of(obis: &str) -> Option<&'static str> {
    let (_, groups) = obis.split_once(':')?;
    let (groups, _) = groups.split_once('*').unwrap_or((groups, ""));
    let mut parts = groups.split('.');
    let mut number = || {
        parts
            .next()
            .filter(|part| part.len() <= 2)?
            .parse::<u8>()
            .ok()
    };
    match (number()?, number()?, number()?) {
        (1, 8, 0) => Some(IMPORT),
        (2, 8, 0) => Some(EXPORT),
        _ => None,
    }
}

fn parse_register(reading: &ReadingText<'_>) -> Result<Register, FormatFault> {
    let (unit, decimals) = match needed(reading.unit.as_deref(), "RU")? {
        "Wh" => ("Wh", 3),
        "kWh" => ("kWh", 6),
        other => return Err(unread("RU", other, "Wh or kWh")),
    };
    let written = needed(reading.value, "RV")?.get();
    let text = match serde_json::from_str::<Cow<'_, str>>(written) {
        // Some meters write the number as a padded text.
        Ok(quoted) => quoted.trim_matches(' ').to_owned(),
        Err(_) => written.to_owned(),
    };
    let energy = match energy_from_decimal(&text, decimals) {
        Ok(energy) => Some(energy),
        Err(DecimalFault::Finer) => None,
        Err(DecimalFault::Malformed) => {
            return Err(unread("RV", &text, "an unsigned decimal number"));
        }
        Err(DecimalFault::Bound) => return Err(unread("RV", &text, "at most 10^15 mWh")),
    };
    let status = needed(reading.status.as_deref(), "ST")?.to_owned();
    let error_flags = reading.error_flags.as_deref().unwrap_or("").to_owned();
    Ok(Register {
        energy,
        text,
        unit,
        status,
        error_flags,
    })
}

/// Decodes the text of the signature. A field that names something this verifier does not support
/// is a format fault; a text that is not what it claims to be is a fault of the signature.
fn decode_signature(signed: &SignatureText<'_>) -> Result<Result<Vec<u8>, String>, FormatFault> {
    match signed.mime_type.as_deref() {
        None | Some("application/x-der") => {}
        Some(other) => return Err(unread("SM", other, "application/x-der")),
    }
    let data = needed(signed.data.as_deref(), "SD")?;
    match signed.encoding.as_deref() {
        None | Some("hex") => Ok(hex::decode(data).map_err(|fault| fault.to_string())),
        Some("base64") => {
            use base64ct::{Base64, Encoding};
            Ok(Base64::decode_vec(data).map_err(|fault| fault.to_string()))
        }
        Some(other) => Err(unread("SE", other, "hex or base64")),
    }
}
