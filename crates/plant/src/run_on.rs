//! How long a world runs on after its switch opens onto a test load: one answer for each load.
//!
//! The way to a map of where island detection is blind. The world itself stays as it is. The loads are
//! shared out to as many threads as the process has cores; what each answers does not depend on it.

use crate::device::Device;
use crate::error::{PlantError, checked};
use crate::event::EventKind;
use crate::island::Outside;
use crate::islanding::Until;
use crate::world::World;

/// The most loads of one call.
pub const CASES_MAX: usize = 1_000_000;
/// How long an island runs between two looks at what its packs still allow [s].
const LOOK_S: f64 = 1.0;
/// Fewer loads than this are not worth a thread.
const CASES_A_THREAD: usize = 16;

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
        let horizon_s = checked("horizon_s [s]", horizon_s, 0.02, 3600.0)?;
        let threads = std::thread::available_parallelism().map_or(1, |cores| cores.get());
        let threads = threads.min(loads.len() / CASES_A_THREAD).max(1);
        if threads == 1 {
            return loads
                .iter()
                .map(|load| self.run_on(load, horizon_s, h_s))
                .collect();
        }
        // Every so-and-so-many-th load each: near each other they take about as long.
        let share = |first: usize| {
            let mine = loads.iter().skip(first).step_by(threads);
            mine.map(|load| self.run_on(load, horizon_s, h_s))
                .collect::<Vec<_>>()
        };
        let shares: Vec<_> = std::thread::scope(|scope| {
            let started: Vec<_> = (0..threads)
                .map(|n| scope.spawn(move || share(n)))
                .collect();
            started.into_iter().map(|one| one.join()).collect()
        });
        let mut found = vec![None; loads.len()];
        for (n, share) in shares.into_iter().enumerate() {
            let share = share.unwrap_or_else(|panic| std::panic::resume_unwind(panic));
            for (k, time_s) in share.into_iter().enumerate() {
                found[n + k * threads] = time_s?;
            }
        }
        Ok(found)
    }

    fn run_on(&self, load: &TestLoad, horizon_s: f64, h_s: f64) -> Result<Option<f64>, PlantError> {
        let outside = Outside {
            losses_w: 0.0,
            grid_v_pu: 1.0,
            grid_f_hz: self.f_nominal_hz,
        };
        let mut world = self.clone();
        world.set_rlc(load.p_w, load.qf, load.c_scale)?;
        world.open_pcc(0.0)?;
        if let Some(island) = &mut world.island {
            // Only shedding acts on what the instrument at the bus sees.
            island.observed = self.devices.iter().any(Device::may_be_shed);
        }
        let mut from_s = 0.0;
        while from_s < horizon_s {
            let dt_s = ((horizon_s - from_s).min(LOOK_S) / h_s).ceil() * h_s;
            let tick = world.run_island(from_s, dt_s, h_s, (0, Until::Tripped), outside)?;
            let mut trips = tick.events.iter();
            if let Some(event) = trips.find(|event| event.kind == EventKind::Tripped) {
                return Ok((event.t_s <= horizon_s).then_some(event.t_s));
            }
            from_s += dt_s;
        }
        Ok(None)
    }
}
