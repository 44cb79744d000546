//! The buses of a feeder as an island sees them: admittances between the buses that carry something.
//!
//! A matrix reduced to those buses (Kron) comes from the feeder engine; here loads, sources and the
//! grid are added to its diagonal and the nodal equations are solved. Without a network there is one
//! bus and the matrix is a zero.

use crate::complex::Complex;
use crate::error::{PlantError, checked};
use crate::network::{Source, limiting_x};

/// The most buses of a network; a dense solution of more takes longer than the step it is for.
pub const BUSES_MAX: usize = 200;
/// Sweeps over the current limits of all sources; more change nothing that could be measured.
const LIMIT_SWEEPS: usize = 6;

/// Admittances between buses at nominal frequency, and who is where.
#[derive(Clone, Debug)]
pub struct Buses {
    count: usize,
    /// Row by row [pu of the system base].
    y: Vec<Complex>,
    /// The bus of the PCC.
    pub pcc: usize,
    of_device: Vec<usize>,
}

impl Buses {
    /// One bus for everything.
    pub fn one() -> Buses {
        Buses {
            count: 1,
            y: vec![Complex::ZERO],
            pcc: 0,
            of_device: Vec::new(),
        }
    }

    /// A network of `count` buses with their admittance matrix, row by row, the bus of the PCC and
    /// that of each device.
    ///
    /// # Errors
    /// `ValueWrong`, `LengthWrong`.
    pub fn new(
        count: usize,
        y: Vec<Complex>,
        pcc: usize,
        of_device: Vec<usize>,
    ) -> Result<Buses, PlantError> {
        checked("buses", count as f64, 1.0, BUSES_MAX as f64)?;
        if y.len() != count * count {
            return Err(PlantError::LengthWrong {
                what: "admittances".to_owned(),
                found: y.len(),
                expected: count * count,
            });
        }
        for part in y.iter().flat_map(|y| [y.re, y.im]) {
            checked("admittance [pu]", part, -1e12, 1e12)?;
        }
        let last = (count - 1) as f64;
        checked("bus of the PCC", pcc as f64, 0.0, last)?;
        for bus in &of_device {
            checked("bus of a device", *bus as f64, 0.0, last)?;
        }
        let buses = Buses {
            count,
            y,
            pcc,
            of_device,
        };
        if let Some(alone) = buses.not_reached() {
            return Err(PlantError::ValueWrong {
                what: "a bus without a way to the PCC".to_owned(),
                value: alone as f64,
                expected: "a network in one piece".to_owned(),
            });
        }
        Ok(buses)
    }

    /// A bus that no admittances join with the PCC.
    fn not_reached(&self) -> Option<usize> {
        let mut reached = vec![false; self.count];
        let mut waiting = vec![self.pcc];
        while let Some(bus) = waiting.pop() {
            if !std::mem::replace(&mut reached[bus], true) {
                let row = &self.y[bus * self.count..(bus + 1) * self.count];
                let joined = |(other, y): (usize, &Complex)| (*y != Complex::ZERO).then_some(other);
                waiting.extend(row.iter().enumerate().filter_map(joined));
            }
        }
        reached.iter().position(|reached| !reached)
    }

    /// The same for three phases that are joined nowhere but at sources: each has the admittances
    /// between its own nodes, phase by phase.
    pub fn by_phase(&self) -> Buses {
        let (n, wide) = (self.count, 3 * self.count);
        let mut y = vec![Complex::ZERO; wide * wide];
        for phase in 0..3 {
            for row in 0..n {
                let at = (phase * n + row) * wide + phase * n;
                y[at..at + n].copy_from_slice(&self.y[row * n..(row + 1) * n]);
            }
        }
        Buses {
            count: wide,
            y,
            pcc: self.pcc,
            of_device: self.of_device.clone(),
        }
    }

    /// How many buses there are.
    pub fn count(&self) -> usize {
        self.count
    }

    /// The bus of a device; the PCC's for one that was not told.
    pub fn of(&self, device: usize) -> usize {
        self.of_device.get(device).copied().unwrap_or(self.pcc)
    }

    /// Refuses a network that does not know every device.
    ///
    /// # Errors
    /// `LengthWrong`.
    pub fn check_devices(&self, devices: usize) -> Result<(), PlantError> {
        if self.of_device.is_empty() || self.of_device.len() == devices {
            return Ok(());
        }
        Err(PlantError::LengthWrong {
            what: "buses of devices".to_owned(),
            found: self.of_device.len(),
            expected: devices,
        })
    }

    /// Puts the matrix with `diagonal` added into `into`, factored.
    pub fn factor(&self, diagonal: &[Complex], into: &mut Factored) {
        into.count = self.count;
        into.lu.clone_from(&self.y);
        for (bus, add) in diagonal.iter().enumerate() {
            into.lu[bus * self.count + bus] += *add;
        }
        into.eliminate();
    }
}

/// A factored matrix.
#[derive(Clone, Debug, Default)]
pub struct Factored {
    count: usize,
    lu: Vec<Complex>,
}

impl Factored {
    /// Gauss's elimination in place. Nodal matrices with a load or a source are dominated by their
    /// diagonals, so rows stay where they are.
    fn eliminate(&mut self) {
        let n = self.count;
        for k in 0..n {
            let pivot = Complex::ONE / self.lu[k * n + k];
            self.lu[k * n + k] = pivot;
            for row in k + 1..n {
                let factor = self.lu[row * n + k] * pivot;
                self.lu[row * n + k] = factor;
                if factor == Complex::ZERO {
                    continue;
                }
                for column in k + 1..n {
                    let above = self.lu[k * n + column];
                    self.lu[row * n + column] = self.lu[row * n + column] - factor * above;
                }
            }
        }
    }

    /// The voltages for the currents in `x`, in their place.
    pub fn solve(&self, x: &mut [Complex]) {
        let n = self.count;
        for row in 0..n {
            let (known, rest) = x.split_at_mut(row);
            rest[0] = rest[0] - dot(&self.lu[row * n..row * n + row], known);
        }
        for row in (0..n).rev() {
            let (rest, known) = x.split_at_mut(row + 1);
            let below = dot(&self.lu[row * n + row + 1..(row + 1) * n], known);
            rest[row] = (rest[row] - below) * self.lu[row * n + row];
        }
    }
}

fn dot(a: &[Complex], b: &[Complex]) -> Complex {
    let products = a.iter().zip(b).map(|(a, b)| *a * *b);
    products.fold(Complex::ZERO, |sum, product| sum + product)
}

/// Room for solving, kept so that steps allocate nothing.
#[derive(Clone, Debug, Default)]
pub struct Workspace {
    factored: Factored,
    limited: Factored,
    column: Vec<Complex>,
    /// The voltages of the last solution [pu].
    pub v: Vec<Complex>,
}

impl Workspace {
    /// Factors the network once for all stages of a step, with `diagonal` and all sources in it.
    pub fn prepare(&mut self, buses: &Buses, diagonal: &mut [Complex], sources: &[Source]) {
        for source in sources {
            diagonal[source.bus] += source.y();
        }
        buses.factor(diagonal, &mut self.factored);
        for source in sources {
            diagonal[source.bus] = diagonal[source.bus] - source.y();
        }
    }

    /// Solves for the `current` into each bus beside the sources'; the voltages are in `v` then, the
    /// sources' currents in them. A source above its largest current gets a larger reactance, just
    /// enough to be at it.
    pub fn solve(
        &mut self,
        buses: &Buses,
        diagonal: &[Complex],
        current: &[Complex],
        sources: &mut [Source],
    ) {
        let load = |v: &mut Vec<Complex>, sources: &[Source]| {
            v.clear();
            v.extend_from_slice(current);
            for source in sources {
                v[source.bus] += source.e * source.y();
            }
        };
        load(&mut self.v, sources);
        self.factored.solve(&mut self.v);
        for sweep in 0..LIMIT_SWEEPS {
            let mut changed = false;
            for n in 0..sources.len() {
                let source = &sources[n];
                let (bus, i) = (source.bus, (source.e - self.v[source.bus]) * source.y());
                if i.norm_sq() <= (source.i_max * (1.0 + 1e-9)).powi(2) {
                    continue;
                }
                let factored = if sweep == 0 && !changed {
                    &self.factored
                } else {
                    &self.limited
                };
                self.column.clear();
                self.column.resize(buses.count(), Complex::ZERO);
                self.column[bus] = Complex::ONE;
                factored.solve(&mut self.column);
                // What the source sees: everything else as one admittance and one current.
                let seen = Complex::ONE / self.column[bus];
                let others_y = seen - source.y();
                let others_j = self.v[bus] * seen - source.e * source.y();
                let x = limiting_x(source, others_y, others_j);
                sources[n].limit_to(x);
                changed = true;
                let mut all = diagonal.to_vec();
                for source in sources.iter() {
                    all[source.bus] += source.y();
                }
                buses.factor(&all, &mut self.limited);
                load(&mut self.v, sources);
                self.limited.solve(&mut self.v);
            }
            if !changed {
                break;
            }
        }
        for source in sources.iter_mut() {
            source.v = self.v[source.bus];
            source.i = (source.e - source.v) * source.y();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{Buses, Workspace};
    use crate::complex::Complex;
    use crate::network::{Source, solve};

    fn line(z: Complex) -> Vec<Complex> {
        let y = Complex::ONE / z;
        vec![y, -y, -y, y]
    }

    #[test]
    fn two_buses_are_a_voltage_divider() {
        let z = Complex::new(0.05, 0.02);
        let buses = Buses::new(2, line(z), 0, Vec::new()).unwrap();
        let mut sources = [Source::new(Complex::ONE, 0.15, 1e9)];
        let (load, mut space) = (Complex::new(0.8, -0.3), Workspace::default());
        let mut diagonal = [Complex::ZERO, load];
        space.prepare(&buses, &mut diagonal, &sources);
        space.solve(&buses, &diagonal, &[Complex::ZERO; 2], &mut sources);
        let whole = Complex::new(0.0, 0.15) + z + Complex::ONE / load;
        let expected = (Complex::ONE / load) / whole;
        assert!((space.v[1] - expected).abs() < 1e-12);
    }

    #[test]
    fn a_network_in_two_pieces_is_refused_with_the_bus() {
        let mut y = vec![Complex::ZERO; 9];
        let pair = line(Complex::new(0.1, 0.1));
        (y[0], y[1], y[3], y[4]) = (pair[0], pair[1], pair[2], pair[3]);
        y[8] = Complex::ONE;
        let refusal = Buses::new(3, y, 0, Vec::new()).unwrap_err();
        assert!(refusal.to_string().contains("is 2"), "{refusal}");
    }

    #[test]
    fn a_network_without_length_is_one_bus_also_at_the_current_limit() {
        let buses = Buses::new(2, line(Complex::new(1e-7, 1e-7)), 0, Vec::new()).unwrap();
        let mut many = [
            Source::new(Complex::ONE, 0.15, 1.5),
            Source::new(Complex::ONE, 0.3, 0.8),
        ];
        many[1].bus = 1;
        let load = Complex::new(8.0, -2.0);
        let mut space = Workspace::default();
        let mut diagonal = [Complex::ZERO, load];
        space.prepare(&buses, &mut diagonal, &many);
        space.solve(&buses, &diagonal, &[Complex::ZERO; 2], &mut many);
        let mut one = many.map(|source| Source::new(source.e, source.x, source.i_max));
        let v = solve(&mut one, load, Complex::ZERO);
        assert!((space.v[1] - v).abs() < 1e-4, "{:?} {v:?}", space.v);
        assert!((many[0].i.abs() - 1.5).abs() < 2e-3);
        assert!((many[1].i.abs() - 0.8).abs() < 2e-3);
    }
}
