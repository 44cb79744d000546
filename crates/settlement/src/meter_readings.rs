//! From the readings of a meter, whichever have come, to what it counted in a period.

use std::sync::Arc;

use gridrig_metering::VerifiedReading;

use crate::{MeterPeriod, SettlementError};

/// How far a reading may be off an edge of a period and still be that of the edge, where the period
/// is long enough. [s]
pub const EDGE_OFF_MAX_S: i64 = 30;

/// Returns what a meter counted in a period, by all that is known of it.
///
/// - Registers count between two readings that follow each other; in a longer stretch the energy is
///   laid out evenly.
/// - Where the serial number changes, the meter was exchanged at the last reading of the old one: the
///   new one counted from its enrolled start registers on.
/// - Readings of intervals state their energy; they fill what registers leave open.
/// - What no reading tells is estimated: the mean power of the last stretch before it, nothing if
///   there is none.
/// - A reading at most [`EDGE_OFF_MAX_S`], and a quarter of the period, off an edge is that of the
///   edge.
///
/// The outcome is a function of the readings as a set: a reading that comes late changes it to what
/// it would have been at once, one that is withdrawn to what it would have been without.
///
/// # Errors
/// [`SettlementError::MeterMismatch`] for a reading of another meter,
/// [`SettlementError::NotForward`] for a period that does not end after it begins, and what
/// [`MeterPeriod`] refuses.
pub fn meter_period(
    participant: &Arc<str>,
    meter: &Arc<str>,
    readings: &[Arc<VerifiedReading>],
    (from_ms, to_ms): (i64, i64),
) -> Result<MeterPeriod, SettlementError> {
    if let Some(other) = readings.iter().find(|reading| reading.meter() != &**meter) {
        return Err(SettlementError::MeterMismatch {
            opening: meter.to_string(),
            closing: other.meter().to_owned(),
        });
    }
    let stretches = stretches_of(participant, readings)?;
    let off_ms_max = (EDGE_OFF_MAX_S * 1000).min((to_ms - from_ms) / 4);
    let begins_ms = nearest_edge(&stretches, from_ms, off_ms_max);
    let ends_ms = nearest_edge(&stretches, to_ms, off_ms_max);
    let mut parts = Vec::new();
    let mut known_to_ms = begins_ms;
    let mut basis: Option<&MeterPeriod> = None;
    let estimate = |from_ms, to_ms, basis: Option<&MeterPeriod>| {
        let (participant, meter) = (Arc::clone(participant), Arc::clone(meter));
        MeterPeriod::estimated(participant, meter, (from_ms, to_ms), basis)
    };
    for stretch in &stretches {
        let (first_ms, last_ms) = (
            stretch.from_ms().max(begins_ms),
            stretch.to_ms().min(ends_ms),
        );
        if first_ms < last_ms {
            if known_to_ms < first_ms {
                parts.push(estimate(known_to_ms, first_ms, basis)?);
            }
            parts.push(stretch.part(first_ms, last_ms)?);
            known_to_ms = last_ms;
        }
        if stretch.to_ms() <= ends_ms {
            basis = Some(stretch);
        }
    }
    if known_to_ms < ends_ms || parts.is_empty() {
        parts.push(estimate(known_to_ms, ends_ms, basis)?);
    }
    MeterPeriod::join(parts)
}

/// Lists what readings count, by time and without overlap.
fn stretches_of(
    participant: &Arc<str>,
    readings: &[Arc<VerifiedReading>],
) -> Result<Vec<MeterPeriod>, SettlementError> {
    let is_interval = |reading: &&Arc<VerifiedReading>| reading.start_ms().is_some();
    let mut registers: Vec<&Arc<VerifiedReading>> = readings
        .iter()
        .filter(|reading| !is_interval(reading))
        .collect();
    // Of two readings at one time the one whose digest is lower counts, whichever came first.
    registers.sort_by_key(|reading| (reading.time_ms(), *reading.digest()));
    registers.dedup_by_key(|reading| reading.time_ms());
    let mut stretches = Vec::with_capacity(readings.len());
    for pair in registers.windows(2) {
        stretches.extend(between(participant, pair[0], pair[1])?);
    }
    let mut intervals: Vec<&Arc<VerifiedReading>> = readings.iter().filter(is_interval).collect();
    intervals.sort_by_key(|reading| (reading.start_ms(), reading.time_ms(), *reading.digest()));
    for reading in intervals {
        let interval = MeterPeriod::of_interval(Arc::clone(participant), Arc::clone(reading))?;
        let place =
            stretches.partition_point(|other: &MeterPeriod| other.from_ms() < interval.from_ms());
        let before = place
            .checked_sub(1)
            .and_then(|before| stretches.get(before));
        let is_free = before.is_none_or(|before| before.to_ms() <= interval.from_ms())
            && stretches
                .get(place)
                .is_none_or(|next| interval.to_ms() <= next.from_ms());
        if is_free {
            stretches.insert(place, interval);
        }
    }
    Ok(stretches)
}

/// Returns what was counted between two readings; none if the meter was exchanged between them and
/// nobody enrolled where the new one began.
fn between(
    participant: &Arc<str>,
    first: &Arc<VerifiedReading>,
    last: &Arc<VerifiedReading>,
) -> Result<Option<MeterPeriod>, SettlementError> {
    let participant = Arc::clone(participant);
    if first.serial() == last.serial() {
        MeterPeriod::new(participant, Arc::clone(first), Arc::clone(last)).map(Some)
    } else if last.start().is_some() {
        let mounted_ms = first.time_ms();
        MeterPeriod::since_mounted(participant, mounted_ms, Arc::clone(last)).map(Some)
    } else {
        Ok(None)
    }
}

/// Returns the end of a stretch that an edge is taken to be at, or the edge itself; of two as near
/// the earlier.
fn nearest_edge(stretches: &[MeterPeriod], edge_ms: i64, off_ms_max: i64) -> i64 {
    let ends = stretches
        .iter()
        .flat_map(|stretch| [stretch.from_ms(), stretch.to_ms()]);
    let off_ms = |end_ms: i64| (end_ms - edge_ms).abs();
    let near = ends.filter(|&end_ms| off_ms(end_ms) <= off_ms_max);
    near.min_by_key(|&end_ms| (off_ms(end_ms), end_ms))
        .unwrap_or(edge_ms)
}
