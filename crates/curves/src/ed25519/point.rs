//! Points of edwards25519, -x^2 + y^2 = 1 + d x^2 y^2, and their complete addition.
//!
//! Formulas: Hisil, Wong, Carter, Dawson, "Twisted Edwards Curves Revisited", 2008. They hold for
//! every pair of points of the curve, those of small order too, so nothing here is exceptional.

use super::arithmetic::Field;
use super::field::FieldElement;
use crate::{KeyFault, Scheme};

const D: FieldElement = FieldElement([
    929_955_233_495_203,
    466_365_720_129_213,
    1_662_059_464_998_953,
    2_033_849_074_728_123,
    1_442_794_654_840_575,
]);

pub(crate) const TWICE_D: FieldElement = FieldElement([
    1_859_910_466_990_425,
    932_731_440_258_426,
    1_072_319_116_312_658,
    1_815_898_335_770_999,
    633_789_495_995_903,
]);

/// A square root of -1.
const ROOT_OF_MINUS_1: FieldElement = FieldElement([
    1_718_705_420_411_056,
    234_908_883_556_509,
    2_233_514_472_574_048,
    2_117_202_627_021_982,
    765_476_049_583_133,
]);

/// x = X / Z, y = Y / Z, x y = T / Z; all tight, and Z is not 0.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Point<F = FieldElement> {
    pub(crate) x: F,
    pub(crate) y: F,
    pub(crate) z: F,
    pub(crate) t: F,
}

/// What an addition takes of its second point: y + x, y - x, 2 d x y and 2, each times Z.
///
/// The first two stand in one array so that a sign can choose between them by index.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Addend<F = FieldElement> {
    pub(crate) y_plus_minus_x: [F; 2],
    pub(crate) xy2d: F,
    pub(crate) z2: F,
}

impl Point {
    /// Decodes a point; only the bytes it would itself be encoded as will do.
    pub(crate) fn decode(bytes: &[u8; 32]) -> Result<Self, KeyFault> {
        let scheme = Scheme::Ed25519;
        let negative = bytes[31] >> 7 == 1;
        let y = FieldElement::from_bytes(bytes);
        let mut canonical = y.to_bytes();
        canonical[31] |= bytes[31] & 0x80;
        if canonical != *bytes {
            return Err(KeyFault::NotCanonical);
        }
        let yy = y.square();
        let numerator = (yy - FieldElement::one()).carried();
        let denominator = (yy * D + FieldElement::one()).carried();
        let x = root_of_ratio(numerator, denominator).ok_or(KeyFault::NotOnCurve { scheme })?;
        if x.is_zero() && negative {
            return Err(KeyFault::NotCanonical);
        }
        let x = if x.is_negative() == negative { x } else { -x };
        Ok(Self {
            x,
            y,
            z: FieldElement::one(),
            t: x * y,
        })
    }

    /// Tells whether the point is the identity.
    pub(crate) fn is_identity(&self) -> bool {
        self.x.is_zero() && self.y == self.z
    }

    /// Tells whether the point is one of the eight whose order divides the cofactor.
    pub(crate) fn is_of_small_order(&self) -> bool {
        self.double_times(3).is_identity()
    }

    /// Returns -self.
    pub(crate) fn negated(self) -> Self {
        Self {
            x: -self.x,
            t: -self.t,
            ..self
        }
    }
}

impl<F: Field> Point<F> {
    #[inline(always)]
    pub(crate) fn identity() -> Self {
        Self {
            x: F::zero(),
            y: F::one(),
            z: F::one(),
            t: F::zero(),
        }
    }

    /// Prepares the point as the second of additions.
    #[inline(always)]
    pub(crate) fn to_addend(self) -> Addend<F> {
        Addend {
            y_plus_minus_x: [(self.y + self.x).carried(), (self.y - self.x).carried()],
            xy2d: self.t * F::from_constant(TWICE_D),
            z2: (self.z + self.z).carried(),
        }
    }

    /// Returns self + addend; self - addend where the sign is negative.
    #[inline(always)]
    pub(crate) fn add(&self, addend: &Addend<F>, sign: F::Sign) -> Self {
        let d = self.z * addend.z2;
        self.add_with(addend.y_plus_minus_x, addend.xy2d, d, sign)
    }

    /// Returns 2^times self; `times` is at least 1.
    #[inline(always)]
    pub(crate) fn double_times(&self, times: u32) -> Self {
        let mut point = *self;
        for left in (0..times).rev() {
            let [e, f, g, h] = point.doubling();
            point = Self {
                x: e * f,
                y: g * h,
                z: f * g,
                // Only an addition reads T.
                t: if left == 0 { e * h } else { point.t },
            };
        }
        point
    }

    /// Returns E, F, G, H of which X = E F, Y = G H, Z = F G, T = E H are twice this point.
    #[inline(always)]
    fn doubling(&self) -> [F; 4] {
        let (xx, yy, zz) = (self.x.square(), self.y.square(), self.z.square());
        // H is below 2^52.1 and G below 2^52.6.
        let h = yy + xx;
        let g = yy - xx;
        let e = (self.x + self.y).square().minus_sum(h);
        let f = (zz + zz).minus_sum(g);
        [e, f, g, h]
    }

    /// Adds a point given by y + x, y - x and 2 d x y, all tight, `d` being 2 Z of both; subtracts
    /// it where the sign is negative.
    #[inline(always)]
    pub(crate) fn add_with(&self, y_plus_minus_x: [F; 2], xy2d: F, d: F, sign: F::Sign) -> Self {
        let [plus, minus] = F::swapped(y_plus_minus_x, sign);
        let b = (self.y + self.x) * plus;
        let a = (self.y - self.x) * minus;
        let c = self.t * xy2d;
        let (e, h) = (b - a, b + a);
        let [g, f] = F::swapped([d + c, d - c], sign);
        Self {
            x: e * f,
            y: g * h,
            z: f * g,
            t: e * h,
        }
    }
}

/// Returns a square root of numerator / denominator, if there is one.
fn root_of_ratio(numerator: FieldElement, denominator: FieldElement) -> Option<FieldElement> {
    let denominator_3 = denominator.square() * denominator;
    let denominator_7 = denominator_3.square() * denominator;
    let root = (numerator * denominator_7).power_p58() * numerator * denominator_3;
    let check = denominator * root.square();
    if check == numerator {
        Some(root)
    } else if check == -numerator {
        Some(root * ROOT_OF_MINUS_1)
    } else {
        None
    }
}
