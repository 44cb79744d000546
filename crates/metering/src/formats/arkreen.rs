//! Arkreen PoGG: a miner's report of samples of its generation, as the body of a JSON-RPC call or
//! its parameters alone.
//!
//! Signed is Keccak-256 of the compact JSON of version, address and samples, in this order. It is
//! put together from the fields that were received, whose only spelling is the one that is signed.
//! A sample is hexadecimal: version, 5 octets of time, 6 of power, 8 of energy. The register is that
//! of the latest sample; the power of each is kept.
//!
//! # Source
//! Arkreen, ApiMinerPushDoc, `docs/tx_reportMinerPoGG.md` and `sample/app.js`, read for facts.

use std::borrow::Cow;

use gridrig_curves::Scheme;
use gridrig_quantity::Energy;
use serde::Deserialize;
use serde_json::value::RawValue;

use super::Format;
use super::obis::Direction;
use super::octets::octets_at;
use super::scaled::one_register;
use crate::signed_record::{
    Measure, MeterTime, PowerSample, Prehash, SignatureEncoding, SignedPart, SignedRecord,
};
use crate::{ClockStatus, FormatFault, MeteringError};

/// Miners' reports on secp256k1.
pub(crate) static FORMAT: Format = Format {
    name: "arkreen",
    record_bytes_max: 8_192,
    schemes: &[Scheme::EcdsaSecp256k1],
    profiles: &[],
    recognises: |received| received.trim_ascii_start().starts_with(b"{"),
    read,
};

/// Most samples in one report.
const SAMPLES_MAX: usize = 128;

/// Version, time, power and energy.
const SAMPLE_BYTES: usize = 20;

const METHOD: &str = "tx_reportMinerPoGG";

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Call<'a> {
    #[serde(borrow)]
    jsonrpc: Cow<'a, str>,
    #[serde(borrow, rename = "id")]
    _id: &'a RawValue,
    #[serde(borrow)]
    method: Cow<'a, str>,
    #[serde(borrow)]
    params: Report<'a>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Report<'a> {
    #[serde(borrow)]
    version: &'a RawValue,
    #[serde(borrow)]
    address: Cow<'a, str>,
    #[serde(borrow, rename = "dataList")]
    samples: Vec<Cow<'a, str>>,
    #[serde(borrow)]
    signature: Cow<'a, str>,
}

/// One sample as it is signed.
#[derive(Clone, Copy)]
struct Sample {
    time_s: i64,
    power_milliwatt: i64,
    export: Energy,
}

fn read(received: &[u8]) -> Result<SignedRecord<'_>, FormatFault> {
    let text = std::str::from_utf8(received.trim_ascii())
        .map_err(|fault| FormatFault::structure("report", fault))?;
    let report = report_of(text)?;
    if report.version.get() != "1" {
        return Err(FormatFault::value("version", report.version.get(), "1"));
    }
    if !is_hex(report.address.strip_prefix("0x").unwrap_or(""), 40) {
        let expected = "0x and 40 hexadecimal digits";
        return Err(FormatFault::value("address", report.address, expected));
    }
    let samples = samples_of(&report.samples)?;
    let last = *samples
        .last()
        .ok_or(FormatFault::Missing { field: "dataList" })?;
    let power = |sample: &Sample| PowerSample {
        time_ms: sample.time_s * 1000,
        power_milliwatt: sample.power_milliwatt,
    };
    Ok(SignedRecord {
        serial: Cow::Owned(report.address.to_ascii_lowercase()),
        named_key: None,
        declared: None,
        nested: Vec::new(),
        counter: None,
        local: None,
        operating_s: None,
        time: MeterTime {
            utc_ms: last.time_s * 1000,
            status: ClockStatus::Informative,
        },
        measure: measure(&samples, last.export),
        power: samples.iter().map(power).collect(),
        status: Cow::Borrowed(""),
        contract: None,
        deviations: Vec::new(),
        informed_key: None,
        signed: SignedPart {
            bytes: Cow::Owned(signed_bytes(&report).into_bytes()),
            prehash: Prehash::Keccak256,
            encoding: SignatureEncoding::Fixed,
            signature: decode_signature(&report.signature).map(Cow::Owned),
        },
    })
}

/// Takes the report out of its call, if it is in one.
fn report_of(text: &str) -> Result<Report<'_>, FormatFault> {
    let report = serde_json::from_str::<Report<'_>>(text);
    let fault = match report {
        Ok(report) => return Ok(report),
        Err(fault) => fault,
    };
    // The keys of a call and of a report have none in common.
    let Ok(call) = serde_json::from_str::<Call<'_>>(text) else {
        return Err(FormatFault::structure("report", fault));
    };
    if call.jsonrpc != "2.0" || call.method != METHOD {
        return Err(FormatFault::value("method", call.method, METHOD));
    }
    Ok(call.params)
}

fn is_hex(text: &str, digits: usize) -> bool {
    text.len() == digits && text.bytes().all(|byte| byte.is_ascii_hexdigit())
}

/// Reads the samples into the order of their times; they come in either order.
fn samples_of(texts: &[Cow<'_, str>]) -> Result<Vec<Sample>, FormatFault> {
    if texts.len() > SAMPLES_MAX {
        let fault = format!("{} samples, more than {SAMPLES_MAX}", texts.len());
        return Err(FormatFault::structure("dataList", fault));
    }
    let samples = texts.iter().map(|text| sample_of(text));
    let mut samples = samples.collect::<Result<Vec<_>, _>>()?;
    samples.sort_by_key(|sample| sample.time_s);
    let at_once = |pair: &[Sample]| pair[0].time_s == pair[1].time_s;
    if samples.windows(2).any(at_once) {
        return Err(FormatFault::Repeated {
            field: "time of a sample",
        });
    }
    Ok(samples)
}

fn sample_of(text: &str) -> Result<Sample, FormatFault> {
    let read = || {
        // Capitals would be signed as capitals, which the format does not write.
        let lower = !text.bytes().any(|byte| byte.is_ascii_uppercase());
        let octets = hex::decode(text).ok().filter(|_| lower)?;
        let octets: [u8; SAMPLE_BYTES] = octets.try_into().ok()?;
        let number = |octets: &[u8]| octets.iter().fold(0, |sum, &o| sum << 8 | i64::from(o));
        let energy = u64::from_be_bytes(octets_at(&octets, 12));
        (octets[0] == 1).then_some(Sample {
            time_s: number(&octets[1..6]),
            power_milliwatt: number(&octets[6..12]),
            export: Energy::from_milliwh(i64::try_from(energy).ok()?).ok()?,
        })
    };
    let expected = "01, time, power and energy in 40 small hexadecimal digits";
    read().ok_or_else(|| FormatFault::value("dataList", text, expected))
}

/// What a miner has generated does not become less, within one report either.
fn measure(samples: &[Sample], last: Energy) -> Result<Measure, MeteringError> {
    let fell = samples
        .windows(2)
        .find(|pair| pair[1].export < pair[0].export);
    if let Some(&[before, now]) = fell {
        return Err(MeteringError::RegisterFell {
            register: "export",
            milliwh: now.export.milliwh(),
            last_milliwh: before.export.milliwh(),
        });
    }
    Ok(one_register(Direction::Export, last))
}

fn signed_bytes(report: &Report<'_>) -> String {
    let Report {
        version,
        address,
        samples,
        ..
    } = report;
    let samples = samples.join("\",\"");
    format!(r#"{{"version":{version},"address":"{address}","dataList":["{samples}"]}}"#)
}

/// Reads `r || s || v` in base58; v says which of two keys signed, which the enrolled key settles.
fn decode_signature(text: &str) -> Result<Vec<u8>, String> {
    let mut octets = bs58::decode(text)
        .into_vec()
        .map_err(|fault| fault.to_string())?;
    match (octets.len(), octets.pop()) {
        (65, Some(0 | 1)) => Ok(octets),
        (length, _) => Err(format!(
            "{length} octets are not r || s || v with v of 0 or 1"
        )),
    }
}
