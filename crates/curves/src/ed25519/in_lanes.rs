//! Eight signatures at a time, of eight keys or of fewer.

use super::comb::{Affine, Shape};
use super::eight::Eight;
use super::point::Point;
use super::table::{BASE, BASE_MULTIPLES, Table, touch};
use super::verify::{Coordinates, Opened, affine};
use crate::digits::Digits;
use crate::lanes::{Kernel, Word};

/// Computes S B - h A for jobs whose keys all have tables of one shape.
pub(super) struct InLanes<'a> {
    opened: &'a [Opened<'a>],
    tables: Vec<&'a Table>,
    shape: Shape,
}

impl<'a> InLanes<'a> {
    /// Prepares the work; none if a key has no table, or two have tables of different shapes.
    pub(super) fn of(opened: &'a [Opened<'a>]) -> Option<Self> {
        let tables: Vec<_> = opened
            .iter()
            .map(|one| one.job.table)
            .collect::<Option<_>>()?;
        let shape = tables.first()?.shape;
        let alike = tables.iter().all(|table| table.shape == shape);
        alike.then_some(Self {
            opened,
            tables,
            shape,
        })
    }

    /// Returns the jobs of a group; what lanes are left over do the first job again.
    #[inline(always)]
    fn lanes(&self, group: usize) -> [usize; 8] {
        std::array::from_fn(|lane| {
            let at = 8 * group + lane;
            if at < self.opened.len() { at } else { 0 }
        })
    }

    #[inline(always)]
    fn combine<W: Word>(&self, group: usize) -> Point<Eight<W>> {
        let jobs = self.lanes(group);
        let h = jobs.map(|at| self.shape.digits(&self.opened[at].h.0));
        let tables = jobs.map(|at| &self.tables[at].multiples[..]);
        let of_keys = add_multiples(self.shape, tables, &h, Point::identity());
        let s = jobs.map(|at| BASE.digits(&self.opened[at].s.0));
        add_multiples(BASE, [&BASE_MULTIPLES[..]; 8], &s, of_keys)
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
        let [a, b, c, d, e, f, g, h, i, j, k, l] = W::from_rows(rows);
        sum.add_with(
            [
                Eight::from_words([a, b, c, d]),
                Eight::from_words([e, f, g, h]),
            ],
            Eight::from_words([i, j, k, l]),
            sum.z + sum.z,
            W::from_array(signs),
        )
    })
}

impl Kernel for InLanes<'_> {
    type Output = Vec<Coordinates>;

    #[inline(always)]
    fn run<W: Word>(self) -> Vec<Coordinates> {
        let groups = self.opened.len().div_ceil(8);
        let mut sums = Vec::with_capacity(groups);
        for group in 0..groups {
            for next in self.lanes((group + 1).min(groups - 1)) {
                touch(self.opened[next].job.table, &self.opened[next].h);
            }
            sums.push(self.combine::<W>(group));
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

#[cfg(test)]
mod tests {
    use super::super::verify::verify_with;
    use super::super::{Job, PublicKey, tests};
    use super::*;
    use crate::lanes::Portable;
    use crate::{Scheme, Signature, SignatureEncoding, TableSize};

    #[test]
    fn lanes_judge_hostile_signatures_of_different_keys_as_the_portable_path_does() {
        for (seed, size) in [TableSize::Small, TableSize::Medium]
            .into_iter()
            .enumerate()
        {
            for count in [1, 8, 21] {
                let cases = tests::hostile_cases(seed as u64, count);
                let keys: Vec<_> = cases
                    .iter()
                    .map(|case| PublicKey::decode(&case.key).expect("chosen so"))
                    .collect();
                let tables: Vec<_> = keys.iter().map(|key| Table::new(key, size)).collect();
                let signatures: Vec<_> = cases
                    .iter()
                    .map(|case| {
                        let fixed = SignatureEncoding::Fixed;
                        Signature::read(Scheme::Ed25519, fixed, &case.signature).expect("64 bytes")
                    })
                    .collect();
                let jobs: Vec<_> = (0..count)
                    .map(|at| Job {
                        key: &keys[at],
                        table: tables[at].as_ref(),
                        message: &cases[at].message,
                        signature: &signatures[at],
                    })
                    .collect();
                let in_lanes = verify_with(&jobs, |opened| {
                    InLanes::of(opened).expect("tables alike").run::<Portable>()
                });
                let alone: Vec<_> = jobs
                    .iter()
                    .map(|job| job.key.verify(job.message, job.signature))
                    .collect();
                assert_eq!(in_lanes, alone, "{size:?}, {count}");
            }
        }
    }
}
