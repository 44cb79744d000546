//! A meter's two energy registers: whole milliwatt-hours, the rest carried to the next reading.

/// Joules in a milliwatt-hour.
const JOULE_PER_MILLIWH: f64 = 3.6;

/// More than the rounding of many summed steps, far less than a register shows.
const ROUNDING_MILLIWH: f64 = 1e-6;

/// Energy in each direction; neither register ever falls.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Register {
    import_milliwh: u64,
    export_milliwh: u64,
    import_rest: f64,
    export_rest: f64,
}

impl Register {
    /// Adds the energy of `p_w` held for `dt_s`; positive power counts as export.
    pub fn add(&mut self, p_w: f64, dt_s: f64) {
        let milliwh = p_w.abs() * dt_s / JOULE_PER_MILLIWH;
        let (whole, rest) = if p_w >= 0.0 {
            (&mut self.export_milliwh, &mut self.export_rest)
        } else {
            (&mut self.import_milliwh, &mut self.import_rest)
        };
        let sum = *rest + milliwh;
        // Without it, a sum that is whole but for its rounding would count one too little.
        let floor = (sum + ROUNDING_MILLIWH).floor();
        *whole += floor as u64;
        *rest = sum - floor;
    }

    /// Energy from the grid to the customer [mWh].
    pub fn import_milliwh(&self) -> u64 {
        self.import_milliwh
    }

    /// Energy from the customer to the grid [mWh].
    pub fn export_milliwh(&self) -> u64 {
        self.export_milliwh
    }
}
