use super::{InclusionProof, Item, MerkleError, MerkleTree, canonical_bytes};

/// Leaves and tree hashes of the reference implementation of Certificate Transparency
/// (google/certificate-transparency, `merkletree/merkle_tree_test.cc`).
const LEAVES: [&[u8]; 8] = [
    b"",
    b"\x00",
    b"\x10",
    b"\x20\x21",
    b"\x30\x31",
    b"\x40\x41\x42\x43",
    b"\x50\x51\x52\x53\x54\x55\x56\x57",
    b"\x60\x61\x62\x63\x64\x65\x66\x67\x68\x69\x6a\x6b\x6c\x6d\x6e\x6f",
];
const TOPS: [&str; 9] = [
    "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
    "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
    "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
    "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
    "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
    "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4",
    "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef",
    "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c",
    "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328",
];

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

fn tree_of(leaves: &[&[u8]]) -> MerkleTree {
    MerkleTree::from_leaves(leaves).unwrap()
}

#[test]
fn tops_are_those_of_certificate_transparency() {
    for (count, expected) in TOPS.iter().enumerate() {
        assert_eq!(hex(&tree_of(&LEAVES[..count]).top(1)), *expected);
    }
}

#[test]
fn threads_change_nothing() {
    for count in [8_192, 8_193] {
        let leaves: Vec<[u8; 8]> = (0..count).map(|n: u64| n.to_be_bytes()).collect();
        let tree = MerkleTree::from_leaves(&leaves).unwrap();
        let alone = tree.root(1);
        for threads in [2, 3] {
            assert_eq!(
                tree.root(threads),
                alone,
                "{count} leaves, {threads} threads"
            );
        }
    }
}

#[test]
fn every_leaf_is_proven_and_no_other_in_its_place() {
    for count in 1..=LEAVES.len() {
        let tree = tree_of(&LEAVES[..count]);
        let root = tree.root(1);
        for (index, own) in LEAVES.iter().enumerate().take(count) {
            let proof = tree.proof(index as u64).unwrap();
            let verified = proof.verify(own, &root).unwrap();
            assert_eq!((verified.bytes(), verified.index()), (*own, index as u64));
            for (other, leaf) in LEAVES.iter().enumerate() {
                let found = proof.verify(leaf, &root);
                assert_eq!(found.is_ok(), other == index, "{count}/{index}/{other}");
            }
        }
    }
}

#[test]
fn refusals_come_in_their_order() {
    let tree = tree_of(&LEAVES[..5]);
    let (root, proof) = (tree.root(1), tree.proof(4).unwrap());
    let refusal = |proof: &InclusionProof, root: &[u8]| proof.verify(LEAVES[4], root).unwrap_err();
    let beyond = InclusionProof {
        index: 5,
        ..proof.clone()
    };
    let longer = InclusionProof {
        path: vec![root; 2],
        ..proof.clone()
    };
    let found = [
        InclusionProof::from_parts(0, 1, &[[0; 31]]).unwrap_err(),
        InclusionProof::from_parts(0, 1, &[[0; 32]; 33]).unwrap_err(),
        refusal(&beyond, &root[1..]),
        refusal(&beyond, &root),
        refusal(&longer, &root),
        refusal(&proof, &tree.top(1)),
        tree.proof(5).unwrap_err(),
    ];
    let codes = found.map(|error: MerkleError| error.code());
    let expected = [
        "settlement.merkle_hash_length",
        "settlement.merkle_path_length",
        "settlement.merkle_hash_length",
        "settlement.merkle_index_bound",
        "settlement.merkle_path_length",
        "settlement.merkle_root_mismatch",
        "settlement.merkle_index_bound",
    ];
    assert_eq!(codes, expected);
}

#[test]
fn a_doubled_odd_leaf_is_another_tree() {
    let doubled = [LEAVES[0], LEAVES[1], LEAVES[2], LEAVES[2]];
    assert_ne!(tree_of(&LEAVES[..3]).root(1), tree_of(&doubled).root(1));
}

#[test]
fn records_are_spelled_as_rfc_8949_spells_them() {
    // Numbers of its Appendix A, in one array.
    let items = [0, 23, 24, 1_000_000, -1, -100, -1_000].map(Item::Int);
    let expected = "870017181 81a000f424020386339 03e7".replace(' ', "");
    assert_eq!(hex(&canonical_bytes(&items)), expected);
    let mixed = [
        Item::Unsigned(u64::MAX),
        Item::Text("\u{fc}"),
        Item::Bytes(&[1, 2, 3, 4]),
        Item::Null,
        Item::Int(i64::MIN),
    ];
    let expected = "851bffffffffffffffff62c3bc4401020304f63b7fffffffffffffff";
    assert_eq!(hex(&canonical_bytes(&mixed)), expected);
}
