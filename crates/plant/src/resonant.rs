//! A bus nobody holds: parallel resistance, inductance and capacitance fed by currents.
//!
//! `C v' = i - G v - i_L - j w0 C v`, `L i_L' = v - j w0 L i_L`, in a frame turning at w0. Linear,
//! so one zero-order-hold step is exact: a matrix exponential, computed when the circuit changes.

use crate::complex::{Complex, J};

type Matrix = [[Complex; 3]; 3];

/// Conductance and susceptances of the circuit at nominal frequency [pu].
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Circuit {
    /// Conductance.
    pub g: f64,
    /// Susceptance of the inductance.
    pub b_l: f64,
    /// Susceptance of the capacitance.
    pub b_c: f64,
}

/// The circuit, its state and the step computed for it.
#[derive(Clone, Debug)]
pub struct Resonant {
    circuit: Circuit,
    h_s: f64,
    step: Matrix,
    /// Voltage [pu].
    pub v: Complex,
    i_l: Complex,
}

impl Resonant {
    /// Starts at voltage `v` with the inductance in steady state.
    pub fn new(circuit: Circuit, v: Complex) -> Resonant {
        let i_l = -J * circuit.b_l * v;
        Resonant {
            circuit,
            h_s: 0.0,
            step: [[Complex::ZERO; 3]; 3],
            v,
            i_l,
        }
    }

    /// Moves on by `h_s` with `fixed` flowing in and as much of `current` as keeps the voltage at or
    /// below `ceiling` (zero for none); answers the mean of the ends' voltages and that share.
    pub fn advance(
        &mut self,
        (circuit, w0): (Circuit, f64),
        (fixed, current): (Complex, Complex),
        ceiling: f64,
        h_s: f64,
    ) -> (Complex, f64) {
        if circuit != self.circuit || h_s != self.h_s {
            // The inductance of a changed load starts with its share of the old current.
            if self.circuit.b_l > 0.0 {
                self.i_l = self.i_l * (circuit.b_l / self.circuit.b_l);
            }
            self.circuit = circuit;
            self.h_s = h_s;
            self.step = exponential(system(circuit, w0), h_s);
        }
        let before = self.v;
        let [row_v, row_l, _] = &self.step;
        let free = row_v[0] * self.v + row_v[1] * self.i_l + row_v[2] * fixed;
        let share = share_below(free, row_v[2] * current, ceiling);
        let current = current * share;
        self.i_l = row_l[0] * self.v + row_l[1] * self.i_l + row_l[2] * (fixed + current);
        self.v = free + row_v[2] * current;
        ((before + self.v) * 0.5, share)
    }
}

/// The largest share in 0..1 for which |free + share driven| stays at or below `ceiling`.
fn share_below(free: Complex, driven: Complex, ceiling: f64) -> f64 {
    if ceiling <= 0.0 || (free + driven).abs() <= ceiling {
        return 1.0;
    }
    // |free|^2 + 2 share Re(free* driven) + share^2 |driven|^2 = ceiling^2
    let half = (free.conj() * driven).re;
    let rest = free.norm_sq() - ceiling * ceiling;
    let root = half * half - driven.norm_sq() * rest;
    if rest >= 0.0 || root <= 0.0 {
        return 0.0;
    }
    ((root.sqrt() - half) / driven.norm_sq()).clamp(0.0, 1.0)
}

/// The system matrix with the input as a third, constant state.
fn system(circuit: Circuit, w0: f64) -> Matrix {
    let over_c = w0 / circuit.b_c;
    let turn = Complex::new(0.0, -w0);
    let real = |x: f64| Complex::new(x, 0.0);
    [
        [
            real(-circuit.g * over_c) + turn,
            real(-over_c),
            real(over_c),
        ],
        [real(w0 * circuit.b_l), turn, Complex::ZERO],
        [Complex::ZERO; 3],
    ]
}

/// e^(a h) by scaling, a Taylor series and squaring.
fn exponential(a: Matrix, h_s: f64) -> Matrix {
    let norm = a
        .iter()
        .map(|row| row.iter().map(|x| x.abs()).sum::<f64>())
        .fold(0.0, f64::max);
    let squarings = ((norm * h_s).log2().ceil() + 4.0).max(0.0) as u32;
    let scaled = scale(&a, h_s / f64::from(1u32 << squarings.min(31)));
    let mut sum = identity();
    let mut term = identity();
    for n in 1..=14 {
        term = scale(&product(&term, &scaled), 1.0 / f64::from(n));
        for (row, add) in sum.iter_mut().zip(&term) {
            for (x, y) in row.iter_mut().zip(add) {
                *x += *y;
            }
        }
    }
    for _ in 0..squarings.min(31) {
        sum = product(&sum, &sum);
    }
    sum
}

fn identity() -> Matrix {
    let (o, l) = (Complex::ZERO, Complex::ONE);
    [[l, o, o], [o, l, o], [o, o, l]]
}

fn scale(a: &Matrix, factor: f64) -> Matrix {
    a.map(|row| row.map(|x| x * factor))
}

fn product(a: &Matrix, b: &Matrix) -> Matrix {
    let mut out = [[Complex::ZERO; 3]; 3];
    for (i, row) in out.iter_mut().enumerate() {
        for (j, x) in row.iter_mut().enumerate() {
            *x = a[i][0] * b[0][j] + a[i][1] * b[1][j] + a[i][2] * b[2][j];
        }
    }
    out
}
