use super::*;

const HOUR_MS: i64 = 3_600_000;

fn point(time_ms: i64, import: i64, export: i64, power: Option<i64>) -> Point {
    let energy = |milliwh| Energy::from_milliwh(milliwh).ok();
    Point {
        time_ms,
        import: energy(import),
        export: energy(export),
        power_milliwatt: power,
    }
}

fn limits() -> PlausibleLimits {
    PlausibleLimits {
        import_power_milliwatt_max: Some(10_000_000),
        export_power_milliwatt_max: Some(5_000_000),
        power_tolerance_permille: Some(20),
    }
}

/// Findings an hour after a reading at zero, the power being constant.
fn after_an_hour(limits: &PlausibleLimits, import: i64, export: i64, power: i64) -> Vec<Finding> {
    let before = point(0, 0, 0, Some(power));
    let now = point(HOUR_MS, import, export, Some(power));
    let sample = PowerSample {
        time_ms: HOUR_MS,
        power_milliwatt: power,
    };
    findings_between(limits, &before, &now, &[sample])
        .iter()
        .collect()
}

#[test]
fn energy_up_to_the_ceiling_is_plausible_and_beyond_it_is_named_by_direction() {
    let only_ceilings = PlausibleLimits {
        power_tolerance_permille: None,
        ..limits()
    };
    // 10 kW for an hour and the second of slack is 10 002.777... Wh.
    let at = |import, export| after_an_hour(&only_ceilings, import, export, 0);
    assert_eq!(at(10_002_777, 5_001_388), []);
    assert_eq!(at(10_002_778, 0), [Finding::ImportOverCapacity]);
    assert_eq!(at(0, 5_001_389), [Finding::ExportOverCapacity]);
    assert_eq!(
        at(1_100_000_000, 0),
        [Finding::ImportOverCapacity, Finding::UnitSlip]
    );
}

#[test]
fn export_where_none_is_ever_made_is_a_reversed_transformer() {
    let consumer = PlausibleLimits {
        export_power_milliwatt_max: Some(0),
        power_tolerance_permille: None,
        ..limits()
    };
    assert_eq!(after_an_hour(&consumer, 0, 1, 0), [Finding::ReversedCt]);
    assert_eq!(after_an_hour(&consumer, 1, 0, 0), []);
}

#[test]
fn energy_is_held_against_the_integral_of_signed_power() {
    // 3 kW into the grid for an hour.
    let at = |import, export, power| after_an_hour(&limits(), import, export, power);
    assert_eq!(at(0, 3_000_000, 3_000_000), []);
    assert_eq!(at(0, 2_940_000, 3_000_000), []);
    assert_eq!(at(0, 2_939_000, 3_000_000), [Finding::EnergyOffPower]);
    assert_eq!(at(3_000_000, 0, 3_000_000), [Finding::ReversedCt]);
    assert_eq!(at(0, 3_000_000, 3_000), [Finding::UnitSlip]);
    assert_eq!(at(0, 3_000, 3_000_000), [Finding::UnitSlip]);
}

#[test]
fn power_is_integrated_by_trapezes_over_the_samples_of_the_record() {
    let before = point(0, 0, 0, Some(0));
    let now = point(HOUR_MS, 0, 1_500_000, Some(2_000_000));
    let sample = |time_ms, power_milliwatt| PowerSample {
        time_ms,
        power_milliwatt,
    };
    // Up to 2 kW in half an hour, then level: 0.5 + 1 kWh.
    let power = [sample(HOUR_MS / 2, 2_000_000), sample(HOUR_MS, 2_000_000)];
    let found = findings_between(&limits(), &before, &now, &power);
    assert_eq!(found, Findings::default());
    // Without the sample at its end the record says nothing of the second half.
    let found = findings_between(&limits(), &before, &now, &power[..1]);
    assert_eq!(found, Findings::default());
}

#[test]
fn no_numbers_overflow() {
    let most = gridrig_quantity::ENERGY_MILLIWH_MAX;
    let before = point(i64::MIN, 0, 0, Some(i64::MIN));
    let now = point(i64::MAX, most, most, Some(i64::MIN));
    let sample = PowerSample {
        time_ms: i64::MAX,
        power_milliwatt: i64::MIN,
    };
    let all = PlausibleLimits {
        import_power_milliwatt_max: Some(u64::MAX),
        export_power_milliwatt_max: Some(1),
        power_tolerance_permille: Some(u32::MAX),
    };
    findings_between(&all, &before, &now, &[sample]);
}
