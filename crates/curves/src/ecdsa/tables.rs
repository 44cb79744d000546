//! The tables of enrolled keys, and batches of signatures sorted by curve and table.

use super::batch::{Claim, Finding, check_all};
use super::cold::{ColdClaim, check_cold};
use super::comb::{Shape, Table};
use super::curve::{Brainpool256, Curve, P256, Secp192k1, Secp192r1, Secp256k1};
use super::eight::Eight;
use super::modular::Fp;
use super::point::{Point, point_from_integers};
use super::public_key::PublicKey;
use super::scalars::{Numbers, integer};
use crate::{Scheme, Signature, SignatureFault, TableSize, Verdict};

/// How a table of a size is cut; none for a cold key.
///
/// With 256 bits a key has 8 KB, which cost 64 additions and 12 doublings a signature; 52 KB, which
/// cost 52 additions; or 148 KB, which cost 37.
const fn shape(size: TableSize) -> Option<Shape> {
    match size {
        TableSize::None => None,
        TableSize::Small => Some(Shape {
            width: 4,
            passes: 4,
        }),
        TableSize::Medium => Some(Shape {
            width: 5,
            passes: 1,
        }),
        TableSize::Large => Some(Shape {
            width: 7,
            passes: 1,
        }),
    }
}

/// Fewer cold signatures than these are faster one by one.
const COLD_IN_LANES_MIN: usize = 3;

/// A signature to check; whether it is for the key's scheme has been asked.
#[derive(Clone, Copy)]
pub(crate) struct Job<'a> {
    pub(crate) key: &'a PublicKey,
    /// `x || y` of the key.
    pub(crate) coordinates: &'a [u8],
    pub(crate) table: Option<&'a KeyTable>,
    pub(crate) digest: &'a [u8],
    pub(crate) signature: &'a Signature,
}

impl Job<'_> {
    /// Checks the signature alone.
    fn verify(&self) -> Verdict {
        self.key.verify(self.digest, self.signature)
    }
}

/// A curve whose keys may have tables.
pub(super) trait Tabulated: Curve {
    const SCHEME: Scheme;

    /// Returns the table if it is of this curve.
    fn table_of(table: &KeyTable) -> Option<&Table<Self>>;

    /// Tabulates a key, with what the machine has.
    fn tabulate(point: Point<Self>, shape: Shape) -> Table<Self>;

    /// Checks claims whose tables are cut alike, with what the machine has.
    fn check(claims: &[Claim<'_, Self>]) -> Vec<Finding>;

    /// Checks claims against keys without tables, with what the machine has.
    fn check_cold(claims: &[ColdClaim<Self>]) -> Vec<Finding>;
}

/// For primes just below 2^256: in lanes, or in four limbs where there are none.
mod in_lanes {
    use super::{
        COLD_IN_LANES_MIN, Claim, ColdClaim, Curve, Eight, Finding, Point, Shape, Table, check_all,
        check_cold as check_all_cold, in_limbs,
    };
    use crate::lanes::{self, Kernel, Word};

    struct Claims<'a, C: Curve>(&'a [Claim<'a, C>]);

    impl<C: Curve> Kernel for Claims<'_, C> {
        type Output = Vec<Finding>;

        #[inline(always)]
        fn run<W: Word>(self) -> Vec<Finding> {
            check_all::<C, Eight<C::Base, W>>(self.0)
        }
    }

    struct ColdClaims<'a, C: Curve>(&'a [ColdClaim<C>]);

    impl<C: Curve> Kernel for ColdClaims<'_, C> {
        type Output = Vec<Finding>;

        #[inline(always)]
        fn run<W: Word>(self) -> Vec<Finding> {
            check_all_cold::<C, Eight<C::Base, W>>(self.0)
        }
    }

    struct Tabulation<C: Curve>(Point<C>, Shape);

    impl<C: Curve> Kernel for Tabulation<C> {
        type Output = Table<C>;

        #[inline(always)]
        fn run<W: Word>(self) -> Table<C> {
            Table::tabulated::<Eight<C::Base, W>>(self.0, self.1)
        }
    }

    pub(super) fn check<C: Curve>(claims: &[Claim<'_, C>]) -> Vec<Finding> {
        lanes::run(Claims(claims)).unwrap_or_else(|Claims(claims)| in_limbs::check(claims))
    }

    pub(super) fn check_cold<C: Curve>(claims: &[ColdClaim<C>]) -> Vec<Finding> {
        if claims.len() < COLD_IN_LANES_MIN {
            return in_limbs::check_cold(claims);
        }
        lanes::run(ColdClaims(claims))
            .unwrap_or_else(|ColdClaims(claims)| in_limbs::check_cold(claims))
    }

    pub(super) fn tabulate<C: Curve>(point: Point<C>, shape: Shape) -> Table<C> {
        lanes::run(Tabulation(point, shape))
            .unwrap_or_else(|Tabulation(point, shape)| in_limbs::tabulate(point, shape))
    }
}

/// In four limbs: for primes that are not of the kind that lanes work on.
mod in_limbs {
    use super::{
        Claim, ColdClaim, Curve, Finding, Fp, Point, Shape, Table, check_all,
        check_cold as check_all_cold,
    };

    pub(super) fn check<C: Curve>(claims: &[Claim<'_, C>]) -> Vec<Finding> {
        check_all::<C, Fp<C::Base>>(claims)
    }

    pub(super) fn check_cold<C: Curve>(claims: &[ColdClaim<C>]) -> Vec<Finding> {
        check_all_cold::<C, Fp<C::Base>>(claims)
    }

    pub(super) fn tabulate<C: Curve>(point: Point<C>, shape: Shape) -> Table<C> {
        Table::new(point, shape)
    }
}

/// Writes what is the same for every curve of at most 256 bits.
macro_rules! tables {
    ($($scheme:ident: $curve:ident $arithmetic:ident),+ $(,)?) => {
        /// The table of an enrolled key.
        #[derive(Debug, Clone)]
        pub(crate) enum KeyTable {
            $($scheme(Table<$curve>)),+
        }

        impl KeyTable {
            /// Computes the table of a key, given its `x || y`; none for a cold key and for a
            /// curve of more than 256 bits.
            pub(crate) fn new(scheme: Scheme, coordinates: &[u8], size: TableSize) -> Option<Self> {
                let shape = shape(size)?;
                match scheme {
                    $(Scheme::$scheme => {
                        Some(Self::$scheme($curve::tabulate(point::<$curve>(coordinates)?, shape)))
                    })+
                    _ => None,
                }
            }

            /// Returns what the table of a key takes. [bytes]
            pub(crate) const fn bytes(scheme: Scheme, size: TableSize) -> usize {
                match (scheme, shape(size)) {
                    $((Scheme::$scheme, Some(shape)) => {
                        shape.points_of($curve::BITS) * size_of::<Point<$curve>>()
                    })+
                    _ => 0,
                }
            }
        }

        $(impl Tabulated for $curve {
            const SCHEME: Scheme = Scheme::$scheme;

            fn table_of(table: &KeyTable) -> Option<&Table<Self>> {
                match table {
                    KeyTable::$scheme(table) => Some(table),
                    _ => None,
                }
            }

            fn tabulate(point: Point<Self>, shape: Shape) -> Table<Self> {
                $arithmetic::tabulate(point, shape)
            }

            fn check(claims: &[Claim<'_, Self>]) -> Vec<Finding> {
                $arithmetic::check(claims)
            }

            fn check_cold(claims: &[ColdClaim<Self>]) -> Vec<Finding> {
                $arithmetic::check_cold(claims)
            }
        })+

        /// Checks signatures, each by itself; one verdict a job, in the order of the jobs.
        pub(crate) fn verify_all(jobs: &[Job<'_>]) -> Vec<Verdict> {
            let mut verdicts = vec![None; jobs.len()];
            $(verify_curve::<$curve>(jobs, &mut verdicts);)+
            let alone = |(job, verdict): (&Job<'_>, Option<Verdict>)| {
                verdict.unwrap_or_else(|| job.verify())
            };
            jobs.iter().zip(verdicts).map(alone).collect()
        }
    };
}

tables! {
    EcdsaP256: P256 in_lanes,
    EcdsaSecp256k1: Secp256k1 in_lanes,
    EcdsaBrainpool256r1: Brainpool256 in_limbs,
    EcdsaSecp192r1: Secp192r1 in_limbs,
    EcdsaSecp192k1: Secp192k1 in_limbs,
}

fn point<C: Curve>(coordinates: &[u8]) -> Option<Point<C>> {
    let (x, y) = coordinates.split_at_checked(C::BITS as usize / 8)?;
    point_from_integers::<C>(integer(x), integer(y))
}

/// Gives verdicts on the signatures of one curve, as far as batches can.
fn verify_curve<C: Tabulated>(jobs: &[Job<'_>], verdicts: &mut [Option<Verdict>]) {
    let mut warm = Vec::new();
    let (mut cold, mut cold_places) = (Vec::new(), Vec::new());
    for (place, job) in jobs.iter().enumerate() {
        if job.signature.scheme() != C::SCHEME {
            continue;
        }
        let Some(numbers) = Numbers::<C>::read(job.signature.as_bytes(), job.digest) else {
            verdicts[place] = Some(Err(SignatureFault::False));
            continue;
        };
        if let Some(table) = job.table.and_then(C::table_of) {
            warm.push((place, Claim { table, numbers }));
        } else if let Some(key) = point::<C>(job.coordinates) {
            cold.push(ColdClaim { key, numbers });
            cold_places.push(place);
        }
    }
    warm.sort_by_key(|(_, claim)| claim.table.shape());
    for alike in warm.chunk_by(|(_, a), (_, b)| a.table.shape() == b.table.shape()) {
        let claims: Vec<_> = alike.iter().map(|&(_, claim)| claim).collect();
        judge(
            alike.iter().map(|&(place, _)| place),
            C::check(&claims),
            verdicts,
        );
    }
    judge(cold_places.into_iter(), C::check_cold(&cold), verdicts);
}

/// Gives the verdicts that were found; the exceptional signatures have none.
fn judge(
    places: impl Iterator<Item = usize>,
    findings: Vec<Finding>,
    verdicts: &mut [Option<Verdict>],
) {
    for (place, finding) in places.zip(findings) {
        verdicts[place] = match finding {
            Finding::Holds => Some(Ok(())),
            Finding::Fails => Some(Err(SignatureFault::False)),
            Finding::Exceptional => None,
        };
    }
}
