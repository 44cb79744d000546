//! The rule of verification against independent implementations of it.

use curve25519_dalek::constants::{ED25519_BASEPOINT_POINT, EIGHT_TORSION};
use curve25519_dalek::{EdwardsPoint, Scalar as DalekScalar};
use sha2::{Digest, Sha512};

use super::{Job, PublicKey, Table, verify};
use crate::{KeyFault, Scheme, Signature, SignatureEncoding, TableSize};

pub(super) const SIZES: [TableSize; 4] = [
    TableSize::None,
    TableSize::Small,
    TableSize::Medium,
    TableSize::Large,
];

/// What a signature is over, by whom, and the signature.
#[derive(Clone)]
pub(super) struct Case {
    pub(super) message: Vec<u8>,
    pub(super) key: [u8; 32],
    pub(super) signature: [u8; 64],
}

impl Case {
    /// Judges with every table size; all must agree.
    fn verdict(&self) -> Result<(), Option<KeyFault>> {
        let key = PublicKey::decode(&self.key).map_err(Some)?;
        let signature = Signature::read(Scheme::Ed25519, SignatureEncoding::Fixed, &self.signature)
            .expect("64 bytes");
        let tables = SIZES.map(|size| Table::new(&key, size));
        let jobs = tables.each_ref().map(|table| Job {
            key: &key,
            table: table.as_ref(),
            message: &self.message,
            signature: &signature,
        });
        let verdicts = verify(&jobs);
        assert!(
            verdicts.iter().all(|verdict| *verdict == verdicts[0]),
            "{verdicts:?}"
        );
        verdicts[0].map_err(|_| None)
    }

    fn dalek_verdict(&self) -> Result<(), ed25519_dalek::SignatureError> {
        let signature = ed25519_dalek::Signature::from_bytes(&self.signature);
        ed25519_dalek::VerifyingKey::from_bytes(&self.key)?.verify_strict(&self.message, &signature)
    }

    /// Both agree, but that a key whose encoding is not canonical is none here.
    fn agrees(&self) -> bool {
        let ours = self.verdict();
        if ours != Err(Some(KeyFault::NotCanonical)) {
            assert_eq!(
                ours.is_ok(),
                self.dalek_verdict().is_ok(),
                "key {:02x?}",
                self.key
            );
        }
        ours.is_ok()
    }
}

fn hex<const N: usize>(digits: &str) -> [u8; N] {
    assert_eq!(digits.len(), 2 * N);
    std::array::from_fn(|at| u8::from_str_radix(&digits[2 * at..2 * at + 2], 16).expect("hex"))
}

#[test]
fn the_cases_of_speccheck_are_judged_as_libsodium_and_strict_dalek_do() {
    let text = include_str!("../../../../tests/vectors/ed25519/speccheck.txt");
    let verdicts: String = text
        .lines()
        .filter(|line| !line.starts_with('#'))
        .map(|line| {
            let [message, key, signature] = line.split(' ').collect::<Vec<_>>()[..] else {
                panic!("three columns: {line}")
            };
            let case = Case {
                message: hex::<32>(message).to_vec(),
                key: hex(key),
                signature: hex(signature),
            };
            if case.agrees() { 'V' } else { 'X' }
        })
        .collect();
    assert_eq!(verdicts, "XXXVXXXXXXXX");
}

#[test]
fn the_vectors_of_rfc_8032_hold() {
    // Section 7.1: tests 1, 2 and 3.
    let vectors = [
        (
            "d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a",
            "",
            "e5564300c360ac729086e2cc806e828a84877f1eb8e5d974d873e065224901555fb8821590a33bacc61e39701cf9b46bd25bf5f0595bbe24655141438e7a100b",
        ),
        (
            "3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c",
            "72",
            "92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da085ac1e43e15996e458f3613d0f11d8c387b2eaeb4302aeeb00d291612bb0c00",
        ),
        (
            "fc51cd8e6218a1a38da47ed00230f0580816ed13ba3303ac5deb911548908025",
            "af82",
            "6291d657deec24024827e69c3abe01a30ce548a284743a445e3680d7db5ac3ac18ff9b538d16f290ae67f760984dc6594a7c15e9716ed28dc027beceea1ec40a",
        ),
    ];
    for (key, message, signature) in vectors {
        let message = (0..message.len() / 2)
            .map(|at| u8::from_str_radix(&message[2 * at..2 * at + 2], 16).expect("hex"))
            .collect();
        let case = Case {
            message,
            key: hex(key),
            signature: hex(signature),
        };
        assert_eq!(case.verdict(), Ok(()));
    }
}

/// SplitMix64, so that a case is named by its number.
struct Random(u64);

impl Random {
    fn word(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (self.0 ^ self.0 >> 30).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ mixed >> 27).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ mixed >> 31
    }

    fn below(&mut self, bound: u64) -> usize {
        usize::try_from(self.word() % bound).expect("small")
    }

    fn scalar(&mut self) -> DalekScalar {
        let words: [u64; 4] = std::array::from_fn(|_| self.word());
        DalekScalar::from_bytes_mod_order(super::field::bytes(&words))
    }

    /// A point of small order, most often the identity.
    fn torsion(&mut self) -> EdwardsPoint {
        match self.below(2) {
            0 => EIGHT_TORSION[0],
            _ => EIGHT_TORSION[self.below(8)],
        }
    }
}

/// Signs as a meter's owner may who wants to be judged differently by different verifiers: with
/// points of small order added to A and R, or standing for them.
fn hostile(random: &mut Random) -> Case {
    let secret = if random.below(8) == 0 {
        DalekScalar::ZERO
    } else {
        random.scalar()
    };
    let nonce = if random.below(8) == 0 {
        DalekScalar::ZERO
    } else {
        random.scalar()
    };
    let key = (ED25519_BASEPOINT_POINT * secret + random.torsion())
        .compress()
        .to_bytes();
    let r = (ED25519_BASEPOINT_POINT * nonce + random.torsion())
        .compress()
        .to_bytes();
    let message = random.word().to_le_bytes().to_vec();
    let digest = Sha512::new()
        .chain_update(r)
        .chain_update(key)
        .chain_update(&message);
    let h = DalekScalar::from_bytes_mod_order_wide(&digest.finalize().into());
    let mut signature = [0; 64];
    signature[..32].copy_from_slice(&r);
    signature[32..].copy_from_slice(&(nonce + h * secret).to_bytes());
    let mut case = Case {
        message,
        key,
        signature,
    };
    damage(random, &mut case);
    case
}

/// Returns hostile cases whose keys can be decoded.
pub(super) fn hostile_cases(seed: u64, count: usize) -> Vec<Case> {
    let mut random = Random(seed);
    std::iter::repeat_with(|| hostile(&mut random))
        .filter(|case| PublicKey::decode(&case.key).is_ok())
        .take(count)
        .collect()
}

/// Returns cases of different keys, all of them good.
pub(super) fn good_cases(seed: u64, count: usize) -> Vec<Case> {
    let cases = hostile_cases(seed, 8 * count).into_iter();
    cases.filter(|case| case.agrees()).take(count).collect()
}

/// Ways to make a signature false.
pub(super) const KINDS_OF_BAD: usize = 8;

/// Makes a signature false without a change to how it is encoded, or to that its key is one.
pub(super) fn make_bad(case: &mut Case, kind: usize) {
    match kind {
        0 => case.signature[0] ^= 1,
        1 => case.signature[31] ^= 0x80,
        2 => case.signature[32] ^= 1,
        // S of L or more.
        3 => case.signature[63] |= 0xf0,
        // R is not the encoding of a point, or of one of small order.
        4 => case.signature[..32].fill(0xff),
        5 => {
            case.signature[..32].fill(0);
            case.signature[0] = 1;
        }
        6 => case.message.push(0),
        // Another key than the signer's.
        _ => case.key = ED25519_BASEPOINT_POINT.compress().to_bytes(),
    }
}

/// Prepares jobs whose keys have tables of a size.
pub(super) fn with_jobs(cases: &[Case], size: TableSize, test: impl FnOnce(&[Job<'_>])) {
    let fixed = SignatureEncoding::Fixed;
    let keys: Vec<_> = cases
        .iter()
        .map(|case| PublicKey::decode(&case.key).expect("chosen so"))
        .collect();
    let tables: Vec<_> = keys.iter().map(|key| Table::new(key, size)).collect();
    let signatures: Vec<_> = cases
        .iter()
        .map(|case| Signature::read(Scheme::Ed25519, fixed, &case.signature).expect("64 bytes"))
        .collect();
    let jobs: Vec<_> = (0..cases.len())
        .map(|at| Job {
            key: &keys[at],
            table: tables[at].as_ref(),
            message: &cases[at].message,
            signature: &signatures[at],
        })
        .collect();
    test(&jobs);
}

/// Leaves most cases as they are.
fn damage(random: &mut Random, case: &mut Case) {
    match random.below(12) {
        0 => case.signature[random.below(64)] ^= 1 << random.below(8),
        1 => case.message[random.below(8)] ^= 1 << random.below(8),
        2 => case.key[random.below(32)] ^= 1 << random.below(8),
        // S + L, which is congruent to S.
        3 => {
            let mut carry = 0;
            let order = super::field::bytes(&super::ORDER);
            for (byte, more) in case.signature[32..].iter_mut().zip(order) {
                let total = u16::from(*byte) + u16::from(more) + carry;
                (*byte, carry) = ((total & 0xff) as u8, total >> 8);
            }
        }
        // y + p, if there is room: small y only, so 0 and 1 are what it is tried on.
        4 => {
            case.signature[..32].fill(0xff);
            case.signature[0] = 0xed + random.below(19) as u8;
            case.signature[31] ^= 0x80 & random.word() as u8;
        }
        5 => case.signature[31] ^= 0x80,
        _ => {}
    }
}

#[test]
fn hostile_signatures_are_judged_as_strict_dalek_does() {
    let cases = std::env::var("GRIDRIG_CASES").map_or(1000, |text| text.parse().expect("a number"));
    let mut random = Random(8032);
    let accepted = (0..cases).filter(|_| hostile(&mut random).agrees()).count();
    // Some of both, or the test says nothing.
    assert!(
        accepted > cases / 8 && accepted < cases * 7 / 8,
        "{accepted} of {cases}"
    );
}

/// The same in batches of one table size, which is what lanes take; large tables less often, since
/// each of these keys is new.
#[test]
fn batches_of_hostile_signatures_are_judged_as_strict_dalek_does() {
    use TableSize::{Large, Medium, None, Small};
    let sizes = [None, Small, None, Small, Medium, None, Small, Large];
    let cases = std::env::var("GRIDRIG_CASES").map_or(1000, |text| text.parse().expect("a number"));
    let (per_batch, mut accepted) = (16, 0);
    for batch in 0..usize::div_ceil(cases, per_batch) {
        let cases = hostile_cases(batch as u64 + 25519, per_batch);
        let expected: Vec<_> = cases
            .iter()
            .map(|case| case.dalek_verdict().is_ok())
            .collect();
        accepted += expected.iter().filter(|good| **good).count();
        with_jobs(&cases, sizes[batch % sizes.len()], |jobs| {
            let found: Vec<_> = verify(jobs).iter().map(Result::is_ok).collect();
            assert_eq!(found, expected, "batch {batch}");
        });
    }
    assert!(
        accepted > cases / 8 && accepted < cases * 7 / 8,
        "{accepted} of {cases}"
    );
}

#[test]
fn a_key_with_torsion_verifies_but_is_not_enrolled() {
    let mut random = Random(1);
    let with_torsion = std::iter::repeat_with(|| hostile(&mut random))
        .filter(|case| PublicKey::enrol(&case.key).err() == Some(KeyFault::Torsion))
        .find(|case| case.agrees());
    assert!(with_torsion.is_some());
}

#[test]
fn only_keys_of_the_subgroup_are_enrolled() {
    let mut random = Random(2);
    for _ in 0..64 {
        let point = ED25519_BASEPOINT_POINT * random.scalar() + random.torsion();
        let enrolled = PublicKey::enrol(&point.compress().to_bytes());
        assert_eq!(enrolled.is_ok(), point.is_torsion_free());
    }
    for point in EIGHT_TORSION {
        let enrolled = PublicKey::enrol(&point.compress().to_bytes());
        assert_eq!(enrolled.err(), Some(KeyFault::SmallOrder));
    }
}
