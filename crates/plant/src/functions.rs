//! Setting the functions of an inverter while it runs, and reading back what is in force.

use crate::cessation::Cessation;
use crate::error::PlantError;
use crate::function_settings::FunctionSettings;
use crate::setting::{Reader, Value};
use crate::world::World;

impl World {
    /// Changes some settings of an inverter's functions; all others stay. Powers stay where they
    /// are and move on with the new functions' responses; relay timers begin anew if relays change.
    ///
    /// # Errors
    /// `SettingUnknown` (also for what an inverter is built with), `SettingWrong`, `DeviceUnknown`,
    /// `DeviceKind`; nothing changes then.
    pub fn set_functions(&mut self, i: usize, table: &[(String, Value)]) -> Result<(), PlantError> {
        let name = self.device(i)?.name.clone();
        let inverter = self.inverter_mut(i)?;
        let given = merged(&inverter.given, table);
        let mut reader = Reader::new(&name, &given);
        let functions = FunctionSettings::read(&mut reader, inverter.settings.context)?;
        reader.finish()?;
        inverter.given = given;
        if inverter.settings.ignores_functions {
            return Ok(());
        }
        inverter.service.set(functions.enter.clone());
        let scale = inverter.settings.response_scale;
        inverter.reactive.set(functions.reactive.clone(), scale);
        let changes = |prefix: &str| table.iter().any(|(key, _)| key.contains(prefix));
        if changes("relays") || changes("trip_curves") {
            inverter.relays = functions.relays.clone();
        }
        if changes("cessation") {
            inverter.cessation = Cessation::new(functions.cessation);
        }
        if changes("island_detection")
            && let Some(detector) = &mut inverter.detector
        {
            detector.reset();
        }
        inverter.functions = functions;
        inverter.set_power_functions();
        Ok(())
    }

    /// The settings of an inverter's functions as they read back: every key, given or by default.
    ///
    /// # Errors
    /// `DeviceUnknown`, `DeviceKind`.
    pub fn functions(&mut self, i: usize) -> Result<Vec<(String, Value)>, PlantError> {
        let name = self.device(i)?.name.clone();
        let inverter = self.inverter_mut(i)?;
        let mut reader = Reader::new(&name, &inverter.given);
        FunctionSettings::read(&mut reader, inverter.settings.context)?;
        Ok(reader.in_force().to_vec())
    }
}

/// `new` over `old`; tables inside are merged in the same way.
fn merged(old: &[(String, Value)], new: &[(String, Value)]) -> Vec<(String, Value)> {
    let mut both = old.to_vec();
    for (key, value) in new {
        match both.iter_mut().find(|(known, _)| known == key) {
            Some((_, known)) => match (known, value) {
                (Value::Table(inner), Value::Table(over)) => *inner = merged(inner, over),
                (known, value) => *known = value.clone(),
            },
            None => both.push((key.clone(), value.clone())),
        }
    }
    both
}
