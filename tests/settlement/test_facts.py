"""Facts under one root: shown there, shown missing, and every way of claiming what is not so."""

import hashlib
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import merkle_oracle
import pytest

from gridrig._core import InclusionProof, MerkleTree
from gridrig.errors import SettlementError
from gridrig.promises.facts import root_by_hand
from gridrig.settlement.fact_file import fact_json, read_fact
from gridrig.settlement.facts import Absence, FactTree, Leaf, Receipt, fact_digest

RECORDS = [f"record {n}".encode() for n in range(37)]
OTHERS = [f"nothing {n}".encode() for n in range(200)]


def refused(act: Callable[[], object]) -> str:
    with pytest.raises(SettlementError) as caught:
        act()
    return caught.value.code


@pytest.mark.parametrize("count", [1, 2, 3, 8, 37])
def test_root_is_that_of_two_oracles_in_any_order(count: int) -> None:
    records = RECORDS[:count]
    leaves = sorted(hashlib.sha256(record).digest() for record in records)
    root = FactTree(records).root()
    assert root == merkle_oracle.root(leaves) == root_by_hand(records)
    assert FactTree([*reversed(records), *records]).root() == root


@pytest.mark.parametrize("count", [0, 1, 2, 37])
def test_everything_is_shown_to_be_there_or_not(count: int) -> None:
    tree = FactTree(RECORDS[:count])
    for record in RECORDS[:count]:
        assert tree.receipt(record).verify(tree.root()).leaf == fact_digest(record)
        assert refused(lambda r=record: tree.absence(r)) == "settlement.fact_present"  # type: ignore[misc]
    for record in [*RECORDS[count:], *OTHERS]:
        tree.absence(record).verify(tree.root())
        assert refused(lambda r=record: tree.receipt(r)) == "settlement.fact_absent"  # type: ignore[misc]


def test_absence_by_neighbours_that_are_none_is_refused() -> None:
    tree = FactTree(RECORDS)
    root, in_order = tree.root(), sorted(RECORDS, key=fact_digest)
    leaves = [Leaf(fact_digest(r), tree.receipt(r).inclusion) for r in in_order]
    there = in_order[10]
    claims = [
        Absence(there, leaves[9], leaves[11]),  # a gap
        Absence(there, leaves[9], leaves[10]),
        Absence(there, leaves[10], leaves[11]),
        Absence(there, None, leaves[11]),  # not the first
        Absence(there, leaves[9], None),  # not the last
        Absence(there, None, None),  # not an empty tree
        Absence(in_order[0], None, leaves[0]),
        Absence(in_order[-1], leaves[-1], None),
    ]
    for claim in claims:
        assert refused(lambda c=claim: c.verify(root)) == "settlement.fact_not_absent"  # type: ignore[misc]
    foreign = Leaf(fact_digest(b"stranger"), leaves[9].inclusion)
    code = refused(lambda: Absence(OTHERS[0], foreign, leaves[10]).verify(root))
    assert code == "settlement.merkle_root_mismatch"


def test_tree_out_of_order_can_show_a_falsehood() -> None:
    """Why the order has to be vouched for: the root alone does not show it."""
    low, middle, high = sorted(RECORDS[:3], key=fact_digest)
    digests = [fact_digest(low), fact_digest(high), fact_digest(middle)]
    tree = MerkleTree(digests)
    lie = Absence(middle, Leaf(digests[0], tree.proof(0)), Leaf(digests[1], tree.proof(1)))
    lie.verify(tree.root())
    Receipt(middle, tree.proof(2)).verify(tree.root())


def test_receipts_come_back_from_their_files(tmp_path: Path) -> None:
    tree = FactTree(RECORDS)
    first = min(RECORDS, key=fact_digest)
    before = next(r for r in OTHERS if fact_digest(r) < fact_digest(first))
    for shown in (tree.receipt(RECORDS[3]), tree.absence(OTHERS[0]), tree.absence(before)):
        path = tmp_path / "receipt.json"
        path.write_text(json.dumps(fact_json(shown)))
        again = read_fact(path)
        assert again == shown
        again.verify(tree.root())


@pytest.mark.parametrize(
    "change",
    [
        lambda held: held.update(format="gridrig proof 1"),
        lambda held: held.update(record="xyz"),
        lambda held: held.pop("present"),
        lambda held: held["present"].update(index=-1),
        lambda held: held["present"].update(path=7),
    ],
)
def test_file_that_is_no_receipt_is_refused(
    tmp_path: Path, change: Callable[[dict[str, Any]], object]
) -> None:
    held = fact_json(FactTree(RECORDS).receipt(RECORDS[3]))
    change(held)
    path = tmp_path / "receipt.json"
    path.write_text(json.dumps(held))
    assert refused(lambda: read_fact(path)) == "settlement.fact_malformed"


def test_longer_way_or_other_place_shows_nothing() -> None:
    tree = FactTree(RECORDS)
    way = tree.receipt(RECORDS[3]).inclusion
    root = tree.root()
    for index, count, path in (
        ((way.index + 1) % 37, 37, way.path),
        (way.index, 38, way.path),
        (way.index, 37, way.path[:-1]),
        (way.index, 37, [*way.path, root]),
    ):
        other = InclusionProof(index=index, leaf_count=count, path=path)
        assert refused(lambda o=other: Receipt(RECORDS[3], o).verify(root)).startswith(  # type: ignore[misc]
            "settlement.merkle_"
        )
