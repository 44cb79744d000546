//! Complex numbers for phasors: just the arithmetic the network needs.

use std::ops::{Add, AddAssign, Div, Mul, Neg, Sub};

/// A phasor or an admittance, in per unit.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Complex {
    /// Real part.
    pub re: f64,
    /// Imaginary part.
    pub im: f64,
}

/// Up to this angle a short series is exact enough [rad].
const SMALL: f64 = 0.1;

/// The imaginary unit.
pub const J: Complex = Complex { re: 0.0, im: 1.0 };

impl Complex {
    /// Zero.
    pub const ZERO: Complex = Complex { re: 0.0, im: 0.0 };
    /// One.
    pub const ONE: Complex = Complex { re: 1.0, im: 0.0 };

    /// Puts a number together from its parts.
    pub const fn new(re: f64, im: f64) -> Complex {
        Complex { re, im }
    }

    /// The number of magnitude `r` at `angle` [rad].
    pub fn polar(r: f64, angle: f64) -> Complex {
        let (sin, cos) = angle.sin_cos();
        Complex::new(r * cos, r * sin)
    }

    /// The unit phasor at `angle`, without a sine while the angle is small [rad].
    #[inline]
    pub fn turn(angle: f64) -> Complex {
        if angle.abs() > SMALL {
            return Complex::polar(1.0, angle);
        }
        // The first left-out terms are below 1e-13.
        let s = angle * angle;
        let cos = 1.0 - s * (0.5 - s * (1.0 / 24.0 - s * (1.0 / 720.0 - s * (1.0 / 40_320.0))));
        let sin = 1.0 - s * (1.0 / 6.0 - s * (1.0 / 120.0 - s * (1.0 / 5_040.0)));
        Complex::new(cos, sin * angle)
    }

    /// The conjugate.
    pub fn conj(self) -> Complex {
        Complex::new(self.re, -self.im)
    }

    /// The magnitude.
    pub fn abs(self) -> f64 {
        self.norm_sq().sqrt()
    }

    /// The square of the magnitude.
    pub fn norm_sq(self) -> f64 {
        self.re * self.re + self.im * self.im
    }

    /// The angle [rad], in (-pi, pi].
    pub fn arg(self) -> f64 {
        self.im.atan2(self.re)
    }

    /// The exponential.
    pub fn exp(self) -> Complex {
        Complex::polar(self.re.exp(), self.im)
    }
}

impl Add for Complex {
    type Output = Complex;
    fn add(self, other: Complex) -> Complex {
        Complex::new(self.re + other.re, self.im + other.im)
    }
}

impl AddAssign for Complex {
    fn add_assign(&mut self, other: Complex) {
        *self = *self + other;
    }
}

impl Sub for Complex {
    type Output = Complex;
    fn sub(self, other: Complex) -> Complex {
        Complex::new(self.re - other.re, self.im - other.im)
    }
}

impl Neg for Complex {
    type Output = Complex;
    fn neg(self) -> Complex {
        Complex::new(-self.re, -self.im)
    }
}

impl Mul for Complex {
    type Output = Complex;
    fn mul(self, other: Complex) -> Complex {
        Complex::new(
            self.re * other.re - self.im * other.im,
            self.re * other.im + self.im * other.re,
        )
    }
}

impl Mul<f64> for Complex {
    type Output = Complex;
    fn mul(self, factor: f64) -> Complex {
        Complex::new(self.re * factor, self.im * factor)
    }
}

impl Div for Complex {
    type Output = Complex;
    fn div(self, other: Complex) -> Complex {
        self * other.conj() * (1.0 / other.norm_sq())
    }
}

#[cfg(test)]
mod tests {
    use super::{Complex, SMALL};

    #[test]
    fn a_small_turn_is_the_sine_and_cosine() {
        for n in -20..=20 {
            let angle = 0.099_999 * f64::from(n) / 20.0 * SMALL / 0.1;
            let off = Complex::turn(angle) - Complex::polar(1.0, angle);
            assert!(off.abs() < 2e-13, "{angle}: {off:?}");
        }
    }
}
