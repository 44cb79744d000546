//! Rates of ECDSA beside the crates `p256` and `k256`, in one run.
//!
//! `cargo run --profile dist -p gridrig-curves --example ecdsa_rates -- [CURVE [KEYS [TABLE
//! [SIGNATURES]]]]` with CURVE p256 or secp256k1 and TABLE one of none, small, medium, large; pin it
//! to one core. Messages are of 363 bytes, keys are shuffled, the hash is included, and every
//! signature gets a verdict of its own.

use std::hint::black_box;
use std::time::Instant;

use gridrig_curves::{
    KeyIndex, KeyRing, Scheme, Signature, SignatureEncoding, Signed, TableSize, Task, VerifyingKey,
};
use p256::ecdsa::signature::hazmat::{PrehashSigner, PrehashVerifier};
use sha2::{Digest, Sha256};

const MESSAGE_BYTES: usize = 363;
const MEMORY_BYTES_MAX: usize = 8 << 30;
const ROUNDS: usize = 7;
/// Signatures the peers check, being slow.
const PEER_SIGNATURES: usize = 512;

/// SplitMix64 (Steele, Lea, Flood, 2014).
struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (self.0 ^ self.0 >> 30).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ mixed >> 27).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ mixed >> 31
    }

    fn bytes(&mut self, length: usize) -> Vec<u8> {
        (0..length).map(|_| self.next() as u8).collect()
    }
}

/// Returns the fastest of some rounds. [1/s]
fn rate(per_round: usize, mut round: impl FnMut()) -> f64 {
    let seconds = (0..ROUNDS).map(|_| {
        let start = Instant::now();
        round();
        start.elapsed().as_secs_f64()
    });
    per_round as f64 / seconds.fold(f64::INFINITY, f64::min)
}

/// What the workload asks of a peer's crate, the same for both.
macro_rules! workload {
    ($name:ident, $crate_name:ident, $scheme:expr) => {
        fn $name(keys: usize, size: TableSize, signatures: usize) {
            use $crate_name::ecdsa::{Signature as PeerSignature, SigningKey};
            let mut random = Random(1);
            let seed = |key: usize| {
                let digest = Sha256::digest(key.to_be_bytes());
                SigningKey::from_slice(&digest).expect("in range")
            };
            let mut ring = KeyRing::new(MEMORY_BYTES_MAX);
            let start = Instant::now();
            let mut seconds = 0.0;
            let indices: Vec<KeyIndex> = (0..keys)
                .map(|key| {
                    let point = seed(key).verifying_key().to_sec1_point(false);
                    let key = VerifyingKey::from_sec1($scheme, point.as_bytes()).expect("a key");
                    let start = Instant::now();
                    let index = ring.add(key, size).expect("fits");
                    ring.prepare();
                    seconds += start.elapsed().as_secs_f64();
                    index
                })
                .collect();
            let enrolled = start.elapsed().as_secs_f64();
            let signed: Vec<_> = (0..signatures)
                .map(|_| {
                    let key = random.next() as usize % keys;
                    let message = random.bytes(MESSAGE_BYTES);
                    let digest = Sha256::digest(&message);
                    let signature: PeerSignature = seed(key).sign_prehash(&digest).expect("signs");
                    let ours =
                        Signature::read($scheme, SignatureEncoding::Fixed, &signature.to_bytes());
                    (key, message, signature, ours.expect("well encoded"))
                })
                .collect();
            let ours = rate(signatures, || {
                let digests: Vec<_> = signed
                    .iter()
                    .map(|(_, message, ..)| Sha256::digest(message))
                    .collect();
                let tasks: Vec<Task<'_>> = signed
                    .iter()
                    .zip(&digests)
                    .map(|(&(key, _, _, signature), digest)| Task {
                        key: indices[key],
                        signed: Signed::Digest(digest),
                        signature,
                    })
                    .collect();
                assert!(black_box(ring.verify(&tasks)).iter().all(Result::is_ok));
            });
            let peers: Vec<_> = (0..keys.min(PEER_SIGNATURES))
                .map(|key| *seed(key).verifying_key())
                .collect();
            let checked: Vec<_> = signed
                .iter()
                .filter(|(key, ..)| *key < peers.len())
                .take(PEER_SIGNATURES)
                .collect();
            let peer = rate(checked.len(), || {
                for (key, message, signature, _) in &checked {
                    let digest = Sha256::digest(message);
                    let verdict = peers[*key].verify_prehash(&digest, &signature.normalize_s());
                    assert!(black_box(verdict).is_ok());
                }
            });
            println!(
                "{} {size:?}, {keys} keys, {signatures} signatures: {:.1} K/s, crate {:.1} K/s, \
                 ratio {:.1}; table {} B, {:.3} ms a key (all enrolled in {enrolled:.1} s)",
                stringify!($name),
                ours / 1e3,
                peer / 1e3,
                ours / peer,
                ring.table_bytes() / keys,
                seconds * 1e3 / keys as f64,
            );
        }
    };
}

workload!(p256, p256, Scheme::EcdsaP256);
workload!(secp256k1, k256, Scheme::EcdsaSecp256k1);

fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let argument = |at: usize| arguments.get(at).map(String::as_str);
    let number = |at: usize, default: usize| {
        argument(at).map_or(default, |text| text.parse().expect("a number"))
    };
    let size = match argument(2) {
        Some("none") => TableSize::None,
        Some("small") => TableSize::Small,
        Some("medium") => TableSize::Medium,
        None | Some("large") => TableSize::Large,
        Some(other) => panic!("table {other:?} is not none, small, medium or large"),
    };
    let (keys, signatures) = (number(1, 64), number(3, 4096));
    match argument(0) {
        Some("p256") => p256(keys, size, signatures),
        Some("secp256k1") => secp256k1(keys, size, signatures),
        None => {
            p256(keys, size, signatures);
            secp256k1(keys, size, signatures);
        }
        Some(other) => panic!("curve {other:?} is not p256 or secp256k1"),
    }
}
