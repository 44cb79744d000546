//! How long a world runs on after its switch opens onto a test load: one answer for each load.
//!
//! The way to a map of where island detection is blind. The world itself stays as it is.

use crate::error::{PlantError, checked};
use crate::event::EventKind;
use crate::island::Outside;
use crate::world::World;

/// The most loads of one call.
pub const CASES_MAX: usize = 1_000_000;
/// Between two looks at whether something has tripped [s].
const LOOK_S: f64 = 0.02;

/// A resonant test load, as `World::set_rlc` takes it.
#[derive(Clone, Copy, Debug)]
pub struct TestLoad {
    /// In the resistance [W].
    pub p_w: f64,
    /// Quality factor.
    pub qf: f64,
    /// Capacitance relative to resonance at nominal frequency.
    pub c_scale: f64,
}

impl World {
    /// When the first device tripped after the opening, for each load; `None` if none did within
    /// `horizon_s` [s].
    ///
    /// # Errors
    /// `ValueWrong`, `PccState` if the PCC is open.
    pub fn run_on_times(
        &self,
        loads: &[TestLoad],
        horizon_s: f64,
        h_s: f64,
    ) -> Result<Vec<Option<f64>>, PlantError> {
        checked("loads", loads.len() as f64, 0.0, CASES_MAX as f64)?;
        let horizon_s = checked("horizon_s [s]", horizon_s, LOOK_S, 3600.0)?;
        let looks = (horizon_s / LOOK_S).ceil() as u64;
        let outside = Outside {
            losses_w: 0.0,
            grid_v_pu: 1.0,
            grid_f_hz: self.f_nominal_hz,
        };
        loads
            .iter()
            .map(|load| {
                let mut world = self.clone();
                world.set_rlc(load.p_w, load.qf, load.c_scale)?;
                world.open_pcc(0.0)?;
                for look in 0..looks {
                    let from_s = look as f64 * LOOK_S;
                    let tick = world.island_tick(from_s, LOOK_S, h_s, (0, false), outside)?;
                    let mut trips = tick.events.iter();
                    if let Some(event) = trips.find(|event| event.kind == EventKind::Tripped) {
                        return Ok((event.t_s <= horizon_s).then_some(event.t_s));
                    }
                }
                Ok(None)
            })
            .collect()
    }
}
