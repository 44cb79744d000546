//! How a device is joined to the nodes of a network: at one bus, at its three phases, or at one.
//!
//! Everything of a device is said by one phasor, as on one bus: the voltage it follows and the current
//! it drives. By phases, that voltage is the positive sequence of its bus or the voltage of its own phase,
//! a current is balanced or in that phase alone, and each phase has a third of the base.

use crate::complex::Complex;
use crate::sourced::Phases;
use std::f64::consts::TAU;

/// The direction of phase a, b or c in a positive sequence.
pub fn turn_of(phase: usize) -> Complex {
    Complex::polar(1.0, -TAU / 3.0 * phase as f64)
}

/// The nodes of one device.
#[derive(Clone, Debug)]
pub struct Legs {
    legs: Vec<(usize, Complex)>,
    /// Current of a leg over that of the device, each in per unit of its base.
    pub gain: f64,
    /// Power of a leg over that of the device, the same.
    pub share: f64,
}

impl Legs {
    /// At one bus without phases.
    pub fn at(bus: usize) -> Legs {
        Legs {
            legs: vec![(bus, Complex::ONE)],
            gain: 1.0,
            share: 1.0,
        }
    }

    /// At phases of a bus, each of which is a network of `buses` of its own.
    pub fn by_phase(bus: usize, buses: usize, phases: Phases) -> Legs {
        let node = |phase: usize| phase * buses + bus;
        let (legs, gain) = match phases {
            Phases::One(phase) => (vec![(node(phase), Complex::ONE)], 3.0),
            Phases::Three => ((0..3).map(|n| (node(n), turn_of(n))).collect(), 1.0),
        };
        Legs {
            legs,
            gain,
            share: 1.0 / 3.0,
        }
    }

    /// Its nodes, and the direction of each.
    pub fn each(&self) -> impl Iterator<Item = (usize, Complex)> + '_ {
        self.legs.iter().copied()
    }

    /// The voltage it follows.
    pub fn followed(&self, v: &[Complex]) -> Complex {
        let sum = |sum: Complex, (node, turn): (usize, Complex)| sum + v[node] * turn.conj();
        self.each().fold(Complex::ZERO, sum) * (1.0 / self.legs.len() as f64)
    }

    /// Adds the admittance `y` of the device to those of its nodes.
    pub fn admit(&self, y: Complex, into: &mut [Complex]) {
        for (node, _) in self.each() {
            into[node] += y * self.gain;
        }
    }

    /// Adds the current `i` of the device to those of its nodes.
    pub fn drive(&self, i: Complex, into: &mut [Complex]) {
        for (node, turn) in self.each() {
            into[node] += i * turn * self.gain;
        }
    }

    /// Power into what draws `(v - e) y` at each of its nodes.
    pub fn power_into(&self, v: &[Complex], e: Complex, y: Complex) -> Complex {
        let sum = |sum: Complex, (node, turn): (usize, Complex)| {
            sum + v[node] * ((v[node] - e * turn) * y).conj()
        };
        self.each().fold(Complex::ZERO, sum) * (self.gain * self.share)
    }

    /// The mean of a number of each of its nodes.
    pub fn mean(&self, of: impl Fn(usize) -> f64) -> f64 {
        let sum: f64 = self.each().map(|(node, _)| of(node)).sum();
        sum / self.legs.len() as f64
    }
}
