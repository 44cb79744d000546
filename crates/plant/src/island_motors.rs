//! The motors of an island: what they drive into the network, and how the network turns them.
//!
//! In the network a motor is a current beside an admittance, both known for the whole of a step: its flux is
//! taken ahead with the voltage of the last one. With the voltages found, flux and speed then move
//! by the mean voltage of the step, so that the splitting is of second order.

use crate::complex::Complex;
use crate::device::Device;
use crate::grid_following::Injection;
use crate::island::Island;
use crate::island_step::Surroundings;
use crate::motor::Supply;

/// A motor in the network for one step; per unit of the system base.
#[derive(Clone, Debug)]
pub struct Turning {
    /// The load that it belongs to.
    pub device: usize,
    /// Its rating over the system base.
    ratio: f64,
    /// Admittance; zero while it draws nothing.
    pub y: Complex,
    /// The voltage behind it at the beginning, middle and end of the step.
    pub e: Injection,
    /// The voltage of its bus at the beginning.
    v: Complex,
}

impl Turning {
    /// A motor that no step has seen yet.
    pub fn new(device: usize, ratio: f64) -> Turning {
        Turning {
            device,
            ratio,
            y: Complex::ZERO,
            e: Injection::default(),
            v: Complex::ZERO,
        }
    }

    /// Power into it at `v` (P + jQ), with the flux of the end of the step.
    pub fn power(&self, v: Complex) -> Complex {
        v * ((v - self.e[2]) * self.y).conj()
    }
}

impl Island {
    /// Takes the motors' fluxes ahead over a step that begins.
    pub fn predict_motors(&mut self, devices: &[Device], h_s: f64) {
        let mut motors = std::mem::take(&mut self.motors);
        for turning in &mut motors {
            turning.v = self.v_at(turning.device);
            if let Some(motor) = devices[turning.device].motor() {
                turning.y = motor.y() * turning.ratio;
                turning.e = motor.ahead(turning.v, h_s);
            }
        }
        self.motors = motors;
    }

    /// Their admittance and currents at the one bus.
    pub fn motors_together(&self) -> (Complex, Injection) {
        let mut together = (Complex::ZERO, Injection::default());
        for turning in &self.motors {
            together.0 += turning.y;
            for (sum, e) in together.1.iter_mut().zip(turning.e) {
                *sum += e * turning.y;
            }
        }
        together
    }

    /// Moves them on over the step that ended at `end_s` with the voltages that are there now.
    pub fn step_motors(&mut self, around: &mut Surroundings<'_>, end_s: f64, h_s: f64) {
        for n in 0..self.motors.len() {
            let (device, before) = (self.motors[n].device, self.motors[n].v);
            let mean = (before + self.v_at(device)) * 0.5;
            let name = &around.devices[device].name.clone();
            let Some((motor, fed)) = around.devices[device].motor_mut() else {
                continue;
            };
            let v = if fed { mean } else { Complex::ZERO };
            if let Some(event) = motor.step(&Supply::still(v), h_s) {
                let event = event.at(end_s, end_s - self.opened_s, name);
                around.events.push(event);
            }
        }
    }
}
