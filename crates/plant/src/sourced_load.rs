//! A load behind an AC source: constant impedance in each phase, and a motor by its sequences.

use crate::complex::Complex;
use crate::device::Load;
use crate::motor::{MotorEvent, Supply};
use crate::network::admittance_of;
use crate::sourced::Phases;
use std::f64::consts::TAU;

/// The current of a load into the source in a step of `h_s` at the phases' voltages `v` [VA at nominal
/// voltage], and what its motor brought.
pub(crate) fn load_current(
    load: &mut Load,
    v: &[Complex; 3],
    h_s: f64,
) -> ([Complex; 3], Option<MotorEvent>) {
    let mut current = [Complex::ZERO; 3];
    let v = if load.shed { &[Complex::ZERO; 3] } else { v };
    let y = admittance_of(Complex::new(load.p_w, load.q_var));
    match load.phases {
        Phases::One(n) => current[n] = -(v[n] * y),
        Phases::Three => current = v.map(|v| -(v * y * (1.0 / 3.0))),
    }
    let Some(motor) = &mut load.motor else {
        return (current, None);
    };
    let positive = Phases::Three.followed(v);
    let (negative_i, braking) = motor.negative_sequence(negative_sequence(v));
    let middle = motor.ahead(positive, h_s)[1];
    let positive_i = (positive - middle) * motor.y();
    let base = motor.settings.s_va;
    let with = Phases::Three.spread(positive_i * base);
    let against = Phases::Three.spread(negative_i * base);
    // Phases b and c change places in a negative sequence.
    let against = [against[0], against[2], against[1]];
    for (n, current) in current.iter_mut().enumerate() {
        *current = *current - with[n] - against[n];
    }
    let supply = Supply {
        braking,
        ..Supply::still(positive)
    };
    (current, motor.step(&supply, h_s))
}

/// The negative sequence of three phasors.
fn negative_sequence(v: &[Complex; 3]) -> Complex {
    let turned = |at: usize, angle: f64| v[at] * Complex::polar(1.0, angle);
    (v[0] + turned(1, -TAU / 3.0) + turned(2, TAU / 3.0)) * (1.0 / 3.0)
}
