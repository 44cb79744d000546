//! What stands at a terminal, and the terminal itself.

use crate::inverter::Inverter;
use crate::register::Register;

/// Below this voltage a bus is dead [pu].
pub const DEAD_PU: f64 = 0.05;

/// Voltage and frequency imposed on a connection point, power it gives, energy it counted.
#[derive(Clone, Debug)]
pub struct Terminal {
    /// Voltage [pu].
    pub v_pu: f64,
    /// Frequency; zero on a dead bus [Hz].
    pub f_hz: f64,
    /// Active power into the grid [W].
    pub p_w: f64,
    /// Reactive power into the grid [var].
    pub q_var: f64,
    /// Energy counted so far.
    pub register: Register,
    /// Whether a source has moved its device over the present tick.
    pub behind_source: bool,
}

impl Terminal {
    /// An energised terminal that gives nothing.
    pub fn new(f_hz: f64) -> Terminal {
        Terminal {
            v_pu: 1.0,
            f_hz,
            p_w: 0.0,
            q_var: 0.0,
            register: Register::default(),
            behind_source: false,
        }
    }

    /// Whether its bus is dead.
    pub fn dead(&self) -> bool {
        self.v_pu < DEAD_PU
    }
}

/// A load: what it consumes at nominal voltage, and whether it may be and has been shed.
#[derive(Clone, Debug, Default)]
pub struct Load {
    /// Active power it consumes [W].
    pub p_w: f64,
    /// Reactive power it consumes [var].
    pub q_var: f64,
    /// Its stage in the shed plan; the lowest stage is shed first.
    pub stage: Option<u32>,
    /// Whether it is shed now.
    pub shed: bool,
}

/// What a device is.
#[derive(Clone, Debug)]
pub enum Kind {
    /// It consumes what a profile says.
    Load(Load),
    /// An inverter.
    Inverter(Box<Inverter>),
}

/// One device.
#[derive(Clone, Debug)]
pub struct Device {
    /// Its name.
    pub name: String,
    /// What it is.
    pub kind: Kind,
    /// Where it is connected.
    pub terminal: Terminal,
}

impl Device {
    /// The load it is, unless it is none or shed.
    pub fn fed_load(&self) -> Option<&Load> {
        match &self.kind {
            Kind::Load(load) if !load.shed => Some(load),
            _ => None,
        }
    }

    /// The inverter it is, if it is one.
    pub fn inverter(&self) -> Option<&Inverter> {
        match &self.kind {
            Kind::Inverter(inverter) => Some(inverter),
            Kind::Load(_) => None,
        }
    }

    /// The inverter it is, to change it.
    pub fn inverter_mut(&mut self) -> Option<&mut Inverter> {
        match &mut self.kind {
            Kind::Inverter(inverter) => Some(inverter),
            Kind::Load(_) => None,
        }
    }
}
