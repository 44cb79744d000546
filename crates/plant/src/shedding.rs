//! Under-frequency load shedding by priority, and the way back.
//!
//! Stage n (counted over the stages still fed, in rising order of their numbers) goes when f has
//! been below its threshold for the delay; if f stays below the first threshold, does not rise and
//! nothing has gone for the escalation time, the next stage goes anyway. Loads come back one by one, the last
//! shed first, when f is near nominal and the grid formers keep a reserve beside the load.

use crate::device::{Device, Kind};
use crate::event::EventKind;
use crate::island_settings::SheddingSettings;

/// What happened to a load: its index, the kind, its power [W].
pub type Moved = (usize, EventKind, f64);

/// The timers of the scheme and the loads it has shed, in the order they went.
#[derive(Clone, Debug, Default)]
pub struct Shedding {
    below_s: Vec<f64>,
    starved_s: f64,
    last_hz: f64,
    shed: Vec<usize>,
    calm_s: f64,
}

impl Shedding {
    /// Forgets the timers; what is shed stays shed.
    pub fn rest(&mut self) {
        self.below_s.clear();
        self.starved_s = 0.0;
        self.calm_s = 0.0;
    }

    /// Holds f for `h_s` and sheds what has to go.
    pub fn shed(
        &mut self,
        rules: &SheddingSettings,
        f_hz: f64,
        devices: &mut [Device],
        h_s: f64,
    ) -> Vec<Moved> {
        // The quiet case costs one comparison.
        if f_hz >= rules.first_hz {
            self.below_s.clear();
            self.starved_s = 0.0;
            return Vec::new();
        }
        let mut stages: Vec<u32> = devices
            .iter()
            .filter_map(|device| match &device.kind {
                Kind::Load(load) => load.stage,
                Kind::Inverter(_) => None,
            })
            .collect();
        stages.sort_unstable();
        stages.dedup();
        self.below_s.resize(stages.len(), 0.0);
        // While f already rises, what has gone is enough unless a lower stage says otherwise.
        self.starved_s = if f_hz > self.last_hz {
            0.0
        } else {
            self.starved_s + h_s
        };
        self.last_hz = f_hz;
        let mut moved = Vec::new();
        for (n, stage) in stages.into_iter().enumerate() {
            let below = f_hz < rules.first_hz - n as f64 * rules.step_hz;
            self.below_s[n] = if below { self.below_s[n] + h_s } else { 0.0 };
            let due = self.below_s[n] >= rules.delay_s.max(h_s) - 5e-10
                || self.starved_s >= rules.escalate_s - 5e-10;
            if due {
                let gone = self.drop_stage(stage, devices);
                if !gone.is_empty() {
                    self.starved_s = 0.0;
                    moved.extend(gone);
                }
            }
        }
        moved
    }

    fn drop_stage(&mut self, stage: u32, devices: &mut [Device]) -> Vec<Moved> {
        let mut moved = Vec::new();
        for (i, device) in devices.iter_mut().enumerate() {
            let Kind::Load(load) = &mut device.kind else {
                continue;
            };
            if load.stage == Some(stage) && !load.shed {
                let (p_w, _) = load.consumes(1.0);
                load.cut();
                self.shed.push(i);
                moved.push((i, EventKind::Shed, p_w));
            }
        }
        moved
    }

    /// Holds f and the formers' `reserve_w` for `dt_s`; brings back at most one load.
    pub fn restore(
        &mut self,
        rules: &SheddingSettings,
        f_hz: f64,
        reserve_w: f64,
        devices: &mut [Device],
        dt_s: f64,
    ) -> Option<Moved> {
        let last = *self.shed.last()?;
        let Kind::Load(load) = &mut devices[last].kind else {
            return None;
        };
        if f_hz < rules.restore_hz || reserve_w < load.demand_w() {
            self.calm_s = 0.0;
            return None;
        }
        self.calm_s += dt_s;
        if self.calm_s < rules.restore_delay_s - 1e-9 {
            return None;
        }
        self.calm_s = 0.0;
        self.shed.pop();
        load.shed = false;
        Some((last, EventKind::Restored, load.demand_w()))
    }
}
