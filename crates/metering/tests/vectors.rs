//! The shared vectors, run by the Rust side.

#![allow(clippy::unwrap_used, reason = "what is wrong here fails the test")]

mod support;

use gridrig_curves::{Signature, SignatureEncoding, Signed, VerifyingKey};
use gridrig_metering::{MeteringError, Refusal, VerifiedReading};
use gridrig_quantity::Energy;
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

fn described(reading: &VerifiedReading) -> Value {
    json!({
        "verdict": "ok",
        "meter": reading.meter(),
        "serial": reading.serial(),
        "counter": reading.counter(),
        "time_s": reading.time_s(),
        "clock_status": reading.clock_status().letter(),
        "import_milliwh": reading.import().map(Energy::milliwh),
        "export_milliwh": reading.export().map(Energy::milliwh),
        "digest": hex::encode(reading.digest()),
    })
}

/// The fields of `found` that `expected` asks for.
fn only(found: &Value, expected: &Value) -> Value {
    let asked = expected.as_object().unwrap().keys();
    asked
        .map(|name| (name.clone(), found[name].clone()))
        .collect()
}

#[test]
fn every_metering_case_gives_its_expected_outcomes() {
    for case in support::metering_cases() {
        let expected: Vec<Value> = serde_json::from_slice(&case.bytes("expected.json")).unwrap();
        let records = case.records();
        assert_eq!(
            records.len(),
            expected.len(),
            "{}: a line without an outcome",
            case.name
        );
        assert!(!records.is_empty(), "{} holds no record", case.name);
        let mut verifier = case.verifier();
        for (line, (record, expected)) in records.iter().zip(&expected).enumerate() {
            let outcome = match record {
                Ok(record) => verifier.verify(record, case.at_s()),
                Err(fault) => Err(Refusal {
                    meter: None,
                    error: MeteringError::Format(fault.clone()),
                }),
            };
            let found = match outcome {
                Ok(reading) => described(&reading),
                Err(refusal) => json!({
                    "verdict": refusal.error.outcome().word(),
                    "code": refusal.error.code(),
                    "meter": refusal.meter.as_deref(),
                }),
            };
            assert_eq!(
                only(&found, expected),
                *expected,
                "{} line {}",
                case.name,
                line + 1
            );
        }
    }
}

#[test]
fn every_code_of_a_refused_record_has_a_case() {
    let mut seen: Vec<String> = support::metering_cases()
        .iter()
        .flat_map(|case| {
            let expected: Vec<Value> =
                serde_json::from_slice(&case.bytes("expected.json")).unwrap();
            expected
        })
        .filter_map(|outcome| Some(outcome.get("code")?.as_str()?.to_owned()))
        .collect();
    seen.sort();
    seen.dedup();
    let codes = [
        "metering.algorithm",
        "metering.counter_back",
        "metering.deviation",
        "metering.equivocation",
        "metering.format",
        "metering.key_not_valid_then",
        "metering.key_other",
        "metering.key_unknown",
        "metering.register_fell",
        "metering.register_missing",
        "metering.replayed",
        "metering.resolution",
        "metering.signature_encoding",
        "metering.signature_false",
        "metering.status_not_good",
        "metering.time_ahead",
        "metering.time_not_rising",
    ];
    assert_eq!(seen, codes);
}

#[test]
fn wycheproof_agrees_on_every_signature() {
    for case in support::cases("ecdsa_p256") {
        let groups: Value = serde_json::from_slice(&case.bytes("input.json")).unwrap();
        let expected: Value = serde_json::from_slice(&case.bytes("expected.json")).unwrap();
        let bytes = |value: &Value| hex::decode(value.as_str().unwrap()).unwrap();
        let mut valid = 0;
        let mut tests = 0;
        for group in groups.as_array().unwrap() {
            let key = VerifyingKey::from_spki_der(&bytes(&group["key"])).unwrap();
            for test in group["tests"].as_array().unwrap() {
                let id = test[0].to_string();
                let digest = Sha256::digest(bytes(&test[1]));
                let read = Signature::read(key.scheme(), SignatureEncoding::Der, &bytes(&test[2]));
                let checked = read
                    .is_ok_and(|signature| key.verify(Signed::Digest(&digest), &signature).is_ok());
                assert_eq!(checked, expected[&id] == "valid", "tcId {id}");
                tests += 1;
                valid += usize::from(checked);
            }
        }
        assert_eq!((tests, valid), (484, 174));
    }
}
