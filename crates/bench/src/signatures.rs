//! How many signatures a second are verified: hash and strict verdict, without any format.

use std::time::Instant;

use gridrig_curves::{
    KeyFault, KeyIndex, KeyRing, Scheme, Signature, SignatureEncoding, Signed, TableSize, Task,
    VerifyingKey,
};
use sha2::{Digest, Sha256};

use crate::BenchError;

/// What the tables of all keys may take. [bytes]
const TABLE_BYTES_MAX: usize = 8 << 30;

/// A message that was signed.
#[derive(Debug, Clone)]
pub struct SignedMessage<M> {
    /// Place of the key among those given.
    pub key: usize,
    /// The message; ECDSA signs its SHA-256.
    pub message: M,
    /// The signature: 64 bytes of Ed25519, else DER.
    pub signature: M,
}

/// Keys enrolled, and signatures of theirs to verify again and again.
pub struct Signatures {
    ring: KeyRing,
    signed: Vec<(KeyIndex, Vec<u8>, Signature)>,
    /// Time it took to read the keys and compute their tables. [s]
    pub enrolment_s: f64,
}

impl Signatures {
    /// Enrols keys, given as SPKI DER, on so many threads, and reads signatures.
    ///
    /// # Errors
    /// [`BenchError::Key`] and [`BenchError::Signature`] for what cannot be read.
    pub fn new<M: AsRef<[u8]> + Sync>(
        scheme: Scheme,
        size: TableSize,
        keys: &[M],
        threads: usize,
        signed: &[SignedMessage<M>],
    ) -> Result<Self, BenchError> {
        let mut ring = KeyRing::new(TABLE_BYTES_MAX);
        let began = Instant::now();
        let mut places = Vec::with_capacity(keys.len());
        for (place, key) in read_keys(keys, threads).into_iter().enumerate() {
            let fault = |fault: String| BenchError::Key { place, fault };
            let key = key.map_err(|f| fault(f.to_string()))?;
            places.push(ring.add(key, size).map_err(|f| fault(f.to_string()))?);
        }
        ring.prepare_on(threads);
        let enrolment_s = began.elapsed().as_secs_f64();
        let encoding = match scheme {
            Scheme::Ed25519 => SignatureEncoding::Fixed,
            _ => SignatureEncoding::Der,
        };
        let read = |(place, one): (usize, &SignedMessage<M>)| {
            let fault = |fault: String| BenchError::Signature { place, fault };
            let key = places.get(one.key).copied();
            let key = key.ok_or_else(|| fault(format!("there is no key {}", one.key)))?;
            let signature = Signature::read(scheme, encoding, one.signature.as_ref());
            let signature = signature.map_err(|f| fault(f.to_string()))?;
            Ok((key, one.message.as_ref().to_vec(), signature))
        };
        let signed = signed
            .iter()
            .enumerate()
            .map(read)
            .collect::<Result<_, BenchError>>()?;
        Ok(Self {
            ring,
            signed,
            enrolment_s,
        })
    }

    /// Returns what the tables of the keys take. [bytes]
    pub const fn table_bytes(&self) -> usize {
        self.ring.table_bytes()
    }

    /// Verifies all signatures some times, in batches, on so many threads. [signatures/s]
    ///
    /// # Errors
    /// [`BenchError::Signature`] if one is not true: then nothing that was measured means anything.
    pub fn rate(
        &self,
        batch: usize,
        threads: usize,
        repetitions: usize,
    ) -> Result<f64, BenchError> {
        let share = self.signed.len().div_ceil(threads.max(1)).max(1);
        let mut best = f64::INFINITY;
        for _ in 0..repetitions.max(1) {
            let began = Instant::now();
            let outcomes: Vec<_> = std::thread::scope(|scope| {
                let workers: Vec<_> = (0..self.signed.len())
                    .step_by(share)
                    .map(|first| scope.spawn(move || self.verify_share(first, share, batch)))
                    .collect();
                workers
                    .into_iter()
                    .map(|worker| worker.join().expect("no panic"))
                    .collect()
            });
            best = best.min(began.elapsed().as_secs_f64());
            outcomes.into_iter().collect::<Result<(), _>>()?;
        }
        Ok(self.signed.len() as f64 / best)
    }

    fn verify_share(&self, first: usize, share: usize, batch: usize) -> Result<(), BenchError> {
        let end = (first + share).min(self.signed.len());
        for (at, signed) in self.signed[first..end].chunks(batch.max(1)).enumerate() {
            let digest = |(key, message, signature): &(KeyIndex, Vec<u8>, Signature)| {
                let hashed = signature.scheme() != Scheme::Ed25519;
                (*key, hashed.then(|| Sha256::digest(message)), *signature)
            };
            let digests: Vec<_> = signed.iter().map(digest).collect();
            let tasks: Vec<_> = signed
                .iter()
                .zip(&digests)
                .map(|((_, message, _), (key, digest, signature))| Task {
                    key: *key,
                    signed: match digest {
                        Some(digest) => Signed::Digest(digest),
                        None => Signed::Message(message),
                    },
                    signature: *signature,
                })
                .collect();
            for (place, verdict) in self.ring.verify(&tasks).into_iter().enumerate() {
                verdict.map_err(|fault| BenchError::Signature {
                    place: first + at * batch + place,
                    fault: fault.to_string(),
                })?;
            }
        }
        Ok(())
    }
}

/// Reads keys and checks them, which takes longer than all else that is done without tables.
fn read_keys<M: AsRef<[u8]> + Sync>(
    keys: &[M],
    threads: usize,
) -> Vec<Result<VerifyingKey, KeyFault>> {
    let share = keys.len().div_ceil(threads.max(1)).max(1);
    std::thread::scope(|scope| {
        let readers: Vec<_> = keys
            .chunks(share)
            .map(|keys| {
                let read = |key: &M| VerifyingKey::from_spki_der(key.as_ref());
                scope.spawn(move || keys.iter().map(read).collect::<Vec<_>>())
            })
            .collect();
        let read = readers.into_iter();
        read.flat_map(|reader| reader.join().expect("no panic"))
            .collect()
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// RFC 8032, section 7.1, test 2.
    #[test]
    fn true_signatures_are_timed_and_a_false_one_is_named() {
        let hex = |digits: &str| -> Vec<u8> {
            let pair = |at: usize| u8::from_str_radix(&digits[at..at + 2], 16).expect("hex");
            (0..digits.len()).step_by(2).map(pair).collect()
        };
        let key = hex(
            "302a300506032b65700321003d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c",
        );
        let signature = hex(
            "92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da085ac1e43e15996e458f3613d0f11d8c387b2eaeb4302aeeb00d291612bb0c00",
        );
        let mut signed = vec![
            SignedMessage {
                key: 0,
                message: vec![0x72],
                signature
            };
            5
        ];
        let keys = [key];
        let measured =
            |signed: &[_]| Signatures::new(Scheme::Ed25519, TableSize::Small, &keys, 2, signed);
        let rate = measured(&signed).and_then(|signatures| signatures.rate(2, 2, 1));
        assert!(rate.is_ok_and(|rate| rate > 0.0));
        signed[3].message = vec![0x73];
        let refused = measured(&signed).and_then(|signatures| signatures.rate(2, 2, 1));
        assert!(matches!(
            refused,
            Err(BenchError::Signature { place: 3, .. })
        ));
        signed[3].key = 1;
        let unread = measured(&signed).err();
        assert_eq!(
            unread.map(|error| error.code()),
            Some("bench.signature_refused")
        );
    }
}
