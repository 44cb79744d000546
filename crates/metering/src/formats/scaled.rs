//! Registers as meters with units and scalers write them.

use gridrig_quantity::Energy;

use super::obis::Direction;
use crate::decimal::{DecimalFault, energy_from_scaled};
use crate::signed_record::Measure;
use crate::{FormatFault, MeteringError};

/// DLMS code of the watt-hour.
const UNIT_WATT_HOUR: u8 = 30;

/// Reads `value · 10^scaler` of a unit, which has to be the watt-hour.
pub(super) fn scaled_energy(
    value: i64,
    scaler: i8,
    unit: u8,
) -> Result<Result<Energy, MeteringError>, FormatFault> {
    if unit != UNIT_WATT_HOUR {
        return Err(FormatFault::value(
            "unit",
            unit.to_string(),
            "30, the watt-hour",
        ));
    }
    let text = || format!("{value}e{scaler}");
    let unread = |expected| FormatFault::value("register", text(), expected);
    let value = u64::try_from(value).map_err(|_| unread("not negative"))?;
    match energy_from_scaled(value, scaler) {
        Ok(energy) => Ok(Ok(energy)),
        Err(DecimalFault::Finer) => Ok(Err(MeteringError::Resolution {
            text: text(),
            unit: "Wh",
        })),
        Err(_) => Err(unread("at most 10^15 mWh")),
    }
}

/// The measure of a meter that signs one register at a time.
pub(super) fn one_register(direction: Direction, energy: Energy) -> Measure {
    let (import, export) = match direction {
        Direction::Import => (Some(energy), None),
        Direction::Export => (None, Some(energy)),
    };
    Measure::Registers { import, export }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_too_fine_is_told_from_what_is_no_register() {
        assert_eq!(
            scaled_energy(3275, -1, 30).map(|e| e.map(Energy::milliwh)),
            Ok(Ok(327_500))
        );
        let finer = scaled_energy(0, -4, 30);
        assert!(matches!(finer, Ok(Err(MeteringError::Resolution { .. }))));
        for (value, scaler, unit) in [(-1, 0, 30), (1, 13, 30), (1, 0, 27)] {
            assert!(
                scaled_energy(value, scaler, unit).is_err(),
                "{value}e{scaler}"
            );
        }
    }
}
