//! The cells of a pack: charge, voltage, heat and balancing, energy kept to the last rounding.
//!
//! Each cell is a voltage (its open-circuit curve) behind a resistance and one relaxing (RC) branch.
//! A step carries one constant current, chosen so that the energy at the terminals is exactly the
//! power asked for: released chemical energy = energy out + heat + what the branch stores.
//!
//! # Model
//! - series resistance r(T) = r(25 deg C) exp(B (1/T - 1/298.15 K)), the Arrhenius form;
//! - relaxation: the branch follows the current with one time constant, v = r_relax u;
//! - heat: one body that cools towards ambient with one time constant, exact for constant heat;
//! - balancing: a resistor that bleeds single cells, its energy all heat.
//!
//! # Known gaps
//! No entropic heat, no ageing, no self-discharge, one temperature for the whole pack; the bleed
//! current does not show in the terminal voltage.

use crate::open_circuit::{cell_v, energy_v, mean_v};
use crate::seed::spread;

/// How far a cell's capacity, resistance, charge and measured voltage lie from the mean at most.
const CAPACITY_SPREAD: f64 = 0.01;
const RESISTANCE_SPREAD: f64 = 0.03;
const SOC_SPREAD: f64 = 0.005;
const MEASURED_SPREAD_V: f64 = 0.002;

const KELVIN: f64 = 273.15;
const REFERENCE_K: f64 = 298.15;
/// Rounds of the search for the current; two or three are enough inside one step.
const ROUNDS_MAX: usize = 20;

/// One cell, or one group of cells in parallel.
#[derive(Clone, Debug)]
struct Cell {
    soc: f64,
    /// Its distance from the pack's mean when the charge was set.
    soc_offset: f64,
    capacity_ah: f64,
    /// Its resistance over the mean's.
    r_share: f64,
    measured_offset_v: f64,
    bleeds: bool,
}

/// How the cells are built.
#[derive(Clone, Debug)]
pub struct CellSettings {
    /// Groups in series.
    pub series: usize,
    /// Cells in parallel in each group; their differences average out.
    pub parallel: usize,
    /// Nominal capacity [Ah].
    pub capacity_ah: f64,
    /// Series resistance of the pack at 25 deg C [ohm].
    pub r_ohm: f64,
    /// Its Arrhenius constant B [K].
    pub r_kelvin: f64,
    /// Resistance of the relaxing branch of the pack [ohm].
    pub relax_ohm: f64,
    /// Time constant of the relaxation [s].
    pub relax_s: f64,
    /// Heat capacity of the pack [J/K].
    pub heat_j_per_k: f64,
    /// Time constant of its cooling [s].
    pub cooling_s: f64,
    /// Where it stands [deg C].
    pub ambient_c: f64,
    /// Bleed current of a balancing cell [A].
    pub balance_a: f64,
    /// Cell voltage from which balancing may begin [V].
    pub balance_v: f64,
    /// How far above the lowest cell a cell must lie to be bled [V].
    pub balance_spread_v: f64,
}

/// The cells of one pack.
#[derive(Clone, Debug)]
pub struct Cells {
    settings: CellSettings,
    cells: Vec<Cell>,
    /// The current that the relaxing branch has followed so far [A].
    relaxing_a: f64,
    temperature_c: f64,
    heat_j: f64,
}

impl Cells {
    /// Cells at rest at ambient temperature; they differ by `seed` and `device`.
    pub fn new(settings: CellSettings, soc: f64, seed: u64, device: usize) -> Cells {
        let groups = settings.series as u64;
        let draw = |kind: u64, group: u64| {
            let parallel = settings.parallel as u64;
            let item = |member: u64| ((kind * groups + group) * parallel) + member;
            let sum: f64 = (0..parallel)
                .map(|member| spread(seed, device as u64, item(member)))
                .sum();
            sum / settings.parallel as f64
        };
        let mut cells: Vec<Cell> = (0..groups)
            .map(|group| Cell {
                soc,
                soc_offset: SOC_SPREAD * draw(0, group),
                capacity_ah: settings.capacity_ah * (1.0 + CAPACITY_SPREAD * draw(1, group)),
                r_share: 1.0 + RESISTANCE_SPREAD * draw(2, group),
                measured_offset_v: MEASURED_SPREAD_V * draw(3, group),
                bleeds: false,
            })
            .collect();
        let shares: f64 = cells.iter().map(|cell| cell.r_share).sum();
        let charge: f64 = cells.iter().map(|c| c.soc_offset * c.capacity_ah).sum();
        let capacity: f64 = cells.iter().map(|cell| cell.capacity_ah).sum();
        for cell in &mut cells {
            cell.r_share *= groups as f64 / shares;
            cell.soc_offset -= charge / capacity;
        }
        let temperature_c = settings.ambient_c;
        let mut made = Cells {
            settings,
            cells,
            relaxing_a: 0.0,
            temperature_c,
            heat_j: 0.0,
        };
        made.set_soc(soc);
        made
    }

    /// Sets the mean state of charge; the cells keep the differences they were made with.
    pub fn set_soc(&mut self, soc: f64) {
        for cell in &mut self.cells {
            cell.soc = soc + cell.soc_offset;
        }
    }

    /// Sets the pack's temperature [deg C].
    pub fn set_temperature_c(&mut self, temperature_c: f64) {
        self.temperature_c = temperature_c;
    }

    /// True state of charge: the cells' charge over their capacity.
    pub fn soc(&self) -> f64 {
        let charge: f64 = self.cells.iter().map(|c| c.soc * c.capacity_ah).sum();
        let capacity: f64 = self.cells.iter().map(|cell| cell.capacity_ah).sum();
        charge / capacity
    }

    /// Temperature [deg C].
    pub fn temperature_c(&self) -> f64 {
        self.temperature_c
    }

    /// Which cells balance.
    pub fn bleeding(&self) -> impl Iterator<Item = bool> + '_ {
        self.cells.iter().map(|cell| cell.bleeds)
    }

    /// Chemical energy above empty and what the relaxing branch holds [J].
    pub fn stored_j(&self) -> f64 {
        let chemical: f64 = self
            .cells
            .iter()
            .map(|cell| cell.capacity_ah * 3600.0 * energy_v(cell.soc))
            .sum();
        chemical + self.branch_j(self.relaxing_a)
    }

    /// Heat made since the beginning [J].
    pub fn heat_j(&self) -> f64 {
        self.heat_j
    }

    /// Series resistance at the present temperature [ohm].
    pub fn r_ohm(&self) -> f64 {
        let inverse = 1.0 / (self.temperature_c + KELVIN) - 1.0 / REFERENCE_K;
        self.settings.r_ohm * (self.settings.r_kelvin * inverse).exp()
    }

    /// Voltage behind the series resistance: open-circuit, less what has not relaxed yet [V].
    pub fn inner_v(&self) -> f64 {
        let open: f64 = self.cells.iter().map(|cell| cell_v(cell.soc)).sum();
        open - self.settings.relax_ohm * self.relaxing_a
    }

    /// Voltage at the terminals under a current, positive while discharging [V].
    pub fn terminal_v(&self, i_a: f64) -> f64 {
        self.inner_v() - self.r_ohm() * i_a
    }

    /// Voltage of each cell under a current, as the manager measures it [V].
    pub fn measured_v(&self, i_a: f64) -> impl Iterator<Item = f64> + '_ {
        let drop_v = (self.r_ohm() * i_a + self.settings.relax_ohm * self.relaxing_a)
            / self.cells.len() as f64;
        self.cells
            .iter()
            .map(move |c| cell_v(c.soc) - c.r_share * drop_v + c.measured_offset_v)
    }

    /// Carries `p_w`, positive while discharging, for `dt_s`; answers the current [A].
    ///
    /// Beyond the largest power that the resistance lets through, that largest power is carried.
    pub fn carry(&mut self, p_w: f64, dt_s: f64) -> f64 {
        let (r_ohm, relax_ohm) = (self.r_ohm(), self.settings.relax_ohm);
        let decay = (-dt_s / self.settings.relax_s).exp();
        // How much of the step's mean the branch still owes to the current before it.
        let before = if dt_s > 0.0 {
            self.settings.relax_s / dt_s * (1.0 - decay)
        } else {
            1.0
        };
        let r_mean = r_ohm + relax_ohm * (1.0 - before);
        let mut i_a = 0.0;
        for _ in 0..ROUNDS_MAX {
            let v = self.mean_open_v(i_a, dt_s) - relax_ohm * before * self.relaxing_a;
            let root = (v * v - 4.0 * r_mean * p_w).max(0.0).sqrt();
            let next = if root > 0.0 || r_mean == 0.0 {
                2.0 * p_w / (v + root)
            } else {
                0.5 * v / r_mean
            };
            let settled = (next - i_a).abs() <= 1e-13 * (1.0 + i_a.abs());
            i_a = next;
            if settled {
                break;
            }
        }
        for cell in &mut self.cells {
            cell.soc -= i_a * dt_s / 3600.0 / cell.capacity_ah;
        }
        let relaxing_mean_a = (1.0 - before) * i_a + before * self.relaxing_a;
        let relaxed_j = self.branch_j(self.relaxing_a);
        self.relaxing_a = i_a + (self.relaxing_a - i_a) * decay;
        let stored_j = self.branch_j(self.relaxing_a) - relaxed_j;
        let heat_j = (r_ohm * i_a * i_a + relax_ohm * i_a * relaxing_mean_a) * dt_s - stored_j;
        let bled_j = self.balance(i_a, dt_s);
        self.warm(heat_j + bled_j, dt_s);
        i_a
    }

    /// Mean of the open-circuit voltage while `i_a` flows for `dt_s` [V].
    fn mean_open_v(&self, i_a: f64, dt_s: f64) -> f64 {
        let ah = i_a * dt_s / 3600.0;
        self.cells
            .iter()
            .map(|cell| mean_v(cell.soc, cell.soc - ah / cell.capacity_ah))
            .sum()
    }

    /// What the branch stores when it has followed `i_a` [J].
    fn branch_j(&self, i_a: f64) -> f64 {
        0.5 * self.settings.relax_s * self.settings.relax_ohm * i_a * i_a
    }

    /// Bleeds the high cells, never while discharging; answers the heat [J].
    fn balance(&mut self, i_a: f64, dt_s: f64) -> f64 {
        let measured: Vec<f64> = self.measured_v(i_a).collect();
        let lowest = measured.iter().copied().fold(f64::INFINITY, f64::min);
        let (from_v, spread_v) = (self.settings.balance_v, self.settings.balance_spread_v);
        let ah = self.settings.balance_a * dt_s / 3600.0;
        let mut heat_j = 0.0;
        for (cell, v) in self.cells.iter_mut().zip(measured) {
            cell.bleeds = i_a <= 0.0 && ah > 0.0 && v >= from_v && v - lowest > spread_v;
            if cell.bleeds {
                let (from, to) = (cell.soc, cell.soc - ah / cell.capacity_ah);
                heat_j += cell.capacity_ah * 3600.0 * (energy_v(from) - energy_v(to));
                cell.soc = to;
            }
        }
        heat_j
    }

    fn warm(&mut self, heat_j: f64, dt_s: f64) {
        self.heat_j += heat_j;
        if dt_s <= 0.0 {
            return;
        }
        let CellSettings {
            ambient_c,
            cooling_s,
            heat_j_per_k,
            ..
        } = self.settings;
        let steady_c = ambient_c + heat_j / dt_s * cooling_s / heat_j_per_k;
        self.temperature_c += (steady_c - self.temperature_c) * -(-dt_s / cooling_s).exp_m1();
    }
}
