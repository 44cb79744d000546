//! What an AC source plays: segments of voltage and frequency, each phase on its own.
//!
//! A segment runs each magnitude and the frequency straight from one value to another; angles are
//! set at its beginning and add to the angle that the frequency has covered since the source began.

use crate::complex::Complex;
use crate::error::{PlantError, checked};
use std::f64::consts::TAU;

/// The most segments of one sequence.
pub const SEGMENTS_MAX: usize = 10_000;

/// One segment.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Segment {
    /// How long it lasts [s].
    pub duration_s: f64,
    /// Frequency at its beginning and end [Hz].
    pub f_hz: (f64, f64),
    /// Magnitude of the phases a, b, c at its beginning [pu].
    pub v_from_pu: [f64; 3],
    /// And at its end [pu].
    pub v_to_pu: [f64; 3],
    /// Angle of the phases beside 0, -120 and 120 degrees [deg].
    pub angle_deg: [f64; 3],
}

impl Segment {
    /// A balanced segment that holds `v_pu` at `f_hz`.
    pub fn hold(duration_s: f64, v_pu: f64, f_hz: f64) -> Segment {
        Segment {
            duration_s,
            f_hz: (f_hz, f_hz),
            v_from_pu: [v_pu; 3],
            v_to_pu: [v_pu; 3],
            angle_deg: [0.0; 3],
        }
    }

    fn check(&self, n: usize, f_nominal_hz: f64) -> Result<(), PlantError> {
        let name = |what: &str| format!("segment {n}: {what}");
        checked(&name("duration_s [s]"), self.duration_s, 0.0, 86_400.0)?;
        for f_hz in [self.f_hz.0, self.f_hz.1] {
            let range = (0.5 * f_nominal_hz, 1.5 * f_nominal_hz);
            checked(&name("f_hz [Hz]"), f_hz, range.0, range.1)?;
        }
        for v_pu in self.v_from_pu.into_iter().chain(self.v_to_pu) {
            checked(&name("v_pu [pu]"), v_pu, 0.0, 3.0)?;
        }
        for angle_deg in self.angle_deg {
            checked(&name("angle_deg [deg]"), angle_deg, -360.0, 360.0)?;
        }
        Ok(())
    }
}

/// The source at one moment, phases in the frame of nominal frequency.
#[derive(Clone, Copy, Debug)]
pub struct Played {
    /// Phasors of the phases a, b, c [pu].
    pub v: [Complex; 3],
    /// Frequency [Hz].
    pub f_hz: f64,
}

/// A checked sequence, played from its beginning.
#[derive(Clone, Debug)]
pub struct Sequence {
    segments: Vec<Segment>,
    at: usize,
    /// Where the present segment began, after the beginning of the sequence [s].
    began_s: f64,
}

impl Sequence {
    /// Takes segments of which each is possible.
    ///
    /// # Errors
    /// `ValueWrong` with the number of the segment, counted from 0.
    pub fn new(segments: &[Segment], f_nominal_hz: f64) -> Result<Sequence, PlantError> {
        checked("segments", segments.len() as f64, 1.0, SEGMENTS_MAX as f64)?;
        for (n, segment) in segments.iter().enumerate() {
            segment.check(n, f_nominal_hz)?;
        }
        Ok(Sequence {
            segments: segments.to_vec(),
            at: 0,
            began_s: 0.0,
        })
    }

    /// How long it lasts [s].
    pub fn duration_s(&self) -> f64 {
        self.segments.iter().map(|segment| segment.duration_s).sum()
    }

    /// The source at `since_s`, which never goes back; `turned` is the angle that the frequency has
    /// covered beside nominal [rad].
    pub fn play(&mut self, since_s: f64, turned: f64) -> Played {
        // Half a nanosecond forgives the rounding of many summed steps.
        while self.at + 1 < self.segments.len()
            && since_s + 5e-10 >= self.began_s + self.segments[self.at].duration_s
        {
            self.began_s += self.segments[self.at].duration_s;
            self.at += 1;
        }
        let segment = &self.segments[self.at];
        let share = if segment.duration_s > 0.0 {
            ((since_s - self.began_s) / segment.duration_s).clamp(0.0, 1.0)
        } else {
            1.0
        };
        let phase = |n: usize| {
            let (from, to) = (segment.v_from_pu[n], segment.v_to_pu[n]);
            let natural = -TAU / 3.0 * n as f64;
            let angle = natural + segment.angle_deg[n].to_radians() + turned;
            Complex::polar(from + (to - from) * share, angle)
        };
        let (f_from, f_to) = segment.f_hz;
        Played {
            v: [phase(0), phase(1), phase(2)],
            f_hz: f_from + (f_to - f_from) * share,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{Segment, Sequence};

    #[test]
    fn a_ramp_is_straight_and_a_step_takes_effect_at_its_time() {
        let ramp = Segment {
            v_to_pu: [0.5, 1.0, 1.0],
            f_hz: (50.0, 51.0),
            ..Segment::hold(2.0, 1.0, 50.0)
        };
        let mut played = Sequence::new(&[ramp, Segment::hold(1.0, 0.8, 50.0)], 50.0).unwrap();
        assert!((played.duration_s() - 3.0).abs() < 1e-12);
        let middle = played.play(1.0, 0.0);
        assert!((middle.v[0].abs() - 0.75).abs() < 1e-12 && (middle.f_hz - 50.5).abs() < 1e-12);
        assert!((middle.v[1].abs() - 1.0).abs() < 1e-12);
        assert!((played.play(1.9995, 0.0).v[1].abs() - 1.0).abs() < 1e-12);
        assert!((played.play(2.0, 0.0).v[1].abs() - 0.8).abs() < 1e-12);
    }

    #[test]
    fn an_impossible_segment_is_refused_by_its_number() {
        let refusal = Sequence::new(
            &[
                Segment::hold(1.0, 1.0, 50.0),
                Segment::hold(1.0, -1.0, 50.0),
            ],
            50.0,
        )
        .unwrap_err();
        assert!(refusal.to_string().contains("segment 1: v_pu"), "{refusal}");
        assert!(Sequence::new(&[], 50.0).is_err());
    }
}
