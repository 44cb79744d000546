//! The signature schemes, and the widths of what they exchange.

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

impl Scheme {
    /// Every scheme, in the order of the enum.
    pub const ALL: [Self; 8] = [
        Self::Ed25519,
        Self::EcdsaP256,
        Self::EcdsaSecp256k1,
        Self::EcdsaP384,
        Self::EcdsaBrainpool256r1,
        Self::EcdsaBrainpool384r1,
        Self::EcdsaSecp192r1,
        Self::EcdsaSecp192k1,
    ];

    /// Returns the name in rig and keys files.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Ed25519 => "ed25519",
            Self::EcdsaP256 => "ecdsa-p256",
            Self::EcdsaSecp256k1 => "ecdsa-secp256k1",
            Self::EcdsaP384 => "ecdsa-p384",
            Self::EcdsaBrainpool256r1 => "ecdsa-brainpool256r1",
            Self::EcdsaBrainpool384r1 => "ecdsa-brainpool384r1",
            Self::EcdsaSecp192r1 => "ecdsa-secp192r1",
            Self::EcdsaSecp192k1 => "ecdsa-secp192k1",
        }
    }

    /// Finds the scheme of a name in rig and keys files.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|scheme| scheme.name() == name)
    }

    /// Returns the width of a coordinate, which is also that of `r`, `s`, `R` and `S`. [bytes]
    pub const fn coordinate_bytes(self) -> usize {
        match self {
            Self::EcdsaSecp192r1 | Self::EcdsaSecp192k1 => 24,
            Self::Ed25519 | Self::EcdsaP256 | Self::EcdsaSecp256k1 | Self::EcdsaBrainpool256r1 => {
                32
            }
            Self::EcdsaP384 | Self::EcdsaBrainpool384r1 => 48,
        }
    }

    /// Returns the width of a signature of fixed width, `r || s` or `R || S`. [bytes]
    pub const fn signature_bytes(self) -> usize {
        2 * self.coordinate_bytes()
    }

    /// Tells whether the scheme is below 112 bits of security.
    pub const fn is_weak(self) -> bool {
        matches!(self, Self::EcdsaSecp192r1 | Self::EcdsaSecp192k1)
    }
}

impl std::fmt::Display for Scheme {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.name())
    }
}
