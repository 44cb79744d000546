//! Every reader against the shared vectors, at the level of what is signed and what is read.

use std::fs;
use std::path::{Path, PathBuf};

use gridrig_quantity::Energy;
use serde_json::{Value, json};

use super::{detect, enclosed_in_xml};
use crate::signed_record::{Measure, Prehash, SignatureEncoding, SignedRecord};
use crate::{FormatFault, MeteringError};
use sha2::{Digest, Sha256};

fn cases() -> Vec<PathBuf> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/vectors/metering_formats");
    let mut cases: Vec<PathBuf> = fs::read_dir(root)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|case| case.join("records.json").exists())
        .collect();
    cases.sort();
    assert!(cases.len() >= 10, "only {} cases", cases.len());
    cases
}

/// The records of a case: lines of text, lines of hex, or the values of an XML file.
fn records(case: &Path) -> Vec<Result<Vec<u8>, FormatFault>> {
    let lines = |name: &str| {
        let text = fs::read(case.join(name)).ok()?;
        let lines = text
            .strip_suffix(b"\n")
            .unwrap()
            .split(|&byte| byte == b'\n');
        Some(lines.map(<[u8]>::to_vec).collect::<Vec<_>>())
    };
    if let Some(lines) = lines("input.txt") {
        return lines.into_iter().map(Ok).collect();
    }
    if let Some(lines) = lines("input.hex") {
        return lines
            .iter()
            .map(|line| Ok(hex::decode(line).unwrap()))
            .collect();
    }
    let file = fs::read(case.join("input.xml")).unwrap();
    let values = enclosed_in_xml(&file);
    let values = values.unwrap_or_else(|fault| vec![Err(fault)]).into_iter();
    values
        .map(|value| value.map(|v| v.record.into_owned()))
        .collect()
}

fn described(received: &[u8]) -> Value {
    let read = detect(received).and_then(|format| {
        let record = format.read_bounded(received)?;
        Ok((format.name, record))
    });
    match read {
        Ok((format, record)) => of_record(format, &record),
        Err(fault) => of_fault(&fault),
    }
}

fn of_fault(fault: &FormatFault) -> Value {
    let (kind, place) = match fault {
        FormatFault::TooLong { .. } => ("too long", "record"),
        FormatFault::NotRecognised => ("not recognised", "record"),
        FormatFault::Structure { part, .. } => ("structure", *part),
        FormatFault::Missing { field } => ("missing", *field),
        FormatFault::Value { field, .. } => ("value", *field),
        FormatFault::Repeated { field } => ("repeated", *field),
    };
    json!({ "fault": kind, "place": place })
}

fn of_record(format: &str, record: &SignedRecord<'_>) -> Value {
    let counter = record
        .counter
        .map(|c| format!("{}{}", c.context.letter(), c.value));
    let power = record
        .power
        .iter()
        .map(|sample| json!([sample.time_ms, sample.power_milliwatt]));
    json!({
        "format": format,
        "serial": record.serial,
        "signed_sha256": hex::encode(Sha256::digest(&record.signed.bytes)),
        "prehash": match record.signed.prehash {
            Prehash::Sha256 => "sha256",
            Prehash::Keccak256 => "keccak256",
            Prehash::Message => "message",
        },
        "encoding": match record.signed.encoding {
            SignatureEncoding::Der | SignatureEncoding::DerWithoutPad => "der",
            SignatureEncoding::Fixed => "fixed",
        },
        "signature": record.signed.signature.as_ref().ok().map(hex::encode),
        "declared": record.declared.as_ref().and_then(|d| d.scheme).map(gridrig_curves::Scheme::name),
        "named_key": record.named_key.as_ref().map(hex::encode),
        "counter": counter,
        "operating_s": record.operating_s,
        "time_ms": record.time.utc_ms,
        "clock": record.time.status.letter().to_string(),
        "measure": of_measure(&record.measure),
        "power": power.collect::<Value>(),
        "status": record.status,
        "contract": record.contract,
        "deviations": record.deviations.iter().map(|p| p.name).collect::<Value>(),
        "informed_key": record.informed_key.as_ref().map(hex::encode),
    })
}

fn of_measure(measure: &Result<Measure, MeteringError>) -> Value {
    match measure {
        Ok(Measure::Registers { import, export }) => json!({
            "import_milliwh": import.map(Energy::milliwh),
            "export_milliwh": export.map(Energy::milliwh),
        }),
        Ok(Measure::Interval {
            start_ms,
            import,
            export,
        }) => json!({
            "start_ms": start_ms,
            "import_milliwh": import.milliwh(),
            "export_milliwh": export.milliwh(),
        }),
        Err(error) => json!({ "code": error.code() }),
    }
}

#[test]
fn every_record_of_a_case_reads_as_the_case_says() {
    let mut read = 0;
    for case in cases() {
        let expected = fs::read(case.join("records.json")).unwrap();
        let expected: Vec<Value> = serde_json::from_slice(&expected).unwrap();
        let found: Vec<Value> = records(&case)
            .iter()
            .map(|record| match record {
                Ok(record) => described(record),
                Err(fault) => of_fault(fault),
            })
            .collect();
        assert_eq!(found.len(), expected.len(), "{}", case.display());
        for (line, (found, expected)) in found.iter().zip(&expected).enumerate() {
            let place = format!("{} record {}", case.display(), line + 1);
            let Value::Object(expected) = expected else {
                panic!("{place}: not an object");
            };
            assert!(!expected.is_empty(), "{place} expects nothing");
            for (name, value) in expected {
                assert_eq!(found.get(name), Some(value), "{place}: {name}");
            }
            read += 1;
        }
    }
    assert!(read >= 20);
}
