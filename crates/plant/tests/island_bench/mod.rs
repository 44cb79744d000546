//! A bench for one island at 60 Hz, set as the reference prototype was: full resonant load, no
//! voltage ceiling, power over instantaneous voltage.

#![allow(
    clippy::unwrap_used,
    reason = "a bench that cannot be built is a failed test"
)]
#![allow(dead_code, reason = "each test file uses its share")]

pub mod formed;

use gridrig_plant::sequence::Segment;
use gridrig_plant::{Outside, Value, World};

/// System base, and the power of the inverters together [VA, W].
pub const BASE: f64 = 1000.0;

/// A number as a setting.
pub fn n(key: &str, value: f64) -> (String, Value) {
    (key.to_owned(), Value::Number(value))
}

/// A text as a setting.
pub fn t(key: &str, value: &str) -> (String, Value) {
    (key.to_owned(), Value::Text(value.to_owned()))
}

/// Relays by name, threshold, delay; all others off.
pub fn relays(on: &[(&str, f64, f64)]) -> (String, Value) {
    let table = ["OV1", "OV2", "UV1", "UV2", "OF1", "OF2", "UF1", "UF2"]
        .iter()
        .map(|name| {
            let set = on.iter().find(|(known, ..)| known == name);
            let value = set.map_or(Value::Bool(false), |(_, threshold, delay_s)| {
                Value::List(vec![*threshold, *delay_s])
            });
            ((*name).to_owned(), value)
        })
        .collect();
    ("relays".to_owned(), Value::Table(table))
}

/// The fast relays at 1.2 pu, 62 Hz and 56.5 Hz.
pub fn fast_relays() -> (String, Value) {
    relays(&[("OV2", 1.2, 0.16), ("OF2", 62.0, 0.16), ("UF2", 56.5, 0.16)])
}

/// One test: inverters, their settings, the load.
#[derive(Clone)]
pub struct Case {
    pub settings: Vec<(String, Value)>,
    pub load: f64,
    pub qf: f64,
    pub c_scale: f64,
    pub h_s: f64,
    pub seed: u64,
    /// Frequency of the grid when the switch opens [Hz].
    pub f_hz: f64,
}

impl Case {
    /// A balanced load of quality factor `qf` and no detector.
    pub fn new(qf: f64) -> Case {
        let settings = vec![
            n("s_va", BASE),
            n("i_max_pu", 2.0),
            n("feed_v_lag_s", 0.0),
            t("detector", "none"),
            ("droop".to_owned(), Value::Bool(false)),
            ("momentary_cessation".to_owned(), Value::Bool(false)),
        ];
        Case {
            settings,
            load: 1.0,
            qf,
            c_scale: 1.0,
            h_s: 0.001,
            // The reference's loop began a little high: at balance the seed decides the side.
            seed: 2,
            f_hz: 60.0,
        }
    }

    /// Adds a setting, replacing one of the same key.
    pub fn with(mut self, setting: (String, Value)) -> Case {
        self.settings.retain(|(key, _)| *key != setting.0);
        self.settings.push(setting);
        self
    }

    /// Switches the detector on.
    pub fn sfs(self, cf0: f64, k: f64) -> Case {
        self.with(t("detector", "sfs"))
            .with(n("sfs_cf0", cf0))
            .with(n("sfs_k_per_hz", k))
            .with(n("sfs_angle_max_deg", 90.0))
    }

    /// Scales the load's active power by `load`, its reactive powers as they were.
    pub fn mismatched(mut self, dp: f64, dq: f64) -> Case {
        self.load = 1.0 + dp;
        // The inductance keeps Qf at P = 1; a mismatch dQ takes from the capacitance.
        let qf = self.qf;
        self.qf = qf / self.load;
        self.c_scale = 1.0 - dq / qf;
        self
    }

    /// Whether the inverter trips behind a source at nominal voltage and frequency, within 5 s.
    pub fn trips_on_the_grid(&self) -> bool {
        let mut world = World::new(60.0, BASE, self.seed).unwrap();
        let pv = world.add_pv("pv", &self.settings).unwrap();
        world.set_available(pv, BASE).unwrap();
        let hold = [Segment::hold(5.0, 1.0, 60.0)];
        let samples = world.source_tick(&[pv], 0.0, &hold, 0.001, 0).unwrap();
        !samples.events.is_empty()
    }

    /// Opens the switch; answers when and why the inverter tripped within `horizon_s`.
    pub fn run(&self, horizon_s: f64) -> Option<(f64, String)> {
        let mut world = World::new(60.0, BASE, self.seed).unwrap();
        world.set_island(&[n("ceiling_v_pu", 0.0)]).unwrap();
        let pv = world.add_pv("pv", &self.settings).unwrap();
        world.set_available(pv, BASE).unwrap();
        world
            .set_rlc(BASE * self.load, self.qf, self.c_scale)
            .unwrap();
        world.impose(&[1.0], self.f_hz).unwrap();
        world.held();
        world.open_pcc(0.0).unwrap();
        let outside = Outside {
            losses_w: 0.0,
            grid_v_pu: 1.0,
            grid_f_hz: 60.0,
        };
        let dt_s = 0.1;
        for k in 0..(horizon_s / dt_s).round() as u64 {
            let t_s = k as f64 * dt_s;
            let tick = world
                .island_tick(t_s, dt_s, self.h_s, (0, false), outside)
                .unwrap();
            let trip = tick
                .events
                .into_iter()
                .find(|event| event.kind.word() == "tripped");
            if let Some(event) = trip {
                return Some((event.t_s, event.detail));
            }
        }
        None
    }
}
