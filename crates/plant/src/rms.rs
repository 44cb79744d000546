//! The voltage a relay measures: root mean square over a window.

/// A sliding window over the squares of what it is given.
#[derive(Clone, Debug)]
pub struct RmsWindow {
    window_s: f64,
    /// The step the window was laid out for [s].
    h_s: f64,
    squares: Vec<f64>,
    next: usize,
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
            value,
        }
    }

    /// Takes a value that held for `h_s`; answers the root mean square over the window.
    pub fn step(&mut self, value: f64, h_s: f64) -> f64 {
        if h_s != self.h_s {
            let steps = (self.window_s / h_s).round().max(1.0) as usize;
            self.h_s = h_s;
            self.squares = vec![self.value * self.value; steps];
            self.next = 0;
        }
        self.squares[self.next] = value * value;
        self.next = (self.next + 1) % self.squares.len();
        // Summed afresh: a running sum would drift over hours.
        self.value = (self.squares.iter().sum::<f64>() / self.squares.len() as f64).sqrt();
        self.value
    }
}
