//! A ceiling on active power that a function moves with its open-loop response.
//!
//! The response is that of what can be seen: a ceiling above the power jumps without being noticed,
//! so its lag begins at the power it starts to cut, and ends at the power it stops cutting. Then a
//! step of the function shows as a first-order step of the power in both directions.

use crate::lag::Lag;

/// Closer than this share of the rating, a ceiling that rises has gone [1].
const GONE: f64 = 1e-4;

/// The ceiling and its lag.
#[derive(Clone, Debug)]
pub struct Ceiling {
    lag: Lag,
    now_w: f64,
}

impl Ceiling {
    /// A ceiling that cuts nothing.
    pub fn new(response_s: f64) -> Ceiling {
        Ceiling {
            lag: Lag::of_response(response_s),
            now_w: f64::INFINITY,
        }
    }

    /// Changes the response, and keeps the ceiling where it is.
    pub fn respond_in(&mut self, response_s: f64) {
        self.lag = Lag::of_response(response_s);
    }

    /// Lifts the ceiling, for a device that starts anew.
    pub fn lift(&mut self) {
        self.now_w = f64::INFINITY;
    }

    /// Whether it cuts `p_w`.
    pub fn cuts(&self, p_w: f64) -> bool {
        self.now_w < p_w
    }

    /// Moves toward `target_w` for `dt_s`, while the power would be `open_w` and was `gave_w`;
    /// answers the ceiling.
    pub fn step(
        &mut self,
        target_w: f64,
        open_w: f64,
        gave_w: f64,
        rated_w: f64,
        dt_s: f64,
    ) -> f64 {
        if target_w == self.now_w {
            return target_w;
        }
        if target_w < self.now_w {
            let start = self.now_w.min(gave_w.max(target_w));
            self.now_w = self.lag.step(start, target_w, dt_s);
        } else if open_w <= self.now_w {
            self.now_w = target_w;
        } else {
            let aim = target_w.min(open_w);
            self.now_w = self.lag.step(self.now_w, aim, dt_s);
            if target_w >= open_w && open_w - self.now_w < GONE * rated_w {
                self.now_w = target_w;
            }
        }
        self.now_w
    }
}

#[cfg(test)]
mod tests {
    use super::Ceiling;

    #[test]
    fn a_step_shows_ninety_percent_after_the_response_in_both_directions() {
        for open in [1.0_f64, 0.66, 0.3] {
            let mut ceiling = Ceiling::new(10.0);
            let mut gave = open;
            for _ in 0..10_000 {
                gave = open.min(ceiling.step(0.2, open, gave, 1.0, 0.001));
            }
            assert!((gave - (0.2 + 0.1 * (open - 0.2))).abs() < 1e-9, "{gave}");
            for _ in 0..40_000 {
                gave = open.min(ceiling.step(0.2, open, gave, 1.0, 0.001));
            }
            for _ in 0..10_000 {
                gave = open.min(ceiling.step(1.0, open, gave, 1.0, 0.001));
            }
            assert!((gave - (open - 0.1 * (open - 0.2))).abs() < 1e-4, "{gave}");
        }
    }

    #[test]
    fn no_ceiling_at_all_stays_none_and_still_lets_one_come() {
        let mut ceiling = Ceiling::new(1.0);
        assert_eq!(ceiling.step(f64::INFINITY, 1.0, 1.0, 1.0, 1.0), f64::INFINITY);
        assert!((ceiling.step(0.0, 1.0, 1.0, 1.0, 1.0) - 0.1).abs() < 1e-12);
    }

    #[test]
    fn a_ceiling_above_the_power_is_not_felt_when_the_power_returns() {
        let mut ceiling = Ceiling::new(10.0);
        ceiling.step(0.2, 1.0, 1.0, 1.0, 100.0);
        // A cloud; meanwhile the voltage falls back; then the sun returns.
        ceiling.step(1.0, 0.1, 0.1, 1.0, 1.0);
        assert!(ceiling.step(1.0, 1.0, 0.1, 1.0, 0.001) >= 1.0);
    }
}
