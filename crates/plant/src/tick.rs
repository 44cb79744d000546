//! What an island did over one tick: the trace, the extremes, the means, the events.

use crate::complex::Complex;
use crate::event::Event;
use crate::island::Island;

/// The result of one island tick.
#[derive(Clone, Debug, Default)]
pub struct IslandTick {
    /// Ends of the recorded steps, in the run's time [s].
    pub times_s: Vec<f64>,
    /// Frequency of the bus at those times [Hz].
    pub f_hz: Vec<f64>,
    /// Voltage of the bus at those times [pu].
    pub v_pu: Vec<f64>,
    /// Power of each device at those times, one row a device [W].
    pub p_w: Vec<Vec<f64>>,
    /// And its reactive power [var].
    pub q_var: Vec<Vec<f64>>,
    /// Power of the grid into the feeder at those times [W].
    pub grid_p_w: Vec<f64>,
    /// Lowest and highest frequency of all steps [Hz].
    pub f_range_hz: (f64, f64),
    /// Lowest and highest voltage of all steps [pu].
    pub v_range_pu: (f64, f64),
    /// Largest rate of change of frequency over 0.1 s, unsigned [Hz/s].
    pub rocof_max_hz_s: f64,
    /// Mean frequency and voltage [Hz, pu].
    pub mean: (f64, f64),
    /// Frequency and voltage at the end [Hz, pu].
    pub end: (f64, f64),
    /// What happened, in order.
    pub events: Vec<Event>,
}

/// Sums over the steps of a tick.
pub struct Recorder {
    tick: IslandTick,
    record_every: usize,
    steps: usize,
    power: Vec<Complex>,
    grid: Complex,
    sum: (f64, f64),
}

impl Recorder {
    /// Starts a tick over `devices` devices, recording every `record_every`th step (0: none).
    pub fn new(devices: usize, record_every: usize) -> Recorder {
        let none = (f64::INFINITY, f64::NEG_INFINITY);
        let rows = if record_every > 0 { devices } else { 0 };
        Recorder {
            tick: IslandTick {
                p_w: vec![Vec::new(); rows],
                q_var: vec![Vec::new(); rows],
                f_range_hz: none,
                v_range_pu: none,
                ..IslandTick::default()
            },
            record_every,
            steps: 0,
            power: vec![Complex::ZERO; devices],
            grid: Complex::ZERO,
            sum: (0.0, 0.0),
        }
    }

    /// Takes one step that ended at `end_s`.
    pub fn take(&mut self, island: &Island, grid: Complex, end_s: f64) {
        let power = &island.power;
        let v_pu = island.magnitude;
        let f_hz = if island.dead {
            0.0
        } else {
            island.instrument.f_hz
        };
        self.steps += 1;
        for (sum, part) in self.power.iter_mut().zip(power) {
            *sum += *part;
        }
        self.grid += grid;
        self.sum = (self.sum.0 + f_hz, self.sum.1 + v_pu);
        let widen = |(low, high): (f64, f64), x: f64| (low.min(x), high.max(x));
        let tick = &mut self.tick;
        tick.v_range_pu = widen(tick.v_range_pu, v_pu);
        if !island.dead {
            tick.f_range_hz = widen(tick.f_range_hz, f_hz);
            tick.rocof_max_hz_s = tick.rocof_max_hz_s.max(island.instrument.rocof_hz_s.abs());
        }
        tick.end = (f_hz, v_pu);
        if self.record_every > 0 && self.steps.is_multiple_of(self.record_every) {
            tick.times_s.push(end_s);
            tick.f_hz.push(f_hz);
            tick.v_pu.push(v_pu);
            tick.grid_p_w.push(grid.re);
            let rows = tick.p_w.iter_mut().zip(&mut tick.q_var);
            for ((p_w, q_var), part) in rows.zip(power) {
                p_w.push(part.re);
                q_var.push(part.im);
            }
        }
    }

    /// The tick, the mean power of each device and the grid's mean power [W, var].
    pub fn finish(mut self) -> (IslandTick, Vec<Complex>, Complex) {
        let share = 1.0 / self.steps.max(1) as f64;
        self.tick.mean = (self.sum.0 * share, self.sum.1 * share);
        if self.tick.f_range_hz.0 > self.tick.f_range_hz.1 {
            self.tick.f_range_hz = (0.0, 0.0);
        }
        let power = self.power.into_iter().map(|sum| sum * share).collect();
        (self.tick, power, self.grid * share)
    }
}
