//! Rates of Ed25519 beside ed25519-dalek's `verify_strict`, in one run.
//!
//! `cargo run --profile dist -p gridrig-curves --example ed25519_rates -- [KEYS [TABLE [SIGNATURES]]]`
//! with TABLE one of none, small, medium, large; pin it to one core. Messages are of 363 bytes, keys
//! are shuffled, the hash is included, and every signature gets a verdict of its own.

use std::hint::black_box;
use std::time::Instant;

use ed25519_dalek::{Signer, SigningKey};
use gridrig_curves::{
    KeyIndex, KeyRing, Scheme, Signature, SignatureEncoding, Signed, TableSize, Task, VerifyingKey,
};

const MESSAGE_BYTES: usize = 363;
const MEMORY_BYTES_MAX: usize = 8 << 30;
const ROUNDS: usize = 25;

/// SplitMix64 (Steele, Lea, Flood, 2014).
struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (self.0 ^ self.0 >> 30).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ mixed >> 27).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ mixed >> 31
    }

    fn fill(&mut self, bytes: &mut [u8]) {
        for chunk in bytes.chunks_mut(8) {
            chunk.copy_from_slice(&self.next().to_le_bytes()[..chunk.len()]);
        }
    }

    fn below(&mut self, bound: usize) -> usize {
        usize::try_from(self.next() % bound as u64).expect("fits")
    }
}

struct Signing {
    key: KeyIndex,
    peer: ed25519_dalek::VerifyingKey,
    message: Vec<u8>,
    signature: Signature,
    peer_signature: ed25519_dalek::Signature,
}

/// Returns the fastest of some rounds. [signatures/s]
fn rate(signatures: usize, mut round: impl FnMut()) -> f64 {
    let seconds = (0..ROUNDS).map(|_| {
        let start = Instant::now();
        round();
        start.elapsed().as_secs_f64()
    });
    signatures as f64 / seconds.fold(f64::INFINITY, f64::min)
}

fn sign(random: &mut Random, seeds: &[[u8; 32]], at: usize, index: KeyIndex) -> Signing {
    let signer = SigningKey::from_bytes(&seeds[at]);
    let mut message = vec![0; MESSAGE_BYTES];
    random.fill(&mut message);
    let peer_signature = signer.sign(&message);
    Signing {
        key: index,
        peer: signer.verifying_key(),
        signature: Signature::read(
            Scheme::Ed25519,
            SignatureEncoding::Fixed,
            &peer_signature.to_bytes(),
        )
        .expect("64 bytes"),
        peer_signature,
        message,
    }
}

fn main() {
    let mut arguments = std::env::args().skip(1);
    let mut number = |default: usize| {
        let text = arguments.next();
        text.map_or(default, |text| text.parse().expect("a number"))
    };
    let keys = number(64);
    let size = match std::env::args().nth(2).as_deref() {
        Some("none") => TableSize::None,
        Some("small") => TableSize::Small,
        None | Some("medium") => TableSize::Medium,
        Some("large") => TableSize::Large,
        Some(other) => panic!("table {other:?} is not none, small, medium or large"),
    };
    let signatures = std::env::args()
        .nth(3)
        .map_or(8192, |text| text.parse().expect("a number"));

    let mut random = Random(1);
    let mut ring = KeyRing::new(MEMORY_BYTES_MAX);
    let mut seeds = vec![[0; 32]; keys];
    seeds.iter_mut().for_each(|seed| random.fill(seed));
    let encodings: Vec<_> = seeds
        .iter()
        .map(|seed| SigningKey::from_bytes(seed).verifying_key().to_bytes())
        .collect();
    let start = Instant::now();
    let indices: Vec<_> = encodings
        .iter()
        .map(|bytes| ring.add(VerifyingKey::from_ed25519(bytes).expect("good"), size))
        .map(|index| index.expect("the tables fit"))
        .collect();
    ring.prepare();
    let enrolment_ms = start.elapsed().as_secs_f64() * 1e3 / keys as f64;
    println!(
        "keys {keys}, table {size:?}: {} bytes a key",
        ring.table_bytes() / keys
    );
    println!("enrolment {enrolment_ms:.3} ms a key");

    let signed: Vec<_> = (0..signatures)
        .map(|_| {
            let at = random.below(keys);
            sign(&mut random, &seeds, at, indices[at])
        })
        .collect();
    let tasks: Vec<_> = signed
        .iter()
        .map(|one| Task {
            key: one.key,
            signed: Signed::Message(&one.message),
            signature: one.signature,
        })
        .collect();
    assert!(ring.verify(&tasks).iter().all(Result::is_ok));
    let few = &signed[..signatures.min(1024)];
    let peer = rate(few.len(), || {
        for one in few {
            let verdict = one.peer.verify_strict(&one.message, &one.peer_signature);
            assert!(black_box(verdict).is_ok());
        }
    });
    println!("ed25519-dalek verify_strict: {peer:.0}/s");
    for batch in [1, 8, 64, 256, 8192] {
        let ours = rate(signatures, || {
            for tasks in tasks.chunks(batch) {
                black_box(ring.verify(black_box(tasks)));
            }
        });
        println!(
            "gridrig, batches of {batch}: {ours:.0}/s, {:.2} x",
            ours / peer
        );
    }
}
