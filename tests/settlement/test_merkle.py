"""Merkle trees and canonical bytes against plain Python written from the two RFCs."""

import merkle_oracle as oracle
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gridrig.errors import SettlementError
from gridrig.settlement import InclusionProof, MerkleTree, canonical_bytes

LEAVES = st.lists(st.binary(max_size=40), min_size=1, max_size=40, unique=True)
QUICK = settings(max_examples=60, deadline=None, database=None, derandomize=True)


@QUICK
@given(LEAVES)
def test_root_and_paths_are_those_of_the_rfc(leaves: list[bytes]) -> None:
    tree = MerkleTree(leaves)
    assert tree.root() == oracle.root(leaves)
    for index, leaf in enumerate(leaves):
        proof = tree.proof(index)
        assert (proof.index, proof.leaf_count) == (index, len(leaves))
        assert proof.path == oracle.path(index, leaves)
        verified = proof.verify(leaf, tree.root())
        assert (verified.leaf, verified.index, verified.root) == (leaf, index, tree.root())


def test_no_leaves_have_a_root_and_no_proof() -> None:
    assert MerkleTree([]).root() == oracle.root([])
    with pytest.raises(SettlementError) as refused:
        MerkleTree([]).proof(0)
    assert refused.value.code == "settlement.merkle_index_bound"


@QUICK
@given(LEAVES, st.data())
def test_whatever_is_changed_in_a_proof_convinces_nobody(leaves: list[bytes], data: st.DataObject):
    tree = MerkleTree(leaves)
    index = data.draw(st.integers(0, len(leaves) - 1))
    proof, leaf, root = tree.proof(index), leaves[index], tree.root()

    def flipped(value: bytes) -> bytes:
        bit = data.draw(st.integers(0, 8 * len(value) - 1))
        changed = bytearray(value)
        changed[bit // 8] ^= 1 << bit % 8
        return bytes(changed)

    def with_(**parts: object) -> InclusionProof:
        same = {"index": index, "leaf_count": len(leaves), "path": proof.path}
        return InclusionProof(**same | parts)  # type: ignore[arg-type]

    forged = [(proof, leaf + b"\0", root), (proof, leaf, flipped(root))]
    forged += [(with_(leaf_count=n), leaf, root) for n in (len(leaves) - 1, len(leaves) + 1)]
    forged += [(with_(index=n), leaf, root) for n in range(len(leaves) + 1) if n != index]
    forged.append((with_(path=[*proof.path, root]), leaf, root))
    if proof.path:
        place = data.draw(st.integers(0, len(proof.path) - 1))
        other = [flipped(one) if n == place else one for n, one in enumerate(proof.path)]
        forged.append((with_(path=other), leaf, root))
        forged.append((with_(path=proof.path[1:]), leaf, root))
        # The node above the leaf does not pass for a leaf.
        pair = [proof.path[0], oracle.sha256(b"\0", leaf)]
        forged += [(with_(path=proof.path[1:]), b"".join(p), root) for p in (pair, pair[::-1])]
    for one, bytes_, expected in forged:
        with pytest.raises(SettlementError, match=r"leaf|path|index"):
            one.verify(bytes_, expected)


ITEM = st.one_of(
    st.none(), st.integers(-(2**63), 2**64 - 1), st.text(max_size=300), st.binary(max_size=300)
)


@QUICK
@given(st.lists(ITEM, max_size=30))
def test_records_are_spelled_as_the_rfc_says(record: list[int | str | bytes | None]) -> None:
    assert canonical_bytes(record) == oracle.cbor(record)


@pytest.mark.parametrize("item", [1.5, 2**64, -(2**63) - 1, ["a"]])
def test_what_no_record_holds_is_refused(item: object) -> None:
    with pytest.raises((TypeError, OverflowError)):
        canonical_bytes([item])  # type: ignore[list-item]
