//! Open-circuit voltage of a lithium iron phosphate cell over its state of charge.
//!
//! # Source
//! Our own table: the flat plateau between two knees that every published LFP curve shows, not the
//! data of one make. It rises everywhere, so a voltage belongs to one state of charge; its slopes
//! beyond empty and full are steep, so that over-discharge and overcharge show in the voltage.
//! Neither hysteresis nor the curve's drift with temperature (below 1 mV/K) is modelled.

/// State of charge and voltage [V], both rising; the last slopes continue beyond the ends.
const CURVE: [(f64, f64); 16] = [
    (-0.05, 1.80),
    (0.00, 2.60),
    (0.05, 3.05),
    (0.10, 3.18),
    (0.20, 3.24),
    (0.30, 3.27),
    (0.40, 3.285),
    (0.50, 3.295),
    (0.60, 3.31),
    (0.70, 3.325),
    (0.80, 3.332),
    (0.90, 3.338),
    (0.95, 3.35),
    (1.00, 3.42),
    (1.02, 3.65),
    (1.05, 4.20),
];

/// The segment that `soc` lies in: its lower end and its slope.
fn segment(soc: f64) -> ((f64, f64), f64) {
    let last = CURVE.len() - 2;
    let n = CURVE[1..=last]
        .iter()
        .position(|(s, _)| soc < *s)
        .unwrap_or(last);
    let ((s0, v0), (s1, v1)) = (CURVE[n], CURVE[n + 1]);
    ((s0, v0), (v1 - v0) / (s1 - s0))
}

/// The voltage of one cell at rest [V].
pub fn cell_v(soc: f64) -> f64 {
    let ((s0, v0), slope) = segment(soc);
    v0 + slope * (soc - s0)
}

/// The signed area below the curve between two states of charge [V].
fn area(from: f64, to: f64) -> f64 {
    let trapezium = |a: f64, b: f64| (b - a) * 0.5 * (cell_v(a) + cell_v(b));
    let (low, high) = (from.min(to), from.max(to));
    let mut at = low;
    let mut sum = 0.0;
    for (knee, _) in CURVE {
        if knee > low && knee < high {
            sum += trapezium(at, knee);
            at = knee;
        }
    }
    sum += trapezium(at, high);
    if to < from { -sum } else { sum }
}

/// The integral of the curve from empty to `soc` [V]. Times the capacity it is the energy that a
/// cell has above empty.
pub fn energy_v(soc: f64) -> f64 {
    area(0.0, soc)
}

/// The mean voltage of a cell that goes from one state of charge to another [V].
pub fn mean_v(from: f64, to: f64) -> f64 {
    if segment(from) == segment(to) {
        return 0.5 * (cell_v(from) + cell_v(to));
    }
    area(from, to) / (to - from)
}

#[cfg(test)]
mod tests {
    use super::{CURVE, cell_v, energy_v, mean_v};

    #[test]
    fn curve_passes_its_knees_and_rises_everywhere() {
        for (soc, v) in CURVE {
            assert!((cell_v(soc) - v).abs() < 1e-12);
        }
        let steps: Vec<f64> = (-100..1100).map(|n| cell_v(f64::from(n) / 1e3)).collect();
        assert!(steps.windows(2).all(|pair| pair[1] > pair[0]));
    }

    #[test]
    fn energy_is_the_area_below_the_curve() {
        for soc in [-0.04, 0.0, 0.033, 0.5, 0.97, 1.01, 1.2] {
            let n = 100_000;
            let area: f64 = (0..n)
                .map(|k| cell_v(soc * (f64::from(k) + 0.5) / f64::from(n)) * soc / f64::from(n))
                .sum();
            assert!((energy_v(soc) - area).abs() < 1e-6, "{soc}");
        }
    }

    #[test]
    fn mean_of_a_way_is_its_energy_over_its_length() {
        for (from, to) in [(0.2, 0.21), (0.95, 0.4), (-0.02, 1.03)] {
            let exact = (energy_v(to) - energy_v(from)) / (to - from);
            assert!((mean_v(from, to) - exact).abs() < 1e-9);
        }
        assert_eq!(mean_v(0.5, 0.5), cell_v(0.5));
    }
}
