//! Signatures made by OpenSSL on every curve, and what is one bit away from them.

use std::path::Path;

use gridrig_curves::{
    KeyRing, Scheme, Signature, SignatureEncoding, SignatureFault, Signed, TableSize, Task,
    Verdict, VerifyingKey,
};
use sha2::{Digest, Sha256};

/// Two keys of seven curves, eight messages each.
const CASES: usize = 112;

struct Case {
    key: VerifyingKey,
    digest: Vec<u8>,
    signature: Signature,
}

fn hex(digits: &str) -> Vec<u8> {
    (0..digits.len() / 2)
        .map(|at| u8::from_str_radix(&digits[2 * at..2 * at + 2], 16).expect("hexadecimal"))
        .collect()
}

fn cases() -> Vec<Case> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/vectors/ecdsa/openssl.txt");
    let text = std::fs::read_to_string(path).expect("the vectors are there");
    let case = |line: &str| {
        let cells: Vec<&str> = line.split(' ').collect();
        let [scheme, "sha256", spki, message, signature] = cells[..] else {
            panic!("five cells: {line}");
        };
        let scheme = Scheme::from_name(scheme).expect("a scheme");
        let key = VerifyingKey::from_spki_der(&hex(spki)).expect("a canonical key");
        assert_eq!(key.scheme(), scheme);
        let signature = Signature::read(scheme, SignatureEncoding::Der, &hex(signature));
        Case {
            key,
            digest: Sha256::digest(hex(message)).to_vec(),
            signature: signature.expect("DER"),
        }
    };
    let found: Vec<Case> = text
        .lines()
        .filter(|line| !line.starts_with('#'))
        .map(case)
        .collect();
    assert_eq!(found.len(), CASES);
    found
}

/// Asks rings of every table size, all curves in one batch.
fn assert_judged(cases: &[Case], expected: Verdict) {
    for size in [
        TableSize::None,
        TableSize::Small,
        TableSize::Medium,
        TableSize::Large,
    ] {
        let mut ring = KeyRing::new(1 << 28);
        let tasks: Vec<Task<'_>> = cases
            .iter()
            .map(|case| Task {
                key: ring.add(case.key.clone(), size).expect("fits"),
                signed: Signed::Digest(&case.digest),
                signature: case.signature,
            })
            .collect();
        for (at, verdict) in ring.verify(&tasks).into_iter().enumerate() {
            assert_eq!(verdict, expected, "{} {size:?}", cases[at].key.scheme());
        }
    }
}

#[test]
fn every_signature_is_good_on_every_path() {
    let cases = cases();
    for case in &cases {
        let verdict = case
            .key
            .verify(Signed::Digest(&case.digest), &case.signature);
        assert_eq!(verdict, Ok(()), "{}", case.key.scheme());
    }
    assert_judged(&cases, Ok(()));
}

#[test]
fn a_flipped_bit_of_the_digest_or_the_signature_is_false() {
    let mut of_digest = cases();
    for (at, case) in of_digest.iter_mut().enumerate() {
        // Of a digest longer than the order only the leftmost bits are signed.
        let bits = case.key.scheme().coordinate_bytes().min(32) * 8;
        let bit = at * 37 % bits;
        case.digest[bit / 8] ^= 0x80 >> (bit % 8);
    }
    assert_judged(&of_digest, Err(SignatureFault::False));
    let mut of_signature = cases();
    for (at, case) in of_signature.iter_mut().enumerate() {
        let mut bytes = case.signature.as_bytes().to_vec();
        let bit = at * 59 % (bytes.len() * 8);
        bytes[bit / 8] ^= 0x80 >> (bit % 8);
        case.signature =
            Signature::read(case.key.scheme(), SignatureEncoding::Fixed, &bytes).expect("width");
    }
    assert_judged(&of_signature, Err(SignatureFault::False));
}
