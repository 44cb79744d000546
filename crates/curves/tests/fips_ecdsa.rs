//! NIST's vectors and others that `cryptography-vectors` carries, of the curves that are here.

use std::path::Path;

use gridrig_curves::{
    KeyRing, Scheme, Signature, SignatureEncoding, SignatureFault, Signed, TableSize, Task,
    Verdict, VerifyingKey,
};
use sha2::{Digest, Sha224, Sha256, Sha384, Sha512};

const FALSE: usize = 144;

fn hex(digits: &str) -> Vec<u8> {
    (0..digits.len() / 2)
        .map(|at| u8::from_str_radix(&digits[2 * at..2 * at + 2], 16).expect("hexadecimal"))
        .collect()
}

fn digest(hash: &str, message: &[u8]) -> Vec<u8> {
    match hash {
        "sha224" => Sha224::digest(message).to_vec(),
        "sha256" => Sha256::digest(message).to_vec(),
        "sha384" => Sha384::digest(message).to_vec(),
        "sha512" => Sha512::digest(message).to_vec(),
        other => panic!("hash {other}"),
    }
}

#[test]
fn every_vector_has_its_verdict_alone_and_in_rings() {
    let path =
        Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/vectors/ecdsa/fips_186_3.txt");
    let text = std::fs::read_to_string(path).expect("the vectors are there");
    let mut small = KeyRing::new(1 << 28);
    let mut cold = KeyRing::new(0);
    let (mut questions, mut expected): (Vec<_>, Vec<Verdict>) = (Vec::new(), Vec::new());
    for line in text.lines().filter(|line| !line.starts_with('#')) {
        let cells: Vec<&str> = line.split(' ').collect();
        let [scheme, hash, key, message, signature, result] = cells[..] else {
            panic!("six cells: {line}");
        };
        let scheme = Scheme::from_name(scheme).expect("a scheme");
        let signature = Signature::read(scheme, SignatureEncoding::Fixed, &hex(signature));
        let signature = signature.expect("the width");
        // Some false vectors changed the key so that it is on the curve no more.
        let Ok(key) = VerifyingKey::from_coordinates(scheme, &hex(key)) else {
            assert_eq!(result, "F", "{line}");
            continue;
        };
        let digest = digest(hash, &hex(message));
        let verdict = match result {
            "P" => Ok(()),
            _ => Err(SignatureFault::False),
        };
        assert_eq!(
            key.verify(Signed::Digest(&digest), &signature),
            verdict,
            "{line}"
        );
        let index = small.add(key.clone(), TableSize::Small).expect("fits");
        assert_eq!(cold.add(key, TableSize::None), Ok(index));
        questions.push((index, digest, signature));
        expected.push(verdict);
    }
    let tasks: Vec<Task<'_>> = questions
        .iter()
        .map(|(key, digest, signature)| Task {
            key: *key,
            signed: Signed::Digest(digest),
            signature: *signature,
        })
        .collect();
    assert_eq!(small.verify(&tasks), expected);
    assert_eq!(cold.verify(&tasks), expected);
    assert!(text.lines().filter(|line| line.ends_with(" F")).count() == FALSE);
    assert!(expected.iter().filter(|verdict| verdict.is_ok()).count() > 200);
}
