//! Keys and signatures as bytes: what is read, what is refused and why.

use gridrig_curves::{EncodingFault, KeyFault, Scheme, Signature, SignatureEncoding, VerifyingKey};
use sha2::{Digest, Sha256};

/// The base point of edwards25519, a key like any other.
const ED25519_BASE: &str = "5866666666666666666666666666666666666666666666666666666666666666";
/// The base point of P-256 (SEC 2, 2.4.2).
const P256_BASE_X: &str = "6b17d1f2e12c4247f8bce6e563a440f277037d812deb33a0f4a13945d898c296";
const P256_BASE_Y: &str = "4fe342e2fe1a7f9b8ee7eb4a7c0f9e162bce33576b315ececbb6406837bf51f5";

fn hex(digits: &str) -> Vec<u8> {
    (0..digits.len())
        .step_by(2)
        .map(|at| u8::from_str_radix(&digits[at..at + 2], 16).expect("hexadecimal"))
        .collect()
}

fn ed25519(digits: &str) -> Result<VerifyingKey, KeyFault> {
    VerifyingKey::from_ed25519(&hex(digits))
}

#[test]
fn a_key_is_named_by_the_digest_of_its_one_encoding() {
    let key = ed25519(ED25519_BASE).expect("a good key");
    let der = [hex("302a300506032b6570032100"), hex(ED25519_BASE)].concat();
    assert_eq!(key.to_spki_der(), der);
    assert_eq!(key.id(), <[u8; 32]>::from(Sha256::digest(&der)));
    assert_eq!(VerifyingKey::from_spki_der(&der), Ok(key));
}

#[test]
fn every_form_of_an_ecdsa_key_is_the_same_key() {
    let (x, y) = (hex(P256_BASE_X), hex(P256_BASE_Y));
    let scheme = Scheme::EcdsaP256;
    let key = VerifyingKey::from_coordinates(scheme, &[&x[..], &y].concat()).expect("on curve");
    assert_eq!(
        VerifyingKey::from_spki_der(&key.to_spki_der()),
        Ok(key.clone())
    );
    let uncompressed = [&[4], &x[..], &y].concat();
    assert_eq!(
        VerifyingKey::from_sec1(scheme, &uncompressed),
        Ok(key.clone())
    );
    // The base point's y is odd.
    let compressed = [&[3], &x[..]].concat();
    assert_eq!(
        VerifyingKey::from_sec1(scheme, &compressed),
        Ok(key.clone())
    );
    let other = VerifyingKey::from_x_of_even_y(scheme, &x).expect("on curve");
    assert_eq!(other.as_bytes()[..32], key.as_bytes()[..32]);
    assert_ne!(other, key);
}

#[test]
fn an_ecdsa_key_off_its_curve_or_of_another_form_is_refused() {
    let scheme = Scheme::EcdsaP256;
    let mut point = [hex(P256_BASE_X), hex(P256_BASE_Y)].concat();
    point[63] ^= 1;
    let off_curve = VerifyingKey::from_coordinates(scheme, &point);
    assert_eq!(off_curve, Err(KeyFault::NotOnCurve { scheme }));
    let short = VerifyingKey::from_coordinates(scheme, &point[1..]);
    assert_eq!(
        short,
        Err(KeyFault::Length {
            length: 63,
            expected: 64
        })
    );
    let ed25519 = VerifyingKey::from_coordinates(Scheme::Ed25519, &point);
    assert_eq!(
        ed25519,
        Err(KeyFault::FormOther {
            scheme: Scheme::Ed25519
        })
    );
}

#[test]
fn an_ed25519_key_is_canonical_and_in_the_prime_order_subgroup() {
    // 2^255 - 18, which is 1 written another way.
    let again = "eeffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f";
    assert_eq!(ed25519(again), Err(KeyFault::NotCanonical));
    // The identity, with the sign of an x that is 0.
    let signed_zero = "0100000000000000000000000000000000000000000000000000000000000080";
    assert_eq!(ed25519(signed_zero), Err(KeyFault::NotCanonical));
    let identity = "0100000000000000000000000000000000000000000000000000000000000000";
    assert_eq!(ed25519(identity), Err(KeyFault::SmallOrder));
    let of_order_8 = "26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05";
    assert_eq!(ed25519(of_order_8), Err(KeyFault::SmallOrder));
    // The base point plus the point of order 2.
    let torsion = "9599999999999999999999999999999999999999999999999999999999999999";
    assert_eq!(ed25519(torsion), Err(KeyFault::Torsion));
    let scheme = Scheme::Ed25519;
    let off_curve = "0200000000000000000000000000000000000000000000000000000000000000";
    assert_eq!(ed25519(off_curve), Err(KeyFault::NotOnCurve { scheme }));
}

fn read(encoding: SignatureEncoding, digits: &str) -> Result<Vec<u8>, EncodingFault> {
    Signature::read(Scheme::EcdsaP256, encoding, &hex(digits))
        .map(|signature| signature.as_bytes().to_vec())
}

fn numbers(r: u8, s: u8) -> Result<Vec<u8>, EncodingFault> {
    let mut bytes = vec![0; 64];
    (bytes[31], bytes[63]) = (r, s);
    Ok(bytes)
}

#[test]
fn der_is_one_sequence_of_two_shortest_positive_integers() {
    use SignatureEncoding::{Der, DerWithoutPad};
    assert_eq!(read(Der, "3006020105020107"), numbers(5, 7));
    assert_eq!(read(Der, "300702020080020107"), numbers(0x80, 7));
    assert_eq!(
        read(Der, "3006020180020107"),
        Err(EncodingFault::IntegerNegative)
    );
    assert_eq!(read(DerWithoutPad, "3006020180020107"), numbers(0x80, 7));
    assert_eq!(read(DerWithoutPad, "300702020080020107"), numbers(0x80, 7));
    for encoding in [Der, DerWithoutPad] {
        let minimal = Err(EncodingFault::IntegerNotMinimal);
        assert_eq!(read(encoding, "300702020005020107"), minimal);
        assert_eq!(read(encoding, "30050200020107"), minimal);
        for broken in [
            "",
            "30",
            "300602010502010700",     // a byte after the sequence
            "3007020105020107ff",     // a byte after the integers
            "308106020105020107",     // a length longer than it need be
            "3106020105020107",       // SET
            "3006040105020107",       // OCTET STRING
            "3003020105",             // one integer
            "3009020105020107020109", // three
            "30800201050201070000",   // BER's indefinite length
        ] {
            let found = read(encoding, broken);
            assert!(
                matches!(found, Err(EncodingFault::Der { .. })),
                "{broken}: {found:?}"
            );
        }
    }
}

#[test]
fn a_number_wider_than_a_coordinate_is_read_as_one_out_of_range() {
    let wide = ["3026 0221 01", &"00".repeat(32), "020107"]
        .concat()
        .replace(' ', "");
    let bytes = read(SignatureEncoding::Der, &wide).expect("well encoded");
    assert_eq!(bytes[..32], [0xff; 32]);
    assert_eq!(bytes[63], 7);
}

#[test]
fn a_signature_of_fixed_width_has_that_width() {
    let fixed = SignatureEncoding::Fixed;
    assert_eq!(read(fixed, &"11".repeat(64)), Ok(vec![0x11; 64]));
    let length = Err(EncodingFault::Length {
        length: 63,
        expected: 64,
    });
    assert_eq!(read(fixed, &"11".repeat(63)), length);
    let scheme = Scheme::Ed25519;
    assert_eq!(
        Signature::read(scheme, SignatureEncoding::Der, &[0; 64]),
        Err(EncodingFault::EncodingOther { scheme })
    );
}
