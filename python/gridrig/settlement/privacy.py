"""Privacy of readings: public roots hold salted commitments, opened leaf by leaf.

A participant has a secret of 32 bytes that nobody else has. The salt of a leaf is HMAC-SHA-256 of
secret and leaf id, its commitment is what is published; commitments stand in rising order, so that
their place says nothing. Opening one leaf hands out its salt, not the secret.

Known gaps: how many leaves there are, and when they were published, is public; a secret that is
lost opens nothing any more.
"""

import itertools
import json
import os
import secrets
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

from gridrig._core import InclusionProof, MerkleTree, Opening, commitment_salt
from gridrig.errors import SettlementError
from gridrig.settlement.key_place import refuse_misplaced

__all__ = [
    "LeafOpening",
    "MerkleTree",
    "Opening",
    "commitment_salt",
    "committed_tree",
    "new_secret",
    "read_secret",
]

SECRET_BYTES = 32
FORMAT = "gridrig.leaf-opening.1"
OPENING_BYTES_MAX = 4 << 20


def new_secret(path: Path) -> None:
    """Write a participant's new secret to a file that only its owner can read.

    Raises
    ------
    SettlementError
        `settlement.secret_misplaced` in a run directory or beside a rig file,
        `settlement.secret_unwritable`; a file that is there is never written over.
    """
    refuse_misplaced(path, code="settlement.secret_misplaced", what="secret")
    try:
        handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(handle, "w", encoding="ascii") as file:
            file.write(secrets.token_bytes(SECRET_BYTES).hex() + "\n")
    except OSError as fault:
        raise SettlementError(
            "settlement.secret_unwritable", "{path}: {fault}", path=str(path), fault=str(fault)
        ) from fault


def read_secret(path: Path) -> bytes:
    """Read a participant's secret.

    Raises
    ------
    SettlementError
        `settlement.secret_misplaced`, `settlement.secret_unreadable`.
    """
    refuse_misplaced(path, code="settlement.secret_misplaced", what="secret")
    try:
        with path.open(encoding="ascii") as file:
            secret = bytes.fromhex(file.read(4 * SECRET_BYTES))
        if len(secret) != SECRET_BYTES:
            raise ValueError(f"{len(secret)} bytes")
    except (OSError, ValueError) as fault:
        # What is wrong with its content could be part of it.
        cause = fault.strerror if isinstance(fault, OSError) else "not 64 hex digits"
        raise SettlementError(
            "settlement.secret_unreadable", "{path}: {fault}", path=str(path), fault=str(cause)
        ) from None
    return secret


def committed_tree(commitments: Iterable[bytes]) -> tuple[MerkleTree, list[bytes]]:
    """Return the tree of some commitments, and the commitments in the order of its leaves.

    Raises
    ------
    SettlementError
        `settlement.commitment_repeated`: a leaf id was used twice, and both would be opened by one.
    """
    ordered = sorted(commitments)
    for one, other in itertools.pairwise(ordered):
        if one == other:
            raise SettlementError(
                "settlement.commitment_repeated",
                "commitment {commitment} stands twice: a leaf id names one leaf for good",
                commitment=one.hex(),
            )
    return MerkleTree(ordered), ordered


@dataclass(frozen=True)
class LeafOpening:
    """What a participant hands to an auditor: one leaf, its salt, and its way to the root.

    Parameters
    ----------
    leaf_id : str
        Which leaf.
    salt, payload : bytes
        What the commitment is of.
    index, leaf_count : int
        Where it stands in the tree.
    path : tuple of bytes
        The siblings up to the root.
    """

    leaf_id: str
    salt: bytes
    payload: bytes
    index: int
    leaf_count: int
    path: tuple[bytes, ...]

    @classmethod
    def of(cls, secret: bytes, leaf_id: str, payload: bytes, commitments: Sequence[bytes]) -> Self:
        """Open one's own leaf among the published commitments.

        Raises
        ------
        SettlementError
            `settlement.leaf_unpublished` if its commitment is not among them, and those of
            `Opening` and `committed_tree`.
        """
        return cls.all_of(secret, {leaf_id: payload}, commitments)[0]

    @classmethod
    def all_of(
        cls, secret: bytes, payloads: Mapping[str, bytes], commitments: Sequence[bytes]
    ) -> list[Self]:
        """Open many of one's own leaves, in their order, with one tree; as `of`."""
        tree, ordered = committed_tree(commitments)
        places = {commitment: place for place, commitment in enumerate(ordered)}
        opened = []
        for leaf_id, payload in payloads.items():
            salt = commitment_salt(secret, leaf_id)
            place = places.get(Opening(leaf_id, salt, payload).commitment)
            if place is None:
                raise SettlementError(
                    "settlement.leaf_unpublished",
                    "leaf {leaf_id!r} with this secret and payload is none of the {count} "
                    "published",
                    leaf_id=leaf_id,
                    count=len(ordered),
                )
            proof = tree.proof(place)
            path = tuple(map(bytes, proof.path))
            opened.append(cls(leaf_id, salt, payload, proof.index, proof.leaf_count, path))
        return opened

    def check(self, root: bytes) -> bytes:
        """Return the payload that a root is proven to hold; nothing else is needed.

        Raises
        ------
        SettlementError
            `settlement.merkle_*` if it does not lead to the root.
        """
        opening = Opening(self.leaf_id, self.salt, self.payload)
        proof = InclusionProof(index=self.index, leaf_count=self.leaf_count, path=list(self.path))
        verified = proof.verify(opening.commitment, root)
        return opening.open(verified.leaf)

    def to_json(self) -> str:
        """Return the opening as the text of a file."""
        fields: dict[str, Any] = {
            "format": FORMAT,
            "leaf_id": self.leaf_id,
            "salt": self.salt.hex(),
            "payload": self.payload.hex(),
            "index": self.index,
            "leaf_count": self.leaf_count,
            "path": [sibling.hex() for sibling in self.path],
        }
        return json.dumps(fields, indent=1) + "\n"

    @classmethod
    def from_json(cls, text: str) -> Self:
        """Read an opening.

        Raises
        ------
        SettlementError
            `settlement.opening_malformed`, with what is wrong.
        """
        try:
            if len(text) > OPENING_BYTES_MAX:
                raise ValueError(f"more than {OPENING_BYTES_MAX} bytes")
            fields = json.loads(text)
            if not isinstance(fields, dict) or fields.get("format") != FORMAT:
                raise ValueError(f"no {FORMAT}")
            return cls(
                leaf_id=_typed(fields, "leaf_id", str),
                salt=bytes.fromhex(_typed(fields, "salt", str)),
                payload=bytes.fromhex(_typed(fields, "payload", str)),
                index=_typed(fields, "index", int),
                leaf_count=_typed(fields, "leaf_count", int),
                path=tuple(bytes.fromhex(str(s)) for s in _typed(fields, "path", list)),
            )
        except ValueError as fault:
            raise SettlementError(
                "settlement.opening_malformed", "opening: {fault}", fault=str(fault)
            ) from fault


def _typed(fields: dict[str, Any], name: str, kind: type[Any]) -> Any:
    found: Any = fields.get(name)
    if type(found) is not kind or (kind is int and not 0 <= found < 2**63):
        raise ValueError(f"{name} is {found!r}, expected {kind.__name__}")
    return found
