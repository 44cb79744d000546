//! One step of an island of many buses that a grid former or the grid holds.
//!
//! As `bus`, with the nodal equations of the network in place of one bus: every device has the
//! voltage of its own. The network's own losses are in it; those told from outside are a load at the
//! PCC and are zero for a network that has its resistances.

use crate::bus::BusStep;
use crate::buses::{Buses, Workspace};
use crate::complex::Complex;
use crate::device::Device;
use crate::grid_forming::Motion;
use crate::island::{CONSTANT_POWER_PU, Island, Outside};
use crate::island_step::Currents;
use crate::legs::{Legs, turn_of};
use crate::network::{Source, admittance_of, rlc_admittance};
use crate::sourced::Phases;

/// Iterations of the power flow an island starts from; each is several times nearer.
const START_ITERATIONS: usize = 30;
/// The admittance that holds the PCC's voltage in that power flow [pu].
const HOLDS: f64 = 1e9;
/// Halvings when the followers' current is cut at their ceiling.
const CEILING_HALVINGS: usize = 40;

/// The buses of an island and what is known of each.
#[derive(Clone, Debug)]
pub struct Feeder {
    /// The network; by phases, that of each after the other.
    pub buses: Buses,
    /// Whether it is one of phases, because a device is at one phase only.
    pub by_phase: bool,
    /// Where each device is joined to it.
    pub legs: Vec<Legs>,
    /// Where the grid is.
    pcc: Legs,
    /// Voltage of each node: a bus, or one of its phases [pu].
    pub v: Vec<Complex>,
    /// Voltage the loads of each node have adapted to, and their power over that at nominal voltage.
    loads: Vec<(f64, f64)>,
    diagonal: Vec<Complex>,
    /// What the grid-following inverters drive into each node, by place in the step.
    current: [Vec<Complex>; 3],
    /// What the grid and the motors drive.
    fixed: [Vec<Complex>; 3],
    all: Vec<Complex>,
    space: Workspace,
}

impl Feeder {
    /// The network whose PCC is at `v_pu` while its devices give what their terminals hold; none if
    /// one bus without phases says it all.
    pub fn start(
        buses: Option<&Buses>,
        devices: &[Device],
        v_pu: f64,
        s_base_va: f64,
    ) -> Option<Feeder> {
        let by_phase = devices.iter().any(|d| d.phases() != Phases::Three);
        if buses.is_none() && !by_phase {
            return None;
        }
        let one = buses.cloned().unwrap_or_else(Buses::one);
        let n = one.count();
        let legs_of = |bus: usize, phases: Phases| {
            if by_phase {
                Legs::by_phase(bus, n, phases)
            } else {
                Legs::at(bus)
            }
        };
        let devices_at = devices.iter().enumerate();
        let legs = devices_at.map(|(i, device)| legs_of(one.of(i), device.phases()));
        let mut feeder = Feeder {
            legs: legs.collect(),
            pcc: legs_of(one.pcc, Phases::Three),
            buses: if by_phase { one.by_phase() } else { one },
            by_phase,
            v: Vec::new(),
            loads: Vec::new(),
            diagonal: Vec::new(),
            current: Default::default(),
            fixed: Default::default(),
            all: Vec::new(),
            space: Workspace::default(),
        };
        feeder.find_start(devices, v_pu, s_base_va);
        Some(feeder)
    }

    /// The power flow that the island begins from.
    fn find_start(&mut self, devices: &[Device], v_pu: f64, s_base_va: f64) {
        let nodes = self.buses.count();
        self.v = vec![Complex::ZERO; nodes];
        self.fill(Complex::new(v_pu, 0.0));
        self.diagonal = vec![Complex::ZERO; nodes];
        let holds = Complex::new(HOLDS, 0.0);
        self.pcc.admit(holds, &mut self.diagonal);
        let diagonal = self.diagonal.clone();
        self.space.prepare(&self.buses, &mut self.diagonal, &[]);
        for _ in 0..START_ITERATIONS {
            let mut current = vec![Complex::ZERO; nodes];
            self.pcc.drive(holds * v_pu, &mut current);
            for (legs, device) in self.legs.iter().zip(devices) {
                let power = Complex::new(device.terminal.p_w, device.terminal.q_var);
                let own = power.conj() * (legs.gain / s_base_va);
                for (node, _) in legs.each() {
                    current[node] += own / self.v[node].conj();
                }
            }
            self.space.solve(&self.buses, &diagonal, &current, &mut []);
            self.v.clone_from(&self.space.v);
        }
        self.loads = self.v.iter().map(|v| (v.abs(), 1.0)).collect();
    }

    /// Puts every bus at `v`, balanced.
    pub fn fill(&mut self, v: Complex) {
        let buses = self.v.len() / if self.by_phase { 3 } else { 1 };
        for (node, at) in self.v.iter_mut().enumerate() {
            *at = v * turn_of(node / buses.max(1));
        }
    }

    /// The voltage that a device follows [pu].
    pub fn v_at(&self, device: usize) -> Complex {
        self.legs[device].followed(&self.v)
    }

    /// The power of a fed load over its power at nominal voltage.
    pub fn load_scale(&self, device: usize) -> f64 {
        self.legs[device].mean(|node| self.loads[node].1)
    }
}

impl Island {
    /// Steps the buses of `feeder` with the currents of the grid-following inverters.
    pub fn step_feeder(
        &mut self,
        feeder: &mut Feeder,
        devices: &[Device],
        currents: &Currents,
        outside: &Outside,
        h_s: f64,
    ) -> BusStep {
        self.lay_out(feeder, devices, currents, outside, h_s);
        let mut stages = std::mem::take(&mut self.stages);
        let mut follower_scale = 1.0;
        let mut prepared = false;
        let island = &*self;
        let solve = |motions: &[Motion], sources: &mut Vec<Source>, stage: usize| {
            sources.clear();
            for (n, (former, motion)) in island.formers.iter().zip(motions).enumerate() {
                let (legs, e) = (&feeder.legs[former.device], former.e(*motion));
                sources.extend(legs.each().map(|(node, turn)| {
                    let (x, i_max) = (former.x_base / legs.gain, former.i_max_base * legs.gain);
                    let mut source = Source::new(e * turn, x, i_max);
                    (source.bus, source.of) = (node, (n, legs.share, legs.gain));
                    source
                }));
            }
            if !prepared {
                prepared = true;
                feeder
                    .space
                    .prepare(&feeder.buses, &mut feeder.diagonal, sources);
            }
            follower_scale = feeder.solve(sources, stage, island.settings.ceiling_v_pu);
        };
        stages.runge_kutta(&island.formers, h_s, solve);
        stages.arrive(&mut self.formers, &mut self.delivered);
        self.stages = stages;
        feeder.v.clone_from(&feeder.space.v);
        let (low, high) = CONSTANT_POWER_PU;
        for (load, v) in feeder.loads.iter_mut().zip(&feeder.v) {
            let adapted = load.0.clamp(low, high).powi(2);
            *load = (
                self.load_lag.step(load.0, v.abs(), h_s),
                v.norm_sq() / adapted,
            );
        }
        self.v = feeder.pcc.followed(&feeder.v);
        let (grid_e, grid_y) = self.grid_source(outside, 2, h_s);
        BusStep {
            v: self.v,
            follower_scale,
            load_scale: 1.0,
            grid: -feeder.pcc.power_into(&feeder.v, grid_e, grid_y),
        }
    }

    /// Lays out what a step has beside its formers: admittances of loads, motors, test load and grid,
    /// and the currents of motors, grid and grid-following inverters.
    fn lay_out(
        &self,
        feeder: &mut Feeder,
        devices: &[Device],
        currents: &Currents,
        outside: &Outside,
        h_s: f64,
    ) {
        let grid = [0, 1, 2].map(|stage| self.grid_source(outside, stage, h_s));
        let (low, high) = CONSTANT_POWER_PU;
        let Feeder {
            legs,
            pcc,
            diagonal,
            ..
        } = feeder;
        let per_base = 1.0 / self.s_base_va;
        diagonal.fill(Complex::ZERO);
        let losses = Complex::new(outside.losses_w * per_base, 0.0);
        let rlc = self.rlc.map_or(Complex::ZERO, |rlc| {
            let speed = self.formers.first().map_or(0.0, |f| f.motion.speed);
            rlc_admittance(rlc.g, rlc.b_l, rlc.b_c, speed)
        });
        pcc.admit(losses + rlc + grid[0].1, diagonal);
        for i in &self.loads {
            if let Some(load) = devices[*i].fed_load() {
                let power = Complex::new(load.p_w, load.q_var) * per_base;
                let y = admittance_of(power) * legs[*i].gain;
                for (node, _) in legs[*i].each() {
                    let adapted = feeder.loads[node].0.clamp(low, high).powi(2);
                    diagonal[node] += y * (1.0 / adapted);
                }
            }
        }
        for turning in &self.motors {
            legs[turning.device].admit(turning.y, diagonal);
        }
        let nodes = diagonal.len();
        for stage in 0..3 {
            let fixed = &mut feeder.fixed[stage];
            fixed.clear();
            fixed.resize(nodes, Complex::ZERO);
            pcc.drive(grid[stage].0 * grid[stage].1, fixed);
            for turning in &self.motors {
                legs[turning.device].drive(turning.e[stage] * turning.y, fixed);
            }
            let current = &mut feeder.current[stage];
            current.clear();
            current.resize(nodes, Complex::ZERO);
            for (follower, injection) in self.followers.iter().zip(&currents.each) {
                legs[follower.device].drive(injection[stage], current);
            }
        }
    }
}

impl Feeder {
    /// Solves with as much of the followers' current as keeps every voltage at or below `ceiling`
    /// (zero for none); answers that share.
    fn solve(&mut self, sources: &mut [Source], stage: usize, ceiling: f64) -> f64 {
        let (fixed, current) = (&self.fixed[stage], &self.current[stage]);
        let with = |share: f64, all: &mut Vec<Complex>| {
            all.clear();
            all.extend(fixed.iter().zip(current).map(|(j, i)| *j + *i * share));
        };
        let mut all = std::mem::take(&mut self.all);
        with(1.0, &mut all);
        self.space.solve(&self.buses, &self.diagonal, &all, sources);
        let over = |v: &[Complex]| v.iter().any(|v| v.norm_sq() > ceiling * ceiling);
        let mut share = 1.0;
        if ceiling > 0.0 && over(&self.space.v) {
            let full = self.space.v.clone();
            self.space
                .solve(&self.buses, &self.diagonal, fixed, sources);
            let without = &self.space.v;
            let (mut low, mut high) = (0.0, 1.0);
            for _ in 0..CEILING_HALVINGS {
                share = 0.5 * (low + high);
                let between = |(a, b): (&Complex, &Complex)| *a + (*b - *a) * share;
                let v: Vec<Complex> = without.iter().zip(&full).map(between).collect();
                if over(&v) {
                    high = share;
                } else {
                    low = share;
                }
            }
            share = low;
            with(share, &mut all);
            self.space.solve(&self.buses, &self.diagonal, &all, sources);
        }
        self.all = all;
        share
    }
}
