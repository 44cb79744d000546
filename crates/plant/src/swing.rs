//! The swing of a grid former: power imbalance to speed, with droop at once or through a governor.
//!
//! `2H dw' = P0 + Pprim - P`; without a governor `Pprim = -(dw - shift) / droop`, which is the
//! droop inverter with a power filter of time constant tau for `2H = tau / droop`; with one,
//! `Tg Pprim' = -(dw - shift) / droop - Pprim`.

/// What sets the swing; per unit of the former's own rating.
#[derive(Clone, Copy, Debug)]
pub struct Swing {
    /// Twice the inertia constant [s].
    pub two_h_s: f64,
    /// Frequency droop [pu/pu].
    pub droop: f64,
    /// Time constant of the governor [s]; zero for none.
    pub governor_s: f64,
}

impl Swing {
    /// The rates of speed [pu/s] and governor power [pu/s].
    pub fn rates(&self, speed: f64, governor: f64, p0: f64, p: f64, shift: f64) -> (f64, f64) {
        let wanted = -(speed - shift) / self.droop;
        if self.governor_s > 0.0 {
            (
                (p0 + governor - p) / self.two_h_s,
                (wanted - governor) / self.governor_s,
            )
        } else {
            ((p0 + wanted - p) / self.two_h_s, 0.0)
        }
    }
}
