//! What a register write does to a device of the world.

use crate::dc_bus_loss::battery_lost;
use crate::error::{PlantError, checked};
use crate::motor::Motor;
use crate::motor_settings::MotorSettings;
use crate::setting::Value;
use crate::sourced::Phases;
use crate::world::World;

impl World {
    /// Gives or withdraws an inverter's permit to connect.
    ///
    /// # Errors
    /// `DeviceUnknown`, `DeviceKind`.
    pub fn set_connect(&mut self, i: usize, on: bool) -> Result<(), PlantError> {
        let inverter = self.inverter_mut(i)?;
        if !on && inverter.settings.ignores_permit {
            return Ok(());
        }
        inverter.service.permit(on);
        if !on {
            inverter.rest();
        }
        Ok(())
    }

    /// Limits an inverter's active power, both ways; `None` removes the limit [W].
    ///
    /// # Errors
    /// `ValueWrong`, `DeviceUnknown`, `DeviceKind`.
    pub fn set_limit_w(&mut self, i: usize, p_w: Option<f64>) -> Result<(), PlantError> {
        let limit = p_w.map(|w| checked("p_w [W]", w, 0.0, 1e9)).transpose()?;
        self.inverter_mut(i)?.limit_w = limit;
        Ok(())
    }

    /// Sets a storage inverter's power, positive while discharging [W].
    ///
    /// # Errors
    /// `ValueWrong`, `DeviceUnknown`, `DeviceKind`.
    pub fn set_power_w(&mut self, i: usize, p_w: f64) -> Result<(), PlantError> {
        let p_w = checked("p_w [W]", p_w, -1e9, 1e9)?;
        self.storage_mut(i)?.power_w = p_w;
        Ok(())
    }

    /// Sets an inverter's constant reactive power and puts that function into force [var].
    ///
    /// # Errors
    /// `ValueWrong`, `DeviceUnknown`, `DeviceKind`.
    pub fn set_q_var(&mut self, i: usize, q_var: f64) -> Result<(), PlantError> {
        let q_var = checked("q_var [var]", q_var, -1e9, 1e9)?;
        let q_pu = q_var / self.inverter_mut(i)?.settings.s_va;
        let table = [
            (
                "reactive_mode".to_owned(),
                Value::Text("constant".to_owned()),
            ),
            ("constant_q_pu".to_owned(), Value::Number(q_pu)),
            (
                "reactive_reference".to_owned(),
                Value::Text("rating".to_owned()),
            ),
        ];
        self.set_functions(i, &table)
    }

    /// Closes (true) or opens a pack's charge and discharge switches.
    ///
    /// # Errors
    /// `DeviceUnknown`, `DeviceKind`.
    pub fn set_fets(&mut self, i: usize, charge: bool, discharge: bool) -> Result<(), PlantError> {
        if let Some(cut) = self.storage_mut(i)?.pack.set_fets(charge, discharge) {
            let islanded = self.island.is_some();
            battery_lost(
                &mut self.devices[i],
                cut,
                self.time_s,
                islanded,
                &mut self.events,
            );
        }
        Ok(())
    }

    /// Lowers the current limits a pack gives out; `None` leaves its own rule, which always holds
    /// [A].
    ///
    /// # Errors
    /// `ValueWrong`, `DeviceUnknown`, `DeviceKind`.
    pub fn set_pack_limits(
        &mut self,
        i: usize,
        charge_a: Option<f64>,
        discharge_a: Option<f64>,
    ) -> Result<(), PlantError> {
        let check =
            |limit: Option<f64>| limit.map(|a| checked("limit [A]", a, 0.0, 1e6)).transpose();
        let (charge_a, discharge_a) = (check(charge_a)?, check(discharge_a)?);
        self.storage_mut(i)?.pack.set_limits(charge_a, discharge_a);
        Ok(())
    }

    /// Sets the threshold of one of a pack's protections [V, deg C or A].
    ///
    /// # Errors
    /// `ValueWrong`, `DeviceUnknown`, `DeviceKind`.
    pub fn set_protection(&mut self, i: usize, name: &str, trip: f64) -> Result<(), PlantError> {
        self.storage_mut(i)?.pack.set_protection(name, trip)
    }

    /// Tells a pack's manager a state of charge, 0..1; the cells stay as they are.
    ///
    /// # Errors
    /// `ValueWrong`, `DeviceUnknown`, `DeviceKind`.
    pub fn set_counted_soc(&mut self, i: usize, soc: f64) -> Result<(), PlantError> {
        self.storage_mut(i)?.pack.set_counted_soc(soc)
    }

    /// Sets a pack's temperature [deg C].
    ///
    /// # Errors
    /// `ValueWrong`, `DeviceUnknown`, `DeviceKind`.
    pub fn set_pack_temperature(&mut self, i: usize, t_c: f64) -> Result<(), PlantError> {
        self.storage_mut(i)?.pack.set_temperature_c(t_c)
    }

    /// Sets a pack's state of charge, 0..1.
    ///
    /// # Errors
    /// `ValueWrong`, `DeviceUnknown`, `DeviceKind`.
    pub fn set_soc(&mut self, i: usize, soc: f64) -> Result<(), PlantError> {
        self.storage_mut(i)?.pack.set_soc(soc)
    }

    /// Puts a motor beside what a load consumes, in place of one that is there already.
    ///
    /// # Errors
    /// `SettingUnknown`, `SettingMissing`, `SettingWrong` (also for a load that it cannot turn),
    /// `DeviceUnknown`, `DeviceKind`, `PccState` while an island runs.
    pub fn set_motor(&mut self, i: usize, table: &[(String, Value)]) -> Result<(), PlantError> {
        if self.island.is_some() {
            return Err(self.pcc_state("set_motor", "closed"));
        }
        let f_nominal_hz = self.f_nominal_hz;
        let name = self.device(i)?.name.clone();
        let load = self.load_mut(i)?;
        let settings = MotorSettings::read(&name, table)?;
        let (runs, torque_pu) = (settings.runs, settings.torque_pu);
        let motor = Motor::new(settings, f_nominal_hz);
        if load.phases != Phases::Three {
            return Err(PlantError::DeviceKind {
                name,
                needed: "load of three phases, as a motor needs".to_owned(),
            });
        }
        if runs && !motor.runs_up() {
            return Err(PlantError::SettingWrong {
                place: name,
                key: "torque_pu".to_owned(),
                found: torque_pu.to_string(),
                expected: "what the motor can turn at nominal voltage".to_owned(),
            });
        }
        load.motor = Some(Box::new(motor));
        Ok(())
    }

    /// Switches a load's motor on, directly on line, or off.
    ///
    /// # Errors
    /// `DeviceUnknown`, `DeviceKind` for a device without a motor.
    pub fn switch_motor(&mut self, i: usize, on: bool) -> Result<(), PlantError> {
        self.motor(i)?;
        if let Some(motor) = &mut self.load_mut(i)?.motor {
            motor.switch(on);
        }
        Ok(())
    }
}
