//! Signatures checked in batches, each by itself.

use super::arithmetic::{Field, invert_all};
use super::field::FieldElement;
use super::point::Point;
use super::scalar::Scalar;
use super::table::{combine, touch};
use super::{PublicKey, Table, in_lanes};
use crate::sha512::sha512_all;
use crate::{Signature, SignatureFault, Verdict};

/// Affine x and y.
pub(super) type Coordinates = [FieldElement; 2];

/// One signature to check.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Job<'a> {
    pub(crate) key: &'a PublicKey,
    pub(crate) table: Option<&'a Table>,
    pub(crate) message: &'a [u8],
    pub(crate) signature: &'a Signature,
}

/// What is left to do of a job that is not false already.
pub(super) struct Opened<'a> {
    pub(super) job: Job<'a>,
    place: usize,
    r: [u8; 32],
    pub(super) s: Scalar,
    pub(super) h: Scalar,
}

/// y of the eight points whose order divides the cofactor.
const SMALL_ORDER_Y: [[u8; 32]; 5] = {
    let mut one = [0; 32];
    one[0] = 1;
    let mut minus_one = [0xff; 32];
    minus_one[0] = 0xec;
    minus_one[31] = 0x7f;
    let of_order_8 = *b"\x26\xe8\x95\x8f\xc2\xb2\x27\xb0\x45\xc3\xf4\x89\xf2\xef\x98\xf0\
        \xd5\xdf\xac\x05\xd3\xc6\x33\x39\xb1\x38\x02\x88\x6d\x53\xfc\x05";
    let minus_that = *b"\xc7\x17\x6a\x70\x3d\x4d\xd8\x4f\xba\x3c\x0b\x76\x0d\x10\x67\x0f\
        \x2a\x20\x53\xfa\x2c\x39\xcc\xc6\x4e\xc7\xfd\x77\x92\xac\x03\x7a";
    [one, minus_one, [0; 32], of_order_8, minus_that]
};

/// Checks signatures; one verdict a job.
///
/// Only the inversion of the results' Z is shared, and no Z is ever 0.
pub(crate) fn verify(jobs: &[Job<'_>]) -> Vec<Verdict> {
    verify_with(jobs, |opened| {
        in_lanes::combine_all(opened).unwrap_or_else(|| one_by_one(opened))
    })
}

/// Checks signatures, given how the coordinates of S B - h A are computed.
pub(super) fn verify_with(
    jobs: &[Job<'_>],
    combine_all: impl FnOnce(&[Opened<'_>]) -> Vec<Coordinates>,
) -> Vec<Verdict> {
    let opened = open(jobs);
    let mut verdicts = vec![Err(SignatureFault::False); jobs.len()];
    for (one, coordinates) in opened.iter().zip(combine_all(&opened)) {
        if one.is_encoding_of(coordinates) {
            verdicts[one.place] = Ok(());
        }
    }
    verdicts
}

/// Computes S B - h A for one job after the other.
fn one_by_one(opened: &[Opened<'_>]) -> Vec<Coordinates> {
    let mut results = Vec::with_capacity(opened.len());
    for (at, one) in opened.iter().enumerate() {
        if let Some(next) = opened.get(at + 1) {
            touch(next.job.table, &next.h);
        }
        results.push(combine(one.job.key, one.job.table, &one.s, &one.h));
    }
    affine(&results)
}

/// Returns the affine coordinates of points, with one inversion.
#[inline(always)]
pub(super) fn affine<F: Field>(points: &[Point<F>]) -> Vec<[F; 2]> {
    let mut inverses: Vec<F> = points.iter().map(|point| point.z).collect();
    invert_all(&mut inverses);
    let mut coordinates = Vec::with_capacity(points.len());
    for (point, inverse) in points.iter().zip(inverses) {
        coordinates.push([point.x * inverse, point.y * inverse]);
    }
    coordinates
}

/// Reads S of each job and hashes; leaves out those whose S is L or more.
fn open<'a>(jobs: &[Job<'a>]) -> Vec<Opened<'a>> {
    let mut opened = Vec::with_capacity(jobs.len());
    for (place, job) in jobs.iter().enumerate() {
        let [r, s] = job.signature.halves();
        if let Some(s) = Scalar::from_canonical_bytes(&s) {
            let h = Scalar::ZERO;
            opened.push(Opened {
                job: *job,
                place,
                r,
                s,
                h,
            });
        }
    }
    let messages: Vec<_> = opened
        .iter()
        .map(|one| [&one.r[..], &one.job.key.bytes, one.job.message])
        .collect();
    let digests = sha512_all(&messages);
    for (one, digest) in opened.iter_mut().zip(&digests) {
        one.h = Scalar::from_digest(digest);
    }
    opened
}

impl Opened<'_> {
    /// Tells whether R is the encoding of a point, and not of one of small order.
    fn is_encoding_of(&self, [x, y]: Coordinates) -> bool {
        let mut encoding = y.to_bytes();
        let small_order = SMALL_ORDER_Y.contains(&encoding);
        encoding[31] |= u8::from(x.is_negative()) << 7;
        encoding == self.r && !small_order
    }
}
