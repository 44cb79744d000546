//! An inverter, photovoltaic or storage: its controls, its service state and its slow power.

use crate::active_power::{ActivePower, Room, Seen};
use crate::cessation::Cessation;
use crate::dc_bus::DcBus;
use crate::detector::Detector;
use crate::error::PlantError;
use crate::former_settings::FormerSettings;
use crate::function_settings::{Context, FunctionSettings, ReactiveMode, function_keys};
use crate::inverter_settings::InverterSettings;
use crate::pack::Pack;
use crate::reactive_power::ReactivePower;
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
    /// What the pack allows, while it is held for the steps of a tick [W].
    pub held_room_w: Option<(f64, f64)>,
}

impl Storage {
    /// Power at the terminal that the pack allows, lowest and highest [W].
    pub fn pack_room_w(&self) -> (f64, f64) {
        if let Some(held) = self.held_room_w {
            return held;
        }
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

/// Where an inverter stands among the plant's devices, for what a seed decides.
#[derive(Clone, Copy, Debug)]
pub struct Place {
    /// Seed of the world.
    pub seed: u64,
    /// Its index.
    pub device: usize,
}

/// One inverter.
#[derive(Clone, Debug)]
pub struct Inverter {
    /// How it is built.
    pub settings: InverterSettings,
    /// How its functions are set.
    pub functions: FunctionSettings,
    /// The settings of its functions as they were given.
    pub given: Vec<(String, Value)>,
    /// What feeds it.
    pub feed: Feed,
    /// Whether it is in service.
    pub service: Service,
    /// Its relays.
    pub relays: Relays,
    /// Its island detectors.
    pub detector: Option<Detector>,
    /// Its momentary cessation.
    pub cessation: Cessation,
    /// Its active power over time.
    pub power: ActivePower,
    /// Its reactive power over time.
    pub reactive: ReactivePower,
    /// Limit of active power [W].
    pub limit_w: Option<f64>,
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
        place: Place,
    ) -> Result<Inverter, PlantError> {
        let mut reader = Reader::new(name, table);
        let settings = InverterSettings::read(&mut reader, f_nominal_hz, 1.1)?;
        let functions = FunctionSettings::read(&mut reader, settings.context)?;
        reader.finish()?;
        Ok(Inverter::new(
            settings,
            functions,
            table,
            Feed::Sun(0.0),
            place,
        ))
    }

    /// A storage inverter and its pack.
    ///
    /// # Errors
    /// For a setting that is unknown, missing or wrong.
    pub fn storage(
        name: &str,
        table: &[(String, Value)],
        f_nominal_hz: f64,
        place: Place,
    ) -> Result<Inverter, PlantError> {
        let mut reader = Reader::new(name, table);
        let forms = reader.flag("forms_grid", false)?;
        let i_max_pu = if forms { 3.0 } else { 1.1 };
        let settings = InverterSettings::read(&mut reader, f_nominal_hz, i_max_pu)?;
        let functions = FunctionSettings::read(&mut reader, settings.context)?;
        let former = FormerSettings::read(&mut reader, f_nominal_hz)?;
        let storage = Storage {
            pack: Pack::read(name, reader.table("pack")?, place.seed, place.device)?,
            dc_bus: DcBus::read(&mut reader)?,
            efficiency: reader.number("efficiency", 0.96, (0.5, 1.0))?,
            obeys_pack: reader.flag("obeys_pack", true)?,
            former: forms.then_some(former),
            power_w: 0.0,
            held_room_w: None,
        };
        reader.finish()?;
        let feed = Feed::Storage(Box::new(storage));
        Ok(Inverter::new(settings, functions, table, feed, place))
    }

    fn new(
        settings: InverterSettings,
        functions: FunctionSettings,
        table: &[(String, Value)],
        feed: Feed,
        place: Place,
    ) -> Inverter {
        let f_nominal_hz = settings.context.f_nominal_hz;
        let scale = settings.response_scale;
        let mut inverter = Inverter {
            feed,
            service: Service::new(functions.enter.clone(), place),
            relays: functions.relays.clone(),
            detector: settings.detector.clone(),
            cessation: Cessation::new(functions.cessation),
            power: ActivePower::new(f_nominal_hz, settings.rated_w, settings.response_s),
            reactive: ReactivePower::new(functions.reactive.clone(), scale),
            limit_w: None,
            given: functions_in(table, settings.context),
            pending: None,
            throttling_told: false,
            settings,
            functions,
        };
        inverter.set_power_functions();
        inverter
    }

    /// Puts the functions of active power into force, without moving the power.
    pub fn set_power_functions(&mut self) {
        let functions = &self.functions;
        self.power.set(
            functions.droop.clone(),
            functions.volt_watt.clone(),
            functions.ramps_w_per_s,
            self.settings.response_scale,
        );
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

    /// Holds what the pack allows for the steps of a tick, in which the pack does not move.
    pub fn hold_pack_room(&mut self, on: bool) {
        if let Feed::Storage(storage) = &mut self.feed {
            storage.held_room_w = None;
            storage.held_room_w = on.then(|| storage.pack_room_w());
        }
    }

    /// What its power could be now.
    pub fn room(&self) -> Room {
        let limit_w = match self.limit_w {
            Some(limit_w) if !self.settings.ignores_limit => limit_w,
            _ => f64::INFINITY,
        };
        let most = self.settings.rated_w * self.service.ramp();
        match &self.feed {
            Feed::Sun(available_w) => {
                let high_w = available_w.min(most).max(0.0);
                Room {
                    want_w: high_w,
                    low_w: 0.0,
                    high_w,
                    limit_w,
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
                    limit_w,
                }
            }
        }
    }

    /// Moves the slow powers on; answers them afterwards [W, var].
    pub fn follow(&mut self, seen: Seen, dt_s: f64) -> (f64, f64) {
        let room = self.room();
        let keeps_before = matches!(self.feed, Feed::Sun(_));
        // The power that the rating let through decides watt-var, so that both meet on the circle.
        let p_pu = self.power.gave_pu();
        let p_w = self.power.step(room, seen, keeps_before, dt_s);
        let p_w = self.through_fets(p_w);
        let q_pu = self.reactive.step(p_pu, seen.v_pu, dt_s);
        self.through_rating(p_w, q_pu)
    }

    /// What it gives now at an energised terminal: active and reactive power [W, var].
    pub fn give(&mut self, v_pu: f64) -> (f64, f64) {
        if !self.service.running() {
            return (0.0, 0.0);
        }
        let room = self.room();
        let started = self.power.start(room, v_pu);
        let p_w = self.through_fets(started);
        let p_pu = p_w / self.settings.rated_w.max(1e-9);
        let q_pu = self.reactive.start(p_pu, v_pu);
        self.through_rating(p_w, q_pu)
    }

    fn through_rating(&mut self, p_w: f64, q_pu: f64) -> (f64, f64) {
        let settings = &self.settings;
        // A power factor is a share of the active power itself.
        let of_available = self.functions.reactive.of_available
            && self.reactive.mode() != ReactiveMode::PowerFactor;
        let whole_var = match of_available {
            true => settings
                .capability
                .available_var(p_w, q_pu * settings.q_sign),
            false => settings.s_va,
        };
        let q_var = if settings.ignores_setpoint {
            0.0
        } else {
            q_pu * settings.q_sign * whole_var
        };
        let (mode, priority) = (self.reactive.mode(), self.functions.priority);
        let (p_w, q_var) = settings.capability.limit(p_w, q_var, mode, priority);
        self.power.gave(p_w);
        (p_w, q_var)
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
        self.reactive.rest();
        self.cessation.rest();
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
                        could - self.room().limited().1 > 0.005 * self.settings.rated_w
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

/// The entries of a table that set functions.
fn functions_in(table: &[(String, Value)], context: Context) -> Vec<(String, Value)> {
    let known = function_keys(context);
    let mine = table.iter().filter(|(key, _)| known.contains(key));
    mine.cloned().collect()
}
