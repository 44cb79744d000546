//! An inverter, photovoltaic or storage: its controls, its service state and its slow power.

use crate::active_power::{ActivePower, Room};
use crate::dc_bus::DcBus;
use crate::detector::FrequencyShift;
use crate::error::PlantError;
use crate::former_settings::FormerSettings;
use crate::inverter_settings::InverterSettings;
use crate::pack::Pack;
use crate::relays::Relays;
use crate::service::{Service, Standing};
use crate::setting::{Reader, Value};

/// What feeds the inverter.
#[derive(Clone, Debug)]
pub enum Feed {
    /// A photovoltaic field and what the sun gives now [W].
    Sun(f64),
    /// A battery.
    Storage(Box<Storage>),
}

/// The battery side of a storage inverter.
#[derive(Clone, Debug)]
pub struct Storage {
    /// The pack.
    pub pack: Pack,
    /// The DC bus between the pack and the inverter.
    pub dc_bus: DcBus,
    /// One-way efficiency of the inverter, 0..1.
    pub efficiency: f64,
    /// Whether the inverter keeps inside the limits its pack gives out.
    pub obeys_pack: bool,
    /// Set, if it forms the grid when islanded.
    pub former: Option<FormerSettings>,
    /// Set-point, positive while discharging [W].
    pub power_w: f64,
}

impl Storage {
    /// Power at the terminal that the pack allows, lowest and highest [W].
    pub fn pack_room_w(&self) -> (f64, f64) {
        let (low, high) = self.pack.room_w();
        (low / self.efficiency, high * self.efficiency)
    }

    /// Power at the cells for `p_w` at the terminal [W].
    pub fn cells_w(&self, p_w: f64) -> f64 {
        if p_w >= 0.0 {
            p_w / self.efficiency
        } else {
            p_w * self.efficiency
        }
    }
}

/// One inverter.
#[derive(Clone, Debug)]
pub struct Inverter {
    /// How it is built and set.
    pub settings: InverterSettings,
    /// What feeds it.
    pub feed: Feed,
    /// Whether it is in service.
    pub service: Service,
    /// Its relays.
    pub relays: Relays,
    /// Its island detector.
    pub detector: Option<FrequencyShift>,
    /// Its active power over time.
    pub power: ActivePower,
    /// Limit of active power [W].
    pub limit_w: Option<f64>,
    /// Reactive power set-point [var].
    pub q_var: f64,
    /// A trip that acts late: its cause and the time left [s].
    pending: Option<(String, f64)>,
    /// Whether the present throttling has been told.
    pub throttling_told: bool,
}

impl Inverter {
    /// A photovoltaic inverter.
    ///
    /// # Errors
    /// For a setting that is unknown, missing or wrong.
    pub fn pv(
        name: &str,
        table: &[(String, Value)],
        f_nominal_hz: f64,
    ) -> Result<Inverter, PlantError> {
        let mut reader = Reader::new(name, table);
        let settings = InverterSettings::read(&mut reader, f_nominal_hz, 1.1)?;
        reader.finish()?;
        Ok(Inverter::new(settings, Feed::Sun(0.0), f_nominal_hz))
    }

    /// A storage inverter and its pack.
    ///
    /// # Errors
    /// For a setting that is unknown, missing or wrong.
    pub fn storage(
        name: &str,
        table: &[(String, Value)],
        f_nominal_hz: f64,
        seed: u64,
        device: usize,
    ) -> Result<Inverter, PlantError> {
        let mut reader = Reader::new(name, table);
        let forms = reader.flag("forms_grid", false)?;
        let i_max_pu = if forms { 3.0 } else { 1.1 };
        let settings = InverterSettings::read(&mut reader, f_nominal_hz, i_max_pu)?;
        let former = FormerSettings::read(&mut reader, f_nominal_hz)?;
        let storage = Storage {
            pack: Pack::read(name, reader.table("pack")?, seed, device)?,
            dc_bus: DcBus::read(&mut reader)?,
            efficiency: reader.number("efficiency", 0.96, (0.5, 1.0))?,
            obeys_pack: reader.flag("obeys_pack", true)?,
            former: forms.then_some(former),
            power_w: 0.0,
        };
        reader.finish()?;
        Ok(Inverter::new(
            settings,
            Feed::Storage(Box::new(storage)),
            f_nominal_hz,
        ))
    }

    fn new(settings: InverterSettings, feed: Feed, f_nominal_hz: f64) -> Inverter {
        let power = ActivePower::new(
            f_nominal_hz,
            settings.rated_w,
            settings.droop.clone(),
            settings.response_s,
            settings.ramp_w_per_s,
        );
        Inverter {
            feed,
            service: Service::new(settings.enter.clone()),
            relays: settings.relays.clone(),
            detector: settings.detector.clone(),
            power,
            limit_w: None,
            q_var: 0.0,
            pending: None,
            throttling_told: false,
            settings,
        }
    }

    /// Whether it holds the voltage of an island.
    pub fn former(&self) -> Option<&FormerSettings> {
        match &self.feed {
            Feed::Storage(storage) => storage.former.as_ref(),
            Feed::Sun(_) => None,
        }
    }

    /// The battery side, if it has one.
    pub fn as_storage(&self) -> Option<&Storage> {
        match &self.feed {
            Feed::Storage(storage) => Some(storage),
            Feed::Sun(_) => None,
        }
    }

    /// The battery side, to change it.
    pub fn as_storage_mut(&mut self) -> Option<&mut Storage> {
        match &mut self.feed {
            Feed::Storage(storage) => Some(storage),
            Feed::Sun(_) => None,
        }
    }

    /// What its power could be now.
    pub fn room(&self) -> Room {
        let limit = if self.settings.ignores_limit {
            None
        } else {
            self.limit_w
        };
        let ceiling = self.settings.rated_w * self.service.ramp();
        let most = limit.map_or(ceiling, |w| w.min(ceiling));
        match &self.feed {
            Feed::Sun(available_w) => {
                let high_w = available_w.min(most).max(0.0);
                Room {
                    want_w: high_w,
                    low_w: 0.0,
                    high_w,
                }
            }
            Feed::Storage(storage) => {
                let (low, high) = if storage.obeys_pack {
                    storage.pack_room_w()
                } else {
                    (f64::NEG_INFINITY, f64::INFINITY)
                };
                let want_w = if self.settings.ignores_setpoint {
                    0.0
                } else {
                    storage.power_w
                };
                Room {
                    want_w,
                    low_w: low.max(-most),
                    high_w: high.min(most),
                }
            }
        }
    }

    /// Moves the slow power on; answers the power afterwards [W].
    pub fn follow(&mut self, f_hz: f64, dt_s: f64) -> f64 {
        let room = self.room();
        let keeps_before = matches!(self.feed, Feed::Sun(_));
        let p_w = self.power.step(room, f_hz, keeps_before, dt_s);
        self.through_fets(p_w)
    }

    /// What it gives now at an energised terminal: active and reactive power [W, var].
    pub fn give(&mut self) -> (f64, f64) {
        if !self.service.running() {
            return (0.0, 0.0);
        }
        let room = self.room();
        let started = self.power.start(room);
        let p_w = self.through_fets(started);
        (p_w, self.reactive(p_w))
    }

    /// The reactive power beside `p_w`: the set-point within the rating [var].
    pub fn reactive(&self, p_w: f64) -> f64 {
        if self.settings.ignores_setpoint {
            return 0.0;
        }
        let most = (self.settings.s_va.powi(2) - p_w * p_w).max(0.0).sqrt();
        self.q_var.clamp(-most, most)
    }

    /// An open battery switch carries nothing, whatever the inverter wants.
    fn through_fets(&mut self, p_w: f64) -> f64 {
        let Feed::Storage(storage) = &self.feed else {
            return p_w;
        };
        let (charge, discharge) = storage.pack.fets();
        let passed = p_w.clamp(
            if charge { f64::NEG_INFINITY } else { 0.0 },
            if discharge { f64::INFINITY } else { 0.0 },
        );
        if passed != p_w {
            self.power.put(passed);
        }
        passed
    }

    /// Takes what relays or the detector found in a step; answers the cause once it shall trip,
    /// and how long after the beginning of the step.
    pub fn judge(&mut self, found: Option<(String, f64)>, dt_s: f64) -> Option<(String, f64)> {
        if !self.settings.trips {
            return None;
        }
        if let (None, Some((cause, after_s))) = (&self.pending, found) {
            self.pending = Some((cause, after_s + self.settings.trip_delay_s));
        }
        let (cause, left_s) = self.pending.take()?;
        if left_s <= dt_s + 5e-10 {
            return Some((cause, left_s));
        }
        self.pending = Some((cause, left_s - dt_s));
        None
    }

    /// Ceases to energise and forgets what the timers counted.
    pub fn trip(&mut self, cause: &str) {
        self.service.trip(cause);
        self.rest();
    }

    /// Clears what only a running inverter remembers.
    pub fn rest(&mut self) {
        self.pending = None;
        self.relays.reset();
        if let Some(detector) = &mut self.detector {
            detector.reset();
        }
        self.power.put(0.0);
    }

    /// The word telemetry uses for its state.
    pub fn status(&self) -> &'static str {
        match self.service.standing() {
            Standing::Off => "off",
            Standing::Tripped => "tripped",
            Standing::Starting => "starting",
            Standing::Running => {
                let held_back = match &self.feed {
                    Feed::Sun(available_w) => {
                        let could = available_w.min(self.settings.rated_w);
                        could - self.room().high_w > 0.005 * self.settings.rated_w
                    }
                    Feed::Storage(_) => false,
                };
                let by_frequency = self.power.reduction_w() > 0.005 * self.settings.rated_w;
                if held_back || by_frequency {
                    "throttled"
                } else {
                    "running"
                }
            }
        }
    }
}
