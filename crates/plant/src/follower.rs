//! A grid-following inverter for one step: what it sees, what it decides, the current it drives.

use crate::active_power::Seen;
use crate::complex::Complex;
use crate::detector::Push;
use crate::grid_following::{GridFollowing, Injection};
use crate::inverter::Inverter;

/// Throttling is told when this share of rated power is held back.
const THROTTLE_TOLD: f64 = 0.02;

/// A grid-following inverter on a bus.
#[derive(Clone, Debug)]
pub struct Follower {
    /// Its place among the plant's devices.
    pub device: usize,
    /// Which meter of the bus sees for it.
    pub meter: usize,
    /// Its fast states.
    pub fast: GridFollowing,
}

/// The bus during a step, in nominal frequency, base and length.
#[derive(Clone, Copy, Debug)]
pub struct Bus {
    /// Whether it has lost its voltage.
    pub dead: bool,
    /// Nominal frequency [Hz].
    pub f_nominal_hz: f64,
    /// System base [VA].
    pub s_base_va: f64,
    /// Length of the step [s].
    pub h_s: f64,
}

/// Something a step brought; times are after the beginning of the step.
#[derive(Clone, Debug, PartialEq)]
pub enum Happened {
    /// It entered service after this delay [s].
    EnteredService(f64),
    /// It tripped: the cause, and when [s].
    Tripped(String, f64),
    /// It began to hold back this power because of the frequency [W].
    Throttled(f64),
}

impl Follower {
    /// Steps after `fast` has measured; relays see the lowest and highest voltage of its phases.
    pub fn step(
        &mut self,
        inverter: &mut Inverter,
        bus: &Bus,
        (v_low_pu, v_high_pu): (f64, f64),
    ) -> (Injection, Option<Happened>) {
        let h_s = bus.h_s;
        let fast = &mut self.fast;
        if inverter.service.step(v_low_pu, v_high_pu, fast.f_hz, h_s) {
            let delay_s = inverter.service.delay_s();
            return (fast.stop(), Some(Happened::EnteredService(delay_s)));
        }
        if !inverter.service.running() || bus.dead {
            return (fast.stop(), None);
        }
        let mut push = Push::default();
        // A grid former rides through: on the grid its own relays would defeat its purpose.
        let mut found = if inverter.former().is_some() {
            None
        } else {
            let relay = inverter.relays.step(v_low_pu, v_high_pu, fast.f_hz, h_s);
            relay.map(|(name, s)| (name.to_owned(), s))
        };
        let detects = inverter.functions.island_detection;
        if let Some(detector) = inverter.detector.as_mut().filter(|_| detects) {
            push = detector.push(fast.f_hz - bus.f_nominal_hz);
            let met = detector.step(&push, fast.f_hz, fast.direction, h_s);
            found = found.or(met.map(|cause| (cause.to_owned(), h_s)));
        }
        if let Some((cause, after_s)) = inverter.judge(found, h_s) {
            inverter.trip(&cause);
            let at_s = after_s.min(h_s);
            return (fast.stop(), Some(Happened::Tripped(cause, at_s)));
        }
        let seen = Seen {
            v_pu: fast.v_pu,
            f_hz: fast.f_hz,
        };
        let (p_w, q_var) = inverter.follow(seen, h_s);
        let happened = throttled(inverter);
        let share = inverter.cessation.step(v_low_pu, v_high_pu, h_s);
        if share == 0.0 {
            return (fast.stop(), happened);
        }
        let q_var = q_var + push.q_pu * inverter.settings.s_va;
        let power = Complex::new(p_w, q_var) * (share / bus.s_base_va);
        (fast.inject(power, push.lead, h_s), happened)
    }
}

/// Whether it newly holds power back; told again only after it fell to half.
fn throttled(inverter: &mut Inverter) -> Option<Happened> {
    let reduction_w = inverter.power.reduction_w();
    let share = reduction_w / inverter.settings.rated_w.max(1.0);
    let told = inverter.throttling_told;
    let bound = if told {
        0.5 * THROTTLE_TOLD
    } else {
        THROTTLE_TOLD
    };
    inverter.throttling_told = share > bound;
    (inverter.throttling_told && !told).then_some(Happened::Throttled(reduction_w))
}
