"""Facts under one root: that a signed record is among them, or is not, is shown by the root alone.

A leaf is the SHA-256 of a record as it was received; leaves are in rising order, each once. That
order is what makes absence provable: between two neighbours there is nothing. A root does not show
that its tree is in order. Whoever made it vouches for that; whoever has all leaves can check it.
"""

import hashlib
from bisect import bisect_left
from collections.abc import Iterable
from dataclasses import dataclass

from gridrig._core import InclusionProof, MerkleTree, VerifiedLeaf
from gridrig.errors import SettlementError


def fact_digest(record: bytes) -> bytes:
    """Return the leaf of a record."""
    return hashlib.sha256(record).digest()


@dataclass(frozen=True)
class Leaf:
    """A leaf and its way to the root."""

    digest: bytes
    inclusion: InclusionProof


@dataclass(frozen=True)
class Receipt:
    """Shows that a record is among the facts of a root."""

    record: bytes
    inclusion: InclusionProof

    def verify(self, root: bytes) -> VerifiedLeaf:
        """Prove it with the root alone; `settlement.merkle_*` if it is not so."""
        return self.inclusion.verify(fact_digest(self.record), root)


@dataclass(frozen=True)
class Absence:
    """Shows that a record is not among the facts of a root, if their leaves are in order.

    Parameters
    ----------
    record : bytes
        What is not there.
    before, after : Leaf or None
        Its neighbours; None at an end.
    """

    record: bytes
    before: Leaf | None
    after: Leaf | None

    def verify(self, root: bytes) -> None:
        """Prove it with the root alone.

        Raises
        ------
        SettlementError
            `settlement.merkle_*` for a neighbour that is not under the root,
            `settlement.fact_not_absent` for neighbours between which the record is not missing.
        """
        for leaf in (self.before, self.after):
            if leaf is not None:
                leaf.inclusion.verify(leaf.digest, root)
        digest = fact_digest(self.record)
        if self.before is None and self.after is None:
            told = MerkleTree([]).root() == root
        elif self.before is None or self.after is None:
            told = self._is_beyond(digest)
        else:
            told = self.before.digest < digest < self.after.digest
            told &= self.after.inclusion.index == self.before.inclusion.index + 1
        if not told:
            raise SettlementError(
                "settlement.fact_not_absent",
                "leaf {digest}: its neighbours do not show that it is missing",
                digest=digest.hex(),
            )

    def _is_beyond(self, digest: bytes) -> bool:
        """Tell whether it would stand before the first leaf, or after the last."""
        if self.after is not None:
            return digest < self.after.digest and self.after.inclusion.index == 0
        assert self.before is not None, "one of the two is there"
        inclusion = self.before.inclusion
        return digest > self.before.digest and inclusion.index == inclusion.leaf_count - 1


class FactTree:
    """The tree over some records, in order.

    Parameters
    ----------
    records : iterable of bytes
        As they were received, each verified by whoever makes the tree; of equal ones one counts.

    Examples
    --------
    >>> tree = FactTree([b"one", b"two"])
    >>> tree.receipt(b"two").verify(tree.root()).leaf == fact_digest(b"two")
    True
    >>> tree.absence(b"three").verify(tree.root())
    """

    def __init__(self, records: Iterable[bytes]) -> None:
        self._leaves = sorted({fact_digest(record) for record in records})
        self._tree = MerkleTree(self._leaves)

    def __len__(self) -> int:
        return len(self._leaves)

    def __contains__(self, record: bytes) -> bool:
        place = self._place(record)
        return self._leaves[place : place + 1] == [fact_digest(record)]

    def root(self) -> bytes:
        """Return the root."""
        return self._tree.root()

    def receipt(self, record: bytes) -> Receipt:
        """Return what shows that a record is there; `settlement.fact_absent` if it is not."""
        if record not in self:
            raise SettlementError(
                "settlement.fact_absent",
                "no fact has leaf {digest}",
                digest=fact_digest(record).hex(),
            )
        return Receipt(record, self._tree.proof(self._place(record)))

    def absence(self, record: bytes) -> Absence:
        """Return what shows that a record is not there; `settlement.fact_present` if it is."""
        if record in self:
            raise SettlementError(
                "settlement.fact_present",
                "a fact has leaf {digest}",
                digest=fact_digest(record).hex(),
            )
        place = self._place(record)
        return Absence(record, self._leaf(place - 1), self._leaf(place))

    def _place(self, record: bytes) -> int:
        return bisect_left(self._leaves, fact_digest(record))

    def _leaf(self, place: int) -> Leaf | None:
        if not 0 <= place < len(self._leaves):
            return None
        return Leaf(self._leaves[place], self._tree.proof(place))
