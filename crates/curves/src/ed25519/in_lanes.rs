//! Eight signatures at a time, of eight keys or of fewer.

use super::comb::{Affine, Shape};
use super::eight::Eight;
use super::point::{Addend, Point};
use super::table::{BASE, BASE_MULTIPLES, COLD, Table, touch};
use super::tabulation::side_by_side;
use super::verify::{Coordinates, Opened, affine};
use crate::digits::Digits;
use crate::lanes::{self, Kernel, Step, Word};

/// Fewer signatures than these are faster one by one.
const SIGNATURES_MIN: usize = 3;

/// Computes S B - h A for each job; none if the machine has no lanes or the jobs are not of a kind.
pub(super) fn combine_all(opened: &[Opened<'_>]) -> Option<Vec<Coordinates>> {
    if opened.len() < SIGNATURES_MIN {
        return None;
    }
    match Warm::of(opened) {
        Some(keys) => lanes::run(InLanes { opened, keys }).ok(),
        None => lanes::run(InLanes {
            opened,
            keys: Cold::of(opened)?,
        })
        .ok(),
    }
}

/// What is known of the keys of jobs.
pub(super) trait Keys {
    /// Returns -h A for eight jobs.
    fn multiply<W: Word>(&self, opened: &[Opened<'_>], jobs: [usize; 8]) -> Point<Eight<W>>;
}

/// Computes S B - h A for jobs whose keys are of a kind.
pub(super) struct InLanes<'a, K> {
    pub(super) opened: &'a [Opened<'a>],
    pub(super) keys: K,
}

impl<K: Keys> InLanes<'_, K> {
    /// Returns the jobs of a group; what lanes are left over do the first job again.
    #[inline(always)]
    fn lanes(&self, group: usize) -> [usize; 8] {
        std::array::from_fn(|lane| {
            let at = 8 * group + lane;
            if at < self.opened.len() { at } else { 0 }
        })
    }
}

impl<K: Keys> Kernel for InLanes<'_, K> {
    type Output = Vec<Coordinates>;

    #[inline(always)]
    fn run<W: Word>(self) -> Vec<Coordinates> {
        let groups = self.opened.len().div_ceil(8);
        let mut sums = Vec::with_capacity(groups);
        for group in 0..groups {
            for next in self.lanes((group + 1).min(groups - 1)) {
                touch(self.opened[next].job.table, &self.opened[next].h);
            }
            let jobs = self.lanes(group);
            let of_keys = self.keys.multiply::<W>(self.opened, jobs);
            let s = jobs.map(|at| BASE.digits(&self.opened[at].s.0));
            sums.push(add_multiples(BASE, [&BASE_MULTIPLES[..]; 8], &s, of_keys));
        }
        let mut coordinates: Vec<_> = affine(&sums)
            .into_iter()
            .flat_map(|[x, y]| {
                let (x, y) = (x.to_lanes(), y.to_lanes());
                std::array::from_fn::<_, 8, _>(|lane| [x[lane], y[lane]])
            })
            .collect();
        coordinates.truncate(self.opened.len());
        coordinates
    }
}

/// Keys that have tables of one shape.
pub(super) struct Warm<'a> {
    tables: Vec<&'a Table>,
    shape: Shape,
}

impl<'a> Warm<'a> {
    /// Finds the tables; none if a key has none, or two have tables of different shapes.
    pub(super) fn of(opened: &[Opened<'a>]) -> Option<Self> {
        let tables: Vec<_> = opened
            .iter()
            .map(|one| one.job.table)
            .collect::<Option<_>>()?;
        let shape = tables.first()?.shape;
        let alike = tables.iter().all(|table| table.shape == shape);
        alike.then_some(Self { tables, shape })
    }
}

impl Keys for Warm<'_> {
    #[inline(always)]
    fn multiply<W: Word>(&self, opened: &[Opened<'_>], jobs: [usize; 8]) -> Point<Eight<W>> {
        let h = jobs.map(|at| self.shape.digits(&opened[at].h.0));
        let tables = jobs.map(|at| &self.tables[at].multiples[..]);
        add_multiples(self.shape, tables, &h, Point::identity())
    }
}

/// Adds to each lane a scalar times the point of its table.
#[inline(always)]
fn add_multiples<W: Word>(
    shape: Shape,
    tables: [&[Affine]; 8],
    digits: &[Digits; 8],
    start: Point<Eight<W>>,
) -> Point<Eight<W>> {
    shape.add_digits(start, |sum, place| {
        let mut signs = [0; 8];
        let rows = std::array::from_fn(|lane| match shape.multiple_at(&digits[lane], place) {
            Some((at, negative)) => {
                signs[lane] = 0_u64.wrapping_sub(negative as u64);
                &tables[lane][at].0
            }
            None => &Affine::IDENTITY.0,
        });
        W::step(Addition { sum, rows, signs })
    })
}

/// A multiple added to, or subtracted from, each lane.
struct Addition<'a, W> {
    sum: &'a Point<Eight<W>>,
    rows: [&'a [u64; 12]; 8],
    signs: [u64; 8],
}

impl<W: Word> Step for Addition<'_, W> {
    type Output = Point<Eight<W>>;

    #[inline(always)]
    fn take(self) -> Point<Eight<W>> {
        let [a, b, c, d, e, f, g, h, i, j, k, l] = W::from_rows(self.rows);
        self.sum.add_with(
            [
                Eight::from_words([a, b, c, d]),
                Eight::from_words([e, f, g, h]),
            ],
            Eight::from_words([i, j, k, l]),
            self.sum.z + self.sum.z,
            W::from_array(self.signs),
        )
    }
}

/// Keys without tables: their multiples are computed for each signature, in its lane.
pub(super) struct Cold;

impl Cold {
    /// Takes jobs none of whose keys has a table.
    pub(super) fn of(opened: &[Opened<'_>]) -> Option<Self> {
        let cold = opened.iter().all(|one| one.job.table.is_none());
        cold.then_some(Self)
    }
}

/// An addend of each lane, as it lies in memory: each of its four numbers in five limbs.
type Limbs = [[[u64; 8]; 5]; 4];

impl Keys for Cold {
    #[inline(always)]
    fn multiply<W: Word>(&self, opened: &[Opened<'_>], jobs: [usize; 8]) -> Point<Eight<W>> {
        let keys = jobs.map(|at| &opened[at].job.key.negated);
        let digits = jobs.map(|at| COLD.digits(&opened[at].h.0));
        // The identity comes first, and is what a digit of 0 adds.
        let mut addends = Vec::with_capacity(1 + COLD.per_table());
        addends.push(W::step(Preparation::<W>(Point::identity())));
        for multiple in COLD.multiples_from(side_by_side::<W>(keys)) {
            addends.push(W::step(Preparation(multiple)));
        }
        COLD.add_digits(Point::identity(), |sum, place| {
            let mut signs = [0; 8];
            let picked = std::array::from_fn(|lane| {
                let (at, negative) = COLD
                    .multiple_at(&digits[lane], place)
                    .map_or((0, 0), |(at, negative)| (1 + at, negative));
                signs[lane] = 0_u64.wrapping_sub(negative as u64);
                &addends[at]
            });
            W::step(ColdAddition { sum, picked, signs })
        })
    }
}

/// Points prepared as the second of additions.
struct Preparation<W>(Point<Eight<W>>);

impl<W: Word> Step for Preparation<W> {
    type Output = Limbs;

    #[inline(always)]
    fn take(self) -> Limbs {
        let Addend {
            y_plus_minus_x: [plus, minus],
            xy2d,
            z2,
        } = self.0.to_addend();
        [
            plus.to_rows(),
            minus.to_rows(),
            xy2d.to_rows(),
            z2.to_rows(),
        ]
    }
}

/// To each lane its own of the addends.
struct ColdAddition<'a, W> {
    sum: &'a Point<Eight<W>>,
    picked: [&'a Limbs; 8],
    signs: [u64; 8],
}

impl<W: Word> ColdAddition<'_, W> {
    /// Collects one of the numbers.
    #[inline(always)]
    fn number(&self, number: usize) -> Eight<W> {
        let mut lanes = [[0; 5]; 8];
        for (lane, limbs) in lanes.iter_mut().enumerate() {
            for (limb, row) in limbs.iter_mut().zip(&self.picked[lane][number]) {
                *limb = row[lane];
            }
        }
        Eight::from_limbs(&lanes)
    }
}

impl<W: Word> Step for ColdAddition<'_, W> {
    type Output = Point<Eight<W>>;

    #[inline(always)]
    fn take(self) -> Point<Eight<W>> {
        let addend = Addend {
            y_plus_minus_x: [self.number(0), self.number(1)],
            xy2d: self.number(2),
            z2: self.number(3),
        };
        self.sum.add(&addend, W::from_array(self.signs))
    }
}

#[cfg(test)]
mod tests {
    use super::super::verify::{verify, verify_with};
    use super::super::{Job, tests};
    use super::*;
    use crate::lanes::Portable;
    use crate::{SignatureFault, Verdict};

    #[test]
    fn lanes_judge_hostile_signatures_of_different_keys_as_the_portable_path_does() {
        for (seed, size) in tests::SIZES.into_iter().enumerate() {
            for count in [1, 3, 8, 21] {
                let cases = tests::hostile_cases(seed as u64, count);
                tests::with_jobs(&cases, size, |jobs| {
                    let alone: Vec<_> = jobs
                        .iter()
                        .map(|job| job.key.verify(job.message, job.signature))
                        .collect();
                    assert_eq!(in_portable_lanes(jobs), alone, "{size:?}, {count}");
                    assert_eq!(verify(jobs), alone, "{size:?}, {count}");
                });
            }
        }
    }

    fn in_portable_lanes(jobs: &[Job<'_>]) -> Vec<Verdict> {
        verify_with(jobs, |opened| match Warm::of(opened) {
            Some(keys) => InLanes { opened, keys }.run::<Portable>(),
            None => {
                let keys = Cold::of(opened).expect("no tables");
                InLanes { opened, keys }.run::<Portable>()
            }
        })
    }

    /// Each lane is given what makes a signature false in every way; the other seven must not see it.
    #[test]
    fn a_bad_signature_in_any_lane_leaves_the_others_as_they_were() {
        let good = tests::good_cases(3, 8);
        for size in tests::SIZES {
            for lane in 0..8 {
                for kind in 0..tests::KINDS_OF_BAD {
                    let mut cases = good.clone();
                    tests::make_bad(&mut cases[lane], kind);
                    let expected: Vec<Verdict> = (0..8)
                        .map(|at| {
                            if at == lane {
                                Err(SignatureFault::False)
                            } else {
                                Ok(())
                            }
                        })
                        .collect();
                    tests::with_jobs(&cases, size, |jobs| {
                        assert_eq!(verify(jobs), expected, "{size:?}, {kind} in lane {lane}");
                        if lane == kind {
                            assert_eq!(in_portable_lanes(jobs), expected, "{size:?}, {kind}");
                        }
                    });
                }
            }
        }
    }
}
