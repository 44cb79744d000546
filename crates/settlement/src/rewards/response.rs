//! What a site did: connectivity, capacity, response.

use std::collections::BTreeSet;

use gridrig_quantity::Energy;

use super::baseline::{Baseline, baseline};
use super::{Event, History, Programme, RewardError, Site};

/// Why nothing is measured.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Shortcoming {
    /// There are too few baseline days with all their readings, or none before the notice.
    BaselineShort {
        /// How many there are.
        days: u32,
    },
    /// A period of the event has no verified readings.
    EventUnread,
}

impl Shortcoming {
    /// Returns the word, as files and Python spell it.
    pub const fn word(self) -> &'static str {
        match self {
            Self::BaselineShort { .. } => "baseline-short",
            Self::EventUnread => "event-unread",
        }
    }
}

/// What was measured of a site in an event.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Measured {
    /// What it would have taken in the event, rounded down.
    pub baseline: Energy,
    /// What it took.
    pub net_load: Energy,
    /// What counts, never negative.
    pub counted: Energy,
    /// What is amiss with the readings, if anything is.
    pub shortcoming: Option<Shortcoming>,
    /// Digests of the readings of the event.
    pub digests: Vec<[u8; 32]>,
}

/// Measures the response of a site to an event.
///
/// # Errors
/// [`RewardError::EventBound`].
pub fn response(
    of: &Programme,
    site: &Site,
    history: &History,
    event: &Event,
    excluded_days: &BTreeSet<i64>,
) -> Result<Measured, RewardError> {
    let periods = event.periods(of)?;
    let digests = history.digests(&periods);
    let baseline = match baseline(of, history, event, excluded_days)? {
        Ok(baseline) => baseline,
        Err(days) => return Ok(unmeasured(Shortcoming::BaselineShort { days }, digests)),
    };
    let loads: Option<Vec<i64>> = periods
        .iter()
        .map(|&at| history.net_load_milliwh(at))
        .collect();
    let Some(loads) = loads else {
        return Ok(unmeasured(Shortcoming::EventUnread, digests));
    };
    let mut counted = 0_i128;
    for (expected, &load) in baseline.periods.iter().zip(&loads) {
        // A baseline is a multiple of 1000 of its parts: the dead band is exact.
        let dead = expected.abs() / 1_000 * i128::from(of.dead_band_permille);
        counted += expected - i128::from(load) * baseline.parts - dead;
    }
    let most = i128::from(site.commitment.milliwh()) * baseline.parts;
    Ok(Measured {
        baseline: baseline_of(&baseline)?,
        net_load: net_load_of(&loads)?,
        counted: energy(counted.clamp(0, most) / baseline.parts)?,
        shortcoming: None,
        digests,
    })
}

/// Measures the capacity that a commanded test showed: the least of its periods, which no commitment
/// caps, or nothing if the claim is more than `tolerance_permille` above it. [mWh a period]
///
/// # Errors
/// [`RewardError::EventBound`].
pub fn capacity(
    of: &Programme,
    history: &History,
    test: &Event,
    excluded_days: &BTreeSet<i64>,
    claimed: Energy,
    tolerance_permille: u32,
) -> Result<Measured, RewardError> {
    let periods = test.periods(of)?;
    let digests = history.digests(&periods);
    let baseline = match baseline(of, history, test, excluded_days)? {
        Ok(baseline) => baseline,
        Err(days) => return Ok(unmeasured(Shortcoming::BaselineShort { days }, digests)),
    };
    let loads: Option<Vec<i64>> = periods
        .iter()
        .map(|&at| history.net_load_milliwh(at))
        .collect();
    let Some(loads) = loads else {
        return Ok(unmeasured(Shortcoming::EventUnread, digests));
    };
    let shed = baseline.periods.iter().zip(&loads);
    let shed = shed.map(|(expected, &load)| expected - i128::from(load) * baseline.parts);
    let shown = shed.min().unwrap_or(0).max(0) / baseline.parts;
    let claim = i128::from(claimed.milliwh());
    let believed =
        shown * 1_000 >= claim * i128::from(1_000_u32.saturating_sub(tolerance_permille));
    Ok(Measured {
        baseline: baseline_of(&baseline)?,
        net_load: net_load_of(&loads)?,
        counted: energy(if believed { shown.min(claim.max(0)) } else { 0 })?,
        shortcoming: None,
        digests,
    })
}

/// Counts the periods of a span that all meters of a site signed, and how many there should be.
///
/// # Errors
/// [`RewardError::EventBound`] unless the span is of whole periods and forward.
pub fn connectivity(
    of: &Programme,
    history: &History,
    from_ms: i64,
    to_ms: i64,
) -> Result<(usize, usize), RewardError> {
    let whole = from_ms % of.period_ms == 0 && to_ms % of.period_ms == 0;
    if !whole || to_ms <= from_ms {
        return Err(RewardError::EventBound {
            notice_ms: from_ms,
            from_ms,
            to_ms,
            period_ms: of.period_ms,
            periods_max: u32::MAX,
        });
    }
    let expected = (to_ms - from_ms) / of.period_ms;
    Ok((history.present(from_ms, to_ms), expected as usize))
}

fn baseline_of(baseline: &Baseline) -> Result<Energy, RewardError> {
    let sum: i128 = baseline.periods.iter().sum();
    energy(sum.div_euclid(baseline.parts))
}

fn net_load_of(loads: &[i64]) -> Result<Energy, RewardError> {
    energy(loads.iter().map(|&load| i128::from(load)).sum())
}

fn energy(milliwh: i128) -> Result<Energy, RewardError> {
    let due = |found| RewardError::DueBound {
        name: "energy, in mWh,",
        found,
    };
    let fits = i64::try_from(milliwh).map_err(|_| due(milliwh))?;
    Energy::from_milliwh(fits).map_err(|_| due(milliwh))
}

fn unmeasured(shortcoming: Shortcoming, digests: Vec<[u8; 32]>) -> Measured {
    Measured {
        baseline: Energy::ZERO,
        net_load: Energy::ZERO,
        counted: Energy::ZERO,
        shortcoming: Some(shortcoming),
        digests,
    }
}
