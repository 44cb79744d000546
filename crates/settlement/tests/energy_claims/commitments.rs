//! Commitments: they hide, bind, and refuse by name.

use gridrig_settlement::commitments::{CommitmentError, LEAF_ID_MAX, Opening, PAYLOAD_MAX, salt};

fn opening(leaf_id: &str, payload: &[u8]) -> Opening {
    Opening::new(leaf_id, &salt(&[7; 32], leaf_id).unwrap(), payload).unwrap()
}

#[test]
fn a_salt_is_the_hmac_of_published_vectors() {
    // RFC 4231 has no key of 32 bytes; its test case 2 with the key filled up with zeros is the same
    // HMAC, as HMAC fills keys up to the block.
    let mut secret = [0; 32];
    secret[..4].copy_from_slice(b"Jefe");
    let found = salt(&secret, "what do ya want for nothing?").unwrap();
    let hex: String = found.iter().map(|byte| format!("{byte:02x}")).collect();
    assert_eq!(
        hex,
        "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843"
    );
}

#[test]
fn a_commitment_opens_to_one_leaf_and_one_payload() {
    let of = opening("reading/meter-1/7", b"1234 mWh");
    assert_eq!(of.open(&of.commitment()), Ok(&b"1234 mWh"[..]));
    // The length in front keeps leaf id and payload apart, also where their bytes join up alike.
    let hidden = [7; 32];
    let one = Opening::new("ab", &hidden, b"c").unwrap();
    let other = Opening::new("a", &hidden, b"bc").unwrap();
    assert_ne!(one.commitment(), other.commitment());
    let changed = [
        opening("reading/meter-1/8", b"1234 mWh"),
        opening("reading/meter-1/7", b"1235 mWh"),
        Opening::new("reading/meter-1/7", &[0; 32], b"1234 mWh").unwrap(),
    ];
    for wrong in changed {
        assert!(matches!(
            wrong.open(&of.commitment()),
            Err(CommitmentError::OpensAnother { .. })
        ));
    }
}

#[test]
fn each_rule_of_commitments_is_refused_by_its_own_code() {
    let long = "x".repeat(LEAF_ID_MAX + 1);
    let of = opening("leaf", b"");
    let found = [
        salt(&[1; 31], "leaf").unwrap_err(),
        salt(&[0; 32], "leaf").unwrap_err(),
        salt(&[1; 32], "").unwrap_err(),
        salt(&[1; 32], &long).unwrap_err(),
        Opening::new("leaf", &[1; 31], b"").unwrap_err(),
        Opening::new("leaf", &[1; 32], &vec![0; PAYLOAD_MAX + 1]).unwrap_err(),
        of.open(&[0; 31]).unwrap_err(),
        of.open(&[0; 32]).unwrap_err(),
    ]
    .map(|error| error.code());
    let expected = [
        "settlement.commitment_secret",
        "settlement.commitment_secret",
        "settlement.commitment_leaf_id",
        "settlement.commitment_leaf_id",
        "settlement.commitment_hash",
        "settlement.commitment_payload",
        "settlement.commitment_hash",
        "settlement.commitment_opens_another",
    ];
    assert_eq!(found, expected);
}
