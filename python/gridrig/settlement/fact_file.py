"""Receipts of facts as files: JSON that somebody checks who has nothing else but the root."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from gridrig._core import InclusionProof
from gridrig.errors import SettlementError
from gridrig.settlement.facts import Absence, Leaf, Receipt

FORMAT = "gridrig fact 1"
FILE_BYTES_MAX = 1_000_000


def fact_json(shown: Receipt | Absence) -> dict[str, Any]:
    """Return the content of a file."""
    content: dict[str, Any] = {"format": FORMAT, "record": shown.record.hex()}
    if isinstance(shown, Receipt):
        return content | {"present": _way(shown.inclusion)}
    neighbours = {"before": shown.before, "after": shown.after}
    return content | {
        "absent": {
            side: None if leaf is None else {"leaf": leaf.digest.hex(), **_way(leaf.inclusion)}
            for side, leaf in neighbours.items()
        }
    }


def read_fact(path: Path) -> Receipt | Absence:
    """Read a file.

    Raises
    ------
    SettlementError
        `settlement.fact_malformed`, with what was wrong; `settlement.merkle_*` for no hashes.
    """
    with path.open("rb") as file:
        content = file.read(FILE_BYTES_MAX + 1)
    try:
        if len(content) > FILE_BYTES_MAX:
            raise ValueError(f"over {FILE_BYTES_MAX} bytes")
        held = json.loads(content)
        if held["format"] != FORMAT:
            raise ValueError(f"format {held['format']!r}, expected {FORMAT!r}")
        record = bytes.fromhex(held["record"])
        if "present" in held:
            return Receipt(record, _inclusion(held["present"]))
        sides = {side: held["absent"][side] for side in ("before", "after")}
        leaves = {
            side: None if way is None else Leaf(bytes.fromhex(way["leaf"]), _inclusion(way))
            for side, way in sides.items()
        }
        return Absence(record, leaves["before"], leaves["after"])
    except (ValueError, TypeError, KeyError, OverflowError) as fault:
        raise SettlementError(
            "settlement.fact_malformed",
            "{path} is no receipt of a fact: {fault}",
            path=str(path),
            fault=repr(fault),
        ) from fault


def _way(inclusion: InclusionProof) -> dict[str, Any]:
    return {
        "index": inclusion.index,
        "leaf_count": inclusion.leaf_count,
        "path": [sibling.hex() for sibling in inclusion.path],
    }


def _inclusion(way: Mapping[str, Any]) -> InclusionProof:
    path = [bytes.fromhex(sibling) for sibling in way["path"]]
    return InclusionProof(index=way["index"], leaf_count=way["leaf_count"], path=path)
