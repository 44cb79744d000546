//! Batches: every signature is judged by itself, whatever stands beside it.

use ed25519_dalek::{Signer, SigningKey};
use gridrig_curves::{
    KeyIndex, KeyRing, RingFault, Scheme, Signature, SignatureEncoding, SignatureFault, Signed,
    TableSize, Task, VerifyingKey,
};

const SIZES: [TableSize; 4] = [
    TableSize::None,
    TableSize::Small,
    TableSize::Medium,
    TableSize::Large,
];

fn signer(number: u8) -> SigningKey {
    SigningKey::from_bytes(&[number; 32])
}

fn key(number: u8) -> VerifyingKey {
    VerifyingKey::from_ed25519(signer(number).verifying_key().as_bytes()).expect("a good key")
}

fn signature(bytes: &[u8; 64]) -> Signature {
    Signature::read(Scheme::Ed25519, SignatureEncoding::Fixed, bytes).expect("64 bytes")
}

/// Returns a ring of five keys of every size, and where they are.
fn ring() -> (KeyRing, Vec<KeyIndex>) {
    let mut ring = KeyRing::new(1 << 24);
    let places = (0..20)
        .map(|number| {
            ring.add(key(number), SIZES[usize::from(number) % 4])
                .expect("it fits")
        })
        .collect();
    (ring, places)
}

#[test]
fn each_kind_of_false_signature_at_each_place_leaves_the_others_alone() {
    let (ring, places) = ring();
    for count in [1_usize, 7, 8, 9, 20] {
        let messages: Vec<_> = (0..count).map(|at| vec![at as u8; 10 * at]).collect();
        let bytes: Vec<_> = (0..count)
            .map(|at| signer((at * 7 % 20) as u8).sign(&messages[at]).to_bytes())
            .collect();
        for bad in 0..count {
            for kind in 0..5 {
                let tasks: Vec<_> = (0..count)
                    .map(|at| {
                        let mut bytes = bytes[at];
                        let mut key = at * 7 % 20;
                        match kind {
                            _ if at != bad => {}
                            0 => bytes[at % 32] ^= 1,
                            1 => bytes[32 + at % 31] ^= 1,
                            2 => bytes[63] |= 0xf0,
                            3 => bytes[..32].fill(0xff),
                            _ => key = (key + 1) % 20,
                        }
                        Task {
                            key: places[key],
                            signed: Signed::Message(&messages[at]),
                            signature: signature(&bytes),
                        }
                    })
                    .collect();
                for (at, verdict) in ring.verify(&tasks).into_iter().enumerate() {
                    let expected = if at == bad {
                        Err(SignatureFault::False)
                    } else {
                        Ok(())
                    };
                    assert_eq!(verdict, expected, "{kind} at {bad} of {count}, task {at}");
                    assert_eq!(verdict, ring.verify_one(&tasks[at]));
                }
            }
        }
    }
}

#[test]
fn a_question_that_cannot_be_asked_is_told_from_a_false_signature() {
    let (ring, places) = ring();
    let good = signature(&signer(0).sign(b"reading").to_bytes());
    let mut other = KeyRing::new(1 << 24);
    let unknown = (0..21)
        .map(|number| other.add(key(number), TableSize::None).expect("it fits"))
        .last()
        .expect("one of them");
    let task = |number, signed| Task {
        key: number,
        signed,
        signature: good,
    };
    let first = places[0];
    let verdicts = ring.verify(&[
        task(first, Signed::Message(b"reading")),
        task(unknown, Signed::Message(b"reading")),
        task(first, Signed::Digest(&[0; 32])),
        task(first, Signed::Message(b"Reading")),
    ]);
    assert_eq!(
        verdicts,
        [
            Ok(()),
            Err(SignatureFault::KeyUnknown {
                index: 20,
                keys: 20
            }),
            Err(SignatureFault::SignedOther {
                scheme: Scheme::Ed25519
            }),
            Err(SignatureFault::False),
        ]
    );
    assert_eq!(key(0).verify(Signed::Message(b"reading"), &good), Ok(()));
    assert_eq!(
        key(1).verify(Signed::Message(b"reading"), &good),
        Err(SignatureFault::False)
    );
}

#[test]
fn a_ring_holds_the_tables_it_may_and_no_more() {
    let asked = key(0).table_bytes(TableSize::Small);
    let mut ring = KeyRing::new(2 * asked + 1);
    ring.add(key(0), TableSize::Small).expect("it fits");
    ring.add(key(1), TableSize::Small).expect("it fits");
    let used = 2 * asked;
    assert_eq!(ring.table_bytes(), used);
    let full = RingFault::TablesFull {
        asked,
        used,
        limit: used + 1,
    };
    assert_eq!(ring.add(key(2), TableSize::Small), Err(full));
    assert_eq!(ring.len(), 2);
    ring.add(key(2), TableSize::None)
        .expect("a cold key needs none");
    assert_eq!((ring.len(), ring.table_bytes()), (3, used));
}

#[test]
fn tables_change_no_verdict_whenever_they_are_computed() {
    for size in SIZES {
        let mut ring = KeyRing::new(1 << 20);
        let place = ring.add(key(0), size).expect("it fits");
        let prepared = ring.clone();
        prepared.prepare();
        for (text, verdict) in [
            (&b"reading"[..], Ok(())),
            (b"another", Err(SignatureFault::False)),
        ] {
            let signed = signer(0).sign(b"reading").to_bytes();
            let signature =
                Signature::read(Scheme::Ed25519, SignatureEncoding::Fixed, &signed).expect("good");
            let task = Task {
                key: place,
                signed: Signed::Message(text),
                signature,
            };
            assert_eq!(ring.verify_one(&task), verdict, "{size:?}");
            assert_eq!(prepared.verify_one(&task), verdict, "{size:?}");
        }
    }
}
