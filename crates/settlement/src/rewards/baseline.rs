//! What a site would have taken, by its own days.

use std::collections::BTreeSet;

use super::{Event, History, Programme, RewardError};

const DAY_MS: i64 = 86_400_000;

/// Parts of a milliwatt-hour in which baselines are exact: one is `1 / (10^6 x days x periods of
/// the adjustment)`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Baseline {
    /// How many parts a milliwatt-hour has.
    pub(super) parts: i128,
    /// The baseline of each period of the event. [parts]
    pub(super) periods: Vec<i128>,
}

/// Computes the baseline of an event, or how many of its days there are if they are too few, or
/// if the load before the notice is not known.
pub(super) fn baseline(
    of: &Programme,
    history: &History,
    event: &Event,
    excluded_days: &BTreeSet<i64>,
) -> Result<Result<Baseline, u32>, RewardError> {
    let periods = event.periods(of)?;
    let adjusting = event.adjusting(of);
    let days = days_of(of, history, event, excluded_days, &periods, &adjusting);
    let count = days.len() as u32;
    if count < of.baseline_days {
        return Ok(Err(count));
    }
    let load = |at_ms: i64| history.net_load_milliwh(at_ms).map(i128::from);
    // Each of the days has all of these periods.
    let sum_of_days =
        |at_ms: &i64| -> i128 { days.iter().filter_map(|back| load(at_ms - back)).sum() };
    let days = i128::from(count);
    let width = i128::from(of.adjustment_periods.max(1));
    let adjustment = {
        let on_the_day: Option<i128> = adjusting.iter().map(|&at_ms| load(at_ms)).sum();
        let Some(on_the_day) = on_the_day else {
            return Ok(Err(count));
        };
        (days * on_the_day - adjusting.iter().map(sum_of_days).sum::<i128>()) * 1_000
    };
    let adjusted = |at_ms: &i64| {
        let sum = sum_of_days(at_ms);
        let cap = i128::from(of.adjustment_permille_max) * sum.abs() * width;
        (sum * 1_000 * width + adjustment.clamp(-cap, cap)) * 1_000
    };
    Ok(Ok(Baseline {
        parts: 1_000_000 * days * width,
        periods: periods.iter().map(adjusted).collect(),
    }))
}

/// How far back the baseline days lie, the nearest first. [ms]
fn days_of(
    of: &Programme,
    history: &History,
    event: &Event,
    excluded_days: &BTreeSet<i64>,
    periods: &[i64],
    adjusting: &[i64],
) -> Vec<i64> {
    let today = of.day(event.from_ms);
    let (mut days, mut unread) = (Vec::new(), 0);
    for back in 1..=i64::from(of.look_back_days) {
        let day = today - back;
        let other_class = Programme::is_weekend(day) != Programme::is_weekend(today);
        if other_class || excluded_days.contains(&day) {
            continue;
        }
        let back_ms = back * DAY_MS;
        let is_there = |at_ms: &i64| history.net_load_milliwh(at_ms - back_ms).is_some();
        if periods.iter().chain(adjusting).all(is_there) {
            days.push(back_ms);
        } else {
            unread += 1;
        }
        if days.len() == of.baseline_days as usize || unread > of.unread_days_max {
            break;
        }
    }
    days
}
