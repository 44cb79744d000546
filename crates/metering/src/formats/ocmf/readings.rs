//! The readings of a record: inheritance, the last moment, its registers.

use std::borrow::Cow;

use gridrig_quantity::Energy;

use super::json::ReadingText;
use super::needed;
use super::profiles::{OBIS_PLACEHOLDER, OBIS_STORAGE, OBIS_TARIFF_1, VALUE_TEXT};
use crate::decimal::{DecimalFault, energy_from_decimal};
use crate::formats::obis::{Direction, parse_obis};
use crate::profile::Profile;
use crate::signed_record::{Measure, MeterTime};
use crate::timestamp::parse_timestamp;
use crate::{FormatFault, MeteringError};

/// Most readings in one record.
const READINGS_MAX: usize = 64;

/// What a record says at its last moment.
pub(super) struct LastMoment {
    pub(super) time: MeterTime,
    pub(super) status: String,
    pub(super) measure: Result<Measure, MeteringError>,
    pub(super) deviations: Vec<&'static Profile>,
}

/// Resolves inheritance and takes the two registers at the last moment of the record.
pub(super) fn read_readings(texts: Vec<ReadingText<'_>>) -> Result<LastMoment, FormatFault> {
    if texts.is_empty() || texts.len() > READINGS_MAX {
        let fault = format!("{} readings, not 1 to {READINGS_MAX}", texts.len());
        return Err(FormatFault::structure("RD", fault));
    }
    let mut readings: Vec<(MeterTime, ReadingText<'_>)> = Vec::with_capacity(texts.len());
    for text in texts {
        let reading = text.inherit(readings.last().map(|(_, before)| before));
        let written = needed(reading.time.as_deref(), "TM")?;
        let time = parse_timestamp(written).ok_or_else(|| {
            FormatFault::value("TM", written, "YYYY-MM-DDThh:mm:ss,mmm+hhmm U|I|S|R")
        })?;
        readings.push((time, reading));
    }
    let time = needed(readings.last().map(|(time, _)| *time), "RD")?;
    let mut registers = Vec::new();
    for (_, reading) in readings.iter().filter(|(moment, _)| *moment == time) {
        let code = needed(reading.identification.as_deref(), "RI")?;
        if let Some(register) = read_register(reading, code)? {
            registers.push(register);
        }
    }
    // Where a meter writes total registers, what departs from one is another register.
    if registers
        .iter()
        .any(|register| register.obis_deviations.is_empty())
    {
        registers.retain(|register| register.obis_deviations.is_empty());
    }
    let import = total(&registers, Direction::Import)?;
    let export = total(&registers, Direction::Export)?;
    let taken = || [import, export].into_iter().flatten();
    Ok(LastMoment {
        time,
        status: taken()
            .next()
            .map_or_else(String::new, |r| r.status.clone()),
        measure: measure_of(import, export),
        deviations: deviations_of(taken()),
    })
}

/// Takes the register of a direction.
fn total(registers: &[Register], direction: Direction) -> Result<Option<&Register>, FormatFault> {
    let mut of = registers
        .iter()
        .filter(|register| register.direction == direction);
    let found = of.next();
    match of.next() {
        None => Ok(found),
        Some(_) => Err(FormatFault::Repeated {
            field: match direction {
                Direction::Import => "register 1.8.0",
                Direction::Export => "register 2.8.0",
            },
        }),
    }
}

/// Names each deviation once.
fn deviations_of<'r>(registers: impl Iterator<Item = &'r Register>) -> Vec<&'static Profile> {
    let mut deviations: Vec<&'static Profile> = Vec::new();
    for register in registers {
        let text = register.value_text.then_some(&VALUE_TEXT);
        for &deviation in register.obis_deviations.iter().chain(&text) {
            if !deviations.contains(&deviation) {
                deviations.push(deviation);
            }
        }
    }
    deviations
}

/// Each rule is asked of both registers before the next rule is asked.
fn measure_of(
    import: Option<&Register>,
    export: Option<&Register>,
) -> Result<Measure, MeteringError> {
    let registers = || [import, export].into_iter().flatten();
    if registers().next().is_none() {
        return Err(MeteringError::RegisterMissing);
    }
    registers().try_for_each(Register::check_status)?;
    Ok(Measure::Registers {
        import: import.map(Register::energy).transpose()?,
        export: export.map(Register::energy).transpose()?,
    })
}

/// One register at the last moment of a record.
struct Register {
    direction: Direction,
    obis_deviations: Vec<&'static Profile>,
    /// Whether the value is written as a text.
    value_text: bool,
    /// The energy, unless its digits are finer than a milliwatt-hour.
    energy: Option<Energy>,
    text: String,
    unit: &'static str,
    /// The status letter, and the error flags if there are any.
    status: String,
}

impl Register {
    /// Asks whether the meter vouches for the value.
    fn check_status(&self) -> Result<(), MeteringError> {
        if self.status == "G" {
            return Ok(());
        }
        let status = self.status.clone();
        Err(MeteringError::StatusNotGood { status })
    }

    /// Answers the energy if its digits are exact in milliwatt-hours.
    fn energy(&self) -> Result<Energy, MeteringError> {
        let finer = || MeteringError::Resolution {
            text: self.text.clone(),
            unit: self.unit,
        };
        self.energy.ok_or_else(finer)
    }
}

/// Reads a reading if it is one of a total register.
fn read_register(reading: &ReadingText<'_>, code: &str) -> Result<Option<Register>, FormatFault> {
    let Some(obis) = parse_obis(code) else {
        return Ok(None);
    };
    let (unit, decimals) = match needed(reading.unit.as_deref(), "RU")? {
        "Wh" => ("Wh", 3),
        "kWh" => ("kWh", 6),
        other => return Err(FormatFault::value("RU", other, "Wh or kWh")),
    };
    let written = needed(reading.value, "RV")?.get();
    // A number is not tried as a text: the parser's refusal would cost more than the reading.
    let quoted = written
        .starts_with('"')
        .then(|| serde_json::from_str::<Cow<'_, str>>(written).ok())
        .flatten();
    let text = quoted
        .as_deref()
        .unwrap_or(written)
        .trim_matches(' ')
        .to_owned();
    let energy = match energy_from_decimal(&text, decimals) {
        Ok(energy) => Some(energy),
        Err(DecimalFault::Finer) => None,
        Err(DecimalFault::Malformed) => {
            return Err(FormatFault::value("RV", text, "an unsigned decimal number"));
        }
        Err(DecimalFault::Bound) => {
            return Err(FormatFault::value("RV", text, "at most 10^15 mWh"));
        }
    };
    let letter = needed(reading.status.as_deref(), "ST")?;
    let status = match reading.error_flags.as_deref() {
        None | Some("") => letter.to_owned(),
        Some(flags) => format!("{letter} {flags}"),
    };
    let departures = [
        (obis.placeholder, &OBIS_PLACEHOLDER),
        (obis.tariff, &OBIS_TARIFF_1),
        (obis.storage, &OBIS_STORAGE),
    ];
    Ok(Some(Register {
        direction: obis.direction,
        obis_deviations: departures
            .into_iter()
            .filter_map(|(departs, profile)| departs.then_some(profile))
            .collect(),
        value_text: quoted.is_some(),
        energy,
        text,
        unit,
        status,
    }))
}
