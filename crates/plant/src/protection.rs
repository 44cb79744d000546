//! What a battery protects itself from: each protection blocks charge, discharge or both.

/// One protection: its name and what it blocks.
struct Rule {
    name: &'static str,
    charge: bool,
    discharge: bool,
}

/// The protections in a fixed order, by the names battery managers give them.
const RULES: [Rule; 7] = [
    Rule {
        name: "cell_over_voltage",
        charge: true,
        discharge: false,
    },
    Rule {
        name: "cell_under_voltage",
        charge: false,
        discharge: true,
    },
    Rule {
        name: "charge_over_current",
        charge: true,
        discharge: false,
    },
    Rule {
        name: "discharge_over_current",
        charge: false,
        discharge: true,
    },
    Rule {
        name: "charge_over_temperature",
        charge: true,
        discharge: false,
    },
    Rule {
        name: "discharge_over_temperature",
        charge: false,
        discharge: true,
    },
    Rule {
        name: "charge_under_temperature",
        charge: true,
        discharge: false,
    },
];

/// An overcurrent acts after this time [s] and is released after this rest [s].
const OVERCURRENT_S: f64 = 10.0;
const OVERCURRENT_REST_S: f64 = 32.0;
/// An overcurrent is a current above 1.1 times the limit plus this [A].
const OVERCURRENT_MARGIN_A: f64 = 1.0;

/// What the protections look at.
pub struct Sensed {
    /// Highest cell voltage [V].
    pub cell_high_v: f64,
    /// Lowest cell voltage [V].
    pub cell_low_v: f64,
    /// Pack temperature [deg C].
    pub temperature_c: f64,
    /// Pack current, positive while discharging [A].
    pub i_a: f64,
    /// The limits given out: charge, discharge [A].
    pub limits_a: (f64, f64),
}

/// The protections of one pack and their timers.
#[derive(Clone, Debug, Default)]
pub struct Protections {
    acting: [bool; 7],
    over_s: [f64; 2],
    rest_s: [f64; 2],
}

impl Protections {
    /// The names of those that act now.
    pub fn names(&self) -> Vec<&'static str> {
        RULES
            .iter()
            .zip(self.acting)
            .filter(|(_, on)| *on)
            .map(|(rule, _)| rule.name)
            .collect()
    }

    /// Whether charge and discharge are allowed.
    pub fn allow(&self) -> (bool, bool) {
        let blocked = |pick: fn(&Rule) -> bool| {
            RULES
                .iter()
                .zip(self.acting)
                .any(|(rule, on)| on && pick(rule))
        };
        (
            !blocked(|rule| rule.charge),
            !blocked(|rule| rule.discharge),
        )
    }

    /// Holds what is sensed for `dt_s`.
    pub fn step(&mut self, sensed: &Sensed, dt_s: f64) {
        let latch = |acting: bool, on: bool, off: bool| if acting { !off } else { on };
        let Sensed {
            cell_high_v,
            cell_low_v,
            temperature_c,
            ..
        } = *sensed;
        let a = &mut self.acting;
        a[0] = latch(a[0], cell_high_v > 3.65, cell_high_v < 3.45);
        a[1] = latch(a[1], cell_low_v < 2.50, cell_low_v > 2.90);
        a[4] = latch(a[4], temperature_c > 55.0, temperature_c < 50.0);
        a[5] = latch(a[5], temperature_c > 65.0, temperature_c < 55.0);
        a[6] = latch(a[6], temperature_c < 0.0, temperature_c > 2.0);
        self.overcurrent(0, -sensed.i_a, sensed.limits_a.0, dt_s);
        self.overcurrent(1, sensed.i_a, sensed.limits_a.1, dt_s);
    }

    /// Counts one direction (0 charge, 1 discharge); `i_a` is positive in that direction.
    fn overcurrent(&mut self, side: usize, i_a: f64, limit_a: f64, dt_s: f64) {
        let acting = &mut self.acting[2 + side];
        if *acting {
            self.rest_s[side] = if i_a <= OVERCURRENT_MARGIN_A {
                self.rest_s[side] + dt_s
            } else {
                0.0
            };
            *acting = self.rest_s[side] < OVERCURRENT_REST_S;
        } else if i_a > 1.1 * limit_a + OVERCURRENT_MARGIN_A {
            self.over_s[side] += dt_s;
            *acting = self.over_s[side] >= OVERCURRENT_S;
            self.rest_s[side] = 0.0;
        } else {
            self.over_s[side] = 0.0;
        }
    }
}
