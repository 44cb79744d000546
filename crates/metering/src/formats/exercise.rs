//! What fuzzing asks of a reader: no panic, and nothing read that a reader may not say.

use super::sml::with_checksums;
use super::{Format, by_name, enclosed_in_xml};
use crate::signed_record::{Measure, SignedRecord};

/// Reads bytes as a record of a format and asserts what every reader owes; tells whether they could
/// be read, or nothing if there is no such format.
///
/// This is for fuzz targets and tests; whoever wants readings asks a [`crate::Verifier`].
///
/// # Panics
/// If a reader is wrong.
pub fn exercise_format(name: &str, received: &[u8]) -> Option<bool> {
    let format = by_name(name)?;
    // Nearly every change breaks a checksum, so each is tried with those made to fit as well.
    let framed = received.starts_with(&[0x1b; 4]);
    if let Some(repaired) = framed.then(|| with_checksums(received)).flatten() {
        exercise(format, &repaired);
    }
    Some(exercise(format, received))
}

fn exercise(format: &Format, received: &[u8]) -> bool {
    let read = format.read_bounded(received);
    if let Ok(record) = &read {
        assert_owed(format, record);
    }
    read.is_ok()
}

/// As [`exercise_format`], for the XML file of transparency software and every record in it; tells
/// how many records could be taken out.
///
/// # Panics
/// If a reader is wrong.
pub fn exercise_xml(file: &[u8]) -> usize {
    let values = enclosed_in_xml(file).unwrap_or_default();
    let records = values.iter().flatten();
    let taken = records.map(|enclosed| match enclosed.format {
        Some(name) => _ = exercise_format(name, &enclosed.record),
        None => {
            if let Ok(format) = super::detect(&enclosed.record) {
                exercise_format(format.name, &enclosed.record);
            }
        }
    });
    taken.count()
}

fn assert_owed(format: &Format, record: &SignedRecord<'_>) {
    assert!(!record.serial.is_empty(), "a signer without a name");
    assert!(!record.signed.bytes.is_empty(), "nothing is signed");
    assert!(
        record.signed.bytes.len() <= 2 * format.record_bytes_max,
        "more signed than received"
    );
    let stored = |number: u64| i64::try_from(number).is_ok();
    assert!(
        record.counter.is_none_or(|counter| stored(counter.value)),
        "a counter too large"
    );
    assert!(
        record.operating_s.is_none_or(stored),
        "operating seconds too large"
    );
    assert!(
        record.power.is_sorted_by_key(|sample| sample.time_ms),
        "power out of order"
    );
    let known = |deviation: &_| format.profiles.contains(deviation);
    assert!(
        record.deviations.iter().all(known),
        "a deviation of no profile"
    );
    match record.measure {
        Ok(Measure::Registers { import, export }) => {
            assert!(import.or(export).is_some(), "registers without one");
            let energies = [import, export].into_iter().flatten();
            assert!(
                energies.map(|e| e.milliwh()).all(|e| e >= 0),
                "a register below zero"
            );
        }
        Ok(Measure::Interval {
            start_ms,
            import,
            export,
        }) => {
            assert!(
                start_ms <= record.time.utc_ms,
                "an interval that ends before it begins"
            );
            assert!(
                import.milliwh() >= 0 && export.milliwh() >= 0,
                "energy below zero"
            );
        }
        Err(_) => {}
    }
}
