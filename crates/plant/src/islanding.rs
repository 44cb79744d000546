//! How the world leaves the grid, runs on its own and joins the grid again.

use crate::device::{Device, Kind};
use crate::error::{PlantError, checked};
use crate::event::{Event, EventKind};
use crate::island::{Island, Opening, Outside};
use crate::island_step::Surroundings;
use crate::quasi_static::carry;
use crate::synchroniser::{SyncLimits, Synchroniser};
use crate::tick::{IslandTick, Recorder};
use crate::world::World;
use std::f64::consts::TAU;

/// The longest step of an island [s].
const H_MAX_S: f64 = 0.01;
/// The longest island tick, in steps.
const STEPS_MAX: f64 = 1e7;

/// What an island tick ends with, if not with its time.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Until {
    /// Nothing else.
    End,
    /// The step in which the PCC closes.
    Closed,
    /// The step in which a device trips.
    Tripped,
}

impl World {
    /// Opens the PCC at `t_s`; the next step of the world is an island tick.
    ///
    /// # Errors
    /// `PccState` if it is open, `ValueWrong`.
    pub fn open_pcc(&mut self, t_s: f64) -> Result<(), PlantError> {
        if !self.pcc_closed() {
            return Err(self.pcc_state("open_pcc", "closed"));
        }
        let t_s = checked("t_s [s]", t_s, 0.0, 1e12)?;
        if let Some(buses) = &self.buses {
            buses.check_devices(self.devices.len())?;
        }
        self.time_s = t_s;
        self.island = None;
        self.refresh();
        let lit: Vec<&Device> = self.devices.iter().filter(|d| !d.terminal.dead()).collect();
        let count = lit.len().max(1) as f64;
        let v_pu = lit.iter().map(|device| device.terminal.v_pu).sum::<f64>() / count;
        let f_hz = lit
            .first()
            .map_or(self.f_nominal_hz, |device| device.terminal.f_hz);
        let opening = Opening {
            t_s,
            v_pu,
            f_hz,
            rlc: self.rlc,
            buses: self.buses.clone(),
            seed: self.seed,
        };
        let base = (self.f_nominal_hz, self.s_base_va);
        self.island = Some(Island::open(
            &opening,
            &self.island_settings,
            base,
            &mut self.devices,
        ));
        self.shedding.rest();
        let value = -self
            .devices
            .iter()
            .map(|device| device.terminal.p_w)
            .sum::<f64>();
        let (name, detail) = ("pcc".to_owned(), String::new());
        self.events.push(Event {
            t_s,
            kind: EventKind::Opened,
            name,
            value,
            detail,
        });
        (self.head.p_w, self.head.q_var) = (0.0, 0.0);
        Ok(())
    }

    /// Asks for the PCC to close as soon as the differences are within `limits`.
    ///
    /// # Errors
    /// `PccState` if it is closed, `ValueWrong`.
    pub fn request_reclose(&mut self, t_s: f64, limits: SyncLimits) -> Result<(), PlantError> {
        let requested_s = checked("t_s [s]", t_s, 0.0, 1e12)?;
        limits.check()?;
        match &mut self.island {
            Some(island) if !island.attached => {
                island.synchroniser = Some(Synchroniser {
                    limits,
                    requested_s,
                });
                Ok(())
            }
            _ => Err(self.pcc_state("request_reclose", "open")),
        }
    }

    /// Withdraws a request to close that waits; none waiting is no error.
    ///
    /// # Errors
    /// `PccState` if the PCC is closed.
    pub fn cancel_reclose(&mut self) -> Result<(), PlantError> {
        match &mut self.island {
            Some(island) if !island.attached => {
                island.synchroniser = None;
                Ok(())
            }
            _ => Err(self.pcc_state("cancel_reclose", "open")),
        }
    }

    /// Says by how much the grid beyond the open PCC is ahead of the bus now [rad]; from there it
    /// goes on with its frequency. Until it is said, the grid began where the bus was.
    ///
    /// # Errors
    /// `PccState` if the PCC is closed, `ValueWrong`.
    pub fn set_grid_ahead(&mut self, angle: f64) -> Result<(), PlantError> {
        let angle = checked("angle [rad]", angle, -1e3, 1e3)?;
        match &mut self.island {
            Some(island) if !island.attached => {
                island.grid_angle = (island.v.arg() + angle).rem_euclid(TAU);
                Ok(())
            }
            _ => Err(self.pcc_state("set_grid_ahead", "open")),
        }
    }

    /// Whether the PCC is closed.
    pub fn pcc_closed(&self) -> bool {
        self.island.as_ref().is_none_or(|island| island.attached)
    }

    /// `closed`, `island`, `synchronising` or `dead`.
    pub fn island_state(&self) -> &'static str {
        self.island.as_ref().map_or("closed", Island::state)
    }

    /// Runs the island over [t, t + dt) in steps of `h_s`, of which `dt_s` is a whole multiple.
    ///
    /// It may also be called after the PCC closed again, to see the transient to its end. With
    /// `until_closed` it ends with the step in which the PCC closes; the tick tells its length.
    ///
    /// # Errors
    /// `PccState` if there is no island, `ValueWrong`.
    pub fn island_tick(
        &mut self,
        t_s: f64,
        dt_s: f64,
        h_s: f64,
        (record_every, until_closed): (usize, bool),
        outside: Outside,
    ) -> Result<IslandTick, PlantError> {
        let until = if until_closed {
            Until::Closed
        } else {
            Until::End
        };
        self.run_island(t_s, dt_s, h_s, (record_every, until), outside)
    }

    /// As `island_tick`, to the end or to what it shall end with before.
    pub(crate) fn run_island(
        &mut self,
        t_s: f64,
        dt_s: f64,
        h_s: f64,
        (record_every, until): (usize, Until),
        outside: Outside,
    ) -> Result<IslandTick, PlantError> {
        let t_s = checked("t_s [s]", t_s, 0.0, 1e12)?;
        let h_s = checked("h_s [s]", h_s, 1e-6, H_MAX_S)?;
        let steps = checked("dt_s / h_s", dt_s / h_s, 1.0, STEPS_MAX)?;
        if (steps - steps.round()).abs() > 1e-6 * steps {
            return Err(PlantError::ValueWrong {
                what: "dt_s [s]".to_owned(),
                value: dt_s,
                expected: format!("a whole multiple of the step {h_s} s"),
            });
        }
        checked("losses_w [W]", outside.losses_w, -1e9, 1e9)?;
        checked("grid_v_pu [pu]", outside.grid_v_pu, 0.0, 2.0)?;
        let f_range = (0.5 * self.f_nominal_hz, 1.5 * self.f_nominal_hz);
        checked("grid_f_hz [Hz]", outside.grid_f_hz, f_range.0, f_range.1)?;
        let Some(mut island) = self.island.take() else {
            return Err(self.pcc_state("island_tick", "open"));
        };
        for inverter in self.devices.iter_mut().filter_map(Device::inverter_mut) {
            inverter.hold_pack_room(true);
        }
        island.start_cold(&mut self.devices);
        island.read_room(&self.devices);
        let mut recorder = Recorder::new(self.devices.len(), record_every);
        let mut dt_s = dt_s;
        for n in 0..steps.round() as u64 {
            let from_s = t_s + n as f64 * h_s;
            let mut around = Surroundings {
                devices: &mut self.devices,
                shedding: &mut self.shedding,
                events: &mut self.events,
                outside,
            };
            let grid = island.step(&mut around, from_s, h_s);
            recorder.take(&island, grid, from_s + h_s);
            let over = match until {
                Until::End => false,
                Until::Closed => island.attached,
                Until::Tripped => self.events.iter().any(|e| e.kind == EventKind::Tripped),
            };
            if over {
                dt_s = (n + 1) as f64 * h_s;
                break;
            }
        }
        for inverter in self.devices.iter_mut().filter_map(Device::inverter_mut) {
            inverter.hold_pack_room(false);
        }
        let (mut tick, power, grid) = recorder.finish();
        tick.dt_s = dt_s;
        self.time_s = t_s + dt_s;
        for (i, (device, mean)) in self.devices.iter_mut().zip(power).enumerate() {
            let terminal = &mut device.terminal;
            (terminal.p_w, terminal.q_var) = (mean.re, mean.im);
            (terminal.f_hz, terminal.v_pu) = (tick.end.0, island.v_at(i).abs());
            carry(device, self.time_s, dt_s, true, &mut self.events);
            if let (Kind::Inverter(inverter), true) = (&mut device.kind, island.attached) {
                inverter.power.put(mean.re);
            }
        }
        (self.head.p_w, self.head.q_var) = (grid.re, grid.im);
        self.island = Some(island);
        self.means_held = true;
        tick.events = self.take_events();
        Ok(tick)
    }
}
