//! Signatures verified against enrolled keys.
//!
//! A key is prepared once and checked for years, so whatever depends on the key alone is computed
//! when it is prepared.

#![deny(unsafe_code)]

/// Signature schemes of the meters this crate verifies.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Scheme {
    /// EdDSA on edwards25519 (RFC 8032), strict.
    Ed25519,
    /// ECDSA on NIST P-256.
    EcdsaP256,
    /// ECDSA on secp256k1.
    EcdsaSecp256k1,
    /// ECDSA on NIST P-384.
    EcdsaP384,
    /// ECDSA on brainpoolP256r1.
    EcdsaBrainpool256r1,
    /// ECDSA on brainpoolP384r1.
    EcdsaBrainpool384r1,
    /// ECDSA on secp192r1 (NIST P-192); below 112 bits of security.
    EcdsaSecp192r1,
    /// ECDSA on secp192k1; below 112 bits of security.
    EcdsaSecp192k1,
}
