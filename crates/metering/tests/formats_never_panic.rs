//! No bytes make a reader panic: a few seconds of what `cargo fuzz` does for hours.
//!
//! Every record of the shared vectors and every input kept by the fuzzers is changed at random,
//! from a seed, and read as a record of every format. `GRIDRIG_CASES` sets the number of changes.

#![allow(clippy::unwrap_used, reason = "what is wrong here fails the test")]

use std::fs;
use std::path::{Path, PathBuf};

use gridrig_metering::{enclosed_in_xml, exercise_format, exercise_xml, format_names};

/// Changed records a format and run.
const CASES: usize = 20_000;

/// A small generator of numbers (xorshift), so that a failure can be repeated from its seed.
struct Numbers(u64);

impl Numbers {
    fn next(&mut self) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        usize::try_from(self.0 >> 1).unwrap()
    }

    fn below(&mut self, bound: usize) -> usize {
        self.next() % bound.max(1)
    }

    fn byte(&mut self) -> u8 {
        self.next().to_le_bytes()[2]
    }
}

fn files(folder: &Path) -> Vec<PathBuf> {
    let Ok(entries) = fs::read_dir(folder) else {
        return Vec::new();
    };
    let mut paths: Vec<PathBuf> = entries.map(|entry| entry.unwrap().path()).collect();
    paths.sort();
    let nested = |path: &PathBuf| match path.is_dir() {
        true => files(path),
        false => vec![path.clone()],
    };
    paths.iter().flat_map(nested).collect()
}

/// Records and XML files of the shared vectors, and what fuzzers found worth keeping.
fn seeds() -> (Vec<Vec<u8>>, Vec<Vec<u8>>) {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let (mut records, mut documents) = (Vec::new(), Vec::new());
    for path in files(&root.join("../../tests/vectors")) {
        let name = path.file_name().unwrap().to_str().unwrap();
        let bytes = fs::read(&path).unwrap();
        let lines = || {
            bytes
                .split(|&byte| byte == b'\n')
                .filter(|line| !line.is_empty())
        };
        match name {
            "input.txt" => records.extend(lines().map(<[u8]>::to_vec)),
            "input.hex" => records.extend(lines().map(|line| hex::decode(line).unwrap())),
            "input.xml" => {
                let values = enclosed_in_xml(&bytes).unwrap_or_default();
                records.extend(values.into_iter().flatten().map(|v| v.record.into_owned()));
                documents.push(bytes);
            }
            _ => {}
        }
    }
    for path in files(&root.join("fuzz/corpus")) {
        let bytes = fs::read(&path).unwrap();
        match path.parent().unwrap().ends_with("transparency-xml") {
            true => documents.push(bytes),
            false => records.push(bytes),
        }
    }
    assert!(
        records.len() >= 200 && documents.len() >= 10,
        "seeds are missing"
    );
    (records, documents)
}

/// Changes bytes, cuts, repeats, or splices in another seed, one to four times.
fn changed(seed: &[u8], other: &[u8], numbers: &mut Numbers) -> Vec<u8> {
    let mut bytes = seed.to_vec();
    for _ in 0..=numbers.below(4) {
        let at = numbers.below(bytes.len() + 1);
        let until = (at + numbers.below(16)).min(bytes.len());
        match numbers.below(7) {
            0 => bytes.truncate(at),
            1 => bytes.insert(at, numbers.byte()),
            2 => drop(bytes.drain(at..until)),
            3 => bytes.extend_from_within(at..until),
            4 => {
                let (from, to) = (numbers.below(other.len() + 1), other.len());
                let to = from + numbers.below(to - from + 1);
                bytes
                    .splice(at..until, other[from..to].iter().copied())
                    .for_each(drop);
            }
            5 if at < bytes.len() => bytes[at] ^= 1 << numbers.below(8),
            _ if at < bytes.len() => bytes[at] = numbers.byte(),
            _ => bytes.push(numbers.byte()),
        }
    }
    bytes
}

fn cases() -> usize {
    std::env::var("GRIDRIG_CASES").map_or(CASES, |cases| cases.parse().unwrap())
}

#[test]
fn no_bytes_make_a_reader_panic() {
    let (records, _) = seeds();
    let names: Vec<&str> = format_names().collect();
    let mut numbers = Numbers(0x5eed_0001);
    let (mut read, mut refused) = (0, 0);
    for seed in &records {
        for name in &names {
            exercise_format(name, seed).unwrap();
        }
    }
    for _ in 0..cases() {
        let seed = &records[numbers.below(records.len())];
        let other = &records[numbers.below(records.len())];
        let bytes = changed(seed, other, &mut numbers);
        // Mostly the formats that take some of the seeds at all, now and then any other.
        for name in names
            .iter()
            .filter(|name| exercise_format(name, seed) == Some(true))
        {
            match exercise_format(name, &bytes).unwrap() {
                true => read += 1,
                false => refused += 1,
            }
        }
        exercise_format(names[numbers.below(names.len())], &bytes).unwrap();
    }
    assert!(
        read > 100 && refused > 100,
        "{read} read, {refused} refused"
    );
}

#[test]
fn no_bytes_make_the_xml_reader_panic() {
    let (_, documents) = seeds();
    let small: Vec<&Vec<u8>> = documents
        .iter()
        .filter(|file| file.len() < 16_384)
        .collect();
    let mut numbers = Numbers(0x5eed_0002);
    let mut taken = 0;
    for _ in 0..cases() / 10 {
        let seed = small[numbers.below(small.len())];
        let other = small[numbers.below(small.len())];
        taken += exercise_xml(&changed(seed, other, &mut numbers));
    }
    assert!(taken > 100, "{taken} records taken out");
}
