//! A battery pack: cells, the manager's counted charge and limits, protections and switches.

use crate::cells::{CellSettings, Cells};
use crate::error::{PlantError, checked};
use crate::fuel_gauge::FuelGauge;
use crate::protection::{Protections, Sensed, Setting};
use crate::seed::spread;
use crate::setting::{Reader, Value};

/// The charge limit falls linearly from here to zero at full.
const CHARGE_TAPER_SOC: f64 = 0.90;
/// The discharge limit falls linearly over this range down to the lowest state of charge.
const DISCHARGE_TAPER_SOC: f64 = 0.05;
/// Between these voltages of the highest and the lowest cell the limits fall to zero [V].
const CHARGE_TAPER_V: (f64, f64) = (3.45, 3.60);
const DISCHARGE_TAPER_V: (f64, f64) = (2.90, 2.70);
/// How far a shunt's gain lies from 1 at most, unless it is set.
const SHUNT_GAIN_SPREAD: f64 = 0.002;
/// The place of the shunt in the pack's random numbers, behind all cells'.
const SHUNT_ITEM: u64 = 1 << 40;

/// A switch that opened under current.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Interrupted {
    /// The protection that opened it, or `command`.
    pub cause: &'static str,
    /// The current that it cut, positive while discharging [A].
    pub i_a: f64,
    /// The power at the cells' side that it cut [W].
    pub p_w: f64,
}

/// One battery pack.
#[derive(Clone, Debug)]
pub struct Pack {
    cells: Cells,
    gauge: FuelGauge,
    protections: Protections,
    series: usize,
    capacity_ah: f64,
    soc_min: f64,
    a_max: (f64, f64),
    i_a: f64,
    through_ah: f64,
    commanded: (bool, bool),
    override_a: (Option<f64>, Option<f64>),
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
        let place = format!("{place}.pack");
        let mut reader = Reader::new(&place, table);
        let series = reader.number("cells", 16.0, (1.0, 512.0))?.floor();
        let parallel = reader.number("parallel", 1.0, (1.0, 64.0))?.floor();
        let capacity_ah = reader.number("capacity_ah", 200.0, (1.0, 1e5))?;
        let energy_wh = series * 3.2 * capacity_ah;
        let r_ohm = reader.number("r_ohm", series * 0.1 / capacity_ah, (0.0, 10.0))?;
        let settings = CellSettings {
            series: series as usize,
            parallel: parallel as usize,
            capacity_ah,
            r_ohm,
            // Twice the resistance at 0 deg C of that at 25 deg C: an assumption.
            r_kelvin: reader.number("r_kelvin", 2258.0, (0.0, 10_000.0))?,
            relax_ohm: reader.number("relax_ohm", 0.5 * r_ohm, (0.0, 10.0))?,
            relax_s: reader.number("relax_s", 60.0, (0.01, 1e5))?,
            // 120 Wh and 1000 J/K a kilogram; two hours to cool.
            heat_j_per_k: reader.number("heat_j_per_k", energy_wh / 120.0 * 1000.0, (1.0, 1e9))?,
            cooling_s: reader.number("cooling_s", 7200.0, (1.0, 1e7))?,
            ambient_c: reader.number("ambient_c", 25.0, (-40.0, 60.0))?,
            balance_a: reader.number("balance_a", 0.1, (0.0, 10.0))?,
            balance_v: reader.number("balance_v", 3.40, (2.0, 4.0))?,
            balance_spread_v: reader.number("balance_spread_v", 0.010, (0.0, 1.0))?,
        };
        let soc = reader.number("soc", 0.5, (0.0, 1.0))?;
        let gain = SHUNT_GAIN_SPREAD * spread(seed, device as u64, SHUNT_ITEM);
        let pack = Pack {
            gauge: FuelGauge::new(
                capacity_ah,
                reader.number("shunt_gain", gain, (-0.5, 0.5))?,
                reader.number("shunt_offset_a", 0.0, (-10.0, 10.0))?,
                soc,
            ),
            protections: Protections::read(&place, reader.table("protections")?)?,
            series: settings.series,
            capacity_ah,
            soc_min: reader.number("soc_min", 0.05, (0.0, 0.9))?,
            a_max: (
                reader.number("charge_a_max", 0.5 * capacity_ah, (0.0, 1e5))?,
                reader.number("discharge_a_max", 0.5 * capacity_ah, (0.0, 1e5))?,
            ),
            i_a: 0.0,
            through_ah: 0.0,
            commanded: (true, true),
            override_a: (None, None),
            cells: Cells::new(settings, soc, seed, device),
        };
        reader.finish()?;
        Ok(pack)
    }

    /// Sets the state of charge, 0..1, of the cells and of the manager's count.
    ///
    /// # Errors
    /// `ValueWrong` outside it.
    pub fn set_soc(&mut self, soc: f64) -> Result<(), PlantError> {
        let soc = checked("soc", soc, 0.0, 1.0)?;
        self.cells.set_soc(soc);
        self.gauge.set_soc(soc);
        Ok(())
    }

    /// Tells the manager a state of charge, 0..1, that it believes from now on.
    ///
    /// # Errors
    /// `ValueWrong` outside it.
    pub fn set_counted_soc(&mut self, soc: f64) -> Result<(), PlantError> {
        self.gauge.set_soc(checked("soc", soc, 0.0, 1.0)?);
        Ok(())
    }

    /// Sets the temperature of the cells [deg C].
    ///
    /// # Errors
    /// `ValueWrong` outside -40..100.
    pub fn set_temperature_c(&mut self, temperature_c: f64) -> Result<(), PlantError> {
        let t_c = checked("temperature [deg C]", temperature_c, -40.0, 100.0)?;
        self.cells.set_temperature_c(t_c);
        Ok(())
    }

    /// Closes (true) or opens the charge and the discharge switch; answers what that cut.
    pub fn set_fets(&mut self, charge: bool, discharge: bool) -> Option<Interrupted> {
        let before = self.fets();
        self.commanded = (charge, discharge);
        self.interrupted(before, "command")
    }

    /// Lowers the limits given out; `None` leaves the pack's own rule, which always holds.
    pub fn set_limits(&mut self, charge_a: Option<f64>, discharge_a: Option<f64>) {
        self.override_a = (charge_a, discharge_a);
    }

    /// Sets the threshold of a protection [V, deg C or A].
    ///
    /// # Errors
    /// `ValueWrong`.
    pub fn set_protection(&mut self, name: &str, trip: f64) -> Result<(), PlantError> {
        let sensed = self.sensed();
        self.protections.set_trip(name, trip, &sensed)
    }

    /// How the protections are set.
    pub fn protection_settings(&self) -> Vec<Setting> {
        self.protections.settings(&self.sensed())
    }

    /// True state of charge, 0..1.
    pub fn soc(&self) -> f64 {
        self.cells.soc().clamp(0.0, 1.0)
    }

    /// The state of charge that the manager counted, 0..1.
    pub fn counted_soc(&self) -> f64 {
        self.gauge.soc()
    }

    /// Current, positive while discharging [A].
    pub fn i_a(&self) -> f64 {
        self.i_a
    }

    /// The current as the manager's shunt shows it [A].
    pub fn measured_a(&self) -> f64 {
        self.gauge.measured_a(self.i_a)
    }

    /// Temperature [deg C].
    pub fn temperature_c(&self) -> f64 {
        self.cells.temperature_c()
    }

    /// Nameplate charge and discharge current [A].
    pub fn a_max(&self) -> (f64, f64) {
        self.a_max
    }

    /// Nominal capacity [Ah].
    pub fn capacity_ah(&self) -> f64 {
        self.capacity_ah
    }

    /// Energy in the cells above empty [J].
    pub fn stored_j(&self) -> f64 {
        self.cells.stored_j()
    }

    /// Heat made since the beginning [J].
    pub fn heat_j(&self) -> f64 {
        self.cells.heat_j()
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

    /// Which cells are being bled to balance them.
    pub fn balancing(&self) -> Vec<bool> {
        self.cells.bleeding().collect()
    }

    /// Voltage at the pack's terminals [V].
    pub fn v_v(&self) -> f64 {
        self.cells.terminal_v(self.i_a)
    }

    /// Voltage of each cell as the manager measures it [V].
    pub fn cells_v(&self) -> impl Iterator<Item = f64> + '_ {
        self.cells.measured_v(self.i_a)
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
        let (v, r_ohm) = (self.cells.inner_v(), self.cells.r_ohm());
        (
            -charge * (v + charge * r_ohm),
            discharge * (v - discharge * r_ohm),
        )
    }

    /// Carries `p_w` (positive while discharging) for `dt_s`. Answers what a protection cut, if one
    /// opened a switch under current; the current is zero from then on.
    pub fn carry(&mut self, p_w: f64, dt_s: f64) -> Option<Interrupted> {
        self.i_a = self.cells.carry(p_w, dt_s);
        self.through_ah += self.i_a.abs() * dt_s / 3600.0;
        let sensed = self.sensed();
        self.gauge
            .count(self.i_a, dt_s, sensed.cell_high_v, sensed.cell_low_v);
        let before = self.fets();
        let began = self.protections.step(&sensed, dt_s);
        self.interrupted(before, began.unwrap_or("release"))
    }

    fn interrupted(&mut self, before: (bool, bool), cause: &'static str) -> Option<Interrupted> {
        let (after, i_a) = (self.fets(), self.i_a);
        let cut = (before.0 && !after.0 && i_a < 0.0) || (before.1 && !after.1 && i_a > 0.0);
        let p_w = self.v_v() * i_a;
        if cut {
            self.i_a = 0.0;
        }
        cut.then_some(Interrupted { cause, i_a, p_w })
    }

    fn sensed(&self) -> Sensed {
        let highest = |a: f64, b: f64| a.max(b);
        let lowest = |a: f64, b: f64| a.min(b);
        Sensed {
            cell_high_v: self.cells_v().fold(f64::NEG_INFINITY, highest),
            cell_low_v: self.cells_v().fold(f64::INFINITY, lowest),
            cells: self.series as f64,
            pack_v: self.v_v(),
            temperature_c: self.cells.temperature_c(),
            i_a: self.i_a,
            limits_a: self.borne_a(),
            a_max: self.a_max.0.max(self.a_max.1),
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

    /// The limits by the manager's count and by its highest and lowest cell.
    fn given_out_a(&self) -> (f64, f64) {
        let (soc, borne) = (self.gauge.soc(), self.borne_a());
        let share = |at: f64, from: f64, to: f64| ((at - to) / (from - to)).clamp(0.0, 1.0);
        let highest = self.cells_v().fold(f64::NEG_INFINITY, f64::max);
        let lowest = self.cells_v().fold(f64::INFINITY, f64::min);
        let charge = share(soc, CHARGE_TAPER_SOC, 1.0).min(share(
            highest,
            CHARGE_TAPER_V.0,
            CHARGE_TAPER_V.1,
        ));
        let discharge = share(soc, self.soc_min + DISCHARGE_TAPER_SOC, self.soc_min).min(share(
            lowest,
            DISCHARGE_TAPER_V.0,
            DISCHARGE_TAPER_V.1,
        ));
        (
            borne.0.min(self.a_max.0 * charge),
            borne.1.min(self.a_max.1 * discharge),
        )
    }
}

#[cfg(test)]
#[path = "pack_tests.rs"]
mod tests;
