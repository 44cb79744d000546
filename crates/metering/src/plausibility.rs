//! What two readings of one meter say together that neither says alone.
//!
//! All of it is integers: energy in mWh, power in mW, time in ms, products in 128 bits that saturate
//! beyond any meter. A finding never refuses a reading.

use gridrig_quantity::Energy;

use crate::key_record::PlausibleLimits;
use crate::signed_record::PowerSample;
use crate::{Finding, Findings};

/// Clock steps and register ticks make a short interval look fast; so much time is given on top.
/// [ms]
const TIME_SLACK_MS: i128 = 1_000;

/// So much energy may differ from the integral of power, whatever the tolerance. [mWh]
const ENERGY_SLACK_MILLIWH: i128 = 1_000;

const MS_PER_HOUR: i128 = 3_600_000;

/// A ceiling broken a hundredfold is no peak, it is a unit.
const SLIP_FACTOR: i128 = 100;

/// Registers of a device at one moment.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Point {
    pub(crate) time_ms: i64,
    pub(crate) import: Option<Energy>,
    pub(crate) export: Option<Energy>,
    pub(crate) power_milliwatt: Option<i64>,
}

/// Compares a reading with the one before it.
pub(crate) fn findings_between(
    limits: &PlausibleLimits,
    before: &Point,
    now: &Point,
    power: &[PowerSample],
) -> Findings {
    let mut findings = Findings::default();
    let elapsed_ms = i128::from(now.time_ms) - i128::from(before.time_ms);
    if elapsed_ms <= 0 {
        return findings;
    }
    let counted = |before: Option<Energy>, now: Option<Energy>| {
        Some(i128::from(now?.milliwh()) - i128::from(before?.milliwh()))
    };
    let import = counted(before.import, now.import);
    let export = counted(before.export, now.export);
    for (counted, power_max, over) in [
        (
            import,
            limits.import_power_milliwatt_max,
            Finding::ImportOverCapacity,
        ),
        (
            export,
            limits.export_power_milliwatt_max,
            Finding::ExportOverCapacity,
        ),
    ] {
        let (Some(counted), Some(power_max)) = (counted, power_max) else {
            continue;
        };
        let reached = counted * MS_PER_HOUR;
        let ceiling = i128::from(power_max).saturating_mul(elapsed_ms + TIME_SLACK_MS);
        if reached <= ceiling {
            continue;
        }
        findings.add(if power_max == 0 {
            Finding::ReversedCt
        } else {
            over
        });
        if power_max > 0 && reached >= ceiling.saturating_mul(SLIP_FACTOR) {
            findings.add(Finding::UnitSlip);
        }
    }
    if let (Some(permille), Some(integral)) = (
        limits.power_tolerance_permille,
        integral_of_power(before, now, power),
    ) {
        let net = export.unwrap_or(0) - import.unwrap_or(0);
        if let Some(finding) = energy_against_power(net, integral, i128::from(permille)) {
            findings.add(finding);
        }
    }
    findings
}

/// Integrates the signed power between two readings by trapezes; none unless power is signed at
/// both ends. [mW ms, doubled]
fn integral_of_power(before: &Point, now: &Point, power: &[PowerSample]) -> Option<i128> {
    let mut last = (before.time_ms, before.power_milliwatt?);
    let mut doubled = 0i128;
    for sample in power {
        if sample.time_ms <= last.0 {
            continue;
        }
        let elapsed_ms = i128::from(sample.time_ms) - i128::from(last.0);
        let sum = i128::from(last.1) + i128::from(sample.power_milliwatt);
        doubled = sum.saturating_mul(elapsed_ms).saturating_add(doubled);
        last = (sample.time_ms, sample.power_milliwatt);
    }
    (last.0 == now.time_ms).then_some(doubled)
}

/// Says how energy and the (doubled) integral of power disagree, if they do.
fn energy_against_power(net_milliwh: i128, doubled: i128, permille: i128) -> Option<Finding> {
    let energy = net_milliwh * MS_PER_HOUR * 2;
    let slack = ENERGY_SLACK_MILLIWH * MS_PER_HOUR * 2;
    let agree = |a: i128, b: i128| {
        a.saturating_sub(b).saturating_abs()
            <= (a.saturating_abs().max(b.saturating_abs()) / 1_000)
                .saturating_mul(permille)
                .max(slack)
    };
    if agree(energy, doubled) {
        None
    } else if agree(energy, doubled.saturating_neg()) {
        Some(Finding::ReversedCt)
    } else if agree(energy, doubled.saturating_mul(1_000))
        || agree(energy.saturating_mul(1_000), doubled)
    {
        Some(Finding::UnitSlip)
    } else {
        Some(Finding::EnergyOffPower)
    }
}

#[cfg(test)]
mod tests;
