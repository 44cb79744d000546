//! The physical world: a terminal per device, the feeder head, and the PCC that joins them.
//!
//! Invariants: the index of a device is the order of adding; registers never fall; one call moves
//! time by exactly its `dt`. Ordering of a quasi-static tick: `held`, solve the feeder, `impose`,
//! `set_head`, `integrate`, `advance`. Ordering of an island tick: `island_tick`, `held` (the means
//! over it), solve, `impose`, `override_power`, `integrate`. Behind a source: `sourced`.

use crate::buses::Buses;
use crate::device::{Device, Kind, Load, Terminal};
use crate::error::{PlantError, checked};
use crate::event::Event;
use crate::inverter::{Feed, Inverter, Place, Storage};
use crate::island::Island;
use crate::island_settings::IslandSettings;
use crate::resonant::Circuit;
use crate::setting::{Reader, Value};
use crate::shedding::Shedding;
use crate::sourced::{PHASES, Phases, Sourced};

/// Powers beyond this are a mistake of units [W].
const POWER_MAX: f64 = 1e9;

/// Everything physical.
#[derive(Clone, Debug)]
pub struct World {
    pub(crate) f_nominal_hz: f64,
    pub(crate) s_base_va: f64,
    pub(crate) seed: u64,
    /// Time since the run began, moved by `advance` and `island_tick` [s].
    pub(crate) time_s: f64,
    pub(crate) devices: Vec<Device>,
    pub(crate) head: Terminal,
    pub(crate) island: Option<Island>,
    pub(crate) island_settings: IslandSettings,
    pub(crate) rlc: Option<Circuit>,
    pub(crate) sourced: Option<Sourced>,
    pub(crate) buses: Option<Buses>,
    pub(crate) shedding: Shedding,
    pub(crate) events: Vec<Event>,
    /// Whether the terminals hold the means of an island tick that is not integrated yet.
    pub(crate) means_held: bool,
}

impl World {
    /// An empty world.
    ///
    /// # Errors
    /// `ValueWrong` for a nominal frequency or base that is none.
    pub fn new(f_nominal_hz: f64, s_base_va: f64, seed: u64) -> Result<World, PlantError> {
        let f_nominal_hz = checked("f_nominal_hz", f_nominal_hz, 10.0, 100.0)?;
        Ok(World {
            f_nominal_hz,
            s_base_va: checked("s_base_va", s_base_va, 1.0, POWER_MAX)?,
            seed,
            time_s: 0.0,
            devices: Vec::new(),
            head: Terminal::new(f_nominal_hz),
            island: None,
            island_settings: IslandSettings::read(&[], f_nominal_hz)?,
            rlc: None,
            sourced: None,
            buses: None,
            shedding: Shedding::default(),
            events: Vec::new(),
            means_held: false,
        })
    }

    /// Adds a load that consumes nothing yet.
    ///
    /// # Errors
    /// `NameRepeated`, `PccState` while an island runs.
    pub fn add_load(&mut self, name: &str) -> Result<usize, PlantError> {
        self.add(name, Kind::Load(Load::default()))
    }

    /// Adds a photovoltaic inverter.
    ///
    /// # Errors
    /// `SettingUnknown`, `SettingWrong`, `SettingMissing`, `NameRepeated`, `PccState`.
    pub fn add_pv(&mut self, name: &str, table: &[(String, Value)]) -> Result<usize, PlantError> {
        let inverter = Inverter::pv(name, table, self.f_nominal_hz, self.next_place())?;
        self.add(name, Kind::Inverter(Box::new(inverter)))
    }

    /// Adds a storage inverter with its pack.
    ///
    /// # Errors
    /// As `add_pv`.
    pub fn add_storage(
        &mut self,
        name: &str,
        table: &[(String, Value)],
    ) -> Result<usize, PlantError> {
        let inverter = Inverter::storage(name, table, self.f_nominal_hz, self.next_place())?;
        self.add(name, Kind::Inverter(Box::new(inverter)))
    }

    fn next_place(&self) -> Place {
        Place {
            seed: self.seed,
            device: self.devices.len(),
        }
    }

    fn add(&mut self, name: &str, kind: Kind) -> Result<usize, PlantError> {
        if self.island.is_some() {
            return Err(self.pcc_state("adding a device", "closed"));
        }
        if self.devices.iter().any(|device| device.name == name) {
            return Err(PlantError::NameRepeated {
                name: name.to_owned(),
            });
        }
        let terminal = Terminal::new(self.f_nominal_hz);
        self.devices.push(Device {
            name: name.to_owned(),
            kind,
            terminal,
        });
        Ok(self.devices.len() - 1)
    }

    /// Sets how an island is controlled, judged, shed and joined again.
    ///
    /// # Errors
    /// `SettingUnknown`, `SettingWrong`.
    pub fn set_island(&mut self, table: &[(String, Value)]) -> Result<(), PlantError> {
        self.island_settings = IslandSettings::read(table, self.f_nominal_hz)?;
        Ok(())
    }

    /// Puts a test load at the PCC that is there while it is open: `p_w` in the resistance, quality
    /// factor `qf`, the capacitance scaled by `c_scale` from resonance at nominal. `p_w` zero takes
    /// it away.
    ///
    /// # Errors
    /// `ValueWrong`.
    pub fn set_rlc(&mut self, p_w: f64, qf: f64, c_scale: f64) -> Result<(), PlantError> {
        let g = checked("p_w [W]", p_w, 0.0, POWER_MAX)? / self.s_base_va;
        let b = checked("qf", qf, 0.0, 100.0)? * g;
        let b_c = b * checked("c_scale", c_scale, 0.0, 10.0)?;
        self.rlc = (g > 0.0).then_some(Circuit { g, b_l: b, b_c });
        Ok(())
    }

    /// Sets the network between the devices for the islands that follow; `None` for one bus.
    ///
    /// # Errors
    /// `LengthWrong` if it does not know the bus of every device, `PccState` while an island runs.
    pub fn set_network(&mut self, buses: Option<Buses>) -> Result<(), PlantError> {
        if self.island.is_some() {
            return Err(self.pcc_state("set_network", "closed"));
        }
        if let Some(buses) = &buses {
            buses.check_devices(self.devices.len())?;
        }
        self.buses = buses;
        Ok(())
    }

    /// Connects a load to one phase, `a`, `b` or `c`, or to all, `abc`.
    ///
    /// # Errors
    /// `SettingWrong`, `DeviceUnknown`, `DeviceKind` (also for one phase of a load with a motor),
    /// `PccState` while an island runs.
    pub fn set_load_phases(&mut self, i: usize, word: &str) -> Result<(), PlantError> {
        if self.island.is_some() {
            return Err(self.pcc_state("set_load_phases", "closed"));
        }
        let name = self.device(i)?.name.clone();
        let table = [("phases".to_owned(), Value::Text(word.to_owned()))];
        let phases = Phases::of_word(Reader::new(&name, &table).word("phases", &PHASES)?);
        let load = self.load_mut(i)?;
        if load.motor.is_some() && phases != Phases::Three {
            return Err(wrong_kind(
                &name,
                "load without a motor, which needs three phases",
            ));
        }
        load.phases = phases;
        Ok(())
    }

    /// Sets what a load consumes at its present voltage, from now on [W, var].
    ///
    /// # Errors
    /// `ValueWrong`, `DeviceUnknown`, `DeviceKind`.
    pub fn set_load(&mut self, i: usize, p_w: f64, q_var: f64) -> Result<(), PlantError> {
        let p_w = checked("p_w [W]", p_w, 0.0, POWER_MAX)?;
        let q_var = checked("q_var [var]", q_var, -POWER_MAX, POWER_MAX)?;
        let load = self.load_mut(i)?;
        (load.p_w, load.q_var) = (p_w, q_var);
        Ok(())
    }

    /// Sets what the sun gives a photovoltaic inverter [W].
    ///
    /// # Errors
    /// `ValueWrong`, `DeviceUnknown`, `DeviceKind`.
    pub fn set_available(&mut self, i: usize, p_w: f64) -> Result<(), PlantError> {
        let p_w = checked("p_w [W]", p_w, 0.0, POWER_MAX)?;
        let name = self.device(i)?.name.clone();
        match &mut self.inverter_mut(i)?.feed {
            Feed::Sun(available_w) => *available_w = p_w,
            Feed::Storage(_) => return Err(wrong_kind(&name, "photovoltaic inverter")),
        }
        Ok(())
    }

    /// Says which loads may be shed: (device, stage); stage 1 goes first. Others are never shed.
    ///
    /// # Errors
    /// `DeviceUnknown`, `DeviceKind`; nothing changes then.
    pub fn set_shed_plan(&mut self, plan: &[(usize, u32)]) -> Result<(), PlantError> {
        for (i, _) in plan {
            self.load_mut(*i)?;
        }
        for device in &mut self.devices {
            if let Kind::Load(load) = &mut device.kind {
                load.stage = None;
            }
        }
        for (i, stage) in plan {
            self.load_mut(*i)?.stage = Some(*stage);
        }
        Ok(())
    }

    /// Nominal frequency [Hz].
    pub fn f_nominal_hz(&self) -> f64 {
        self.f_nominal_hz
    }

    /// The number of devices.
    pub fn len(&self) -> usize {
        self.devices.len()
    }

    /// Whether there is no device yet.
    pub fn is_empty(&self) -> bool {
        self.devices.is_empty()
    }

    /// The device of an index.
    ///
    /// # Errors
    /// `DeviceUnknown`.
    pub fn device(&self, i: usize) -> Result<&Device, PlantError> {
        let count = self.devices.len();
        self.devices
            .get(i)
            .ok_or(PlantError::DeviceUnknown { index: i, count })
    }

    fn device_mut(&mut self, i: usize) -> Result<&mut Device, PlantError> {
        let count = self.devices.len();
        self.devices
            .get_mut(i)
            .ok_or(PlantError::DeviceUnknown { index: i, count })
    }

    pub(crate) fn load_mut(&mut self, i: usize) -> Result<&mut Load, PlantError> {
        let device = self.device_mut(i)?;
        match &mut device.kind {
            Kind::Load(load) => Ok(load),
            Kind::Inverter(_) => Err(wrong_kind(&device.name, "load")),
        }
    }

    /// The inverter of an index.
    ///
    /// # Errors
    /// `DeviceUnknown`, `DeviceKind`.
    pub fn inverter_mut(&mut self, i: usize) -> Result<&mut Inverter, PlantError> {
        let device = self.device_mut(i)?;
        match &mut device.kind {
            Kind::Inverter(inverter) => Ok(inverter),
            Kind::Load(_) => Err(wrong_kind(&device.name, "inverter")),
        }
    }

    /// The storage of an index.
    ///
    /// # Errors
    /// `DeviceUnknown`, `DeviceKind`.
    pub fn storage(&self, i: usize) -> Result<&Storage, PlantError> {
        let device = self.device(i)?;
        device
            .inverter()
            .and_then(Inverter::as_storage)
            .ok_or_else(|| wrong_kind(&device.name, "storage"))
    }

    /// The storage of an index, to change it.
    ///
    /// # Errors
    /// `DeviceUnknown`, `DeviceKind`.
    pub fn storage_mut(&mut self, i: usize) -> Result<&mut Storage, PlantError> {
        let name = self.device(i)?.name.clone();
        let storage = self.inverter_mut(i)?.as_storage_mut();
        storage.ok_or_else(|| wrong_kind(&name, "storage"))
    }

    pub(crate) fn pcc_state(&self, call: &str, needed: &str) -> PlantError {
        PlantError::PccState {
            call: call.to_owned(),
            needed: needed.to_owned(),
        }
    }
}

fn wrong_kind(name: &str, needed: &str) -> PlantError {
    PlantError::DeviceKind {
        name: name.to_owned(),
        needed: needed.to_owned(),
    }
}
