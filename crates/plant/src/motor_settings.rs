//! How a motor and what it drives are built; per unit of its rated apparent power.

use crate::complex::{Complex, J};
use crate::error::PlantError;
use crate::setting::{Reader, Value};

/// A squirrel-cage motor, its load and its contactor.
///
/// The defaults are stated choices in the range of motors of some kilowatts: five times rated current
/// at standstill, a slip of 2.5 % under load, half a second of inertia.
#[derive(Clone, Debug, PartialEq)]
pub struct MotorSettings {
    /// Rated apparent power [VA].
    pub s_va: f64,
    /// Resistance of the stator [pu].
    pub rs_pu: f64,
    /// Leakage reactance of the stator [pu].
    pub xs_pu: f64,
    /// Magnetising reactance [pu].
    pub xm_pu: f64,
    /// Resistance of the rotor [pu].
    pub rr_pu: f64,
    /// Leakage reactance of the rotor [pu].
    pub xr_pu: f64,
    /// Inertia constant of motor and load [s].
    pub inertia_s: f64,
    /// Torque of the load at synchronous speed [pu].
    pub torque_pu: f64,
    /// How much of it goes with the square of the speed, as a fan's does; the rest is constant.
    pub fan_share: f64,
    /// Whether it runs from the beginning.
    pub runs: bool,
    /// Voltage below which its contactor drops out; zero for never [pu].
    pub drop_out_v_pu: f64,
    /// How long the voltage must be below it [s].
    pub drop_out_s: f64,
    /// Voltage from which a contactor that dropped out may close again [pu].
    pub pick_up_v_pu: f64,
    /// How long the voltage must be above it; zero leaves the contactor open [s].
    pub restart_s: f64,
    /// Current above which the protection against stalling counts [pu].
    pub stall_i_pu: f64,
    /// How long it counts until it trips; zero for none [s].
    pub stall_s: f64,
}

impl MotorSettings {
    /// Reads the keys of a motor.
    ///
    /// # Errors
    /// `SettingUnknown`, `SettingMissing`, `SettingWrong`.
    pub fn read(place: &str, table: &[(String, Value)]) -> Result<MotorSettings, PlantError> {
        let mut reader = Reader::new(place, table);
        let r = &mut reader;
        let settings = MotorSettings {
            s_va: r.required("s_va", (1.0, 1e9))?,
            rs_pu: r.number("rs_pu", 0.035, (0.0, 1.0))?,
            xs_pu: r.number("xs_pu", 0.09, (0.005, 1.0))?,
            xm_pu: r.number("xm_pu", 3.0, (0.5, 20.0))?,
            rr_pu: r.number("rr_pu", 0.03, (0.001, 1.0))?,
            xr_pu: r.number("xr_pu", 0.09, (0.005, 1.0))?,
            inertia_s: r.number("inertia_s", 0.5, (0.01, 60.0))?,
            torque_pu: r.number("torque_pu", 0.8, (0.0, 3.0))?,
            fan_share: r.number("fan_share", 1.0, (0.0, 1.0))?,
            runs: r.flag("runs", true)?,
            drop_out_v_pu: r.number("drop_out_v_pu", 0.5, (0.0, 1.0))?,
            drop_out_s: r.number("drop_out_s", 0.05, (0.001, 60.0))?,
            pick_up_v_pu: r.number("pick_up_v_pu", 0.85, (0.0, 1.0))?,
            restart_s: r.number("restart_s", 0.0, (0.0, 3600.0))?,
            stall_i_pu: r.number("stall_i_pu", 2.0, (1.0, 20.0))?,
            stall_s: r.number("stall_s", 10.0, (0.0, 3600.0))?,
        };
        reader.finish()?;
        Ok(settings)
    }

    /// Reactance with the rotor open: what the flux works behind in the end [pu].
    pub fn x_open(&self) -> f64 {
        self.xs_pu + self.xm_pu
    }

    /// Reactance at standstill, and for changes faster than the rotor's flux [pu].
    pub fn x_transient(&self) -> f64 {
        self.xs_pu + self.xm_pu * self.xr_pu / (self.xm_pu + self.xr_pu)
    }

    /// Impedance between the terminals and the voltage that the flux induces [pu].
    pub fn z_transient(&self) -> Complex {
        Complex::new(self.rs_pu, 0.0) + J * self.x_transient()
    }

    /// Time constant of the rotor's flux with the stator open, at `w0` [s].
    pub fn open_circuit_s(&self, w0: f64) -> f64 {
        (self.xm_pu + self.xr_pu) / (w0 * self.rr_pu)
    }
}
