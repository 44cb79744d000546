//! Every refusal of claims and proofs once, in the order of the enum.

use gridrig_settlement::claims::{
    AMOUNT_MAX, Address, Bucket, Claim, ClaimError, ClaimProof, ClaimTree, PATH_MAX,
};

fn address(last: u8) -> Address {
    let mut bytes = [0; 20];
    bytes[19] = last;
    Address::from_bytes(&bytes).expect("not zero")
}

fn tree(accounts: std::ops::RangeInclusive<u8>) -> ClaimTree {
    let claims = accounts.map(|last| Claim::new(address(last), i128::from(last)));
    let claims: Result<Vec<_>, _> = claims.collect();
    let bucket = Bucket {
        chain_id: 31_337,
        contract: address(200),
        number: 7,
    };
    claims
        .and_then(|claims| ClaimTree::new(bucket, claims))
        .expect("claims in bounds")
}

#[test]
fn each_rule_is_refused_by_its_own_code() {
    let code = |error: ClaimError| error.code();
    let first = tree(1..=5).proof(&address(1)).unwrap();
    let root = tree(1..=5).root();
    let refused = |change: &dyn Fn(&mut ClaimProof)| {
        let mut proof = first.clone();
        change(&mut proof);
        code(proof.verify(&root).unwrap_err())
    };
    let bucket = *tree(1..=1).bucket();
    let twice = vec![Claim::new(address(3), 1).unwrap(); 2];
    let found = [
        code(Address::from_bytes(&[1; 19]).unwrap_err()),
        code(Address::from_bytes(&[0; 20]).unwrap_err()),
        code(Claim::from_columns(&[[1; 20]], &[1, 2]).unwrap_err()),
        code(Claim::new(address(1), 0).unwrap_err()),
        code(Claim::new(address(1), -1).unwrap_err()),
        code(Claim::new(address(1), AMOUNT_MAX + 1).unwrap_err()),
        code(ClaimTree::new(bucket, vec![]).unwrap_err()),
        code(ClaimTree::new(bucket, twice).unwrap_err()),
        code(tree(1..=5).proof(&address(6)).unwrap_err()),
        refused(&|proof| proof.index = 5),
        code(ClaimProof::path_from(&[[1; 31]]).unwrap_err()),
        code(ClaimProof::path_from(&vec![[1; 32]; PATH_MAX + 1]).unwrap_err()),
        refused(&|proof| proof.path.truncate(1)),
        refused(&|proof| proof.path[0][31] ^= 1),
    ];
    let expected = [
        "settlement.address_length",
        "settlement.address_zero",
        "settlement.claim_columns",
        "settlement.claim_amount",
        "settlement.claim_amount",
        "settlement.claim_amount",
        "settlement.claim_count",
        "settlement.claim_repeated",
        "settlement.claim_unknown",
        "settlement.claim_index",
        "settlement.claim_path_malformed",
        "settlement.claim_path_malformed",
        "settlement.claim_path_length",
        "settlement.claim_root_mismatch",
    ];
    assert_eq!(found, expected);
}

#[test]
fn an_odd_leaf_is_promoted_and_not_doubled() {
    // Doubled, leaf 3 of three would have itself for a sibling; promoted, it has one level less.
    let proof = tree(1..=3).proof(&address(3)).unwrap();
    assert_eq!((proof.index, proof.path.len()), (2, 1));
    assert!(proof.verify(&tree(1..=3).root()).is_ok());
}

#[test]
fn a_node_does_not_pass_for_a_leaf() {
    // The top of a tree of four is a node over two nodes. A proof that takes the left node for a
    // leaf would be one level short: the leaf count in the root forbids it.
    let whole = tree(1..=4);
    let mut short = whole.proof(&address(1)).unwrap();
    short.leaf_count = 2;
    short.path.remove(0);
    assert_eq!(
        short.verify(&whole.root()).unwrap_err().code(),
        "settlement.claim_root_mismatch"
    );
}
