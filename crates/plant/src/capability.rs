//! What the rating lets through of the active and reactive power an inverter aims at.
//!
//! # Source
//! IEEE 1547-2018 clause 5.2: the reactive power a category requires is there whatever the active
//! power, so by default reactive power goes first. Minimum of the clause: nothing below 5 % of rated
//! active power, in proportion to 20 %, all above; an inverter may give more.

use crate::function_settings::ReactiveMode;

/// What goes first when active and reactive power together exceed the rating.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Priority {
    /// Reactive power.
    Reactive,
    /// Reactive power as far as the category requires it, then active power.
    RequiredReactive,
    /// Active power.
    Active,
}

/// The words of `Priority`.
pub const PRIORITIES: [(&str, Priority); 3] = [
    ("reactive", Priority::Reactive),
    ("required_reactive", Priority::RequiredReactive),
    ("active", Priority::Active),
];

/// The ratings of one inverter.
#[derive(Clone, Copy, Debug)]
pub struct Capability {
    /// Apparent power [VA].
    pub s_va: f64,
    /// Active power [W].
    pub rated_w: f64,
    /// Largest reactive power injected and absorbed [pu of `s_va`].
    pub q_max_pu: (f64, f64),
    /// What the category requires to be injected and absorbed [pu of `s_va`].
    pub q_required_pu: (f64, f64),
    /// Active power below which there is no reactive power, and from which there is all of it [pu
    /// of `rated_w`].
    pub q_from_p_pu: (f64, f64),
}

impl Capability {
    /// What passes of an aim [W, var].
    pub fn limit(
        &self,
        p_w: f64,
        q_var: f64,
        mode: ReactiveMode,
        priority: Priority,
    ) -> (f64, f64) {
        if q_var == 0.0 && p_w.abs() <= self.s_va {
            return (p_w, 0.0);
        }
        let share = self.share_at(p_w.abs() / self.rated_w.max(1e-9)) * self.s_va;
        let within =
            |q: f64, (inject, absorb): (f64, f64), of: f64| q.clamp(-absorb * of, inject * of);
        let q_var = within(q_var, self.q_max_pu, share);
        let over = p_w.hypot(q_var) / self.s_va;
        if over <= 1.0 {
            return (p_w, q_var);
        }
        if mode == ReactiveMode::PowerFactor {
            return (p_w / over, q_var / over);
        }
        let rest = |first: f64| (self.s_va.powi(2) - first * first).max(0.0).sqrt();
        let first = match priority {
            Priority::Active => 0.0,
            Priority::RequiredReactive => within(q_var, self.q_required_pu, self.s_va),
            Priority::Reactive => q_var,
        };
        let p_max = rest(first);
        let p_w = p_w.clamp(-p_max, p_max);
        let q_max = rest(p_w).max(first.abs());
        (p_w, q_var.clamp(-q_max, q_max))
    }

    /// The reactive power that `p_w` leaves of the rating, on the side of the sign of `q` [var].
    pub fn available_var(&self, p_w: f64, q: f64) -> f64 {
        let (inject, absorb) = self.q_max_pu;
        let most = if q < 0.0 { absorb } else { inject } * self.s_va;
        let circle = (self.s_va.powi(2) - p_w * p_w).max(0.0).sqrt();
        circle.min(most)
    }

    fn share_at(&self, p_pu: f64) -> f64 {
        let (none_below, full_from) = self.q_from_p_pu;
        if p_pu < none_below {
            0.0
        } else if p_pu < full_from {
            p_pu / full_from
        } else {
            1.0
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{Capability, Priority};
    use crate::function_settings::ReactiveMode;

    const B: Capability = Capability {
        s_va: 1.0,
        rated_w: 1.0,
        q_max_pu: (0.8, 0.8),
        q_required_pu: (0.44, 0.44),
        q_from_p_pu: (0.05, 0.2),
    };

    fn limit(p: f64, q: f64, priority: Priority) -> (f64, f64) {
        B.limit(p, q, ReactiveMode::VoltVar, priority)
    }

    #[test]
    fn each_priority_keeps_the_circle_and_its_own_first() {
        let near = |(p, q): (f64, f64), (x, y): (f64, f64)| {
            assert!((p - x).abs() < 1e-12 && (q - y).abs() < 1e-12, "{p} {q}");
        };
        near(limit(1.0, 0.6, Priority::Reactive), (0.8, 0.6));
        near(limit(1.0, 0.6, Priority::Active), (1.0, 0.0));
        let p = (1.0_f64 - 0.44 * 0.44).sqrt();
        near(limit(1.0, -0.6, Priority::RequiredReactive), (p, -0.44));
        // Active power that was below that bound is not raised to it.
        near(limit(0.8, 0.7, Priority::RequiredReactive), (0.8, 0.6));
        near(limit(-1.0, 0.6, Priority::Reactive), (-0.8, 0.6));
        let (p, q) = B.limit(1.0, 0.5, ReactiveMode::PowerFactor, Priority::Reactive);
        assert!((q / p - 0.5).abs() < 1e-12 && (p.hypot(q) - 1.0).abs() < 1e-12);
    }

    #[test]
    fn little_active_power_allows_little_reactive_power() {
        for (p, q) in [(0.04, 0.0), (0.1, 0.4), (0.2, 0.8), (0.5, 0.8)] {
            let (_, found) = limit(p, 0.8, Priority::Reactive);
            assert!((found - q).abs() < 1e-12, "{p}: {found}");
        }
    }
}
