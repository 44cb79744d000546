//! Voltage and frequency relays: thresholds with a timer each, and curves of a time over a value.
//!
//! A named relay trips when its value has been beyond its threshold for its delay. A curve has one
//! timer, which runs while the value is beyond its first point, and trips when the timer reaches the
//! time that the curve gives at the present value. Both are a must-trip of IEEE 1547-2018, clauses
//! 6.4.1 and 6.5.1; defaults are in `category`.

use crate::category::{MUST_TRIP, RELAYS};
use crate::curve::{Curve, POINTS_MAX};
use crate::error::PlantError;
use crate::function_settings::Context;
use crate::setting::{Reader, Value};

/// The sides that can have a curve: over and under, voltage and frequency.
pub const SIDES: [&str; 4] = ["OV", "UV", "OF", "UF"];

/// Half a nanosecond forgives the rounding of many summed steps.
const ROUNDING_S: f64 = 5e-10;

#[derive(Clone, Copy, Debug)]
struct Relay {
    threshold: f64,
    delay_s: f64,
    timer_s: f64,
}

#[derive(Clone, Debug)]
struct TripCurve {
    /// Time over value; for an under-side the value is negated, so that it always rises.
    times: Curve,
    points: Vec<(f64, f64)>,
    timer_s: f64,
}

/// The relays of one device; a disabled one is absent.
#[derive(Clone, Debug)]
pub struct Relays {
    relays: [Option<Relay>; 8],
    curves: [Option<Box<TripCurve>>; 4],
    /// Between these nothing is picked up: voltage [pu] and frequency [Hz].
    quiet: [(f64, f64); 2],
    counting: bool,
}

impl Relays {
    /// Reads the table `relays`: `NAME = [threshold, delay_s]`, or `false` to disable it; and the
    /// table `trip_curves`: `SIDE = [[value, time_s], ...]`, mildest first.
    ///
    /// # Errors
    /// `SettingUnknown`, `SettingWrong`.
    pub fn read(
        place: &str,
        table: &[(String, Value)],
        curves: &[(String, Value)],
        context: Context,
    ) -> Result<Relays, PlantError> {
        let mut relays = Relays {
            relays: read_steps(place, table, context)?,
            curves: read_curves(place, curves)?,
            quiet: [(f64::NEG_INFINITY, f64::INFINITY); 2],
            counting: false,
        };
        let first = relays.relays.iter().enumerate();
        let mut edges: Vec<(usize, f64)> = first
            .filter_map(|(n, relay)| relay.map(|relay| (n / 2, relay.threshold)))
            .collect();
        let curves = relays.curves.iter().enumerate();
        edges.extend(curves.filter_map(|(side, curve)| Some((side, curve.as_ref()?.points[0].0))));
        for (side, value) in edges {
            let (low, high) = &mut relays.quiet[side / 2];
            if side % 2 == 0 {
                *high = high.min(value);
            } else {
                *low = low.max(value);
            }
        }
        Ok(relays)
    }

    /// The named relays as a table that `read` takes.
    pub fn steps_table(&self) -> Value {
        let rows = RELAYS.iter().zip(&self.relays).map(|(name, relay)| {
            let value = relay.map_or(Value::Bool(false), |relay| {
                Value::List(vec![relay.threshold, relay.delay_s])
            });
            ((*name).to_owned(), value)
        });
        Value::Table(rows.collect())
    }

    /// The curves as a table that `read` takes.
    pub fn curves_table(&self) -> Value {
        let rows = SIDES.iter().zip(&self.curves).filter_map(|(side, curve)| {
            let points = curve.as_ref()?.points.clone();
            Some(((*side).to_owned(), Value::Pairs(points)))
        });
        Value::Table(rows.collect())
    }

    /// Forgets what the timers have counted.
    pub fn reset(&mut self) {
        self.counting = false;
        for relay in self.relays.iter_mut().flatten() {
            relay.timer_s = 0.0;
        }
        for curve in self.curves.iter_mut().flatten() {
            curve.timer_s = 0.0;
        }
    }

    /// Holds the voltages of the worst phases and `f_hz` for `dt_s`; answers the relay that trips
    /// first, and how long after the beginning of the step.
    pub fn step(
        &mut self,
        v_low_pu: f64,
        v_high_pu: f64,
        f_hz: f64,
        dt_s: f64,
    ) -> Option<(&'static str, f64)> {
        let [(v_low, v_high), (f_low, f_high)] = self.quiet;
        if v_low_pu >= v_low && v_high_pu <= v_high && f_hz >= f_low && f_hz <= f_high {
            if self.counting {
                self.reset();
            }
            return None;
        }
        self.counting = true;
        let values = [v_high_pu, v_low_pu, f_hz, f_hz];
        let mut first: Option<(&'static str, f64)> = None;
        let mut trip = |name: &'static str, timer_s: &mut f64, delay_s: f64| {
            let after = (delay_s - *timer_s).max(0.0);
            *timer_s += dt_s;
            if *timer_s >= delay_s - ROUNDING_S && first.is_none_or(|(_, t)| after < t) {
                first = Some((name, after.min(dt_s)));
            }
        };
        for (n, slot) in self.relays.iter_mut().enumerate() {
            let Some(relay) = slot else { continue };
            if beyond(n / 2, values[n / 2], relay.threshold) {
                trip(RELAYS[n], &mut relay.timer_s, relay.delay_s);
            } else {
                relay.timer_s = 0.0;
            }
        }
        for (side, slot) in self.curves.iter_mut().enumerate() {
            let Some(curve) = slot else { continue };
            let value = values[side];
            if beyond(side, value, curve.points[0].0) {
                let delay_s = curve.times.at(if side % 2 == 0 { value } else { -value });
                trip(SIDES[side], &mut curve.timer_s, delay_s);
            } else {
                curve.timer_s = 0.0;
            }
        }
        first
    }
}

/// Whether a value is beyond a threshold of a side, which is over for an even one.
fn beyond(side: usize, value: f64, threshold: f64) -> bool {
    if side.is_multiple_of(2) {
        value > threshold
    } else {
        value < threshold
    }
}

fn read_steps(
    place: &str,
    table: &[(String, Value)],
    context: Context,
) -> Result<[Option<Relay>; 8], PlantError> {
    let mut reader = Reader::new(&format!("{place}.relays"), table);
    let mut relays = [None; 8];
    for (n, name) in RELAYS.into_iter().enumerate() {
        let (threshold, delay_s) = MUST_TRIP[context.abnormal][n];
        let scale = if n < 4 {
            1.0
        } else {
            context.f_nominal_hz / 60.0
        };
        let relay = |threshold: f64, delay_s: f64| Relay {
            threshold,
            delay_s,
            timer_s: 0.0,
        };
        relays[n] = match reader.value(name) {
            None => Some(relay(threshold * scale, delay_s)),
            Some(Value::Bool(false)) => None,
            Some(Value::List(pair))
                if pair.len() == 2 && pair.iter().all(|x| x.is_finite() && *x >= 0.0) =>
            {
                Some(relay(pair[0], pair[1]))
            }
            Some(other) => {
                return Err(reader.wrong(name, other, "[threshold, delay_s] or false"));
            }
        };
    }
    reader.finish()?;
    Ok(relays)
}

fn read_curves(
    place: &str,
    table: &[(String, Value)],
) -> Result<[Option<Box<TripCurve>>; 4], PlantError> {
    let mut reader = Reader::new(&format!("{place}.trip_curves"), table);
    let mut curves = [None, None, None, None];
    for (side, name) in SIDES.into_iter().enumerate() {
        let Some(found) = reader.value(name) else {
            continue;
        };
        let sign = if side % 2 == 0 { 1.0 } else { -1.0 };
        let curve = match found {
            Value::Pairs(points) if points.iter().all(|(x, t)| x.is_finite() && *t >= 0.0) => {
                let x: Vec<f64> = points.iter().map(|(value, _)| sign * value).collect();
                let t: Vec<f64> = points.iter().map(|(_, time_s)| *time_s).collect();
                Curve::new(&x, &t).map(|times| TripCurve {
                    times,
                    points: points.clone(),
                    timer_s: 0.0,
                })
            }
            _ => None,
        };
        let expected = format!("1 to {POINTS_MAX} pairs [value, time_s], mildest value first");
        let curve = curve.ok_or_else(|| reader.wrong(name, found, &expected))?;
        curves[side] = Some(Box::new(curve));
    }
    reader.finish()?;
    Ok(curves)
}
