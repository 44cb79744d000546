//! One millisecond of an island: inverters, loads, bus, limits, relays, shedding, switch.

use crate::bus::BusStep;
use crate::bus_meter::direction_of;
use crate::complex::Complex;
use crate::device::{DEAD_PU, Device};
use crate::event::{Event, EventKind};
use crate::follower::{Bus, Follower, Happened};
use crate::grid_following::Injection;
use crate::instrument::FormedWatch;
use crate::island::{Island, Outside};
use crate::shedding::Shedding;
use crate::synchroniser::{Difference, GridSide};
use std::f64::consts::TAU;

/// A bus is dead after its voltage was gone for this long [s].
const DARK_S: f64 = 0.1;
/// A dead bus lives again above this voltage [pu].
const LIT_PU: f64 = 0.5;

/// What one step needs beside the island itself.
pub struct Surroundings<'a> {
    /// All devices of the plant.
    pub devices: &'a mut [Device],
    /// The shedding scheme.
    pub shedding: &'a mut Shedding,
    /// What happened so far.
    pub events: &'a mut Vec<Event>,
    /// What is told from outside.
    pub outside: Outside,
}

impl Surroundings<'_> {
    fn tell(&mut self, t_s: f64, kind: EventKind, device: usize, value: f64, detail: &str) {
        let name = self.devices[device].name.clone();
        self.events.push(Event {
            t_s,
            kind,
            name,
            value,
            detail: detail.to_owned(),
        });
    }

    fn tell_of(&mut self, t_s: f64, kind: EventKind, name: &str, value: f64, detail: &str) {
        let (name, detail) = (name.to_owned(), detail.to_owned());
        self.events.push(Event {
            t_s,
            kind,
            name,
            value,
            detail,
        });
    }
}

impl Island {
    /// Steps from `t_s` by `h_s`; the devices' powers are in `power` then, the answer is that of the
    /// grid into the feeder [W, var].
    pub fn step(&mut self, around: &mut Surroundings<'_>, t_s: f64, h_s: f64) -> Complex {
        let current = self.step_followers(around, t_s, h_s);
        self.predict_motors(around.devices, h_s);
        let load = *self.load.get_or_insert_with(|| fed(around.devices));
        let load = load + Complex::new(around.outside.losses_w, 0.0);
        let held = !self.formers.is_empty() || self.attached;
        let bus = match self.feeder.take() {
            Some(mut feeder) if held => {
                self.resonant = None;
                let step =
                    self.step_feeder(&mut feeder, around.devices, &current, &around.outside, h_s);
                self.feeder = Some(feeder);
                step
            }
            feeder => {
                let load = load * (1.0 / self.s_base_va);
                let step = self.step_bus(load, current.total, &around.outside, h_s);
                self.feeder = feeder;
                if let Some(feeder) = &mut self.feeder {
                    feeder.fill(self.v);
                }
                step
            }
        };
        let grid = self.count(around.devices, &current, &bus);
        self.currents = current;
        let end_s = t_s + h_s;
        let slip_hz = around.outside.grid_f_hz - self.f_nominal_hz;
        if slip_hz != 0.0 {
            self.grid_angle = (self.grid_angle + TAU * slip_hz * h_s).rem_euclid(TAU);
        }
        self.magnitude = self.v.abs();
        self.step_motors(around, end_s, h_s);
        self.step_formers(around, &bus, end_s, h_s);
        if self.observed {
            let machine_hz = self.machine_hz();
            let direction = direction_of(self.v, self.magnitude);
            self.instrument.step(direction, machine_hz, h_s);
            self.watch(around, end_s, h_s);
            self.step_loads(around, end_s, h_s);
        }
        self.try_closing(around, end_s);
        grid
    }

    fn step_followers(&mut self, around: &mut Surroundings<'_>, t_s: f64, h_s: f64) -> Currents {
        let mut currents = std::mem::take(&mut self.currents);
        currents.total = Injection::default();
        currents.each.clear();
        for meter in &mut self.meters {
            match self.feeder.as_deref() {
                None => meter.step(self.v, &[], h_s),
                Some(feeder) => meter.step(feeder.v_at(meter.device), &feeder.v, h_s),
            }
        }
        let mut followers = std::mem::take(&mut self.followers);
        for follower in &mut followers {
            let injection = self.step_follower(follower, around, t_s, h_s);
            for (sum, part) in currents.total.iter_mut().zip(injection) {
                *sum += part;
            }
            currents.each.push(injection);
        }
        self.followers = followers;
        currents
    }

    fn step_follower(
        &self,
        follower: &mut Follower,
        around: &mut Surroundings<'_>,
        t_s: f64,
        h_s: f64,
    ) -> Injection {
        let i = follower.device;
        follower
            .fast
            .measure(&self.meters[follower.meter].meter.seen, h_s);
        let Some(inverter) = around.devices[i].inverter_mut() else {
            return Injection::default();
        };
        let bus = Bus {
            dead: self.dead,
            f_nominal_hz: self.f_nominal_hz,
            s_base_va: self.s_base_va,
            h_s,
        };
        let mean = inverter.settings.relays_see_mean;
        let seen = self.meters[follower.meter].extremes(mean);
        let (injection, happened) = follower.step(inverter, &bus, seen);
        match happened {
            None => {}
            Some(Happened::EnteredService(delay_s)) => {
                around.tell(t_s + h_s, EventKind::EnterService, i, delay_s, "");
            }
            Some(Happened::Tripped(cause, after_s)) => {
                let at_s = t_s + after_s;
                around.tell(at_s, EventKind::Tripped, i, at_s - self.opened_s, &cause);
            }
            Some(Happened::Throttled(reduction_w)) => {
                around.tell(t_s + h_s, EventKind::Throttled, i, reduction_w, "");
            }
        }
        injection
    }

    /// Puts the power of every device in a step into `power`; answers the grid's.
    fn count(&mut self, devices: &[Device], current: &Currents, bus: &BusStep) -> Complex {
        let at = if self.resonant.is_some() { 1 } else { 2 };
        let feeder = self.feeder.as_ref().filter(|_| self.resonant.is_none());
        let v_of = |device: usize| feeder.map_or(bus.v, |f| f.v_at(device));
        let power = &mut self.power;
        power.resize(devices.len(), Complex::ZERO);
        for device in self.retired.drain(..) {
            power[device] = Complex::ZERO;
        }
        for i in &self.loads {
            let scale = feeder.map_or(bus.load_scale, |f| f.load_scale(*i));
            power[*i] = devices[*i].fed_load().map_or(Complex::ZERO, |load| {
                Complex::new(-load.p_w, -load.q_var) * scale
            });
        }
        for turning in &self.motors {
            let taken = match feeder {
                None => turning.power(bus.v),
                Some(feeder) => {
                    feeder.legs[turning.device].power_into(&feeder.v, turning.e[2], turning.y)
                }
            };
            power[turning.device] = power[turning.device] - taken * self.s_base_va;
        }
        for (follower, injection) in self.followers.iter().zip(&current.each) {
            power[follower.device] = v_of(follower.device)
                * injection[at].conj()
                * (bus.follower_scale * self.s_base_va);
        }
        for (former, given) in self.formers.iter().zip(&self.delivered) {
            power[former.device] = given.power * self.s_base_va;
        }
        bus.grid * self.s_base_va
    }

    fn step_formers(&mut self, around: &mut Surroundings<'_>, bus: &BusStep, end_s: f64, h_s: f64) {
        let mut gone = Vec::new();
        for (n, (former, given)) in self.formers.iter_mut().zip(&self.delivered).enumerate() {
            let feeder = self.feeder.as_ref();
            let v = feeder.map_or(bus.v, |f| f.v_at(former.device));
            let (v_pu, power) = (v.abs(), given.power);
            let i_pu = given.i_pu / former.ratio;
            former.keep_inside(power, h_s);
            if let Some(side) = former.reached(i_pu, h_s) {
                let p_w = power.re * self.s_base_va;
                around.tell(end_s, EventKind::Limit, former.device, p_w, side);
            }
            if let Some(why) = former.gives_up(v_pu, i_pu, h_s) {
                gone.push((n, former.device, why.word()));
            }
        }
        for (n, device, cause) in gone.into_iter().rev() {
            self.formers.remove(n);
            self.retired.push(device);
            if let Some(inverter) = around.devices[device].inverter_mut() {
                inverter.trip(cause);
            }
            around.tell(
                end_s,
                EventKind::Tripped,
                device,
                end_s - self.opened_s,
                cause,
            );
        }
        self.secondary(&around.outside, h_s);
    }

    /// The frequency of the grid formers, weighted by rating [Hz].
    fn machine_hz(&self) -> Option<f64> {
        let rating: f64 = self.formers.iter().map(|former| former.ratio).sum();
        let speed: f64 = self.formers.iter().map(|f| f.ratio * f.motion.speed).sum();
        (rating > 0.0).then(|| self.f_nominal_hz * (1.0 + speed / rating))
    }

    /// Tells whether the island is formed, or dead.
    fn watch(&mut self, around: &mut Surroundings<'_>, end_s: f64, h_s: f64) {
        if self.attached {
            return;
        }
        let v_pu = self.magnitude;
        let since_s = end_s - self.opened_s;
        let inside = |x: f64, (low, high): (f64, f64)| x >= low && x <= high;
        let good = inside(v_pu, self.settings.formed_v_pu)
            && inside(self.instrument.f_hz, self.settings.formed_f_hz)
            && !self.formers.is_empty();
        if let Some(entered_s) = self.formed.step(good, since_s, self.settings.formed_hold_s) {
            around.tell_of(end_s, EventKind::Formed, "island", entered_s, "");
        }
        self.dark_s = if v_pu < DEAD_PU {
            self.dark_s + h_s
        } else {
            0.0
        };
        if !self.dead && self.dark_s >= DARK_S {
            self.dead = true;
            around.tell_of(end_s, EventKind::Dead, "island", since_s - self.dark_s, "");
        }
        if self.dead && v_pu >= LIT_PU {
            self.dead = false;
            self.formed = FormedWatch::new();
            around.tell_of(end_s, EventKind::Energised, "island", since_s, "");
        }
    }

    fn step_loads(&mut self, around: &mut Surroundings<'_>, end_s: f64, h_s: f64) {
        if self.dead {
            return;
        }
        let rules = &self.settings.shedding;
        let f_hz = self.instrument.f_filtered_hz;
        let mut moved = around.shedding.shed(rules, f_hz, around.devices, h_s);
        if !self.formers.is_empty() && !self.attached {
            let reserve_w = self.reserve_w();
            moved.extend(
                around
                    .shedding
                    .restore(rules, f_hz, reserve_w, around.devices, h_s),
            );
        }
        for (device, kind, p_w) in moved {
            self.load = None;
            let stage = match &around.devices[device].kind {
                crate::device::Kind::Load(load) => load.stage.map(|n| n.to_string()),
                crate::device::Kind::Inverter(_) => None,
            };
            around.tell(end_s, kind, device, p_w, &stage.unwrap_or_default());
        }
    }

    /// Closes the switch if that was asked for and may be done now.
    fn try_closing(&mut self, around: &mut Surroundings<'_>, end_s: f64) {
        let Some(synchroniser) = self.synchroniser.filter(|_| !self.attached) else {
            return;
        };
        let difference = self.difference(&around.outside);
        let alive = around.outside.grid_v_pu >= DEAD_PU;
        if !alive || !(self.dead || synchroniser.may_close(&difference)) {
            return;
        }
        let bus = if self.dead { "dead bus" } else { "live bus" };
        if !self.dead {
            let dtheta_deg = difference.dtheta.to_degrees();
            around.tell_of(end_s, EventKind::Sync, "pcc", difference.df_hz, "df_hz");
            around.tell_of(end_s, EventKind::Sync, "pcc", difference.dv_pu, "dv_pu");
            around.tell_of(end_s, EventKind::Sync, "pcc", dtheta_deg, "dtheta_deg");
        }
        let waited_s = end_s - synchroniser.requested_s;
        around.tell_of(end_s, EventKind::Reclosed, "pcc", waited_s, bus);
        self.attached = true;
        self.dead = false;
        self.synchroniser = None;
    }

    /// The differences between the island and the grid beyond the switch.
    pub fn difference(&self, outside: &Outside) -> Difference {
        let grid = self.grid_side(outside);
        Difference::between(self.v.abs(), self.instrument.f_hz, self.v.arg(), &grid)
    }

    /// The grid beyond the switch.
    pub fn grid_side(&self, outside: &Outside) -> GridSide {
        GridSide {
            v_pu: outside.grid_v_pu,
            f_hz: outside.grid_f_hz,
            angle: self.grid_angle,
        }
    }
}

/// The currents of the grid-following inverters in a step.
#[derive(Clone, Debug, Default)]
pub struct Currents {
    /// All together.
    pub total: Injection,
    /// Those of each.
    pub each: Vec<Injection>,
}

/// What all fed loads consume at nominal voltage [W, var].
fn fed(devices: &[Device]) -> Complex {
    let fed = devices.iter().filter_map(Device::fed_load);
    fed.fold(Complex::ZERO, |sum, load| {
        sum + Complex::new(load.p_w, load.q_var)
    })
}
