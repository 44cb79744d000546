//! How the world moves while the PCC is closed: one quasi-static tick after the other.

use crate::active_power::Seen;
use crate::dc_bus_loss::battery_lost;
use crate::device::{DEAD_PU, Device, Kind};
use crate::error::{PlantError, checked};
use crate::event::{Event, EventKind};
use crate::world::World;

impl World {
    /// What every terminal gives now: active and reactive power [W, var]. Between an island tick and
    /// `integrate` these are the means over the tick.
    pub fn held(&mut self) -> (Vec<f64>, Vec<f64>) {
        if self.pcc_closed() && !self.means_held {
            self.refresh();
        }
        self.devices
            .iter()
            .map(|device| (device.terminal.p_w, device.terminal.q_var))
            .unzip()
    }

    /// Lets every terminal give what its device gives now, while the PCC is closed.
    pub(crate) fn refresh(&mut self) {
        for device in &mut self.devices {
            let terminal = &mut device.terminal;
            let (p_w, q_var) = match &mut device.kind {
                Kind::Load(load) => {
                    let (p_w, q_var) = load.consumes(terminal.v_pu);
                    (-p_w, -q_var)
                }
                Kind::Inverter(inverter) if inverter.cessation.ceased() => (0.0, 0.0),
                Kind::Inverter(inverter) => inverter.give(terminal.v_pu),
            };
            (terminal.p_w, terminal.q_var) = if terminal.dead() {
                (0.0, 0.0)
            } else {
                (p_w, q_var)
            };
        }
    }

    /// Imposes the solved voltages [pu] and the frequency [Hz]; a voltage of zero is a dead bus.
    ///
    /// # Errors
    /// `LengthWrong`, `ValueWrong` (NaN, negative); nothing changes then.
    pub fn impose(&mut self, v_pu: &[f64], f_hz: f64) -> Result<(), PlantError> {
        if v_pu.len() != self.devices.len() {
            let (found, expected) = (v_pu.len(), self.devices.len());
            return Err(PlantError::LengthWrong {
                what: "v_pu".to_owned(),
                found,
                expected,
            });
        }
        checked("f_hz [Hz]", f_hz, 0.0, 2.0 * self.f_nominal_hz)?;
        for v in v_pu {
            checked("v_pu [pu]", *v, 0.0, 10.0)?;
        }
        for (device, v) in self.devices.iter_mut().zip(v_pu) {
            let terminal = &mut device.terminal;
            (terminal.v_pu, terminal.f_hz) = (*v, f_hz);
            if terminal.dead() {
                (terminal.p_w, terminal.q_var) = (0.0, 0.0);
                terminal.f_hz = 0.0;
            }
        }
        self.head.f_hz = f_hz;
        Ok(())
    }

    /// Replaces what a terminal gave over the tick, for the one the feeder's balance decides
    /// [W, var].
    ///
    /// # Errors
    /// `ValueWrong`, `DeviceUnknown`.
    pub fn override_power(&mut self, i: usize, p_w: f64, q_var: f64) -> Result<(), PlantError> {
        let p_w = checked("p_w [W]", p_w, -1e9, 1e9)?;
        let q_var = checked("q_var [var]", q_var, -1e9, 1e9)?;
        self.device(i)?;
        let terminal = &mut self.devices[i].terminal;
        (terminal.p_w, terminal.q_var) = (p_w, q_var);
        Ok(())
    }

    /// Sets the power at the feeder head, positive from the grid into the feeder [W, var].
    ///
    /// # Errors
    /// `ValueWrong`.
    pub fn set_head(&mut self, p_w: f64, q_var: f64) -> Result<(), PlantError> {
        self.head.p_w = checked("p_w [W]", p_w, -1e9, 1e9)?;
        self.head.q_var = checked("q_var [var]", q_var, -1e9, 1e9)?;
        Ok(())
    }

    /// Counts the held power of every terminal and of the head for `dt_s` into the registers.
    ///
    /// # Errors
    /// `ValueWrong`.
    pub fn integrate(&mut self, dt_s: f64) -> Result<(), PlantError> {
        let dt_s = checked("dt_s [s]", dt_s, 0.0, 86400.0)?;
        for terminal in self
            .devices
            .iter_mut()
            .map(|d| &mut d.terminal)
            .chain([&mut self.head])
        {
            let p_w = terminal.p_w;
            terminal.register.add(p_w, dt_s);
        }
        self.means_held = false;
        Ok(())
    }

    /// Moves everything slow on by `dt_s` while the PCC is closed.
    ///
    /// # Errors
    /// `ValueWrong`, `PccState` while it is open.
    pub fn advance(&mut self, dt_s: f64) -> Result<(), PlantError> {
        let dt_s = checked("dt_s [s]", dt_s, 1e-6, 86400.0)?;
        if self.island.as_ref().is_some_and(|island| !island.attached) {
            return Err(self.pcc_state("advance", "closed"));
        }
        self.island = None;
        let t_s = self.time_s;
        for device in &mut self.devices {
            // What hangs behind a source has moved with it already.
            if !std::mem::take(&mut device.terminal.behind_source) {
                advance_device(device, t_s, dt_s, &mut self.events);
            }
        }
        self.time_s += dt_s;
        let rules = &self.island_settings.shedding;
        let f_hz = self
            .devices
            .iter()
            .map(|device| device.terminal.f_hz)
            .fold(0.0, f64::max);
        let moved = self
            .shedding
            .restore(rules, f_hz, f64::INFINITY, &mut self.devices, dt_s);
        if let Some((i, kind, value)) = moved {
            let (name, detail) = (self.devices[i].name.clone(), String::new());
            self.events.push(Event {
                t_s: self.time_s,
                kind,
                name,
                value,
                detail,
            });
        }
        Ok(())
    }

    /// What happened since the last call, in order.
    pub fn take_events(&mut self) -> Vec<Event> {
        std::mem::take(&mut self.events)
    }
}

/// Moves one device on by a quasi-static tick that began at `t_s`.
fn advance_device(device: &mut Device, t_s: f64, dt_s: f64, events: &mut Vec<Event>) {
    carry(device, t_s + dt_s, dt_s, false, events);
    let (v_pu, f_hz) = (device.terminal.v_pu, device.terminal.f_hz);
    advance_motor(device, t_s, dt_s, events);
    let Kind::Inverter(inverter) = &mut device.kind else {
        return;
    };
    let mut tell = |t_s: f64, kind: EventKind, value: f64, detail: &str| {
        let (name, detail) = (device.name.clone(), detail.to_owned());
        events.push(Event {
            t_s,
            kind,
            name,
            value,
            detail,
        });
    };
    if inverter.service.running() {
        // A grid former rides through: at the PCC its own relays would defeat its purpose.
        let found = if inverter.former().is_some() {
            None
        } else {
            inverter
                .relays
                .step(v_pu, v_pu, f_hz, dt_s)
                .map(|(name, s)| (name.to_owned(), s))
        };
        if let Some((cause, after_s)) = inverter.judge(found, dt_s) {
            inverter.trip(&cause);
            tell(t_s + after_s, EventKind::Tripped, 0.0, &cause);
            return;
        }
    }
    if inverter.service.step(v_pu, v_pu, f_hz, dt_s) {
        let delay_s = inverter.service.delay_s();
        tell(t_s + dt_s, EventKind::EnterService, delay_s, "");
    }
    if inverter.service.running() {
        let droop_hz = if v_pu < DEAD_PU {
            inverter.power.f_nominal_hz()
        } else {
            f_hz
        };
        let seen = Seen {
            v_pu,
            f_hz: droop_hz,
        };
        inverter.follow(seen, dt_s);
        inverter.cessation.step(v_pu, v_pu, dt_s);
    }
}

/// Moves the motor of a load on by a quasi-static tick that began at `t_s`.
fn advance_motor(device: &mut Device, t_s: f64, dt_s: f64, events: &mut Vec<Event>) {
    let (v_pu, f_hz) = (device.terminal.v_pu, device.terminal.f_hz);
    let name = device.name.clone();
    let Some((motor, fed)) = device.motor_mut() else {
        return;
    };
    let (v_pu, f_hz) = if fed && v_pu >= DEAD_PU {
        (v_pu, f_hz)
    } else {
        (0.0, motor.f_nominal_hz())
    };
    for (after_s, event) in motor.advance(v_pu, f_hz, dt_s) {
        events.push(event.at(t_s + after_s, 0.0, &name));
    }
}

/// Moves a pack by the power its terminal gave over a tick that ended at `end_s`.
pub(crate) fn carry(
    device: &mut Device,
    end_s: f64,
    dt_s: f64,
    islanded: bool,
    events: &mut Vec<Event>,
) {
    let p_w = device.terminal.p_w;
    let Kind::Inverter(inverter) = &mut device.kind else {
        return;
    };
    let Some(storage) = inverter.as_storage_mut() else {
        return;
    };
    let cells_w = storage.cells_w(p_w);
    if let Some(cut) = storage.pack.carry(cells_w, dt_s) {
        battery_lost(device, cut, end_s, islanded, events);
    }
}
