//! What a site took from the grid, period by period, and what proves it.

use std::collections::BTreeMap;

use super::{Programme, RewardError, Site};
use crate::{MeterPeriod, Quality};

/// Most periods of one meter: a year of quarters of an hour.
pub const PERIODS_MAX: usize = 36_000;

/// How far a reading may be from the edge of a period to stand for it. [ms]
const EDGE_APART_MAX_MS: i64 = 10_000;

/// Net load of a site by the beginning of the period, for periods that all its meters have.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct History {
    net_load: BTreeMap<i64, i64>,
    digests: BTreeMap<i64, Vec<[u8; 32]>>,
}

impl History {
    /// Sums up the readings of a site: import less export, over all its meters.
    ///
    /// # Errors
    /// [`RewardError::TooMany`], [`RewardError::MeterForeign`], [`RewardError::PeriodShape`],
    /// [`RewardError::PeriodRepeated`].
    pub fn new(
        name: &str,
        site: &Site,
        of: &Programme,
        periods: &[MeterPeriod],
    ) -> Result<Self, RewardError> {
        if periods.len() > PERIODS_MAX * site.meters.len() {
            return Err(RewardError::TooMany {
                sites: 1,
                periods: periods.len(),
            });
        }
        let mut seen: BTreeMap<i64, BTreeMap<&str, &MeterPeriod>> = BTreeMap::new();
        for period in periods {
            let meter = &**period.meter();
            if !site.meters.iter().any(|known| known == meter) {
                return Err(RewardError::MeterForeign {
                    site: name.to_owned(),
                    meter: meter.to_owned(),
                });
            }
            let from_ms = begins(period, of)?;
            if seen
                .entry(from_ms)
                .or_default()
                .insert(meter, period)
                .is_some()
            {
                let meter = meter.to_owned();
                return Err(RewardError::PeriodRepeated { meter, from_ms });
            }
        }
        let mut history = Self::default();
        for (from_ms, meters) in seen {
            if meters.len() == site.meters.len() {
                let net = meters
                    .values()
                    .map(|period| period.import().milliwh() - period.export().milliwh());
                let digests = meters.values().flat_map(|period| {
                    let readings = period.readings();
                    readings.into_iter().map(|reading| *reading.digest())
                });
                history.net_load.insert(from_ms, net.sum());
                history.digests.insert(from_ms, digests.collect());
            }
        }
        Ok(history)
    }

    /// Makes a history without readings, to try the arithmetic on.
    #[cfg(test)]
    pub(super) fn of_loads(net_load: BTreeMap<i64, i64>) -> Self {
        Self {
            net_load,
            digests: BTreeMap::new(),
        }
    }

    /// Returns the net load of the period that begins at a time. [mWh]
    pub fn net_load_milliwh(&self, from_ms: i64) -> Option<i64> {
        self.net_load.get(&from_ms).copied()
    }

    /// Returns how many periods of a span there are.
    pub(super) fn present(&self, from_ms: i64, to_ms: i64) -> usize {
        self.net_load.range(from_ms..to_ms).count()
    }

    /// Returns the digests of the readings around some periods, each once, in order of time.
    pub(super) fn digests(&self, periods: &[i64]) -> Vec<[u8; 32]> {
        let mut digests: Vec<[u8; 32]> = Vec::new();
        for digest in periods
            .iter()
            .filter_map(|at| self.digests.get(at))
            .flatten()
        {
            if !digests.contains(digest) {
                digests.push(*digest);
            }
        }
        digests
    }
}

/// The beginning of the period of the programme that the readings stand for.
fn begins(period: &MeterPeriod, of: &Programme) -> Result<i64, RewardError> {
    let edge = |time_ms: i64| {
        let nearest = time_ms
            .saturating_add(of.period_ms / 2)
            .div_euclid(of.period_ms);
        let edge_ms = nearest * of.period_ms;
        (time_ms.abs_diff(edge_ms) <= EDGE_APART_MAX_MS.unsigned_abs()).then_some(edge_ms)
    };
    let is_measured = period.quality() == Quality::Measured;
    match (edge(period.from_ms()), edge(period.to_ms())) {
        (Some(from), Some(to)) if is_measured && to - from == of.period_ms => Ok(from),
        _ => Err(RewardError::PeriodShape {
            meter: period.meter().to_string(),
            from_ms: period.from_ms(),
            to_ms: period.to_ms(),
            period_ms: of.period_ms,
        }),
    }
}
