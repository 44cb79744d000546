//! The tables of the base point and of enrolled keys.

use std::sync::LazyLock;

use super::PublicKey;
use super::comb::{Affine, Shape};
use super::point::{Addend, Point};
use super::scalar::Scalar;
use super::tabulation::Tabulation;
use crate::{TableSize, lanes};

/// 1.3 MB for all keys together: 26 additions.
pub(crate) const BASE: Shape = Shape::new(10, 1);
/// 6 KB a key: 64 additions and 28 doublings.
const SMALL: Shape = Shape::new(4, 8);
/// 78 KB a key: 51 additions.
const MEDIUM: Shape = Shape::new(5, 1);
/// 227 KB a key: 37 additions.
const LARGE: Shape = Shape::new(7, 1);
/// Made for one signature: 15 additions, then 51 and 250 doublings.
pub(crate) const COLD: Shape = Shape::windows(5);

/// Multiples of the base point (RFC 8032: y = 4/5, x even).
pub(crate) static BASE_MULTIPLES: LazyLock<Box<[Affine]>> = LazyLock::new(|| {
    let mut bytes = [0x66; 32];
    bytes[0] = 0x58;
    let base = Point::decode(&bytes).unwrap_or_else(|_| Point::identity());
    tabulated(BASE, &base)
});

/// Multiples of -A.
#[derive(Debug, Clone)]
pub(crate) struct Table {
    pub(crate) shape: Shape,
    pub(crate) multiples: Box<[Affine]>,
}

impl Table {
    const fn shape(size: TableSize) -> Option<Shape> {
        match size {
            TableSize::None => None,
            TableSize::Small => Some(SMALL),
            TableSize::Medium => Some(MEDIUM),
            TableSize::Large => Some(LARGE),
        }
    }

    /// Returns what a table of a size takes. [bytes]
    pub(crate) const fn bytes(size: TableSize) -> usize {
        match Self::shape(size) {
            None => 0,
            Some(shape) => shape.multiples() * size_of::<Affine>(),
        }
    }

    /// Computes a key's table; none for a cold key.
    pub(crate) fn new(key: &PublicKey, size: TableSize) -> Option<Self> {
        let shape = Self::shape(size)?;
        let multiples = tabulated(shape, &key.negated);
        Some(Self { shape, multiples })
    }

    /// Returns -h A.
    fn multiply(&self, h: &Scalar) -> Point {
        let digits = self.shape.digits(&h.0);
        self.shape
            .add_multiple(&self.multiples, &digits, Point::identity())
    }
}

/// Computes the tables of a point, eight at a time where the machine has lanes.
fn tabulated(shape: Shape, point: &Point) -> Box<[Affine]> {
    let kernel = Tabulation::new(shape, shape.firsts(point));
    lanes::run(kernel).unwrap_or_else(|_| Affine::of_all(&shape.multiples_of(point)))
}

/// Multiplies a point for which there is no table.
pub(crate) fn multiply_cold(point: &Point, scalar: &Scalar) -> Point {
    let multiples: Vec<Addend> = COLD
        .multiples_of(point)
        .into_iter()
        .map(Point::to_addend)
        .collect();
    COLD.add_multiple(&multiples, &COLD.digits(&scalar.0), Point::identity())
}

/// Returns S B - h A.
pub(crate) fn combine(key: &PublicKey, table: Option<&Table>, s: &Scalar, h: &Scalar) -> Point {
    let of_key = match table {
        Some(table) => table.multiply(h),
        None => multiply_cold(&key.negated, h),
    };
    BASE.add_multiple(&BASE_MULTIPLES, &BASE.digits(&s.0), of_key)
}

/// Asks for the multiples that a scalar will need, so that they are near when they are added.
pub(crate) fn touch(table: Option<&Table>, h: &Scalar) {
    if let Some(Table { shape, multiples }) = table {
        shape.touch(multiples, &shape.digits(&h.0));
    }
}
