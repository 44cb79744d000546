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
use crate::network::{Source, admittance_of, rlc_admittance};

/// Iterations of the power flow an island starts from; each is several times nearer.
const START_ITERATIONS: usize = 30;
/// The admittance that holds the PCC's voltage in that power flow [pu].
const HOLDS: f64 = 1e9;
/// Halvings when the followers' current is cut at their ceiling.
const CEILING_HALVINGS: usize = 40;

/// The buses of an island and what is known of each.
#[derive(Clone, Debug)]
pub struct Feeder {
    /// The network.
    pub buses: Buses,
    /// Voltage of each bus [pu].
    pub v: Vec<Complex>,
    /// Voltage the loads of each bus have adapted to, and their power over that at nominal voltage.
    loads: Vec<(f64, f64)>,
    diagonal: Vec<Complex>,
    /// What the grid-following inverters drive into each bus, by place in the step.
    current: [Vec<Complex>; 3],
    /// What the grid and the motors drive.
    fixed: [Vec<Complex>; 3],
    all: Vec<Complex>,
    space: Workspace,
}

impl Feeder {
    /// A network whose PCC is at `v_pu` while its devices give what their terminals hold.
    pub fn start(buses: Buses, devices: &[Device], v_pu: f64, s_base_va: f64) -> Feeder {
        let n = buses.count();
        let mut feeder = Feeder {
            v: vec![Complex::new(v_pu, 0.0); n],
            loads: vec![(v_pu, 1.0); n],
            diagonal: vec![Complex::ZERO; n],
            current: Default::default(),
            fixed: Default::default(),
            all: Vec::new(),
            space: Workspace::default(),
            buses,
        };
        feeder.diagonal[feeder.buses.pcc] = Complex::new(HOLDS, 0.0);
        let diagonal = feeder.diagonal.clone();
        feeder
            .space
            .prepare(&feeder.buses, &mut feeder.diagonal, &[]);
        for _ in 0..START_ITERATIONS {
            let mut current = vec![Complex::ZERO; n];
            current[feeder.buses.pcc] = Complex::new(HOLDS * v_pu, 0.0);
            for (i, device) in devices.iter().enumerate() {
                let bus = feeder.buses.of(i);
                let power = Complex::new(device.terminal.p_w, device.terminal.q_var);
                current[bus] += power.conj() * (1.0 / s_base_va) / feeder.v[bus].conj();
            }
            feeder
                .space
                .solve(&feeder.buses, &diagonal, &current, &mut []);
            feeder.v.clone_from(&feeder.space.v);
        }
        for (load, v) in feeder.loads.iter_mut().zip(&feeder.v) {
            load.0 = v.abs();
        }
        feeder
    }

    /// The power of a fed load at this bus over its power at nominal voltage.
    pub fn load_scale(&self, bus: usize) -> f64 {
        self.loads[bus].1
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
        let (low, high) = CONSTANT_POWER_PU;
        let Feeder {
            buses, diagonal, ..
        } = feeder;
        let per_base = 1.0 / self.s_base_va;
        diagonal.fill(Complex::ZERO);
        diagonal[buses.pcc] = Complex::new(outside.losses_w * per_base, 0.0);
        for i in &self.loads {
            if let Some(load) = devices[*i].fed_load() {
                let bus = buses.of(*i);
                let adapted = feeder.loads[bus].0.clamp(low, high).powi(2);
                let power = Complex::new(load.p_w, load.q_var) * per_base;
                diagonal[bus] += admittance_of(power) * (1.0 / adapted);
            }
        }
        if let Some(rlc) = self.rlc {
            let speed = self.formers.first().map_or(0.0, |f| f.motion.speed);
            diagonal[buses.pcc] += rlc_admittance(rlc.g, rlc.b_l, rlc.b_c, speed);
        }
        let (_, grid_y) = self.grid_source(outside, 0, h_s);
        diagonal[buses.pcc] += grid_y;
        for turning in &self.motors {
            diagonal[buses.of(turning.device)] += turning.y;
        }
        for (stage, fixed) in feeder.fixed.iter_mut().enumerate() {
            fixed.clear();
            fixed.resize(buses.count(), Complex::ZERO);
            fixed[buses.pcc] = self.grid_source(outside, stage, h_s).0 * grid_y;
            for turning in &self.motors {
                fixed[buses.of(turning.device)] += turning.e[stage] * turning.y;
            }
        }
        for (stage, current) in feeder.current.iter_mut().enumerate() {
            current.clear();
            current.resize(buses.count(), Complex::ZERO);
            for (follower, injection) in self.followers.iter().zip(&currents.each) {
                current[buses.of(follower.device)] += injection[stage];
            }
        }
        let mut stages = std::mem::take(&mut self.stages);
        let mut follower_scale = 1.0;
        let mut prepared = false;
        let island = &*self;
        let solve = |motions: &[Motion], sources: &mut Vec<Source>, stage: usize| {
            sources.clear();
            sources.extend(island.formers.iter().zip(motions).map(|(former, motion)| {
                let mut source = Source::new(former.e(*motion), former.x_base, former.i_max_base);
                source.bus = feeder.buses.of(former.device);
                source
            }));
            if !prepared {
                prepared = true;
                feeder
                    .space
                    .prepare(&feeder.buses, &mut feeder.diagonal, sources);
            }
            follower_scale = feeder.solve(sources, stage, island.settings.ceiling_v_pu);
        };
        stages.runge_kutta(&island.formers, h_s, solve);
        stages.arrive(&mut self.formers, &mut self.former_i);
        self.stages = stages;
        feeder.v.clone_from(&feeder.space.v);
        for (load, v) in feeder.loads.iter_mut().zip(&feeder.v) {
            let adapted = load.0.clamp(low, high).powi(2);
            *load = (
                self.load_lag.step(load.0, v.abs(), h_s),
                v.norm_sq() / adapted,
            );
        }
        self.v = feeder.v[feeder.buses.pcc];
        let (grid_e, _) = self.grid_source(outside, 2, h_s);
        BusStep {
            v: self.v,
            follower_scale,
            load_scale: 1.0,
            grid_i: (grid_e - self.v) * grid_y,
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
