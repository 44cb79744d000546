//! What can be seen of the world from outside: a terminal, a pack, the feeder head.

use crate::device::{Kind, Terminal};
use crate::error::PlantError;
use crate::world::World;

/// One terminal at one moment.
#[derive(Clone, Debug)]
pub struct TerminalView {
    /// Voltage [pu].
    pub v_pu: f64,
    /// Frequency; zero on a dead bus [Hz].
    pub f_hz: f64,
    /// Active power into the grid [W].
    pub p_w: f64,
    /// Reactive power into the grid [var].
    pub q_var: f64,
    /// Whether the device energises the grid or draws from it.
    pub connected: bool,
    /// `running`, `throttled`, `starting`, `tripped`, `off`, or `shed` for a load.
    pub status: &'static str,
    /// What tripped it, until it runs again.
    pub trip_cause: Option<String>,
    /// The active power limit as written [W].
    pub limit_w: Option<f64>,
    /// Energy from the grid [mWh].
    pub import_milliwh: u64,
    /// Energy into the grid [mWh].
    pub export_milliwh: u64,
}

/// One motor at one moment.
#[derive(Clone, Debug)]
pub struct MotorView {
    /// Whether its contactor is closed.
    pub closed: bool,
    /// Speed over synchronous speed at nominal frequency.
    pub speed: f64,
    /// Current over its rating [pu].
    pub i_pu: f64,
    /// Active power it takes [W].
    pub p_w: f64,
    /// Reactive power it takes [var].
    pub q_var: f64,
}

/// One pack at one moment.
#[derive(Clone, Debug)]
pub struct PackView {
    /// True state of charge, 0..1.
    pub soc: f64,
    /// State of charge that the manager counted, 0..1.
    pub soc_counted: f64,
    /// Voltage [V].
    pub v_v: f64,
    /// Current, positive while discharging [A].
    pub i_a: f64,
    /// The current as the manager's shunt shows it [A].
    pub i_measured_a: f64,
    /// Cell voltages [mV].
    pub cells_mv: Vec<u32>,
    /// Temperature [deg C].
    pub temperature_c: f64,
    /// Whether the charge switch is closed.
    pub charge_fet: bool,
    /// Whether the discharge switch is closed.
    pub discharge_fet: bool,
    /// Largest charge current accepted now [A].
    pub charge_limit_a: f64,
    /// Largest discharge current given now [A].
    pub discharge_limit_a: f64,
    /// Nameplate charge current [A].
    pub charge_a_max: f64,
    /// Nameplate discharge current [A].
    pub discharge_a_max: f64,
    /// Nominal capacity [Ah].
    pub capacity_ah: f64,
    /// Full cycles so far.
    pub cycles: u64,
    /// The protections that act.
    pub protections: Vec<&'static str>,
    /// Which cells are being bled.
    pub balancing: Vec<bool>,
    /// Name, threshold, delay and release of each protection [V, deg C or A; s].
    pub protection_settings: Vec<(&'static str, f64, f64, f64)>,
    /// Energy in the cells above empty [J].
    pub stored_j: f64,
    /// Heat made since the beginning [J].
    pub heat_j: f64,
}

fn plain(terminal: &Terminal) -> TerminalView {
    TerminalView {
        v_pu: terminal.v_pu,
        f_hz: terminal.f_hz,
        p_w: terminal.p_w,
        q_var: terminal.q_var,
        connected: true,
        status: "running",
        trip_cause: None,
        limit_w: None,
        import_milliwh: terminal.register.import_milliwh(),
        export_milliwh: terminal.register.export_milliwh(),
    }
}

impl World {
    /// The terminal of a device.
    ///
    /// # Errors
    /// `DeviceUnknown`.
    pub fn terminal(&self, i: usize) -> Result<TerminalView, PlantError> {
        let device = self.device(i)?;
        let mut view = plain(&device.terminal);
        match &device.kind {
            Kind::Load(load) => {
                view.connected = !load.shed;
                view.status = if load.shed { "shed" } else { "running" };
            }
            Kind::Inverter(inverter) => {
                view.connected = inverter.service.running();
                view.status = inverter.status();
                view.trip_cause = inverter.service.cause().map(str::to_owned);
                view.limit_w = inverter.limit_w;
            }
        }
        Ok(view)
    }

    /// The motor of a load.
    ///
    /// # Errors
    /// `DeviceUnknown`, `DeviceKind` for a device without a motor.
    pub fn motor(&self, i: usize) -> Result<MotorView, PlantError> {
        let device = self.device(i)?;
        let motor = device.motor().ok_or_else(|| PlantError::DeviceKind {
            name: device.name.clone(),
            needed: "load with a motor".to_owned(),
        })?;
        let v = motor.facing(device.terminal.v_pu);
        let power = motor.power(v) * motor.settings.s_va;
        Ok(MotorView {
            closed: motor.closed(),
            speed: motor.speed,
            i_pu: motor.current(v).abs(),
            p_w: power.re,
            q_var: power.im,
        })
    }

    /// The feeder head: positive power flows from the grid into the feeder, so its export register
    /// counts what the grid delivered.
    pub fn head(&self) -> TerminalView {
        TerminalView {
            connected: self.pcc_closed(),
            ..plain(&self.head)
        }
    }

    /// The pack of a storage.
    ///
    /// # Errors
    /// `DeviceUnknown`, `DeviceKind`.
    pub fn pack(&self, i: usize) -> Result<PackView, PlantError> {
        let pack = &self.storage(i)?.pack;
        let (charge_fet, discharge_fet) = pack.fets();
        let (charge_limit_a, discharge_limit_a) = pack.limits_a();
        Ok(PackView {
            soc: pack.soc(),
            soc_counted: pack.counted_soc(),
            v_v: pack.v_v(),
            i_a: pack.i_a(),
            i_measured_a: pack.measured_a(),
            cells_mv: pack
                .cells_v()
                .map(|v| (v * 1000.0).round() as u32)
                .collect(),
            temperature_c: pack.temperature_c(),
            charge_fet,
            discharge_fet,
            charge_limit_a,
            discharge_limit_a,
            charge_a_max: pack.a_max().0,
            discharge_a_max: pack.a_max().1,
            capacity_ah: pack.capacity_ah(),
            cycles: pack.cycles(),
            protections: pack.protections(),
            balancing: pack.balancing(),
            protection_settings: pack
                .protection_settings()
                .into_iter()
                .map(|set| (set.name, set.trip, set.delay_s, set.release))
                .collect(),
            stored_j: pack.stored_j(),
            heat_j: pack.heat_j(),
        })
    }
}
