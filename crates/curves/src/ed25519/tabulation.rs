//! Tables computed eight at a time: those of one point, as many as its shape has.

use super::arithmetic::{Field, invert_all};
use super::comb::{Affine, Shape};
use super::eight::Eight;
use super::point::{Point, TWICE_D};
use crate::lanes::{Kernel, Step, Word};

/// Computes the multiples of a point, given the first of each of its tables.
pub(super) struct Tabulation {
    shape: Shape,
    firsts: Vec<Point>,
}

impl Tabulation {
    pub(super) const fn new(shape: Shape, firsts: Vec<Point>) -> Self {
        Self { shape, firsts }
    }
}

impl Kernel for Tabulation {
    type Output = Box<[Affine]>;

    #[inline(always)]
    fn run<W: Word>(self) -> Box<[Affine]> {
        let Self { shape, firsts } = self;
        let mut tables = vec![Affine::IDENTITY; shape.multiples()].into_boxed_slice();
        for (group, own) in tables.chunks_mut(8 * shape.per_table()).enumerate() {
            // What lanes are left over take the first again.
            let rest = &firsts[8 * group..];
            let first = std::array::from_fn(|lane| rest.get(lane).unwrap_or(&rest[0]));
            let first = side_by_side::<W>(first);
            let multiples = shape.multiples_from(first);
            let mut inverses: Vec<_> = multiples.iter().map(|multiple| multiple.z).collect();
            invert_all(&mut inverses);
            for (at, (multiple, inverse)) in multiples.iter().zip(inverses).enumerate() {
                let words = W::step(Normalisation { multiple, inverse });
                for (lane, table) in own.chunks_mut(shape.per_table()).enumerate() {
                    table[at] = Affine(words.map(|word| word[lane]));
                }
            }
        }
        tables
    }
}

/// Puts a point into each lane.
#[inline(always)]
pub(super) fn side_by_side<W: Word>(points: [&Point; 8]) -> Point<Eight<W>> {
    Point {
        x: Eight::from_lanes(points.map(|point| point.x)),
        y: Eight::from_lanes(points.map(|point| point.y)),
        z: Eight::from_lanes(points.map(|point| point.z)),
        t: Eight::from_lanes(points.map(|point| point.t)),
    }
}

/// Makes points affine, in the words of a table.
struct Normalisation<'a, W> {
    multiple: &'a Point<Eight<W>>,
    inverse: Eight<W>,
}

impl<W: Word> Step for Normalisation<'_, W> {
    type Output = [[u64; 8]; 12];

    #[inline(always)]
    fn take(self) -> [[u64; 8]; 12] {
        let x = self.multiple.x * self.inverse;
        let y = self.multiple.y * self.inverse;
        let [a, b, c, d] = (y + x).to_words();
        let [e, f, g, h] = (y - x).to_words();
        let [i, j, k, l] = (x * y * Eight::from_constant(TWICE_D)).to_words();
        [
            a.to_array(),
            b.to_array(),
            c.to_array(),
            d.to_array(),
            e.to_array(),
            f.to_array(),
            g.to_array(),
            h.to_array(),
            i.to_array(),
            j.to_array(),
            k.to_array(),
            l.to_array(),
        ]
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::lanes::{self, Portable};

    #[test]
    fn tables_in_lanes_are_those_computed_one_by_one() {
        let mut bytes = [0x66; 32];
        bytes[0] = 0x58;
        let base = Point::decode(&bytes).expect("the base point");
        for shape in [
            Shape::new(7, 1),
            Shape::new(5, 1),
            Shape::new(4, 8),
            Shape::new(2, 3),
        ] {
            let expected = Affine::of_all(&shape.multiples_of(&base));
            let kernel = || Tabulation::new(shape, shape.firsts(&base));
            assert_eq!(kernel().run::<Portable>(), expected);
            if let Ok(tables) = lanes::run(kernel()) {
                assert_eq!(tables, expected);
            }
        }
    }
}
