//! What inverters of one kind measure at one place of an island: what they follow, and each phase.

use crate::bus_meter::BusMeter;
use crate::complex::Complex;
use crate::inverter_settings::InverterSettings;
use crate::legs::Legs;
use crate::rms::RmsWindow;
use crate::sourced::Phases;

/// A meter at the phases of a bus.
#[derive(Clone, Debug)]
pub struct PhaseMeter {
    /// Bus and phases.
    place: (usize, Phases),
    /// One of the devices there.
    pub device: usize,
    /// Of the voltage that they follow.
    pub meter: BusMeter,
    /// By phases: the node of each, its window and what that shows [pu].
    windows: Vec<(usize, RmsWindow, f64)>,
}

impl PhaseMeter {
    /// A meter on a place that has long been at `v`, or at the voltages of some nodes.
    pub fn new(
        place: (usize, Phases),
        device: usize,
        settings: &InverterSettings,
        v: Complex,
        nodes: Option<(&Legs, &[Complex])>,
    ) -> PhaseMeter {
        let window = |node: usize, v_pu: f64| {
            let window = RmsWindow::new(settings.measure_s.0, v_pu);
            (node, window, v_pu)
        };
        let windows = nodes.map_or_else(Vec::new, |(legs, v)| {
            legs.each().map(|(n, _)| window(n, v[n].abs())).collect()
        });
        PhaseMeter {
            place,
            device,
            meter: BusMeter::new(settings, v),
            windows,
        }
    }

    /// Whether it measures as this kind of inverter does at this place.
    pub fn serves(&self, place: (usize, Phases), settings: &InverterSettings) -> bool {
        self.place == place && self.meter.serves(settings)
    }

    /// Takes the voltages at the beginning of a step.
    pub fn step(&mut self, v: Complex, nodes: &[Complex], h_s: f64) {
        self.meter.step(v, h_s);
        for (node, window, v_pu) in &mut self.windows {
            *v_pu = window.step(nodes[*node].abs(), h_s);
        }
    }

    /// The lowest and highest voltage that relays see, or twice the mean of the phases [pu].
    pub fn extremes(&self, mean: bool) -> (f64, f64) {
        let seen = || self.windows.iter().map(|(_, _, v_pu)| *v_pu);
        if self.windows.is_empty() {
            (self.meter.seen.v_pu, self.meter.seen.v_pu)
        } else if mean {
            let mean = seen().sum::<f64>() / self.windows.len() as f64;
            (mean, mean)
        } else {
            (
                seen().fold(f64::INFINITY, f64::min),
                seen().fold(0.0, f64::max),
            )
        }
    }
}
