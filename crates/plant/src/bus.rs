//! One step of the island's bus: what the loads and the current sources make of its voltage.

use crate::complex::{Complex, J};
use crate::grid_following::Injection;
use crate::grid_forming::Motion;
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
    /// Current from the grid into the feeder [pu].
    pub grid_i: Complex,
    /// Current of each grid former [pu].
    pub former_i: Vec<Complex>,
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
        let shares = admittance_of(load) * (1.0 / adapted);
        let bus = AlgebraicBus {
            island: self,
            shares,
            current,
            outside,
            h_s,
        };
        let (
            motions,
            Solved {
                v,
                sources,
                grid_i,
                follower_scale,
            },
        ) = bus.step();
        for (former, motion) in self.formers.iter_mut().zip(motions) {
            former.motion = motion;
        }
        self.v = v;
        self.v_load = self.load_lag.step(self.v_load, v.abs(), h_s);
        let former_i = sources.iter().map(|source| source.i).collect();
        BusStep {
            v,
            follower_scale,
            load_scale: v.norm_sq() / adapted,
            grid_i,
            former_i,
        }
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
        circuit.b_c = circuit.b_c.max(1e-3);
        let v = self.v;
        let resonant = self
            .resonant
            .get_or_insert_with(|| Resonant::new(circuit, v));
        let ceiling = self.settings.ceiling_v_pu;
        let (mean, follower_scale) = resonant.advance(circuit, self.w0, current, ceiling, h_s);
        self.v = resonant.v;
        BusStep {
            v: mean,
            follower_scale,
            load_scale: mean.norm_sq() / adapted,
            grid_i: Complex::ZERO,
            former_i: Vec::new(),
        }
    }
}

/// The bus while a source holds it.
struct AlgebraicBus<'a> {
    island: &'a Island,
    /// Admittance of the loads.
    shares: Complex,
    current: Injection,
    outside: &'a Outside,
    h_s: f64,
}

impl AlgebraicBus<'_> {
    /// Moves the grid formers by a Runge-Kutta step; answers their states and the bus at the end.
    fn step(&self) -> (Vec<Motion>, Solved) {
        let h = self.h_s;
        let start: Vec<Motion> = self
            .island
            .formers
            .iter()
            .map(|former| former.motion)
            .collect();
        let k1 = self.rates(&start, 0);
        let k2 = self.rates(&moved(&start, &k1, 0.5 * h), 1);
        let k3 = self.rates(&moved(&start, &k2, 0.5 * h), 1);
        let k4 = self.rates(&moved(&start, &k3, h), 2);
        let sixth = h / 6.0;
        let mut end = moved(&start, &k1, sixth);
        end = moved(&end, &k2, 2.0 * sixth);
        end = moved(&end, &k3, 2.0 * sixth);
        end = moved(&end, &k4, sixth);
        let solved = self.solved(&end, 2);
        (end, solved)
    }

    fn rates(&self, motions: &[Motion], stage: usize) -> Vec<Motion> {
        let Solved { v, sources, .. } = self.solved(motions, stage);
        self.island
            .formers
            .iter()
            .zip(motions)
            .zip(&sources)
            .map(|((former, motion), source)| former.rates(*motion, v * source.i.conj()))
            .collect()
    }

    /// The bus at the beginning (0), middle (1) or end (2) of the step.
    fn solved(&self, motions: &[Motion], stage: usize) -> Solved {
        let island = self.island;
        let mut sources: Vec<Source> = island
            .formers
            .iter()
            .zip(motions)
            .map(|(former, motion)| {
                Source::new(former.e(*motion), former.x_base, former.i_max_base)
            })
            .collect();
        let mut admittance = self.shares;
        if let Some(rlc) = island.rlc {
            let speed = motions.first().map_or(0.0, |motion| motion.speed);
            admittance += rlc_admittance(rlc.g, rlc.b_l, rlc.b_c, speed);
        }
        let (grid_e, grid_y) = self.grid(stage);
        admittance += grid_y;
        let (fixed, followers) = (grid_e * grid_y, self.current[stage]);
        let ceiling = island.settings.ceiling_v_pu;
        let (v, follower_scale) =
            solve_under_ceiling(&mut sources, admittance, fixed, followers, ceiling);
        Solved {
            v,
            sources,
            grid_i: (grid_e - v) * grid_y,
            follower_scale,
        }
    }

    /// The grid's voltage, and its admittance while the switch is closed.
    fn grid(&self, stage: usize) -> (Complex, Complex) {
        if !self.island.attached {
            return (Complex::ZERO, Complex::ZERO);
        }
        let (r, x) = self.island.settings.grid_z_pu;
        let slip = TAU * (self.outside.grid_f_hz - self.island.f_nominal_hz);
        let angle = self.island.grid_angle + slip * self.h_s * 0.5 * stage as f64;
        let e = Complex::polar(self.outside.grid_v_pu, angle);
        (e, Complex::ONE / (Complex::new(r, 0.0) + J * x))
    }
}

/// The bus at one moment.
struct Solved {
    v: Complex,
    sources: Vec<Source>,
    grid_i: Complex,
    follower_scale: f64,
}

fn moved(from: &[Motion], rates: &[Motion], s: f64) -> Vec<Motion> {
    from.iter()
        .zip(rates)
        .map(|(motion, rate)| motion.moved(*rate, s))
        .collect()
}
