//! The shared vectors, run by the Rust side.

#![allow(clippy::unwrap_used, reason = "what is wrong here fails the test")]

mod support;

use gridrig_metering::{SignatureFault, VerifiedReading, VerifyingKey};
use serde_json::{Value, json};

fn described(reading: &VerifiedReading) -> Value {
    json!({
        "verdict": "ok",
        "meter": reading.meter(),
        "serial": reading.serial(),
        "pagination": reading.pagination(),
        "time_s": reading.time_s(),
        "clock_status": reading.clock_status().letter(),
        "import_milliwh": reading.import().milliwh(),
        "export_milliwh": reading.export().milliwh(),
        "digest": hex::encode(reading.digest()),
    })
}

#[test]
fn every_metering_case_gives_its_expected_outcomes() {
    for case in support::cases("metering") {
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
            let found = match verifier.verify(record, case.at_s()) {
                Ok(reading) => described(&reading),
                Err(refusal) => json!({
                    "verdict": refusal.error.outcome().word(),
                    "code": refusal.error.code(),
                    "meter": refusal.meter,
                }),
            };
            assert_eq!(&found, expected, "{} line {}", case.name, line + 1);
        }
    }
}

#[test]
fn every_code_of_a_refused_record_has_a_case() {
    let mut seen: Vec<String> = support::cases("metering")
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
        "metering.equivocation",
        "metering.format",
        "metering.key_not_valid_then",
        "metering.key_unknown",
        "metering.pagination_gap_back",
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
                let checked = key.check(&bytes(&test[1]), &bytes(&test[2]));
                assert_eq!(
                    checked.is_ok(),
                    expected[&id] == "valid",
                    "tcId {id}: {checked:?}"
                );
                tests += 1;
                valid += usize::from(checked.is_ok());
            }
        }
        assert_eq!((tests, valid), (484, 174));
    }
}

#[test]
fn a_signature_in_another_encoding_is_told_from_a_false_one() {
    let case = support::cases("ecdsa_p256").remove(0);
    let groups: Value = serde_json::from_slice(&case.bytes("input.json")).unwrap();
    let key =
        VerifyingKey::from_spki_der(&hex::decode(groups[0]["key"].as_str().unwrap()).unwrap());
    let key = key.unwrap();
    assert!(matches!(
        key.check(b"", &[0x30]),
        Err(SignatureFault::Encoding(_))
    ));
    assert_eq!(
        key.check(b"", &[0x30, 6, 2, 1, 1, 2, 1, 1]),
        Err(SignatureFault::False)
    );
}
