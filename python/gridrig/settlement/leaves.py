"""What a post proves of, record by record: the leaves of its Merkle tree, read from a journal.

The order and the spelling are those of the core, which hashes what it has settled: entries by
period, revision and line, and behind those of each settlement its meters by participant and name.
A tree over the same records salted has the same shape: give `MerkleTree` the commitments instead.
"""

from collections.abc import Iterator
from typing import TypeAlias

from gridrig._core import MerkleTree, canonical_bytes
from gridrig.settlement.journal_reader import EntryRow, JournalReader, MeteredRow

Record: TypeAlias = EntryRow | MeteredRow

TITLES = {EntryRow: "gridrig entry 1", MeteredRow: "gridrig metered 1"}


def leaf_of(record: Record) -> bytes:
    """Return the bytes of a record, which are its leaf."""
    return canonical_bytes([TITLES[type(record)], *record])


def records_of(journal: JournalReader, booked_in: int) -> Iterator[Record]:
    """Yield what is booked in a post, in the order of the leaves."""
    for period, revision, *_ in journal.settlements(booked_in):
        yield from journal.entries_of(period, revision)
        yield from journal.metered_of(period, revision)


def tree_of(journal: JournalReader, booked_in: int) -> MerkleTree:
    """Return the tree of a post, hashed from the rows of the journal."""
    return MerkleTree([leaf_of(record) for record in records_of(journal, booked_in)])
