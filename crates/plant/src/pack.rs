//! A battery pack: state of charge, voltage behind a resistance, limits, switches, temperature.

use crate::error::{PlantError, checked};
use crate::open_circuit::cell_v;
use crate::protection::{Protections, Sensed};
use crate::seed::spread;
use crate::setting::{Reader, Value};

/// The charge limit falls linearly from here to zero at full.
const CHARGE_TAPER_SOC: f64 = 0.90;
/// The discharge limit falls linearly over this range down to the lowest state of charge.
const DISCHARGE_TAPER_SOC: f64 = 0.05;
/// How far single cells lie from their mean at most [V].
const CELL_SPREAD_V: f64 = 0.004;

/// One battery pack.
#[derive(Clone, Debug)]
pub struct Pack {
    cells_spread_v: Vec<f64>,
    capacity_ah: f64,
    soc_min: f64,
    r_ohm: f64,
    a_max: (f64, f64),
    ambient_c: f64,
    heat_j_per_k: f64,
    cooling_s: f64,
    soc: f64,
    i_a: f64,
    temperature_c: f64,
    through_ah: f64,
    commanded: (bool, bool),
    override_a: (Option<f64>, Option<f64>),
    protections: Protections,
}

impl Pack {
    /// Reads the table `pack` of a storage's settings.
    ///
    /// # Errors
    /// `SettingUnknown`, `SettingWrong`.
    pub fn read(
        place: &str,
        table: &[(String, Value)],
        seed: u64,
        device: usize,
    ) -> Result<Pack, PlantError> {
        let mut reader = Reader::new(&format!("{place}.pack"), table);
        let cells = reader.number("cells", 16.0, (1.0, 512.0))?.floor();
        let capacity_ah = reader.number("capacity_ah", 200.0, (1.0, 1e5))?;
        let energy_wh = cells * 3.2 * capacity_ah;
        let ambient_c = reader.number("ambient_c", 25.0, (-40.0, 60.0))?;
        let pack = Pack {
            cells_spread_v: (0..cells as u64)
                .map(|cell| CELL_SPREAD_V * spread(seed, device as u64, cell))
                .collect(),
            capacity_ah,
            soc_min: reader.number("soc_min", 0.05, (0.0, 0.9))?,
            r_ohm: reader.number("r_ohm", cells * 0.1 / capacity_ah, (0.0, 10.0))?,
            a_max: (
                reader.number("charge_a_max", 0.5 * capacity_ah, (0.0, 1e5))?,
                reader.number("discharge_a_max", 0.5 * capacity_ah, (0.0, 1e5))?,
            ),
            ambient_c,
            // 120 Wh and 1000 J/K a kilogram; two hours to cool.
            heat_j_per_k: energy_wh / 120.0 * 1000.0,
            cooling_s: 7200.0,
            soc: reader.number("soc", 0.5, (0.0, 1.0))?,
            i_a: 0.0,
            temperature_c: ambient_c,
            through_ah: 0.0,
            commanded: (true, true),
            override_a: (None, None),
            protections: Protections::default(),
        };
        reader.finish()?;
        Ok(pack)
    }

    /// Sets the state of charge, 0..1.
    ///
    /// # Errors
    /// `ValueWrong` outside it.
    pub fn set_soc(&mut self, soc: f64) -> Result<(), PlantError> {
        self.soc = checked("soc", soc, 0.0, 1.0)?;
        Ok(())
    }

    /// Closes (true) or opens the charge and the discharge switch.
    pub fn set_fets(&mut self, charge: bool, discharge: bool) {
        self.commanded = (charge, discharge);
    }

    /// Lowers the limits given out; `None` leaves the pack's own rule, which always holds.
    pub fn set_limits(&mut self, charge_a: Option<f64>, discharge_a: Option<f64>) {
        self.override_a = (charge_a, discharge_a);
    }

    /// State of charge, 0..1.
    pub fn soc(&self) -> f64 {
        self.soc
    }

    /// Current, positive while discharging [A].
    pub fn i_a(&self) -> f64 {
        self.i_a
    }

    /// Temperature [deg C].
    pub fn temperature_c(&self) -> f64 {
        self.temperature_c
    }

    /// Nominal capacity [Ah].
    pub fn capacity_ah(&self) -> f64 {
        self.capacity_ah
    }

    /// Full cycles so far: charge through the pack over twice its capacity.
    pub fn cycles(&self) -> u64 {
        (self.through_ah / (2.0 * self.capacity_ah)) as u64
    }

    /// Whether the charge and the discharge switch are closed.
    pub fn fets(&self) -> (bool, bool) {
        let (charge, discharge) = self.protections.allow();
        (self.commanded.0 && charge, self.commanded.1 && discharge)
    }

    /// The names of the protections that act.
    pub fn protections(&self) -> Vec<&'static str> {
        self.protections.names()
    }

    /// Voltage at the pack's terminals [V].
    pub fn v_v(&self) -> f64 {
        self.at_rest_v() - self.i_a * self.r_ohm
    }

    /// Voltage of each cell [V].
    pub fn cells_v(&self) -> impl Iterator<Item = f64> + '_ {
        let mean = self.v_v() / self.cells_spread_v.len() as f64;
        self.cells_spread_v.iter().map(move |spread| mean + spread)
    }

    /// Largest charge and discharge current now; zero while the switch is open [A].
    pub fn limits_a(&self) -> (f64, f64) {
        let (charge, discharge) = self.given_out_a();
        let fets = self.fets();
        (
            if fets.0 { charge } else { 0.0 },
            if fets.1 { discharge } else { 0.0 },
        )
    }

    /// Power at the cells' side that the limits allow: charge (negative) and discharge [W].
    pub fn room_w(&self) -> (f64, f64) {
        let (charge, discharge) = self.limits_a();
        let v = self.at_rest_v();
        (
            -charge * (v + charge * self.r_ohm),
            discharge * (v - discharge * self.r_ohm),
        )
    }

    /// Carries `p_w` (positive while discharging) for `dt_s`. Answers why, if a protection opened
    /// a switch under current.
    pub fn carry(&mut self, p_w: f64, dt_s: f64) -> Option<&'static str> {
        let v = self.at_rest_v();
        let root = (v * v - 4.0 * self.r_ohm * p_w).max(0.0).sqrt();
        self.i_a = 2.0 * p_w / (v + root);
        let before = self.fets();
        self.soc = (self.soc - self.i_a * dt_s / 3600.0 / self.capacity_ah).clamp(0.0, 1.0);
        self.through_ah += self.i_a.abs() * dt_s / 3600.0;
        self.warm(dt_s);
        let sensed = Sensed {
            cell_high_v: self.cells_v().fold(f64::NEG_INFINITY, f64::max),
            cell_low_v: self.cells_v().fold(f64::INFINITY, f64::min),
            temperature_c: self.temperature_c,
            i_a: self.i_a,
            limits_a: self.borne_a(),
        };
        self.protections.step(&sensed, dt_s);
        let after = self.fets();
        let opened =
            (before.0 && !after.0 && self.i_a < 0.0) || (before.1 && !after.1 && self.i_a > 0.0);
        if opened {
            self.protections.names().last().copied()
        } else {
            None
        }
    }

    /// What the overcurrent protections are set to: the taper near full and empty is a request,
    /// not a protection; a limit lowered from outside is both.
    fn borne_a(&self) -> (f64, f64) {
        let least = |own: f64, other: Option<f64>| other.map_or(own, |a| a.min(own));
        (
            least(self.a_max.0, self.override_a.0),
            least(self.a_max.1, self.override_a.1),
        )
    }

    fn given_out_a(&self) -> (f64, f64) {
        let charge = ((1.0 - self.soc) / (1.0 - CHARGE_TAPER_SOC)).clamp(0.0, 1.0);
        let discharge = ((self.soc - self.soc_min) / DISCHARGE_TAPER_SOC).clamp(0.0, 1.0);
        let borne = self.borne_a();
        (
            borne.0.min(self.a_max.0 * charge),
            borne.1.min(self.a_max.1 * discharge),
        )
    }

    fn at_rest_v(&self) -> f64 {
        cell_v(self.soc) * self.cells_spread_v.len() as f64
    }

    fn warm(&mut self, dt_s: f64) {
        let steady =
            self.ambient_c + self.i_a * self.i_a * self.r_ohm * self.cooling_s / self.heat_j_per_k;
        self.temperature_c += (steady - self.temperature_c) * -(-dt_s / self.cooling_s).exp_m1();
    }
}
