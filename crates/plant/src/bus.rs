//! One step of the island's bus: what the loads and the current sources make of its voltage.

use crate::complex::{Complex, J};
use crate::grid_following::Injection;
use crate::grid_forming::{GridForming, Motion};
use crate::island::{CONSTANT_POWER_PU, Island, Outside};
use crate::network::{Source, admittance_of, rlc_admittance, solve_under_ceiling};
use crate::resonant::{Circuit, Resonant};
use std::f64::consts::TAU;

/// What the bus gave in a step.
pub struct BusStep {
    /// Voltage that power is counted with: at the end, or the mean of a resonant step.
    pub v: Complex,
    /// Share of the grid-following inverters' current that flows: less than 1 at their ceiling.
    pub follower_scale: f64,
    /// Power of a fed load over its power at nominal voltage.
    pub load_scale: f64,
    /// Power of the grid into the feeder (P + jQ) [pu].
    pub grid: Complex,
}

/// What a grid former gave in a step.
#[derive(Clone, Copy, Debug, Default)]
pub struct Delivered {
    /// Power (P + jQ) [pu].
    pub power: Complex,
    /// The largest current of its phases [pu].
    pub i_pu: f64,
}

/// Room for the stages of a step, kept so that steps allocate nothing.
#[derive(Clone, Debug, Default)]
pub struct Stages {
    start: Vec<Motion>,
    at: Vec<Motion>,
    rates: [Vec<Motion>; 4],
    sources: Vec<Source>,
    power: Vec<Complex>,
}

impl Stages {
    /// Moves grid formers by a Runge-Kutta step; their states are in `at` then, the sources as the
    /// last call of `solve` left them. `solve` is given states and fills the sources, at the
    /// beginning (0), middle (1) or end (2) of the step.
    pub fn runge_kutta(
        &mut self,
        formers: &[GridForming],
        h: f64,
        mut solve: impl FnMut(&[Motion], &mut Vec<Source>, usize),
    ) {
        self.start.clear();
        self.start
            .extend(formers.iter().map(|former| former.motion));
        self.at.clone_from(&self.start);
        // How far along the rate before each rate is taken, and in which part of the step.
        let along = [(0.0, 0), (0.5, 1), (0.5, 1), (1.0, 2)];
        for (n, (share, stage)) in along.into_iter().enumerate() {
            if n > 0 {
                let before = self.start.iter().zip(&self.rates[n - 1]);
                for (at, (from, rate)) in self.at.iter_mut().zip(before) {
                    *at = from.moved(*rate, share * h);
                }
            }
            solve(&self.at, &mut self.sources, stage);
            self.power.clear();
            self.power.resize(formers.len(), Complex::ZERO);
            for source in &self.sources {
                let (former, share, _) = source.of;
                self.power[former] += source.v * source.i.conj() * share;
            }
            let moving = formers.iter().zip(&self.at).zip(&self.power);
            let rate = |((former, motion), power): ((&GridForming, &Motion), &Complex)| {
                former.rates(*motion, *power)
            };
            self.rates[n].clear();
            self.rates[n].extend(moving.map(rate));
        }
        let [k1, k2, k3, k4] = &self.rates;
        for (i, at) in self.at.iter_mut().enumerate() {
            *at = self.start[i].moved(k1[i], h / 6.0);
            *at = at.moved(k2[i], h / 3.0).moved(k3[i], h / 3.0);
            *at = at.moved(k4[i], h / 6.0);
        }
        solve(&self.at, &mut self.sources, 2);
    }

    /// Puts the states at the end of a step into the formers, and what they gave into `delivered`.
    pub fn arrive(&self, formers: &mut [GridForming], delivered: &mut Vec<Delivered>) {
        for (former, motion) in formers.iter_mut().zip(&self.at) {
            former.arrive(*motion);
        }
        delivered.clear();
        delivered.resize(formers.len(), Delivered::default());
        for source in &self.sources {
            let (former, share, gain) = source.of;
            let given = &mut delivered[former];
            given.power += source.v * source.i.conj() * share;
            given.i_pu = given.i_pu.max(source.i.abs() / gain);
        }
    }
}

impl Island {
    /// Steps the bus with the loads' power at nominal voltage (`load`, P + jQ consumed, pu) and the
    /// currents of the grid-following inverters.
    pub fn step_bus(
        &mut self,
        load: Complex,
        current: Injection,
        outside: &Outside,
        h_s: f64,
    ) -> BusStep {
        if self.formers.is_empty() && !self.attached {
            return self.step_resonant(load, current[1], h_s);
        }
        self.resonant = None;
        let (low, high) = CONSTANT_POWER_PU;
        let adapted = self.v_load.clamp(low, high).powi(2);
        let (motors_y, motors_j) = self.motors_together();
        let shares = admittance_of(load) * (1.0 / adapted) + motors_y;
        let mut stages = std::mem::take(&mut self.stages);
        let bus = AlgebraicBus {
            island: self,
            shares,
            motors_j,
            current,
            outside,
            h_s,
        };
        let solved = bus.step(&mut stages);
        stages.arrive(&mut self.formers, &mut self.delivered);
        self.stages = stages;
        self.v = solved.v;
        self.v_load = self.load_lag.step(self.v_load, solved.v.abs(), h_s);
        BusStep {
            v: solved.v,
            follower_scale: solved.follower_scale,
            load_scale: solved.v.norm_sq() / adapted,
            grid: solved.v * solved.grid_i.conj(),
        }
    }

    /// The grid's voltage at the beginning (0), middle (1) or end (2) of a step, and its admittance
    /// while the switch is closed.
    pub fn grid_source(&self, outside: &Outside, stage: usize, h_s: f64) -> (Complex, Complex) {
        if !self.attached {
            return (Complex::ZERO, Complex::ZERO);
        }
        let (r, x) = self.settings.grid_z_pu;
        let slip = TAU * (outside.grid_f_hz - self.f_nominal_hz);
        let angle = self.grid_angle + slip * h_s * 0.5 * stage as f64;
        let e = Complex::polar(outside.grid_v_pu, angle);
        (e, Complex::ONE / (Complex::new(r, 0.0) + J * x))
    }

    fn step_resonant(&mut self, load: Complex, current: Complex, h_s: f64) -> BusStep {
        let (low, high) = CONSTANT_POWER_PU;
        // Without a former the loads stay the impedance they were: `v_load` no longer moves.
        let adapted = self.v_load.clamp(low, high).powi(2);
        let shares = load * (1.0 / adapted);
        let mut circuit = Circuit {
            g: shares.re,
            b_l: shares.im.max(0.0),
            b_c: -shares.im.min(0.0),
        };
        match self.rlc {
            Some(rlc) => {
                circuit.g += rlc.g;
                circuit.b_l += rlc.b_l;
                circuit.b_c += rlc.b_c;
            }
            // A tuned test load counts the inverter's own filter in its capacitance.
            None => circuit.b_c += self.filter_b,
        }
        let (motors_y, motors_j) = self.motors_together();
        circuit.g += motors_y.re;
        circuit.b_l -= motors_y.im;
        circuit.b_c = circuit.b_c.max(1e-3);
        let v = self.v;
        let resonant = self
            .resonant
            .get_or_insert_with(|| Resonant::new(circuit, v));
        let ceiling = self.settings.ceiling_v_pu;
        let (mean, follower_scale) = resonant.advance(
            (circuit, self.w0),
            // The voltage follows the flux at once: with one of the middle it would be half a step late.
            (motors_j[2], current),
            ceiling,
            h_s,
        );
        self.v = resonant.v;
        self.delivered.clear();
        BusStep {
            v: mean,
            follower_scale,
            load_scale: mean.norm_sq() / adapted,
            grid: Complex::ZERO,
        }
    }
}

/// The bus while a source holds it.
struct AlgebraicBus<'a> {
    island: &'a Island,
    /// Admittance of the loads and their motors.
    shares: Complex,
    /// What the motors drive.
    motors_j: Injection,
    current: Injection,
    outside: &'a Outside,
    h_s: f64,
}

impl AlgebraicBus<'_> {
    fn step(&self, stages: &mut Stages) -> Solved {
        let mut last = Solved::default();
        let solve = |motions: &[Motion], sources: &mut Vec<Source>, stage: usize| {
            last = self.solved(motions, sources, stage);
        };
        stages.runge_kutta(&self.island.formers, self.h_s, solve);
        last
    }

    /// The bus at the beginning (0), middle (1) or end (2) of the step; the sources as they are then.
    fn solved(&self, motions: &[Motion], sources: &mut Vec<Source>, stage: usize) -> Solved {
        let island = self.island;
        sources.clear();
        let moving = island.formers.iter().zip(motions).enumerate();
        sources.extend(moving.map(|(n, (former, motion))| {
            let mut source = Source::new(former.e(*motion), former.x_base, former.i_max_base);
            source.of.0 = n;
            source
        }));
        let mut admittance = self.shares;
        if let Some(rlc) = island.rlc {
            let speed = motions.first().map_or(0.0, |motion| motion.speed);
            admittance += rlc_admittance(rlc.g, rlc.b_l, rlc.b_c, speed);
        }
        let (grid_e, grid_y) = island.grid_source(self.outside, stage, self.h_s);
        admittance += grid_y;
        let fixed = grid_e * grid_y + self.motors_j[stage];
        let followers = self.current[stage];
        let ceiling = island.settings.ceiling_v_pu;
        let (v, follower_scale) =
            solve_under_ceiling(sources, admittance, fixed, followers, ceiling);
        Solved {
            v,
            grid_i: (grid_e - v) * grid_y,
            follower_scale,
        }
    }
}

/// The bus at one moment.
#[derive(Default)]
struct Solved {
    v: Complex,
    grid_i: Complex,
    follower_scale: f64,
}
