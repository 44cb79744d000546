//! Open-circuit voltage of a lithium iron phosphate cell over its state of charge.
//!
//! # Source
//! Our own table: the flat plateau between two knees that every published LFP curve shows, not the
//! data of one make. It rises everywhere, so a voltage belongs to one state of charge.

/// State of charge and voltage [V], both rising.
const CURVE: [(f64, f64); 13] = [
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
];

/// The voltage of one cell at rest [V]; the ends hold beyond 0..1.
pub fn cell_v(soc: f64) -> f64 {
    for pair in CURVE.windows(2) {
        let ((s0, v0), (s1, v1)) = (pair[0], pair[1]);
        if soc <= s1 {
            return v0 + (v1 - v0) * ((soc - s0) / (s1 - s0)).max(0.0);
        }
    }
    CURVE[CURVE.len() - 1].1
}
