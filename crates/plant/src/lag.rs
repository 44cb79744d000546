//! A first-order lag whose step is exact for any length.

/// Moves a state toward its input with one time constant.
#[derive(Clone, Debug)]
pub struct Lag {
    tau_s: f64,
    /// The step the factor was computed for: steps repeat, exponentials are dear.
    dt_s: f64,
    factor: f64,
}

impl Lag {
    /// A lag of time constant `tau_s`; zero follows at once.
    pub fn new(tau_s: f64) -> Lag {
        Lag {
            tau_s,
            dt_s: 0.0,
            factor: 0.0,
        }
    }

    /// A lag that covers 90 % of a step in `response_s` (an open-loop response time).
    pub fn of_response(response_s: f64) -> Lag {
        Lag::new(response_s / std::f64::consts::LN_10)
    }

    /// The share of the way to a constant input that `dt_s` covers.
    pub fn factor(&mut self, dt_s: f64) -> f64 {
        if dt_s != self.dt_s {
            self.dt_s = dt_s;
            self.factor = if self.tau_s > 0.0 {
                -(-dt_s / self.tau_s).exp_m1()
            } else {
                1.0
            };
        }
        self.factor
    }

    /// The state after `dt_s` with a constant input.
    pub fn step(&mut self, state: f64, input: f64, dt_s: f64) -> f64 {
        state + (input - state) * self.factor(dt_s)
    }
}
