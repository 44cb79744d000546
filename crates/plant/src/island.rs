//! An island from the moment the PCC opens: its states and how they begin.
//!
//! One bus. With a grid former the bus is algebraic (sources behind reactances, loads of constant
//! power); with none it is a resonant circuit (loads of constant impedance) that lives or dies by
//! what the grid-following inverters feed into it. Invariants: device order decides every loop;
//! nothing here reads a clock; `step` has one length for a whole tick. Known gaps: one voltage for
//! all devices, positive sequence only, no saturation of transformers, no motor loads.

use crate::complex::Complex;
use crate::device::Device;
use crate::follower::Follower;
use crate::former_settings::FormerSettings;
use crate::grid_following::GridFollowing;
use crate::grid_forming::GridForming;
use crate::instrument::{FormedWatch, Instrument};
use crate::inverter::Inverter;
use crate::island_settings::IslandSettings;
use crate::lag::Lag;
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
    /// Voltage the loads have adapted to [pu].
    pub v_load: f64,
    /// How fast they adapt.
    pub load_lag: Lag,
    /// Grid-following inverters.
    pub followers: Vec<Follower>,
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
    /// Seed of the loops' first errors.
    pub seed: u64,
}

impl Island {
    /// Opens the PCC: every device goes on from what it gave in the moment before.
    pub fn open(
        opening: &Opening,
        settings: &IslandSettings,
        (f_nominal_hz, s_base_va): (f64, f64),
        devices: &[Device],
    ) -> Island {
        let v = Complex::new(opening.v_pu, 0.0);
        let mut island = Island {
            settings: settings.clone(),
            f_nominal_hz,
            w0: TAU * f_nominal_hz,
            s_base_va,
            opened_s: opening.t_s,
            v,
            v_load: opening.v_pu,
            load_lag: Lag::new(settings.load_lag_s),
            followers: Vec::new(),
            formers: Vec::new(),
            resonant: None,
            rlc: opening.rlc,
            filter_b: 0.0,
            instrument: Instrument::new(f_nominal_hz, v, opening.f_hz),
            formed: FormedWatch::new(),
            grid_angle: 0.0,
            synchroniser: None,
            attached: false,
            dead: false,
            dark_s: 0.0,
        };
        for (i, device) in devices.iter().enumerate() {
            if let Some(inverter) = device.inverter() {
                island.join(i, device, inverter, opening);
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
                let fast =
                    GridFollowing::new(settings, self.s_base_va, frequencies, self.v, power, noise);
                self.followers.push(Follower { device: i, fast });
            }
        }
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
            (self.v, power),
        )
    }

    /// Reads what each grid former may give, from its rating, its limit and its pack; one whose
    /// permit was withdrawn no longer forms the grid.
    pub fn read_room(&mut self, devices: &[Device]) {
        self.formers.retain(|former| {
            devices[former.device]
                .inverter()
                .is_some_and(|inverter| inverter.service.running())
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
