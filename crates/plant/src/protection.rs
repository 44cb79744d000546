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
mod tests {
    use super::{Protections, Sensed};
    use crate::setting::Value;

    const CALM: Sensed = Sensed {
        cell_high_v: 3.31,
        cell_low_v: 3.30,
        cells: 16.0,
        pack_v: 52.9,
        temperature_c: 25.0,
        i_a: 0.0,
        limits_a: (50.0, 60.0),
        a_max: 60.0,
    };

    fn usual() -> Protections {
        Protections::read("b", &[]).unwrap()
    }

    /// One value beyond each default threshold, one inside but not released, and one released.
    #[test]
    fn each_acts_after_its_delay_and_is_released_by_its_hysteresis() {
        type Case = (&'static str, fn(&mut Sensed, f64), [f64; 3], (bool, bool));
        let cases: [Case; 8] = [
            (
                "cell_over_voltage",
                |s, x| s.cell_high_v = x,
                [3.66, 3.5, 3.44],
                (false, true),
            ),
            (
                "cell_under_voltage",
                |s, x| s.cell_low_v = x,
                [2.49, 2.8, 2.91],
                (true, false),
            ),
            (
                "pack_over_voltage",
                |s, x| s.pack_v = x,
                [58.0, 56.0, 55.1],
                (false, true),
            ),
            (
                "pack_under_voltage",
                |s, x| s.pack_v = x,
                [41.5, 45.0, 46.5],
                (true, false),
            ),
            (
                "charge_over_temperature",
                |s, x| s.temperature_c = x,
                [55.1, 51.0, 49.9],
                (false, true),
            ),
            (
                "charge_under_temperature",
                |s, x| s.temperature_c = x,
                [-0.1, 1.0, 2.1],
                (false, true),
            ),
            (
                "discharge_over_temperature",
                |s, x| s.temperature_c = x,
                [65.1, 56.0, 54.9],
                (true, false),
            ),
            (
                "discharge_under_temperature",
                |s, x| s.temperature_c = x,
                [-20.1, -16.0, -14.9],
                (true, false),
            ),
        ];
        for (name, set, [beyond, between, released], allow) in cases {
            let mut all = usual();
            let acts = |all: &Protections| all.names().contains(&name);
            let mut sensed = CALM;
            set(&mut sensed, between);
            all.step(&sensed, 60.0);
            assert!(!acts(&all), "{name} acts before its threshold");
            set(&mut sensed, beyond);
            all.step(&sensed, 1.9);
            assert!(!acts(&all), "{name} acts before its delay");
            all.step(&sensed, 0.2);
            assert!(acts(&all), "{name} does not act");
            let (charge, discharge) = all.allow();
            assert!(
                charge <= allow.0 && discharge <= allow.1,
                "{name} blocks too little"
            );
            set(&mut sensed, between);
            all.step(&sensed, 60.0);
            assert!(acts(&all), "{name} has no hysteresis");
            set(&mut sensed, released);
            all.step(&sensed, 0.1);
            assert!(!acts(&all), "{name} is not released");
        }
    }

    #[test]
    fn an_excursion_shorter_than_the_delay_is_forgotten() {
        let mut all = usual();
        for _ in 0..10 {
            all.step(
                &Sensed {
                    cell_high_v: 3.7,
                    ..CALM
                },
                1.5,
            );
            all.step(&CALM, 0.1);
        }
        assert_eq!(all.names(), [""; 0]);
    }

    #[test]
    fn overcurrent_waits_for_its_delay_and_for_its_rest() {
        let mut all = usual();
        let over = Sensed { i_a: 67.1, ..CALM }; // 1.1 x 60 A + 1 A
        assert_eq!(all.step(&over, 9.9), None);
        assert_eq!(all.step(&over, 0.2), Some("discharge_over_current"));
        assert_eq!(all.allow(), (true, false));
        all.step(&CALM, 31.9);
        assert_eq!(all.names(), ["discharge_over_current"]);
        all.step(&CALM, 0.2);
        assert_eq!(all.allow(), (true, true));
    }

    #[test]
    fn a_short_circuit_acts_at_once_and_blocks_both() {
        let mut all = usual();
        let short = Sensed { i_a: 241.0, ..CALM };
        assert_eq!(all.step(&short, 0.001), Some("short_circuit"));
        assert_eq!(all.allow(), (false, false));
        all.step(&CALM, 5.0);
        assert_eq!(all.allow(), (true, true));
    }

    #[test]
    fn a_set_threshold_replaces_the_rule_and_its_release_follows() {
        let mut all = usual();
        all.set_trip("cell_over_voltage", 3.5, &CALM).unwrap();
        all.set_trip("charge_over_current", 20.0, &CALM).unwrap();
        let settings = all.settings(&CALM);
        assert!((settings[0].release - 3.3).abs() < 1e-12);
        assert_eq!((settings[8].trip, settings[8].release), (20.0, 32.0));
        assert!(all.set_trip("cell_over_voltage", f64::NAN, &CALM).is_err());
        assert!(all.set_trip("charge_over_curent", 20.0, &CALM).is_err());
    }

    #[test]
    fn a_table_that_cannot_be_meant_is_refused_with_what_was_expected() {
        let refused = |key: &str, values: &[f64]| {
            let table = [(key.to_owned(), Value::List(values.to_vec()))];
            Protections::read("b", &table).unwrap_err().code()
        };
        assert_eq!(
            refused("cell_over_voltage", &[3.6, 1.0, 3.7]),
            "plant.setting_wrong"
        );
        assert_eq!(
            refused("cell_under_voltage", &[2.6, 1.0, 2.5]),
            "plant.setting_wrong"
        );
        assert_eq!(
            refused("short_circuit", &[100.0, 0.0]),
            "plant.setting_wrong"
        );
        assert_eq!(
            refused("cell_over_volt", &[3.6, 1.0, 3.4]),
            "plant.setting_unknown"
        );
    }
}
