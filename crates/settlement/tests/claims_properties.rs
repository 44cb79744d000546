//! Laws of claim trees, against the recursive definition of RFC 9162, section 2.1.1.

use gridrig_settlement::claims::{AMOUNT_MAX, Address, Bucket, Claim, ClaimProof, ClaimTree, Hash};
use proptest::prelude::*;
use proptest::sample::Index;
use sha3::{Digest, Keccak256};

fn keccak(parts: &[&[u8]]) -> Hash {
    Keccak256::digest(parts.concat()).into()
}

fn word(value: u128) -> Hash {
    let mut word = [0; 32];
    word[16..].copy_from_slice(&value.to_be_bytes());
    word
}

/// Merkle tree hash, split at the largest power of two below the number of leaves.
fn top_of(leaves: &[Hash]) -> Hash {
    if let [leaf] = leaves {
        return *leaf;
    }
    let split = leaves.len().next_power_of_two() / 2;
    let (left, right) = leaves.split_at(split);
    keccak(&[&[1], &top_of(left), &top_of(right)])
}

fn root_by_definition(bucket: &Bucket, claims: &[Claim]) -> Hash {
    let leaf = |(index, claim): (u128, &Claim)| {
        keccak(&[
            &[0],
            &word(u128::from(bucket.chain_id)),
            bucket.contract.as_bytes(),
            &word(u128::from(bucket.number)),
            &word(index),
            claim.account().as_bytes(),
            &word(claim.amount()),
        ])
    };
    let leaves: Vec<Hash> = (0..).zip(claims).map(leaf).collect();
    let total = claims.iter().map(Claim::amount).sum();
    keccak(&[
        &[2],
        &word(leaves.len() as u128),
        &word(total),
        &top_of(&leaves),
    ])
}

fn address() -> impl Strategy<Value = Address> {
    any::<[u8; 20]>().prop_filter_map("zero", |bytes| Address::from_bytes(&bytes).ok())
}

prop_compose! {
    fn bucket()(chain_id: u64, contract in address(), number: u64) -> Bucket {
        Bucket { chain_id, contract, number }
    }
}

fn claims() -> impl Strategy<Value = Vec<Claim>> {
    prop::collection::btree_map(address(), 1..=AMOUNT_MAX, 1..24).prop_map(|claims| {
        let made = claims
            .into_iter()
            .map(|(account, amount)| Claim::new(account, amount));
        made.collect::<Result<_, _>>().expect("amounts in bounds")
    })
}

fn claim_of(account: Address, amount: i128) -> Claim {
    Claim::new(account, amount).expect("amount in bounds")
}

fn forgeries(proof: &ClaimProof, at: Index, bit: u8) -> Vec<ClaimProof> {
    let (claim, mut forged) = (proof.claim, Vec::new());
    let mut with = |change: &dyn Fn(&mut ClaimProof)| {
        let mut copy = proof.clone();
        change(&mut copy);
        forged.push(copy);
    };
    let other = if claim.amount() == 1 {
        2
    } else {
        i128::try_from(claim.amount() - 1).expect("amount in bounds")
    };
    let mut stranger = *claim.account().as_bytes();
    stranger[0] ^= 1;
    stranger[19] |= 2;
    let stranger = Address::from_bytes(&stranger).expect("not zero");
    with(&|p| p.bucket.chain_id ^= 1 << (bit % 64));
    with(&|p| p.bucket.number ^= 1 << (bit % 64));
    with(&|p| p.bucket.contract = stranger);
    with(&|p| p.claim = claim_of(*claim.account(), other));
    with(&|p| p.claim = claim_of(stranger, 1));
    with(&|p| p.total ^= 1 << (bit % 128));
    with(&|p| p.leaf_count += 1);
    with(&|p| p.index ^= 1);
    with(&|p| p.path.push([0; 32]));
    if !proof.path.is_empty() {
        with(&|p| p.path.truncate(p.path.len() - 1));
        with(&|p| {
            let place = at.index(p.path.len());
            p.path[place][usize::from(bit % 32)] ^= 1;
        });
    }
    forged
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    #[test]
    fn prop_the_root_is_that_of_the_definition(bucket in bucket(), claims in claims()) {
        let tree = ClaimTree::new(bucket, claims.clone()).unwrap();
        prop_assert_eq!(tree.root(), root_by_definition(&bucket, &claims));
    }

    #[test]
    fn prop_the_order_of_the_claims_does_not_matter(
        bucket in bucket(),
        (ordered, shuffled) in claims().prop_flat_map(|c| (Just(c.clone()), Just(c).prop_shuffle())),
    ) {
        prop_assert_eq!(ClaimTree::new(bucket, ordered), ClaimTree::new(bucket, shuffled));
    }

    #[test]
    fn prop_every_claim_is_proven_and_no_forgery_is(
        bucket in bucket(), claims in claims(), at: Index, bit: u8,
    ) {
        let tree = ClaimTree::new(bucket, claims.clone()).unwrap();
        for claim in &claims {
            let proof = tree.proof(claim.account()).unwrap();
            let verified = proof.verify(&tree.root()).unwrap();
            prop_assert_eq!((verified.account(), verified.amount()), (claim.account(), claim.amount()));
        }
        let proof = tree.proof(claims[at.index(claims.len())].account()).unwrap();
        for forged in forgeries(&proof, at, bit) {
            prop_assert!(forged.verify(&tree.root()).is_err(), "{forged:?}");
        }
    }
}
