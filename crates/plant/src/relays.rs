//! Voltage and frequency relays: a threshold and a timer each, in the order they are named.
//!
//! # Source
//! Must-trip defaults of IEEE 1547-2018 tables 11 to 13 and 18 for 60 Hz, as the EPRI OpenDER data
//! restate them; frequencies scale by the ratio of nominals.

use crate::error::PlantError;
use crate::setting::{Reader, Value};

/// The names, over before under, fast stage last.
pub const NAMES: [&str; 8] = ["OV1", "OV2", "UV1", "UV2", "OF1", "OF2", "UF1", "UF2"];

/// Abnormal-operation categories of IEEE 1547-2018.
pub const CATEGORIES: [&str; 3] = ["III", "II", "I"];

/// Thresholds [pu, Hz at 60 Hz] and delays [s] by category, in the order of `NAMES`.
const DEFAULTS: [[(f64, f64); 8]; 3] = [
    [
        (1.10, 13.0),
        (1.20, 0.16),
        (0.88, 21.0),
        (0.50, 2.0),
        OF1,
        OF2,
        UF1,
        UF2,
    ],
    [
        (1.10, 2.0),
        (1.20, 0.16),
        (0.70, 10.0),
        (0.45, 0.16),
        OF1,
        OF2,
        UF1,
        UF2,
    ],
    [
        (1.10, 2.0),
        (1.20, 0.16),
        (0.70, 2.0),
        (0.45, 0.16),
        OF1,
        OF2,
        UF1,
        UF2,
    ],
];
const OF1: (f64, f64) = (61.2, 300.0);
const OF2: (f64, f64) = (62.0, 0.16);
const UF1: (f64, f64) = (58.5, 300.0);
const UF2: (f64, f64) = (56.5, 0.16);

#[derive(Clone, Copy, Debug)]
struct Relay {
    threshold: f64,
    delay_s: f64,
    timer_s: f64,
}

/// The relays of one device; a disabled one is absent.
#[derive(Clone, Debug)]
pub struct Relays([Option<Relay>; 8]);

impl Relays {
    /// Reads the table `relays`: `NAME = [threshold, delay_s]`, or `false` to disable it.
    ///
    /// # Errors
    /// `SettingUnknown`, `SettingWrong`.
    pub fn read(
        place: &str,
        table: &[(String, Value)],
        category: usize,
        f_nominal_hz: f64,
    ) -> Result<Relays, PlantError> {
        let mut reader = Reader::new(&format!("{place}.relays"), table);
        let mut relays = [None; 8];
        for (n, name) in NAMES.into_iter().enumerate() {
            let (threshold, delay_s) = DEFAULTS[category][n];
            let scale = if n < 4 { 1.0 } else { f_nominal_hz / 60.0 };
            let default = Relay {
                threshold: threshold * scale,
                delay_s,
                timer_s: 0.0,
            };
            relays[n] = match reader.value(name) {
                None => Some(default),
                Some(Value::Bool(false)) => None,
                Some(Value::List(pair)) if pair.len() == 2 && pair.iter().all(|x| *x >= 0.0) => {
                    Some(Relay {
                        threshold: pair[0],
                        delay_s: pair[1],
                        timer_s: 0.0,
                    })
                }
                Some(other) => {
                    return Err(reader.wrong(name, other, "[threshold, delay_s] or false"));
                }
            };
        }
        reader.finish()?;
        Ok(Relays(relays))
    }

    /// Forgets what the timers have counted.
    pub fn reset(&mut self) {
        for relay in self.0.iter_mut().flatten() {
            relay.timer_s = 0.0;
        }
    }

    /// Holds the voltages of the worst phases and `f_hz` for `dt_s`; answers the relay that trips first, and how long after
    /// the beginning of the step.
    pub fn step(
        &mut self,
        v_low_pu: f64,
        v_high_pu: f64,
        f_hz: f64,
        dt_s: f64,
    ) -> Option<(&'static str, f64)> {
        let mut first: Option<(&'static str, f64)> = None;
        for (n, slot) in self.0.iter_mut().enumerate() {
            let Some(relay) = slot else { continue };
            let over = n % 4 < 2;
            let value = match n {
                0 | 1 => v_high_pu,
                2 | 3 => v_low_pu,
                _ => f_hz,
            };
            let picked_up = if over {
                value > relay.threshold
            } else {
                value < relay.threshold
            };
            if !picked_up {
                relay.timer_s = 0.0;
                continue;
            }
            let after = (relay.delay_s - relay.timer_s).max(0.0);
            relay.timer_s += dt_s;
            // Half a nanosecond forgives the rounding of many summed steps.
            if relay.timer_s >= relay.delay_s - 5e-10 && first.is_none_or(|(_, t)| after < t) {
                first = Some((NAMES[n], after.min(dt_s)));
            }
        }
        first
    }
}
