//! An island from the moment the PCC opens: its states and how they begin.
//!
//! One bus, or those of a network. With a grid former it is algebraic (sources behind reactances,
//! loads of constant power); with none it is one resonant circuit (loads of constant impedance) that lives or dies by
//! what the grid-following inverters feed into it. Invariants: device order decides every loop;
//! nothing here reads a clock; `step` has one length for a whole tick. Known gaps: one voltage for
//! all devices while no former holds it, one bus in positive sequence while no former
//! holds it, no saturation of transformers.

use crate::bus::{Delivered, Stages};
use crate::buses::Buses;
use crate::complex::Complex;
use crate::device::Device;
use crate::feeder_step::Feeder;
use crate::follower::Follower;
use crate::former_settings::FormerSettings;
use crate::grid_following::GridFollowing;
use crate::grid_forming::GridForming;
use crate::instrument::{FormedWatch, Instrument};
use crate::inverter::Inverter;
use crate::inverter_settings::InverterSettings;
use crate::island_motors::Turning;
use crate::island_settings::IslandSettings;
use crate::island_step::Currents;
use crate::lag::Lag;
use crate::phase_meter::PhaseMeter;
use crate::resonant::{Circuit, Resonant};
use crate::seed::spread;
use crate::synchroniser::Synchroniser;
use std::f64::consts::TAU;

/// A loop starts this far off at most, so that an exactly balanced island is not a balanced needle
/// [Hz].
const NOISE_HZ: f64 = 1e-4;

/// Outside of this range loads are constant impedances [pu].
pub const CONSTANT_POWER_PU: (f64, f64) = (0.8, 1.1);

/// What the island is told from outside for a tick.
#[derive(Clone, Copy, Debug)]
pub struct Outside {
    /// Losses of the feeder [W].
    pub losses_w: f64,
    /// Voltage beyond the open switch [pu].
    pub grid_v_pu: f64,
    /// Frequency beyond the open switch [Hz].
    pub grid_f_hz: f64,
}

/// The states of an island.
#[derive(Clone, Debug)]
pub struct Island {
    /// Its settings.
    pub settings: IslandSettings,
    /// Nominal frequency [Hz].
    pub f_nominal_hz: f64,
    /// Nominal angular frequency [rad/s].
    pub w0: f64,
    /// System base [VA].
    pub s_base_va: f64,
    /// When the PCC opened [s].
    pub opened_s: f64,
    /// Bus voltage at the end of the last step, in the frame of nominal frequency [pu].
    pub v: Complex,
    /// Its magnitude [pu].
    pub magnitude: f64,
    /// Voltage the loads have adapted to [pu].
    pub v_load: f64,
    /// How fast they adapt.
    pub load_lag: Lag,
    /// The buses, where there is more than one.
    pub feeder: Option<Box<Feeder>>,
    /// What inverters measure, one for each kind on each bus or phase.
    pub meters: Vec<PhaseMeter>,
    /// Grid-following inverters.
    pub followers: Vec<Follower>,
    /// What they drove in the last step.
    pub currents: Currents,
    /// The devices that are loads.
    pub loads: Vec<usize>,
    /// Their motors.
    pub motors: Vec<Turning>,
    /// What all fed loads consume at nominal voltage, until one is shed or restored [W, var].
    pub load: Option<Complex>,
    /// Power of each device into the grid in the last step [W, var].
    pub power: Vec<Complex>,
    /// What each grid former gave in the last step.
    pub delivered: Vec<Delivered>,
    /// Room for the stages of a step.
    pub stages: Stages,
    /// Grid formers that gave up since the last step: their power is nothing from now on.
    pub retired: Vec<usize>,
    /// Grid formers that still work.
    pub formers: Vec<GridForming>,
    /// The resonant bus, while no former holds it.
    pub resonant: Option<Resonant>,
    /// A test load of resistance, inductance and capacitance.
    pub rlc: Option<Circuit>,
    /// Capacitance of the inverters' filters [pu].
    pub filter_b: f64,
    /// What an instrument at the bus sees.
    pub instrument: Instrument,
    /// Whether anybody looks at it.
    pub observed: bool,
    /// Whether the island is formed.
    pub formed: FormedWatch,
    /// Angle of the grid beyond the switch [rad].
    pub grid_angle: f64,
    /// A request to close.
    pub synchroniser: Option<Synchroniser>,
    /// Whether the switch is closed again.
    pub attached: bool,
    /// Whether the bus has lost its voltage.
    pub dead: bool,
    /// How long the voltage has been gone [s].
    pub dark_s: f64,
}

/// What an island begins with.
pub struct Opening {
    /// When [s].
    pub t_s: f64,
    /// Voltage of the bus [pu].
    pub v_pu: f64,
    /// Frequency of the bus [Hz].
    pub f_hz: f64,
    /// The test load.
    pub rlc: Option<Circuit>,
    /// The network, where there is one.
    pub buses: Option<Buses>,
    /// Seed of the loops' first errors.
    pub seed: u64,
}

impl Island {
    /// Opens the PCC: every device goes on from what it gave in the moment before.
    pub fn open(
        opening: &Opening,
        settings: &IslandSettings,
        (f_nominal_hz, s_base_va): (f64, f64),
        devices: &mut [Device],
    ) -> Island {
        let v = Complex::new(opening.v_pu, 0.0);
        let mut island = Island {
            settings: settings.clone(),
            f_nominal_hz,
            w0: TAU * f_nominal_hz,
            s_base_va,
            opened_s: opening.t_s,
            v,
            magnitude: opening.v_pu,
            v_load: opening.v_pu,
            load_lag: Lag::new(settings.load_lag_s),
            feeder: Feeder::start(opening.buses.as_ref(), devices, opening.v_pu, s_base_va)
                .map(Box::new),
            meters: Vec::new(),
            followers: Vec::new(),
            currents: Currents::default(),
            loads: Vec::new(),
            motors: Vec::new(),
            load: None,
            power: Vec::new(),
            delivered: Vec::new(),
            stages: Stages::default(),
            retired: Vec::new(),
            formers: Vec::new(),
            resonant: None,
            rlc: opening.rlc,
            filter_b: 0.0,
            instrument: Instrument::new(f_nominal_hz, v, opening.f_hz),
            observed: true,
            formed: FormedWatch::new(),
            grid_angle: 0.0,
            synchroniser: None,
            attached: false,
            dead: false,
            dark_s: 0.0,
        };
        for (i, device) in devices.iter_mut().enumerate() {
            let v = island.v_at(i);
            if let Some((motor, _)) = device.motor_mut() {
                motor.face(v);
                let ratio = motor.settings.s_va / s_base_va;
                island.motors.push(Turning::new(i, ratio));
            }
            match device.inverter() {
                Some(inverter) => island.join(i, device, inverter, opening),
                None => island.loads.push(i),
            }
        }
        island
    }

    fn join(&mut self, i: usize, device: &Device, inverter: &Inverter, opening: &Opening) {
        let power =
            Complex::new(device.terminal.p_w, device.terminal.q_var) * (1.0 / self.s_base_va);
        let frequencies = (self.f_nominal_hz, opening.f_hz);
        let settings = &inverter.settings;
        match inverter.former() {
            Some(former) if inverter.service.running() => {
                self.formers
                    .push(self.former(i, inverter, former, power, opening.f_hz));
            }
            Some(_) => {}
            None => {
                self.filter_b += self.settings.filter_b_pu * settings.s_va / self.s_base_va;
                let noise = NOISE_HZ * spread(opening.seed, i as u64, u64::MAX);
                let meter = self.meter_for(i, settings);
                let seen = &self.meters[meter].meter.seen;
                let fast =
                    GridFollowing::new(settings, self.s_base_va, frequencies, seen, power, noise);
                let device = i;
                self.followers.push(Follower {
                    device,
                    meter,
                    fast,
                });
            }
        }
    }

    /// The voltage at a device [pu].
    pub fn v_at(&self, device: usize) -> Complex {
        let feeder = self.feeder.as_ref();
        feeder.map_or(self.v, |feeder| feeder.v_at(device))
    }

    fn meter_for(&mut self, device: usize, settings: &InverterSettings) -> usize {
        let feeder = self.feeder.as_deref();
        let place = (feeder.map_or(0, |f| f.buses.of(device)), settings.phases);
        let known = self
            .meters
            .iter()
            .position(|one| one.serves(place, settings));
        if let Some(known) = known {
            return known;
        }
        let by_phase = feeder.filter(|feeder| feeder.by_phase);
        let nodes = by_phase.map(|feeder| (&feeder.legs[device], &feeder.v[..]));
        let meter = PhaseMeter::new(place, device, settings, self.v_at(device), nodes);
        self.meters.push(meter);
        self.meters.len() - 1
    }

    fn former(
        &self,
        i: usize,
        inverter: &Inverter,
        former: &FormerSettings,
        power: Complex,
        f_hz: f64,
    ) -> GridForming {
        GridForming::new(
            i,
            former,
            (inverter.settings.s_va, inverter.settings.i_max_pu),
            self.s_base_va,
            (self.f_nominal_hz, f_hz),
            (self.v_at(i), power),
        )
    }

    /// Lets grid formers that were permitted on a bus without voltage raise it.
    pub fn start_cold(&mut self, devices: &mut [Device]) {
        if !self.dead || self.attached {
            return;
        }
        for (i, device) in devices.iter_mut().enumerate() {
            let Some(inverter) = device.inverter_mut() else {
                continue;
            };
            let rating = (inverter.settings.s_va, inverter.settings.i_max_pu);
            let able = inverter.former().filter(|former| former.black_start);
            let Some(former) = able.cloned() else {
                continue;
            };
            if inverter.service.start_cold() {
                let (base, f_hz) = (self.s_base_va, self.f_nominal_hz);
                self.formers
                    .push(GridForming::cold(i, &former, rating, base, f_hz));
            }
        }
    }

    /// Reads what each grid former may give, from its rating, its limit and its pack; one whose
    /// permit was withdrawn no longer forms the grid.
    pub fn read_room(&mut self, devices: &[Device]) {
        self.load = None;
        let retired = &mut self.retired;
        self.formers.retain(|former| {
            let inverter = devices[former.device].inverter();
            let runs = inverter.is_some_and(|inverter| inverter.service.running());
            if !runs {
                retired.push(former.device);
            }
            runs
        });
        for former in &mut self.formers {
            let Some(inverter) = devices[former.device].inverter() else {
                continue;
            };
            let room = inverter.room();
            let s_va = inverter.settings.s_va;
            let (low_w, high_w) = room.limited();
            former.room = (low_w.min(0.0) / s_va, high_w.max(0.0) / s_va);
            if let Some(storage) = inverter.as_storage() {
                former.fets = storage.pack.fets();
            }
        }
    }

    /// What the grid formers could give beside what they give, less the margin [W].
    pub fn reserve_w(&self) -> f64 {
        let margin = self.settings.shedding.restore_margin_pu;
        self.formers
            .iter()
            .map(|f| (f.room.1 - f.p_seen - margin) * f.ratio * self.s_base_va)
            .sum::<f64>()
    }

    /// The state's name.
    pub fn state(&self) -> &'static str {
        if self.attached {
            "closed"
        } else if self.synchroniser.is_some() {
            "synchronising"
        } else if self.dead {
            "dead"
        } else {
            "island"
        }
    }
}
