//! Histories: what follows, what does not, and that taking back leaves no trace.

use gridrig_curves::{KeyIndex, KeyRing, Scheme, TableSize, VerifyingKey};
use proptest::prelude::*;

use super::*;
use crate::key_record::StartRegisters;

const KEY_DER: &str = "302a300506032b65700321001dd1f4d27e621ca51f70cf0c63c5af23e61a5bd33c12f098f68\
                       dc8aa37b18e27";

fn key_index() -> KeyIndex {
    let key = VerifyingKey::from_spki_der(&hex::decode(KEY_DER).unwrap()).unwrap();
    KeyRing::new(0).add(key, TableSize::None).unwrap()
}

fn enrolled(device: u32) -> Enrolled {
    Enrolled::for_tests(device, key_index(), Scheme::Ed25519)
}

fn energy(milliwh: i64) -> Option<Energy> {
    Energy::from_milliwh(milliwh).ok()
}

fn row(counter: u64, time_ms: i64, import: i64) -> LedgerRow {
    let mut digest = [0; 32];
    digest[..8].copy_from_slice(&counter.to_be_bytes());
    LedgerRow {
        key_id: [0; 32],
        context: CounterContext::Pagination,
        counter,
        time_ms,
        clock_status: ClockStatus::Synchronised,
        start_ms: None,
        import: energy(import),
        export: energy(0),
        operating_s: None,
        power_milliwatt: None,
        digest,
    }
}

/// Admits under key `place` and commits.
fn admit(ledger: &mut Ledger, place: u32, row: &LedgerRow) -> Result<Admission, &'static str> {
    let admitted = ledger.admit(place, &enrolled(0), row, &[], None);
    ledger.commit();
    admitted.map_err(|fault| fault.code())
}

#[test]
fn a_gap_is_found_and_counted_and_nothing_is_refused_for_it() {
    let mut ledger = Ledger::new(9);
    assert_eq!(admit(&mut ledger, 0, &row(5, 1, 1)).unwrap().missing, 0);
    assert_eq!(admit(&mut ledger, 0, &row(6, 2, 2)).unwrap().missing, 0);
    let after = admit(&mut ledger, 0, &row(9, 3, 3)).unwrap();
    assert_eq!(after.missing, 2);
    assert!(after.findings.has(Finding::Gap));
}

#[test]
fn a_fork_is_refused_and_marks_its_key_from_then_on() {
    let mut ledger = Ledger::new(9);
    admit(&mut ledger, 0, &row(1, 1, 1)).unwrap();
    let mut other = row(1, 1, 1);
    other.digest[31] ^= 1;
    assert_eq!(admit(&mut ledger, 0, &other), Err("metering.equivocation"));
    assert_eq!(
        admit(&mut ledger, 0, &row(1, 1, 1)),
        Err("metering.replayed")
    );
    let next = admit(&mut ledger, 0, &row(2, 2, 2)).unwrap();
    assert!(next.findings.has(Finding::KeyEquivocated));
}

#[test]
fn registers_rise_with_time_across_the_keys_and_counters_of_a_device() {
    let mut ledger = Ledger::new(9);
    let mut fiscal = row(1, 10, 100);
    fiscal.context = CounterContext::Fiscal;
    admit(&mut ledger, 0, &fiscal).unwrap();
    admit(&mut ledger, 0, &row(1, 30, 300)).unwrap();
    // Another key of the device, later in time: it may not count less.
    assert_eq!(
        admit(&mut ledger, 1, &row(1, 40, 299)),
        Err("metering.register_fell")
    );
    // Another counter, between two readings in time: it has to lie between them.
    for (import, outcome) in [
        (99, Err("metering.register_fell")),
        (301, Err("metering.register_fell")),
        (200, Ok(())),
    ] {
        let mut between = row(2, 20, import);
        between.context = CounterContext::Fiscal;
        assert_eq!(admit(&mut ledger, 0, &between).map(|_| ()), outcome);
    }
}

#[test]
fn a_register_left_out_stands_where_it_stood() {
    let mut ledger = Ledger::new(9);
    admit(&mut ledger, 0, &row(1, 1, 100)).unwrap();
    let mut export_only = row(2, 2, 0);
    export_only.import = None;
    admit(&mut ledger, 0, &export_only).unwrap();
    assert_eq!(
        admit(&mut ledger, 0, &row(3, 3, 99)),
        Err("metering.register_fell")
    );
}

#[test]
fn a_mounted_meter_counts_from_its_start_registers() {
    let mut ledger = Ledger::new(9);
    let mut mounted = enrolled(0);
    mounted.start = energy(50)
        .zip(energy(0))
        .map(|(import, export)| StartRegisters { import, export });
    let below = ledger.admit(0, &mounted, &row(1, 1, 49), &[], None);
    assert_eq!(
        below.map_err(|fault| fault.code()),
        Err("metering.below_start")
    );
    assert!(ledger.admit(0, &mounted, &row(1, 1, 50), &[], None).is_ok());
}

#[test]
fn intervals_may_come_late_but_never_overlap_forwards() {
    let mut ledger = Ledger::new(9);
    let slot = |counter: u64| {
        let end_ms = 300_000 * (i64::try_from(counter).unwrap() + 1);
        LedgerRow {
            context: CounterContext::Slot,
            start_ms: Some(end_ms - 300_000),
            ..row(counter, end_ms, 5)
        }
    };
    admit(&mut ledger, 0, &slot(1)).unwrap();
    assert_eq!(admit(&mut ledger, 0, &slot(4)).unwrap().missing, 2);
    assert_eq!(admit(&mut ledger, 0, &slot(2)).unwrap().missing, 0);
    assert_eq!(admit(&mut ledger, 0, &slot(2)), Err("metering.replayed"));
    let mut overlapping = slot(5);
    overlapping.start_ms = Some(300_000 * 5 - 1);
    assert_eq!(
        admit(&mut ledger, 0, &overlapping),
        Err("metering.interval_overlaps")
    );
}

#[test]
fn what_is_forgotten_is_asked_of_the_store() {
    let mut ledger = Ledger::new(2);
    for counter in 1..=4 {
        let time_ms = i64::try_from(counter).unwrap();
        admit(&mut ledger, 0, &row(counter, time_ms, time_ms)).unwrap();
    }
    let chain = (0, CounterContext::Pagination);
    assert!(ledger.is_forgotten(chain, 2) && !ledger.is_forgotten(chain, 3));
    assert_eq!(
        admit(&mut ledger, 0, &row(1, 1, 1)),
        Err("metering.counter_back")
    );
    let known = row(1, 1, 1).digest;
    let recalled = ledger.admit(0, &enrolled(0), &row(1, 1, 1), &[], Some(&known));
    assert_eq!(
        recalled.map_err(|fault| fault.code()),
        Err("metering.replayed")
    );
}

/// Counter, time and register of a record, mostly rising, and whether its payload is another.
type Step = (u64, i64, i64, bool);

fn steps() -> impl Strategy<Value = Vec<Step>> {
    prop::collection::vec(
        (0..12u64, 0..40i64, 0..40i64, prop::bool::weighted(0.2)),
        0..24,
    )
}

fn of_step((counter, time_ms, import, other): Step) -> LedgerRow {
    let mut row = row(
        counter,
        time_ms + i64::try_from(counter * 3).unwrap(),
        import,
    );
    row.import = energy(import + i64::try_from(counter * 3).unwrap());
    row.digest[31] = u8::from(other);
    row
}

fn remembered(ledger: &Ledger) -> String {
    format!(
        "{:?} {:?} {:?}",
        ledger.chains, ledger.devices, ledger.forked
    )
}

proptest! {
    #[test]
    fn prop_a_batch_rolled_back_leaves_no_trace(first in steps(), second in steps()) {
        let mut ledger = Ledger::new(4);
        for step in first {
            let _ = ledger.admit(0, &enrolled(0), &of_step(step), &[], None);
        }
        ledger.commit();
        let before = remembered(&ledger);
        for step in second {
            let _ = ledger.admit(0, &enrolled(0), &of_step(step), &[], None);
        }
        ledger.roll_back();
        prop_assert_eq!(remembered(&ledger), before);
    }

    #[test]
    fn prop_a_batch_is_judged_as_its_records_one_by_one(steps in steps()) {
        let (mut whole, mut single) = (Ledger::new(64), Ledger::new(64));
        for step in steps {
            let row = of_step(step);
            let staged = whole.admit(0, &enrolled(0), &row, &[], None);
            let admitted = single.admit(0, &enrolled(0), &row, &[], None);
            single.commit();
            prop_assert_eq!(staged, admitted);
        }
        whole.commit();
        prop_assert_eq!(remembered(&whole), remembered(&single));
    }

    #[test]
    fn prop_what_was_admitted_is_a_history_without_contradiction(steps in steps()) {
        let mut ledger = Ledger::new(64);
        for step in steps {
            let _ = ledger.admit(0, &enrolled(0), &of_step(step), &[], None);
        }
        ledger.commit();
        let rows: Vec<&LedgerRow> = ledger.rows().collect();
        for pair in rows.windows(2) {
            prop_assert!(pair[0].counter < pair[1].counter);
            prop_assert!(pair[0].time_ms < pair[1].time_ms);
            prop_assert!(pair[0].import <= pair[1].import);
        }
    }
}
