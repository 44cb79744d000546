//! What stands at a terminal, and the terminal itself.

use crate::complex::Complex;
use crate::inverter::Inverter;
use crate::motor::Motor;
use crate::register::Register;
use crate::sourced::Phases;

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

/// A load: what it consumes at nominal voltage, its motor, and whether it may be and has been shed.
#[derive(Clone, Debug, Default)]
pub struct Load {
    /// Active power it consumes [W].
    pub p_w: f64,
    /// Reactive power it consumes [var].
    pub q_var: f64,
    /// The phases it is connected to.
    pub phases: Phases,
    /// A motor beside that.
    pub motor: Option<Box<Motor>>,
    /// Its stage in the shed plan; the lowest stage is shed first.
    pub stage: Option<u32>,
    /// Whether it is shed now.
    pub shed: bool,
}

impl Load {
    /// What it consumes at `v_pu`, beside a voltage of angle zero; a motor as it turns [W, var].
    pub fn consumes(&self, v_pu: f64) -> (f64, f64) {
        if self.shed {
            return (0.0, 0.0);
        }
        let motor = self.motor.as_ref().map_or(Complex::ZERO, |motor| {
            motor.power(motor.facing(v_pu)) * motor.settings.s_va
        });
        (self.p_w + motor.re, self.q_var + motor.im)
    }

    /// What it will take to feed it again [W].
    pub fn demand_w(&self) -> f64 {
        let motor = self.motor.as_ref().filter(|motor| motor.wanted());
        self.p_w + motor.map_or(0.0, |m| m.settings.torque_pu * m.settings.s_va)
    }

    /// Cuts it from its feeder.
    pub fn cut(&mut self) {
        self.shed = true;
        if let Some(motor) = &mut self.motor {
            motor.lose_supply();
        }
    }
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

    /// The phases it is connected to.
    pub fn phases(&self) -> Phases {
        match &self.kind {
            Kind::Load(load) => load.phases,
            Kind::Inverter(inverter) => inverter.settings.phases,
        }
    }

    /// Whether it is a load with a stage in the shed plan.
    pub fn may_be_shed(&self) -> bool {
        matches!(&self.kind, Kind::Load(load) if load.stage.is_some())
    }

    /// The motor of the load it is.
    pub fn motor(&self) -> Option<&Motor> {
        match &self.kind {
            Kind::Load(load) => load.motor.as_deref(),
            Kind::Inverter(_) => None,
        }
    }

    /// The motor of the load it is, to change it, and whether the load is fed.
    pub fn motor_mut(&mut self) -> Option<(&mut Motor, bool)> {
        match &mut self.kind {
            Kind::Load(load) => Some((load.motor.as_deref_mut()?, !load.shed)),
            Kind::Inverter(_) => None,
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
