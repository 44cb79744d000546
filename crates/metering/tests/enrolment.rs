//! Who may be enrolled, each refusal once, in the order of the checks.

#![allow(clippy::unwrap_used, reason = "what is wrong here fails the test")]

mod support;

use gridrig_metering::{KeyForm, KeyRecord, Verifier};

fn key(meter: &str, serial: &str, case: &str) -> KeyRecord {
    let cases = support::cases("metering");
    let text = cases
        .iter()
        .find(|found| found.name == case)
        .unwrap()
        .text("keys.toml");
    let table: toml::Table = text.parse().unwrap();
    let public_key = hex::decode(table["key"][0]["public_key"].as_str().unwrap()).unwrap();
    KeyRecord {
        meter: meter.to_owned(),
        serial: serial.to_owned(),
        algorithm: "ecdsa-p256".to_owned(),
        public_key,
        valid_from_s: 100,
        valid_to_s: Some(200),
        ..KeyRecord::default()
    }
}

fn refused(verifier: &mut Verifier, record: KeyRecord) -> &'static str {
    verifier.enrol(record).unwrap_err().code()
}

#[test]
fn each_fault_of_a_key_has_its_code() {
    let mut verifier = Verifier::new();
    let good = || key("m", "s", "good");
    assert_eq!(
        refused(&mut verifier, key("", "s", "good")),
        "metering.enrol_name_empty"
    );
    let format = |name: &str| Some(name.to_owned());
    let unknown = KeyRecord {
        format: format("ocmv"),
        ..good()
    };
    assert_eq!(refused(&mut verifier, unknown), "metering.enrol_format");
    for (algorithm, format) in [("ecdsa-p265", None), ("ed25519", format("ocmf"))] {
        let other = KeyRecord {
            algorithm: algorithm.to_owned(),
            format,
            ..good()
        };
        assert_eq!(refused(&mut verifier, other), "metering.enrol_algorithm");
    }
    let profile = KeyRecord {
        profiles: vec!["der-unpadded".to_owned(), "der-unpaded".to_owned()],
        ..good()
    };
    assert_eq!(refused(&mut verifier, profile), "metering.enrol_profile");
    let raw = KeyRecord {
        key_form: KeyForm::Coordinates,
        ..good()
    };
    assert_eq!(refused(&mut verifier, raw), "metering.enrol_key");
    let never = KeyRecord {
        valid_to_s: Some(100),
        ..good()
    };
    assert_eq!(refused(&mut verifier, never), "metering.enrol_window");
    verifier.enrol(good()).unwrap();
    assert_eq!(
        refused(&mut verifier, key("n", "t", "good")),
        "metering.enrol_key_repeated"
    );
    let keba = || key("m", "s", "field-keba-kcp30");
    let other_meter = KeyRecord {
        meter: "n".to_owned(),
        ..keba()
    };
    assert_eq!(
        refused(&mut verifier, other_meter),
        "metering.enrol_serial_taken"
    );
    let overlapping = KeyRecord {
        valid_from_s: 199,
        valid_to_s: None,
        ..keba()
    };
    assert_eq!(
        refused(&mut verifier, overlapping),
        "metering.enrol_overlap"
    );
    let following = KeyRecord {
        valid_from_s: 200,
        valid_to_s: None,
        ..keba()
    };
    verifier.enrol(following).unwrap();
}

#[test]
fn only_the_canonical_encoding_of_a_point_on_the_curve_is_a_key() {
    let good = key("m", "s", "good");
    let mut off_curve = good.public_key.clone();
    *off_curve.last_mut().unwrap() ^= 1;
    let mut other_curve = good.public_key.clone();
    let oid = other_curve
        .windows(8)
        .position(|w| w == [42, 134, 72, 206, 61, 3, 1, 7])
        .unwrap();
    other_curve[oid + 7] = 1;
    let mut trailing = good.public_key.clone();
    trailing.push(0);
    let point = &good.public_key[good.public_key.len() - 65..];
    let mut compressed = good.public_key[..good.public_key.len() - 65].to_vec();
    let bit_string = compressed.len() - 3;
    compressed[1] -= 32;
    compressed[bit_string + 1] -= 32;
    compressed.push(2 + (point[64] & 1));
    compressed.extend(&point[1..33]);
    let identity = vec![0x30, 0x19];
    for der in [
        off_curve,
        other_curve,
        trailing,
        compressed,
        point.to_vec(),
        identity,
        vec![],
    ] {
        let record = KeyRecord {
            public_key: der,
            ..good.clone()
        };
        assert_eq!(refused(&mut Verifier::new(), record), "metering.enrol_key");
    }
}
