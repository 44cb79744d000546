//! How many commands a second each of several venues carries out, in one run.

use std::time::{Duration, Instant};

use crate::stream::Op;
use crate::venue::{Answer, Venue};

/// What one contender needed for the same stream, time after time.
#[derive(Debug, Clone, PartialEq)]
pub struct Rates {
    /// Who ran.
    pub name: &'static str,
    /// How many commands each repetition had.
    pub commands: usize,
    /// The time of each repetition, shortest first. [s]
    pub durations_s: Vec<f64>,
    /// What every repetition came to.
    pub answer: Answer,
}

impl Rates {
    /// Returns the commands a second of the best repetition.
    pub fn best(&self) -> f64 {
        self.commands as f64 / self.durations_s[0]
    }

    /// Returns the commands a second of the middle repetition, the slower of two middles.
    pub fn median(&self) -> f64 {
        self.commands as f64 / self.durations_s[self.durations_s.len() / 2]
    }
}

type Run<'a> = dyn FnMut(&[Op]) -> (Duration, Answer) + 'a;

/// A name, and how a fresh venue is opened and timed over the stream.
pub struct Contender<'a> {
    name: &'static str,
    run: Box<Run<'a>>,
}

impl<'a> Contender<'a> {
    /// Describes a contender by what opens its venue, which is not timed.
    pub fn new<V: Venue>(name: &'static str, mut open: impl FnMut() -> V + 'a) -> Self {
        let run = move |stream: &[Op]| {
            let mut venue = open();
            let began = Instant::now();
            for op in stream {
                venue.apply(op);
            }
            (began.elapsed(), venue.answer())
        };
        Self {
            name,
            run: Box::new(run),
        }
    }
}

/// Two contenders that were given the same commands came to different answers.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{name} came to {found:?}, the first contender to {expected:?}")]
pub struct AnswersDiffer {
    /// Who differs.
    pub name: &'static str,
    /// What it came to.
    pub found: Answer,
    /// What the first contender came to the first time.
    pub expected: Answer,
}

/// Times every contender over the stream, in turn, `repetitions` times over.
///
/// In turn, because a machine that is slow for a minute is then slow for all of them.
///
/// # Errors
/// [`AnswersDiffer`] for the first repetition that comes to another answer than the first one.
pub fn alternate(
    stream: &[Op],
    contenders: &mut [Contender<'_>],
    repetitions: usize,
) -> Result<Vec<Rates>, AnswersDiffer> {
    let mut durations_s = vec![Vec::with_capacity(repetitions); contenders.len()];
    let mut expected = None;
    for _ in 0..repetitions {
        for (contender, durations_s) in contenders.iter_mut().zip(&mut durations_s) {
            let (duration, found) = (contender.run)(stream);
            let expected = *expected.get_or_insert(found);
            if found != expected {
                return Err(AnswersDiffer {
                    name: contender.name,
                    found,
                    expected,
                });
            }
            durations_s.push(duration.as_secs_f64());
        }
    }
    let rates = contenders
        .iter()
        .zip(durations_s)
        .map(|(contender, mut durations_s)| {
            durations_s.sort_by(f64::total_cmp);
            Rates {
                name: contender.name,
                commands: stream.len(),
                durations_s,
                answer: expected.unwrap_or_default(),
            }
        });
    Ok(rates.collect())
}
