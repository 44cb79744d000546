//! The one bus of an island: voltage from sources behind reactances, currents and an admittance.
//!
//! The bus is linear in every step (loads are the admittance that draws their power at the voltage
//! of a moment ago), so the solution is unique and nothing iterates but the current limits.

use crate::complex::{Complex, J};

/// Sweeps over the current limits of all sources; more change nothing that could be measured.
const LIMIT_SWEEPS: usize = 6;
/// Halvings when the followers' current is cut at their ceiling.
const CEILING_HALVINGS: usize = 24;

/// A source: inner voltage behind a reactance, with a largest current.
#[derive(Clone, Copy, Debug)]
pub struct Source {
    /// The bus it is on; 0 where there is one bus only.
    pub bus: usize,
    /// Which grid former it is of, and by what its power and current count there.
    pub of: (usize, f64, f64),
    /// Inner voltage.
    pub e: Complex,
    /// Reactance [pu].
    pub x: f64,
    /// Largest current [pu].
    pub i_max: f64,
    /// The current it gives, filled in by `solve` [pu].
    pub i: Complex,
    /// The voltage of its bus, filled in by `solve` [pu].
    pub v: Complex,
    /// Reactance in force: more than `x` while the current is limited.
    x_now: f64,
}

impl Source {
    /// A source whose current is not known yet.
    pub fn new(e: Complex, x: f64, i_max: f64) -> Source {
        Source {
            bus: 0,
            of: (0, 1.0, 1.0),
            e,
            x,
            i_max,
            i: Complex::ZERO,
            v: Complex::ZERO,
            x_now: x,
        }
    }

    /// Forgets the limiting of an earlier solution.
    fn release(&mut self) {
        self.x_now = self.x;
    }

    /// Limits its current by a larger reactance [pu].
    pub fn limit_to(&mut self, x: f64) {
        self.x_now = x;
    }

    /// The admittance in force [pu].
    pub fn y(&self) -> Complex {
        Complex::new(0.0, -1.0 / self.x_now)
    }
}

/// The bus voltage for sources on a bus with `admittance` to ground and `current` flowing in.
///
/// A source above its largest current gets a larger reactance, just enough to be at it.
pub fn solve(sources: &mut [Source], admittance: Complex, current: Complex) -> Complex {
    let (mut y, mut j) = (admittance, current);
    for source in sources.iter() {
        y += source.y();
        j += source.e * source.y();
    }
    let mut v = j / y;
    for _ in 0..LIMIT_SWEEPS {
        let mut changed = false;
        for source in sources.iter_mut() {
            let i = (source.e - v) * source.y();
            if i.norm_sq() <= (source.i_max * (1.0 + 1e-9)).powi(2) {
                continue;
            }
            let (others_y, others_j) = (y - source.y(), j - source.e * source.y());
            source.x_now = limiting_x(source, others_y, others_j);
            y = others_y + source.y();
            j = others_j + source.e * source.y();
            v = j / y;
            changed = true;
        }
        if !changed {
            break;
        }
    }
    for source in sources.iter_mut() {
        source.i = (source.e - v) * source.y();
        source.v = v;
    }
    v
}

/// Solves the bus with as much of the current `followers` as keeps the voltage at or below
/// `ceiling` (zero for none); answers the voltage and that share.
///
/// An inverter cannot drive current into a voltage above what its DC link can modulate. Solved
/// within the step, because a step later it would only make the voltage ring.
pub fn solve_under_ceiling(
    sources: &mut [Source],
    admittance: Complex,
    fixed: Complex,
    followers: Complex,
    ceiling: f64,
) -> (Complex, f64) {
    let v = solve(sources, admittance, fixed + followers);
    if ceiling <= 0.0 || v.norm_sq() <= ceiling * ceiling {
        return (v, 1.0);
    }
    let (mut low, mut high) = (0.0, 1.0);
    for _ in 0..CEILING_HALVINGS {
        let share = 0.5 * (low + high);
        sources.iter_mut().for_each(Source::release);
        if solve(sources, admittance, fixed + followers * share).abs() > ceiling {
            high = share;
        } else {
            low = share;
        }
    }
    sources.iter_mut().for_each(Source::release);
    (solve(sources, admittance, fixed + followers * low), low)
}

/// The reactance at which the current of `source` is its largest.
pub fn limiting_x(source: &Source, others_y: Complex, others_j: Complex) -> f64 {
    if others_y.norm_sq() < 1e-18 {
        return source.x;
    }
    let z = Complex::ONE / others_y;
    let drop = (source.e - others_j * z).abs();
    let reach = (drop / source.i_max).powi(2) - z.re * z.re;
    (reach.max(0.0).sqrt() - z.im).max(source.x)
}

/// The admittance that draws P + jQ (`power`) at a voltage of 1 pu.
pub fn admittance_of(power: Complex) -> Complex {
    power.conj()
}

/// The admittance of conductance, inductance and capacitance at a speed of 1 + `speed` [pu].
pub fn rlc_admittance(g: f64, b_l: f64, b_c: f64, speed: f64) -> Complex {
    let w = 1.0 + speed;
    Complex::new(g, 0.0) + J * (b_c * w - b_l / w)
}
