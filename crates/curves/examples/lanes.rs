//! Says whether signatures are verified in lanes here; fails if lanes were found and refused, or if
//! they judge signatures otherwise than one key alone does.

use ed25519_dalek::{Signer, SigningKey};
use gridrig_curves::{
    KeyRing, Lanes, Scheme, Signature, SignatureEncoding, Signed, TableSize, Task, VerifyingKey,
    lanes,
};

const SIGNATURES: u8 = 21;

fn main() {
    println!("signatures are verified by: {}", lanes());
    assert_ne!(lanes(), Lanes::Refused);
    let mut ring = KeyRing::new(1 << 20);
    let messages: Vec<_> = (0..SIGNATURES)
        .map(|at| vec![at; usize::from(at)])
        .collect();
    let mut alone = Vec::new();
    let mut tasks = Vec::new();
    for (seed, message) in (0..SIGNATURES).zip(&messages) {
        let signer = SigningKey::from_bytes(&[seed; 32]);
        let key = VerifyingKey::from_ed25519(signer.verifying_key().as_bytes()).expect("good");
        let mut bytes = signer.sign(message).to_bytes();
        // Every third is false, by a bit of R or of S.
        if seed % 3 == 0 {
            bytes[usize::from(seed) * 3] ^= 1;
        }
        let signature = Signature::read(Scheme::Ed25519, SignatureEncoding::Fixed, &bytes);
        let (signed, signature) = (Signed::Message(message), signature.expect("64 bytes"));
        alone.push(key.verify(signed, &signature));
        let key = ring.add(key, TableSize::Small).expect("it fits");
        tasks.push(Task {
            key,
            signed,
            signature,
        });
    }
    let together = ring.verify(&tasks);
    let good = together.iter().filter(|verdict| verdict.is_ok()).count();
    assert_eq!(together, alone);
    println!("{good} of {SIGNATURES} signatures hold, alone and together");
    assert_eq!(good, usize::from(SIGNATURES - SIGNATURES.div_ceil(3)));
}
