//! Laws of the verifier: no bytes panic, no altered payload passes, history only goes forward.

#![allow(clippy::unwrap_used, reason = "what is wrong here fails the test")]

mod support;

use std::sync::OnceLock;

use gridrig_metering::{LedgerRow, Verifier};
use proptest::prelude::*;

/// A verifier that believes the keys of the good case, and its first record.
fn good() -> &'static (Verifier, Vec<Vec<u8>>) {
    static GOOD: OnceLock<(Verifier, Vec<Vec<u8>>)> = OnceLock::new();
    GOOD.get_or_init(|| {
        let cases = support::cases("metering");
        let case = cases.iter().find(|case| case.name == "good").unwrap();
        (
            case.verifier(),
            case.records().into_iter().map(Result::unwrap).collect(),
        )
    })
}

#[test]
fn one_flipped_bit_in_any_byte_of_the_payload_is_refused() {
    let (verifier, records) = good();
    let record = &records[0];
    let pipes: Vec<usize> = (0..record.len()).filter(|&i| record[i] == b'|').collect();
    for place in pipes[0] + 1..pipes[1] {
        let mut altered = record.clone();
        altered[place] ^= 1 << (place % 7);
        let refused = verifier.clone().verify(&altered, i64::MAX);
        assert!(refused.is_err(), "byte {place}");
    }
    assert!(verifier.clone().verify(record, i64::MAX).is_ok());
}

#[test]
fn a_record_cut_anywhere_is_refused() {
    let (verifier, records) = good();
    for length in 0..records[0].len() {
        assert!(
            verifier
                .clone()
                .verify(&records[0][..length], i64::MAX)
                .is_err(),
            "{length} bytes"
        );
    }
}

#[test]
fn a_record_of_another_meter_than_asked_is_refused_and_leaves_its_history_alone() {
    let (verifier, records) = good();
    let meter = verifier.clone().verify(&records[0], i64::MAX).unwrap();
    let mut asked = verifier.clone();
    let refused = asked.verify_of("another", &records[0], i64::MAX);
    let refusal = refused.unwrap_err();
    assert_eq!(refusal.error.code(), "metering.other_meter");
    assert_eq!(refusal.meter.as_deref(), Some(meter.meter()));
    assert_eq!(asked.ledger_rows().count(), 0);
    // The record is still new to the meter it belongs to.
    assert!(
        asked
            .verify_of(meter.meter(), &records[0], i64::MAX)
            .is_ok()
    );
    assert_eq!(asked.ledger_rows().count(), 1);
}

#[test]
fn a_batch_is_judged_in_the_order_given() {
    let (verifier, records) = good();
    let batch: Vec<&Vec<u8>> = vec![&records[1], &records[0], &records[1], &records[2]];
    let outcomes = verifier.clone().verify_batch(&batch, i64::MAX).unwrap();
    let codes: Vec<_> = outcomes
        .iter()
        .map(|o| o.as_ref().map_err(|r| r.error.code()).err())
        .collect();
    let (back, again) = ("metering.counter_back", "metering.replayed");
    assert_eq!(codes, [None, Some(back), Some(again), None]);
}

#[test]
fn a_batch_beyond_its_bound_is_not_judged() {
    let batch = vec![b""; gridrig_metering::BATCH_MAX + 1];
    let refused = good().0.clone().verify_batch(&batch, 0);
    assert_eq!(refused.unwrap_err().code(), "metering.batch_bound");
}

#[test]
fn a_restored_ledger_refuses_what_the_first_one_knew() {
    let (verifier, records) = good();
    let mut first = verifier.clone();
    first.verify(&records[0], i64::MAX).unwrap();
    first.verify(&records[1], i64::MAX).unwrap();
    let mut rows: Vec<LedgerRow> = first.ledger_rows().cloned().collect();
    rows.reverse();
    let mut second = verifier.clone();
    second.restore(&rows, &[]).unwrap();
    assert_eq!(
        second.restore(&rows, &[]).unwrap_err().code(),
        "metering.ledger_not_empty"
    );
    let codes: Vec<_> = [0, 1, 2]
        .map(|i: usize| {
            second
                .verify(&records[i], i64::MAX)
                .err()
                .map(|r| r.error.code())
        })
        .to_vec();
    assert_eq!(
        codes,
        [Some("metering.replayed"), Some("metering.replayed"), None]
    );
}

#[test]
fn rows_that_do_not_make_a_ledger_leave_it_empty() {
    let (verifier, records) = good();
    let mut first = verifier.clone();
    for record in &records[..2] {
        first.verify(record, i64::MAX).unwrap();
    }
    let rows: Vec<LedgerRow> = first.ledger_rows().cloned().collect();
    let mut stranger = rows.clone();
    stranger[1].key_id[0] ^= 1;
    let mut fallen = rows.clone();
    fallen[1].import = fallen[0].export;
    let mut second = verifier.clone();
    assert_eq!(
        second.restore(&stranger, &[]).unwrap_err().code(),
        "metering.ledger_key_unknown"
    );
    assert_eq!(
        second.restore(&fallen, &[]).unwrap_err().code(),
        "metering.ledger_contradiction"
    );
    assert_eq!(second.ledger_rows().count(), 0);
    assert!(second.restore(&rows, &[]).is_ok());
}

/// Records that parse far: real ones with a piece replaced by another piece of JSON or a record.
fn mangled() -> impl Strategy<Value = Vec<u8>> {
    let pieces = prop_oneof![
        prop::collection::vec(any::<u8>(), 0..8),
        prop::sample::select(vec![
            "null",
            "0",
            "-1",
            "1e999",
            "\"\"",
            "{}",
            "[]",
            "[[",
            "\\u0000",
            "|",
            "\"",
            "OCMF|",
            "\"RD\":[{}]",
            "99999999999999999999",
            "0.0000",
            "+0000 S",
            "30",
            "\u{feff}",
            "é",
        ])
        .prop_map(|piece| piece.as_bytes().to_vec()),
    ];
    (0..3usize, any::<prop::sample::Index>(), 0..12usize, pieces).prop_map(
        |(which, place, taken, piece)| {
            let mut record = good().1[which].clone();
            let start = place.index(record.len());
            let end = (start + taken).min(record.len());
            record.splice(start..end, piece);
            record
        },
    )
}

proptest! {
    #[test]
    fn prop_no_bytes_make_the_verifier_panic(bytes in prop::collection::vec(any::<u8>(), 0..600)) {
        prop_assert!(Verifier::new().verify(&bytes, 0).is_err());
    }

    #[test]
    fn prop_no_text_of_json_letters_makes_the_verifier_panic(
        text in "OCMF\\|[\\[\\]{}\":,|A-Z0-9.eu\\\\-]{0,200}"
    ) {
        prop_assert!(good().0.clone().verify(text.as_bytes(), 0).is_err());
    }

    #[test]
    fn prop_a_mangled_record_is_refused_or_says_what_was_signed(record in mangled()) {
        if let Ok(reading) = good().0.clone().verify(&record, i64::MAX) {
            // Only what is outside the signed bytes may differ, as the case of a hex digit may.
            let signed =
                |bytes: &[u8]| bytes.split(|&byte| byte == b'|').nth(1).map(<[u8]>::to_vec);
            prop_assert!(good().1.iter().any(|known| signed(known) == signed(&record)));
            prop_assert!(reading.counter() <= 3);
        }
    }
}
