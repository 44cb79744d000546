//! Alfen: `AP;type;version;key;dataset;signature;`, with the last three in base32.
//!
//! Signed are the 82 octets of the dataset. The key in the record is for information: whoever
//! changes the record can change the key.
//!
//! # Source
//! Layout and status bits: S.A.F.E. e.V. transparenzsoftware 1.4.1 (Apache-2.0), read for facts and
//! checked against signatures of genuine meters.

use std::borrow::Cow;

use data_encoding::BASE32;
use gridrig_curves::Scheme;
use gridrig_quantity::Energy;

use super::Format;
use super::obis::{Direction, direction_of};
use super::octets::{octets_at, shown, u32_le};
use super::scaled::{one_register, scaled_energy};
use crate::signed_record::{
    Counter, Measure, MeterTime, Prehash, SignatureEncoding, SignedPart, SignedRecord,
};
use crate::{ClockStatus, CounterContext, FormatFault, MeteringError};

/// Alfen's records on secp192r1.
pub(crate) static FORMAT: Format = Format {
    name: "alfen",
    record_bytes_max: 1_024,
    schemes: &[Scheme::EcdsaSecp192r1],
    profiles: &[],
    recognises: |received| received.trim_ascii_start().starts_with(b"AP;"),
    read,
};

const DATASET_BYTES: usize = 82;

/// Status bits by which meter or adapter take their word back: an error of the meter (1, 2), of the
/// adapter (16, 30, 31), a register that does not follow the one at the start (26).
const STATUS_NOT_GOOD: u32 = 1 << 1 | 1 << 2 | 1 << 16 | 1 << 26 | 1 << 30 | 1 << 31;

fn read(received: &[u8]) -> Result<SignedRecord<'_>, FormatFault> {
    let text = std::str::from_utf8(received.trim_ascii())
        .map_err(|fault| FormatFault::structure("record", fault))?;
    let sections: Vec<&str> = text.split(';').collect();
    let &["AP", kind, version, key, dataset, signature, ""] = sections.as_slice() else {
        let fault = "not AP and five sections, each ended by a semicolon";
        return Err(FormatFault::structure("record", fault));
    };
    if !matches!(kind, "0" | "1" | "2") {
        return Err(FormatFault::value("type", kind, "0, 1 or 2"));
    }
    if version.len() != 1 {
        return Err(FormatFault::value("version", version, "one character"));
    }
    let dataset = base32("dataset", dataset)?;
    if dataset.len() != DATASET_BYTES {
        let found = format!("{} octets", dataset.len());
        return Err(FormatFault::value("dataset", found, "82 octets"));
    }
    let code = octets_at(&dataset, 38);
    let expected = "an import or export register of electricity";
    let direction = direction_of(code)
        .ok_or_else(|| FormatFault::value("OBIS", hex::encode(code), expected))?;
    let value = i64::from_le_bytes(octets_at(&dataset, 46));
    let energy = scaled_energy(value, i8::from_le_bytes([dataset[45]]), dataset[44])?;
    Ok(SignedRecord {
        serial: Cow::Owned(hex::encode(&dataset[16..26])),
        named_key: None,
        declared: None,
        nested: Vec::new(),
        counter: Some(Counter {
            context: CounterContext::Pagination,
            value: u64::from(u32_le(&dataset, 78)),
        }),
        local: None,
        operating_s: Some(u64::from(u32_le(&dataset, 30))),
        time: MeterTime {
            utc_ms: i64::from(u32_le(&dataset, 34)) * 1000,
            status: ClockStatus::Informative,
        },
        measure: measure(&dataset, direction, energy),
        power: Vec::new(),
        status: Cow::Owned(format!("{:08x}", u32_le(&dataset, 26))),
        contract: shown(&dataset[54..74]),
        deviations: Vec::new(),
        informed_key: Some(Cow::Owned(base32("key", key)?)),
        signed: SignedPart {
            bytes: Cow::Owned(dataset),
            prehash: Prehash::Sha256,
            encoding: SignatureEncoding::Fixed,
            signature: BASE32
                .decode(signature.as_bytes())
                .map(Cow::Owned)
                .map_err(|fault| fault.to_string()),
        },
    })
}

fn base32(section: &'static str, text: &str) -> Result<Vec<u8>, FormatFault> {
    let decoded = BASE32.decode(text.as_bytes());
    decoded.map_err(|fault| FormatFault::structure(section, fault))
}

fn measure(
    dataset: &[u8],
    direction: Direction,
    energy: Result<Energy, MeteringError>,
) -> Result<Measure, MeteringError> {
    let status = u32_le(dataset, 26);
    if status & STATUS_NOT_GOOD != 0 {
        let status = format!("{status:08x}");
        return Err(MeteringError::StatusNotGood { status });
    }
    Ok(one_register(direction, energy?))
}
