//! What of each meter is certified: whole watt-hours of its register, or intervals and what they
//! leave.

use std::collections::BTreeMap;

use super::source::{MILLIWH_PER_WH, whole_units};
use super::{Backing, CertificateError, Measure};

/// Name and serial number of a meter.
pub(super) type Place = (String, String);

pub(super) fn place_of(backing: &Backing) -> Place {
    (backing.meter.clone(), backing.serial.clone())
}

/// How the meters of all claims were counted; a meter by one measure only, as the part of a Wh that
/// one of them leaves is not for the other to take.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(super) struct Counting(BTreeMap<Place, OfMeter>);

#[derive(Debug, Clone, PartialEq, Eq)]
enum OfMeter {
    /// End of each run of units that is claimed, and the claim, by first unit.
    Registers(BTreeMap<u64, (u64, u64)>),
    /// What the intervals certified so far leave for the next. A debt if one of them is frozen and
    /// others took what it had left. [mWh]
    Intervals { carried_milliwh: i64 },
}

impl Counting {
    /// Returns what is carried to the next interval of a meter, which begins with `first`. [mWh]
    pub(super) fn carried(&self, place: &Place, first: u16) -> i64 {
        match self.0.get(place) {
            Some(OfMeter::Intervals { carried_milliwh }) => *carried_milliwh,
            _ => i64::from(first),
        }
    }

    /// Returns a claim that has a unit of the register in common with what backs another.
    pub(super) fn overlap(&self, backing: &Backing) -> Option<u64> {
        let Measure::Register { first_unit } = backing.measure else {
            return None;
        };
        let Some(OfMeter::Registers(runs)) = self.0.get(&place_of(backing)) else {
            return None;
        };
        let before_end = ..first_unit + backing.units;
        let (_, (end, number)) = runs.range(before_end).next_back()?;
        Some(*number).filter(|_| *end > first_unit)
    }

    /// Checks that a meter is certified by one measure, and an interval with what is carried to it.
    pub(super) fn check(&self, backing: &Backing, first: u16) -> Result<(), CertificateError> {
        let place = place_of(backing);
        let mixed = |standing, found| {
            Err(CertificateError::MeasureMixed {
                meter: backing.meter.clone(),
                standing,
                found,
            })
        };
        match (self.0.get(&place), backing.measure) {
            (Some(OfMeter::Intervals { .. }), Measure::Register { .. }) => {
                mixed("intervals", "registers")
            }
            (Some(OfMeter::Registers(_)), Measure::Interval { .. }) => {
                mixed("registers", "intervals")
            }
            (_, Measure::Interval { energy_milliwh }) => {
                let carried_milliwh = self.carried(&place, first);
                if whole_units(energy_milliwh, carried_milliwh) == backing.units {
                    return Ok(());
                }
                Err(CertificateError::UnitsFalse {
                    meter: backing.meter.clone(),
                    energy_milliwh,
                    carried_milliwh,
                    found: backing.units,
                })
            }
            (_, Measure::Register { .. }) => Ok(()),
        }
    }

    /// Enters what backs a claim that was checked.
    pub(super) fn enter(&mut self, backing: &Backing, number: u64, first: u16) {
        let place = place_of(backing);
        match backing.measure {
            Measure::Register { first_unit } => {
                let empty = OfMeter::Registers(BTreeMap::new());
                if let OfMeter::Registers(runs) = self.0.entry(place).or_insert(empty) {
                    runs.insert(first_unit, (first_unit + backing.units, number));
                }
            }
            Measure::Interval { .. } => {
                let carried_milliwh = self.carried(&place, first) + left_milliwh(backing);
                self.0.insert(place, OfMeter::Intervals { carried_milliwh });
            }
        }
    }

    /// Takes back what a claim that is frozen left for others, and gives back what it took of them.
    pub(super) fn freeze(&mut self, backing: &Backing) {
        if let Some(OfMeter::Intervals { carried_milliwh }) = self.0.get_mut(&place_of(backing)) {
            *carried_milliwh -= left_milliwh(backing);
        }
    }
}

/// Returns what an interval leaves of its energy, or, if negative, takes of what is carried. [mWh]
fn left_milliwh(backing: &Backing) -> i64 {
    let Measure::Interval { energy_milliwh } = backing.measure else {
        return 0;
    };
    let minted = i128::from(backing.units) * i128::from(MILLIWH_PER_WH);
    // The units are those of the energy and of what was carried: the difference is of that size.
    (i128::from(energy_milliwh) - minted) as i64
}
