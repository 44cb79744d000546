//! What a battery protects itself from: thresholds, delays and releases, as its manager keeps them.
//!
//! Each protection acts once its quantity has been beyond the threshold for the delay, and blocks
//! charge, discharge or both. Voltage and temperature are released at a second threshold
//! (hysteresis), a current after a rest below 1 A in its direction. A step holds one value: what acts
//! within it acts at its end.
//!
//! # Source
//! The names and what each blocks are those of JBD's protection field (protocol document V4, register
//! 03); the values are usual settings for lithium iron phosphate, and every one can be set.

use crate::error::{PlantError, checked};
use crate::setting::{Reader, Value};

/// Current below which an overcurrent rests [A].
const REST_A: f64 = 1.0;
/// Without a threshold of its own, overcurrent is above the limit given out by this [1, A].
const OVERCURRENT: (f64, f64) = (1.1, 1.0);

/// What the protections look at.
pub struct Sensed {
    /// Highest cell voltage [V].
    pub cell_high_v: f64,
    /// Lowest cell voltage [V].
    pub cell_low_v: f64,
    /// Cells in series.
    pub cells: f64,
    /// Voltage at the terminals [V].
    pub pack_v: f64,
    /// Pack temperature [deg C].
    pub temperature_c: f64,
    /// Pack current, positive while discharging [A].
    pub i_a: f64,
    /// The limits given out: charge, discharge [A].
    pub limits_a: (f64, f64),
    /// The larger nameplate current [A].
    pub a_max: f64,
}

/// One kind of protection.
struct Rule {
    name: &'static str,
    /// Whether it blocks charge and discharge.
    blocks: (bool, bool),
    /// 1 for a highest value, -1 for a lowest.
    side: f64,
    /// Whether it is a current, released by rest.
    current: bool,
    /// The quantity, and what its threshold is a multiple of.
    sense: fn(&Sensed) -> f64,
    scale: fn(&Sensed) -> f64,
    /// Threshold (by scale), delay [s], release (by scale; for a current the rest [s]).
    default: [f64; 3],
}

const fn rule(
    name: &'static str,
    blocks: (bool, bool),
    side: f64,
    sense: fn(&Sensed) -> f64,
    default: [f64; 3],
) -> Rule {
    Rule {
        name,
        blocks,
        side,
        current: false,
        sense,
        scale: |_| 1.0,
        default,
    }
}

const CHARGE: (bool, bool) = (true, false);
const DISCHARGE: (bool, bool) = (false, true);

/// The protections, in the order of their names' bits on JBD's wire.
#[rustfmt::skip]
const RULES: [Rule; 11] = [
    rule("cell_over_voltage", CHARGE, 1.0, |s| s.cell_high_v, [3.65, 2.0, 3.45]),
    rule("cell_under_voltage", DISCHARGE, -1.0, |s| s.cell_low_v, [2.50, 2.0, 2.90]),
    Rule { scale: |s| s.cells,
        ..rule("pack_over_voltage", CHARGE, 1.0, |s| s.pack_v, [3.62, 2.0, 3.45]) },
    Rule { scale: |s| s.cells,
        ..rule("pack_under_voltage", DISCHARGE, -1.0, |s| s.pack_v, [2.60, 2.0, 2.90]) },
    rule("charge_over_temperature", CHARGE, 1.0, |s| s.temperature_c, [55.0, 2.0, 50.0]),
    rule("charge_under_temperature", CHARGE, -1.0, |s| s.temperature_c, [0.0, 2.0, 2.0]),
    rule("discharge_over_temperature", DISCHARGE, 1.0, |s| s.temperature_c, [65.0, 2.0, 55.0]),
    rule("discharge_under_temperature", DISCHARGE, -1.0, |s| s.temperature_c, [-20.0, 2.0, -15.0]),
    Rule { current: true, scale: |s| OVERCURRENT.0 * s.limits_a.0 + OVERCURRENT.1,
        ..rule("charge_over_current", CHARGE, 1.0, |s| -s.i_a, [1.0, 10.0, 32.0]) },
    Rule { current: true, scale: |s| OVERCURRENT.0 * s.limits_a.1 + OVERCURRENT.1,
        ..rule("discharge_over_current", DISCHARGE, 1.0, |s| s.i_a, [1.0, 10.0, 32.0]) },
    Rule { current: true, scale: |s| 4.0 * s.a_max,
        ..rule("short_circuit", (true, true), 1.0, |s| s.i_a.abs(), [1.0, 0.0, 5.0]) },
];

/// One protection as it is set.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Setting {
    /// Its name.
    pub name: &'static str,
    /// Threshold [V, deg C or A].
    pub trip: f64,
    /// How long the quantity must be beyond it [s].
    pub delay_s: f64,
    /// Where it is released [V, deg C], or after which rest [s] for a current.
    pub release: f64,
}

#[derive(Clone, Copy, Debug, Default)]
struct State {
    acting: bool,
    beyond_s: f64,
    rest_s: f64,
}

/// The protections of one pack and their timers.
#[derive(Clone, Debug)]
pub struct Protections {
    /// A threshold set apart from its rule's, which scales; delay; release.
    set: [(Option<f64>, f64, Option<f64>); RULES.len()],
    states: [State; RULES.len()],
}

impl Protections {
    /// Reads the table `protections`: `name = [threshold, delay_s, release]`.
    ///
    /// # Errors
    /// `SettingUnknown`, `SettingWrong`.
    pub fn read(place: &str, table: &[(String, Value)]) -> Result<Protections, PlantError> {
        let mut reader = Reader::new(&format!("{place}.protections"), table);
        let mut set = [(None, 0.0, None); RULES.len()];
        for (rule, set) in RULES.iter().zip(&mut set) {
            set.1 = rule.default[1];
            set.2 = rule.current.then_some(rule.default[2]);
            let Some(found) = reader.value(rule.name) else {
                continue;
            };
            let values = match found {
                Value::List(values) => values.as_slice(),
                _ => &[],
            };
            *set = match values {
                [trip, delay_s, release] if rule.holds(*trip, *delay_s, *release) => {
                    (Some(*trip), *delay_s, Some(*release))
                }
                _ => return Err(reader.wrong(rule.name, found, rule.expected())),
            };
        }
        reader.finish()?;
        Ok(Protections {
            set,
            states: [State::default(); RULES.len()],
        })
    }

    /// Sets the threshold of one protection; its release keeps its distance.
    ///
    /// # Errors
    /// `ValueWrong` for a name nobody knows, and for a value that cannot be one.
    pub fn set_trip(&mut self, name: &str, trip: f64, sensed: &Sensed) -> Result<(), PlantError> {
        let at = RULES.iter().position(|rule| rule.name == name);
        let Some(at) = at else {
            return Err(PlantError::ValueWrong {
                what: format!("threshold of {name}"),
                value: trip,
                expected: "a protection the pack has".to_owned(),
            });
        };
        let low = if RULES[at].current { 0.0 } else { -100.0 };
        let trip = checked(name, trip, low, 1e5)?;
        if !RULES[at].current {
            let now = self.setting(at, sensed);
            self.set[at].2 = Some(now.release - now.trip + trip);
        }
        self.set[at].0 = Some(trip);
        Ok(())
    }

    /// How they are set, in order.
    pub fn settings(&self, sensed: &Sensed) -> Vec<Setting> {
        (0..RULES.len())
            .map(|at| self.setting(at, sensed))
            .collect()
    }

    /// The names of those that act now.
    pub fn names(&self) -> Vec<&'static str> {
        self.acting().map(|rule| rule.name).collect()
    }

    /// Whether charge and discharge are allowed.
    pub fn allow(&self) -> (bool, bool) {
        self.acting().fold((true, true), |(charge, discharge), r| {
            (charge && !r.blocks.0, discharge && !r.blocks.1)
        })
    }

    /// Holds what is sensed for `dt_s`; answers the first protection that began to act.
    pub fn step(&mut self, sensed: &Sensed, dt_s: f64) -> Option<&'static str> {
        let mut began = None;
        for (at, rule) in RULES.iter().enumerate() {
            let setting = self.setting(at, sensed);
            let state = &mut self.states[at];
            let beyond = |limit: f64| rule.side * ((rule.sense)(sensed) - limit) > 0.0;
            if state.acting {
                state.rest_s = if beyond(REST_A) {
                    0.0
                } else {
                    state.rest_s + dt_s
                };
                state.acting = if rule.current {
                    state.rest_s < setting.release
                } else {
                    beyond(setting.release)
                };
            } else if beyond(setting.trip) {
                state.beyond_s += dt_s;
                if state.beyond_s >= setting.delay_s {
                    *state = State {
                        acting: true,
                        ..State::default()
                    };
                    began = began.or(Some(rule.name));
                }
            } else {
                state.beyond_s = 0.0;
            }
        }
        began
    }

    fn acting(&self) -> impl Iterator<Item = &'static Rule> + '_ {
        let states = RULES.iter().zip(&self.states);
        states
            .filter(|(_, state)| state.acting)
            .map(|(rule, _)| rule)
    }

    fn setting(&self, at: usize, sensed: &Sensed) -> Setting {
        let (rule, (trip, delay_s, release)) = (&RULES[at], self.set[at]);
        let scale = rule.scale(sensed);
        Setting {
            name: rule.name,
            trip: trip.unwrap_or(rule.default[0] * scale),
            delay_s,
            release: release.unwrap_or(rule.default[2] * scale),
        }
    }
}

impl Rule {
    fn scale(&self, sensed: &Sensed) -> f64 {
        (self.scale)(sensed)
    }

    fn holds(&self, trip: f64, delay_s: f64, release: f64) -> bool {
        let finite = trip.is_finite() && release.is_finite();
        let right = if self.current {
            trip > 0.0 && release >= 0.0
        } else {
            self.side * (trip - release) > 0.0
        };
        finite && right && (0.0..=3600.0).contains(&delay_s)
    }

    fn expected(&self) -> &'static str {
        match (self.current, self.side > 0.0) {
            (true, _) => "[threshold above 0 A, delay 0..3600 s, rest not negative]",
            (false, true) => "[threshold, delay 0..3600 s, release below the threshold]",
            (false, false) => "[threshold, delay 0..3600 s, release above the threshold]",
        }
    }
}

#[cfg(test)]
#[path = "protection_tests.rs"]
mod tests;
