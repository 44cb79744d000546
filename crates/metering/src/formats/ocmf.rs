//! The Open Charge Metering Format: `OCMF|{payload}|{signature}`.
//!
//! Signed are the bytes between the first and the second pipe, whatever white space is in them. The
//! last moment of a record is the reading; of it, the total registers of electricity are taken.
//! Versions 1.0 to 1.4 read alike; drafts before 1.0 are not read.
//!
//! What meters in the field do beside the specification is borne under the names of [`profiles`].
//!
//! # Source
//! S.A.F.E. e.V., "Open Charge Metering Format", 1.4.1: sections, fields, inheritance of readings,
//! tables 20 to 25.

mod json;
mod profiles;
mod readings;

use std::borrow::Cow;

use gridrig_curves::Scheme;
use serde_json::value::RawValue;

use self::json::{PayloadText, SignatureText};
use self::profiles::{METER_SERIAL_MISSING, PROFILES, VERSION_NUMBER};
use self::readings::read_readings;
use crate::formats::Format;
use crate::profile::Profile;
use crate::signed_record::{
    Counter, DeclaredAlgorithm, Prehash, SignatureEncoding, SignedPart, SignedRecord,
};
use crate::{CounterContext, FormatFault};

/// OCMF in every 1.x version.
pub(crate) static FORMAT: Format = Format {
    name: "ocmf",
    record_bytes_max: 16_384,
    schemes: &[
        Scheme::EcdsaP256,
        Scheme::EcdsaSecp256k1,
        Scheme::EcdsaP384,
        Scheme::EcdsaBrainpool256r1,
        Scheme::EcdsaBrainpool384r1,
        Scheme::EcdsaSecp192r1,
        Scheme::EcdsaSecp192k1,
    ],
    profiles: &PROFILES,
    recognises: |received| received.trim_ascii_start().starts_with(b"OCMF"),
    read,
};

/// Parts a record into its sections and reads them.
fn read(received: &[u8]) -> Result<SignedRecord<'_>, FormatFault> {
    // White space around a record belongs to its file or frame, not to the record.
    let sections: Vec<&[u8]> = received.trim_ascii().split(|&byte| byte == b'|').collect();
    let &[header, payload, signature] = sections.as_slice() else {
        let fault = format!("{} sections between pipes, not 3", sections.len());
        return Err(FormatFault::structure("record", fault));
    };
    if header != b"OCMF" {
        return Err(FormatFault::structure("header", "not \"OCMF\""));
    }
    let text: PayloadText<'_> = read_json("payload section", payload)?;
    let signed: SignatureText<'_> = read_json("signature section", signature)?;
    let mut deviations = check_version(text.format_version)?;
    let serial = signer(text.meter_serial, text.gateway_serial, &mut deviations)?;
    let counter = parse_pagination(&needed(text.pagination, "PG")?)?;
    let last = read_readings(needed(text.readings, "RD")?)?;
    deviations.extend(last.deviations);
    Ok(SignedRecord {
        serial,
        named_key: None,
        signed: SignedPart {
            bytes: Cow::Borrowed(payload),
            prehash: Prehash::Sha256,
            encoding: SignatureEncoding::Der,
            signature: decode_signature(&signed)?,
        },
        declared: signed.algorithm.map(|text| DeclaredAlgorithm {
            scheme: scheme_of(&text),
            text,
        }),
        nested: Vec::new(),
        counter: Some(counter),
        local: None,
        operating_s: None,
        time: last.time,
        measure: last.measure,
        power: Vec::new(),
        status: Cow::Owned(last.status),
        contract: text
            .identification
            .and_then(|text| serde_json::from_str(text.get()).ok())
            .filter(|contract: &Cow<'_, str>| !contract.is_empty()),
        deviations,
        informed_key: None,
    })
}

/// Takes the meter's serial number, or the gateway's where the meter's is left out.
fn signer<'a>(
    meter: Option<Cow<'a, str>>,
    gateway: Option<Cow<'a, str>>,
    deviations: &mut Vec<&'static Profile>,
) -> Result<Cow<'a, str>, FormatFault> {
    let given = |serial: &Cow<'a, str>| !serial.is_empty();
    if let Some(serial) = meter.filter(given) {
        return Ok(serial);
    }
    deviations.push(&METER_SERIAL_MISSING);
    needed(gateway.filter(given), "MS")
}

/// Reads a section. The parser would pass over bytes that are no text in fields it skips; a record
/// is text throughout.
fn read_json<'a, T: serde::Deserialize<'a>>(
    section: &'static str,
    bytes: &'a [u8],
) -> Result<T, FormatFault> {
    let text =
        std::str::from_utf8(bytes).map_err(|fault| FormatFault::structure(section, fault))?;
    serde_json::from_str(text).map_err(|fault| FormatFault::structure(section, fault))
}

fn needed<T>(value: Option<T>, field: &'static str) -> Result<T, FormatFault> {
    value.ok_or(FormatFault::Missing { field })
}

/// The version may be left out; in a text it is `1` and a minor version, which adds fields only.
fn check_version(version: Option<&RawValue>) -> Result<Vec<&'static Profile>, FormatFault> {
    let Some(version) = version.map(RawValue::get) else {
        return Ok(Vec::new());
    };
    let text = version.strip_prefix('"').and_then(|v| v.strip_suffix('"'));
    let mut parts = text.unwrap_or(version).split('.');
    let major = parts.next() == Some("1");
    let numbers =
        |part: &str| matches!(part.len(), 1 | 2) && part.bytes().all(|b| b.is_ascii_digit());
    if !major || !parts.clone().all(numbers) || parts.count() > 2 {
        return Err(FormatFault::value("FV", version, "version 1"));
    }
    Ok(match text {
        Some(_) => Vec::new(),
        None => vec![&VERSION_NUMBER],
    })
}

fn parse_pagination(text: &str) -> Result<Counter, FormatFault> {
    let parse = || {
        let context = match text.as_bytes().first()? {
            b'F' => CounterContext::Fiscal,
            b'T' => CounterContext::Transaction,
            _ => return None,
        };
        let digits = text.get(1..)?;
        let all_digits = digits.bytes().all(|byte| byte.is_ascii_digit());
        // One number has one spelling: no sign and no zero before it.
        let spelled = all_digits && (digits == "0" || !digits.starts_with('0'));
        let value: u64 = spelled.then(|| digits.parse().ok())??;
        i64::try_from(value)
            .ok()
            .map(|_| Counter { context, value })
    };
    parse().ok_or_else(|| FormatFault::value("PG", text, "T or F and a counter below 2^63"))
}

/// Reads the field `SA`; real meters spell the brainpool curves in two ways.
fn scheme_of(declared: &str) -> Option<Scheme> {
    let curve = declared.strip_prefix("ECDSA-")?.strip_suffix("-SHA256")?;
    Some(match curve {
        "secp256r1" => Scheme::EcdsaP256,
        "secp256k1" => Scheme::EcdsaSecp256k1,
        "secp384r1" => Scheme::EcdsaP384,
        "brainpool256r1" | "brainpoolP256r1" => Scheme::EcdsaBrainpool256r1,
        "brainpool384r1" | "brainpoolP384r1" => Scheme::EcdsaBrainpool384r1,
        "secp192r1" => Scheme::EcdsaSecp192r1,
        "secp192k1" => Scheme::EcdsaSecp192k1,
        _ => return None,
    })
}

/// Decodes the text of the signature. A field that names something this verifier does not support
/// is a format fault; a text that is not what it claims to be is a fault of the signature.
fn decode_signature<'a>(
    signed: &SignatureText<'_>,
) -> Result<Result<Cow<'a, [u8]>, String>, FormatFault> {
    match signed.mime_type.as_deref() {
        None | Some("application/x-der") => {}
        Some(other) => return Err(FormatFault::value("SM", other, "application/x-der")),
    }
    let data = needed(signed.data.as_deref(), "SD")?;
    let decoded = match signed.encoding.as_deref() {
        None | Some("hex") => hex::decode(data).map_err(|fault| fault.to_string()),
        Some("base64") => {
            use base64ct::{Base64, Encoding};
            Base64::decode_vec(data).map_err(|fault| fault.to_string())
        }
        Some(other) => return Err(FormatFault::value("SE", other, "hex or base64")),
    };
    Ok(decoded.map(Cow::Owned))
}
