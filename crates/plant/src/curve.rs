//! A piecewise linear characteristic, constant beyond its ends.

/// The most points of a characteristic.
pub const POINTS_MAX: usize = 20;

/// Points whose x never falls.
#[derive(Clone, Debug, PartialEq)]
pub struct Curve {
    points: Vec<(f64, f64)>,
    /// Where the last value was found: inputs move slowly.
    at: usize,
}

impl Curve {
    /// A characteristic through points; `None` if there are none or too many, or x falls.
    pub fn new(x: &[f64], y: &[f64]) -> Option<Curve> {
        let rising = x.windows(2).all(|pair| pair[0] <= pair[1]);
        if x.is_empty() || x.len() != y.len() || x.len() > POINTS_MAX || !rising {
            return None;
        }
        let points = x.iter().copied().zip(y.iter().copied()).collect();
        Some(Curve { points, at: 0 })
    }

    /// The value at `x`; on a vertical step that of its upper end.
    pub fn at(&mut self, x: f64) -> f64 {
        let points = &self.points;
        while self.at > 0 && x < points[self.at].0 {
            self.at -= 1;
        }
        while self.at + 1 < points.len() && x >= points[self.at + 1].0 {
            self.at += 1;
        }
        let (x0, y0) = points[self.at];
        match points.get(self.at + 1) {
            Some((x1, y1)) if x > x0 => y0 + (y1 - y0) * (x - x0) / (x1 - x0),
            _ => y0,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::Curve;

    #[test]
    fn it_interpolates_holds_its_ends_and_steps_up() {
        let mut curve = Curve::new(&[0.9, 1.0, 1.0, 1.1], &[0.4, 0.1, 0.0, -0.4]).unwrap();
        for (x, y) in [
            (0.5, 0.4),
            (0.95, 0.25),
            (1.0, 0.0),
            (1.05, -0.2),
            (2.0, -0.4),
            (0.9, 0.4),
            (0.1, 0.4),
        ] {
            assert!((curve.at(x) - y).abs() < 1e-12, "{x}: {}", curve.at(x));
        }
        assert!(Curve::new(&[1.0, 0.9], &[0.0, 0.0]).is_none());
        assert!(Curve::new(&[], &[]).is_none());
        assert!(Curve::new(&[1.0], &[0.0, 1.0]).is_none());
    }
}
