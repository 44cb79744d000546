//! The vector folders that Rust and Python share.

#![allow(dead_code, reason = "each test binary uses a part of it")]

use std::fs;
use std::path::{Path, PathBuf};

use gridrig_metering::{FormatFault, KeyRecord, Verifier, enclosed_in_xml};
use toml::Table;

/// One folder of `tests/vectors/<area>`.
pub struct Case {
    pub name: String,
    path: PathBuf,
    pub about: Table,
}

impl Case {
    pub fn bytes(&self, file: &str) -> Vec<u8> {
        fs::read(self.path.join(file)).unwrap()
    }

    pub fn text(&self, file: &str) -> String {
        String::from_utf8(self.bytes(file)).unwrap()
    }

    /// The records: lines of text, lines of hex, or the values of an XML file.
    pub fn records(&self) -> Vec<Result<Vec<u8>, FormatFault>> {
        if self.path.join("input.xml").exists() {
            let values = enclosed_in_xml(&self.bytes("input.xml"));
            let values = values.unwrap_or_else(|fault| vec![Err(fault)]).into_iter();
            return values.map(|value| Ok(value?.record.into_owned())).collect();
        }
        let hex = self.path.join("input.hex").exists();
        let bytes = self.bytes(if hex { "input.hex" } else { "input.txt" });
        let lines = bytes
            .strip_suffix(b"\n")
            .unwrap()
            .split(|&byte| byte == b'\n');
        lines
            .map(|line| {
                Ok(if hex {
                    hex::decode(line).unwrap()
                } else {
                    line.to_vec()
                })
            })
            .collect()
    }

    pub fn at_s(&self) -> i64 {
        self.about
            .get("at_s")
            .map_or(i64::MAX, |at| at.as_integer().unwrap())
    }

    /// A verifier that believes the keys of the case.
    pub fn verifier(&self) -> Verifier {
        let mut verifier = Verifier::new();
        for key in self.text("keys.toml").parse::<Table>().unwrap()["key"]
            .as_array()
            .unwrap()
        {
            let text = |name: &str| key[name].as_str().unwrap().to_owned();
            let record = KeyRecord {
                meter: text("meter"),
                serial: text("serial"),
                algorithm: text("algorithm"),
                public_key: hex::decode(text("public_key")).unwrap(),
                valid_from_s: utc_s(&text("valid_from")),
                valid_to_s: key.get("valid_to").map(|to| utc_s(to.as_str().unwrap())),
                profiles: key
                    .get("profiles")
                    .map(|names| names.as_array().unwrap().iter())
                    .map(|names| {
                        names
                            .map(|name| name.as_str().unwrap().to_owned())
                            .collect()
                    })
                    .unwrap_or_default(),
                ..KeyRecord::default()
            };
            verifier.enrol(record).unwrap();
        }
        verifier
    }
}

/// Seconds of a time such as `2016-06-20T12:15:00Z`, by counting days one by one.
fn utc_s(text: &str) -> i64 {
    let number = |range: std::ops::Range<usize>| text[range].parse::<i64>().unwrap();
    let leap = |year: i64| i64::from(year % 4 == 0 && (year % 100 != 0 || year % 400 == 0));
    let year = number(0..4);
    let months = [31, 28 + leap(year), 31, 30, 31, 30, 31, 31, 30, 31, 30, 31];
    let month = usize::try_from(number(5..7) - 1).unwrap();
    let days = (1970..year).map(|y| 365 + leap(y)).sum::<i64>()
        + months[..month].iter().sum::<i64>()
        + number(8..10)
        - 1;
    days * 86_400 + number(11..13) * 3600 + number(14..16) * 60 + number(17..19)
}

/// The cases of records: of the verifier's rules, and of the formats.
pub fn metering_cases() -> Vec<Case> {
    let formats = cases("metering_formats").into_iter();
    // What only a reader is asked has no outcome of a verifier.
    let judged = formats.filter(|case| {
        ["expected.json", "keys.toml"]
            .iter()
            .all(|file| case.path.join(file).exists())
    });
    cases("metering").into_iter().chain(judged).collect()
}

/// Every case of an area; none is a failure, and so is a case that does not say where it is from.
pub fn cases(area: &str) -> Vec<Case> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("../../tests/vectors")
        .join(area);
    let mut cases: Vec<Case> = fs::read_dir(&root)
        .unwrap()
        .map(|entry| {
            let path = entry.unwrap().path();
            let name = path.file_name().unwrap().to_str().unwrap().to_owned();
            let about = fs::read_to_string(path.join("case.toml"))
                .unwrap()
                .parse()
                .unwrap();
            Case { name, path, about }
        })
        .collect();
    cases.sort_by(|a, b| a.name.cmp(&b.name));
    assert!(!cases.is_empty(), "{} holds no case", root.display());
    for case in &cases {
        for field in ["source", "licence", "why"] {
            let text = case
                .about
                .get(field)
                .and_then(|value| value.as_str())
                .unwrap_or("");
            assert!(!text.is_empty(), "{} does not state its {field}", case.name);
        }
    }
    cases
}
