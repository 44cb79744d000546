//! The voltage a relay measures: root mean square over a window.

/// A sliding window over the squares of what it is given.
#[derive(Clone, Debug)]
pub struct RmsWindow {
    window_s: f64,
    /// The step the window was laid out for [s].
    h_s: f64,
    squares: Vec<f64>,
    next: usize,
    sum: f64,
    value: f64,
}

impl RmsWindow {
    /// A window of `window_s` that has long seen `value`.
    pub fn new(window_s: f64, value: f64) -> RmsWindow {
        RmsWindow {
            window_s,
            h_s: 0.0,
            squares: Vec::new(),
            next: 0,
            sum: 0.0,
            value,
        }
    }

    /// Takes a value that held for `h_s`; answers the root mean square over the window.
    #[inline]
    pub fn step(&mut self, value: f64, h_s: f64) -> f64 {
        if h_s != self.h_s {
            let steps = (self.window_s / h_s).round().max(1.0) as usize;
            self.h_s = h_s;
            self.squares = vec![self.value * self.value; steps];
            self.sum = self.squares.iter().sum();
            self.next = 0;
        }
        let square = value * value;
        self.sum += square - self.squares[self.next];
        self.squares[self.next] = square;
        self.next += 1;
        if self.next == self.squares.len() {
            self.next = 0;
            // Summed afresh once a window: a running sum would drift over hours.
            self.sum = self.squares.iter().sum();
        }
        self.value = (self.sum.max(0.0) / self.squares.len() as f64).sqrt();
        self.value
    }
}

#[cfg(test)]
mod tests {
    use super::RmsWindow;

    #[test]
    fn it_is_the_mean_square_of_the_last_window_and_does_not_drift() {
        let mut window = RmsWindow::new(0.005, 1.0);
        assert!((window.step(2.0, 0.001) - (8.0_f64 / 5.0).sqrt()).abs() < 1e-12);
        for n in 0..1_000_003 {
            window.step(if n % 7 == 0 { 1e3 } else { 1e-3 }, 0.001);
        }
        for _ in 0..10 {
            window.step(1e-3, 0.001);
        }
        assert!((window.step(1e-3, 0.001) - 1e-3).abs() < 1e-12);
    }
}
