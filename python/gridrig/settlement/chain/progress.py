"""How far each transaction came, in a file of its own beside the journal.

What the chain did and when differs from run to run; the journal's bytes do not. This file can be
lost: asking the chain again makes another one.
"""

import sqlite3
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

Step = Literal["accepted", "included", "reverted", "lost", "displaced", "final"]

_TABLE = """CREATE TABLE IF NOT EXISTS progress (
    number INTEGER PRIMARY KEY,
    hash BLOB NOT NULL,
    step TEXT NOT NULL,
    at_ms INTEGER NOT NULL,
    block_number INTEGER,
    block_hash BLOB,
    block_time_s INTEGER
) STRICT"""


@dataclass
class State:
    """Where a transaction stands.

    Parameters
    ----------
    accepted_ms, included_ms, final_ms : int or None
        When the sender first saw a node hold it, its present block, and that block final. [UTC ms]
    block_number, block_hash, block_time_s
        Its present block, with the chain's own time. [s since 1970]
    reverted : bool
        It is included and did nothing.
    displaced : bool
        Another transaction has its nonce.
    """

    accepted_ms: int | None = None
    included_ms: int | None = None
    final_ms: int | None = None
    block_number: int | None = None
    block_hash: bytes | None = None
    block_time_s: int | None = None
    reverted: bool = False
    displaced: bool = False


class Progress:
    """Steps of transactions, appended as they are seen."""

    def __init__(self, path: Path | str) -> None:
        # Used by one thread at a time, though not always by the same.
        self._db = sqlite3.connect(path, isolation_level=None, check_same_thread=False)
        self._db.execute(_TABLE)
        self.states: dict[bytes, State] = {}
        for row in self._db.execute(
            "SELECT hash, step, at_ms, block_number, block_hash, block_time_s FROM progress "
            "ORDER BY number"
        ):
            self._apply(*row)

    def of(self, transaction_hash: bytes) -> State:
        """Return where a transaction stands."""
        return self.states.setdefault(transaction_hash, State())

    def add(
        self,
        transaction_hash: bytes,
        step: Step,
        at_ms: int,
        block_number: int | None = None,
        block_hash: bytes | None = None,
        block_time_s: int | None = None,
    ) -> None:
        """Write a step, seen at a time. [UTC ms]"""
        row = (transaction_hash, step, at_ms, block_number, block_hash, block_time_s)
        self._db.execute(
            "INSERT INTO progress (hash, step, at_ms, block_number, block_hash, block_time_s) "
            "VALUES (?, ?, ?, ?, ?, ?)",
            row,
        )
        self._apply(*row)

    def _apply(
        self,
        transaction_hash: bytes,
        step: Step,
        at_ms: int,
        block_number: int | None,
        block_hash: bytes | None,
        block_time_s: int | None,
    ) -> None:
        state = self.of(transaction_hash)
        if step == "accepted":
            state.accepted_ms = at_ms if state.accepted_ms is None else state.accepted_ms
        elif step in ("included", "reverted"):
            state.included_ms, state.block_number, state.block_hash = (
                at_ms,
                block_number,
                block_hash,
            )
            state.block_time_s, state.reverted = block_time_s, step == "reverted"
            state.displaced = False
        elif step == "lost":
            state.included_ms = state.block_number = state.block_hash = state.block_time_s = None
            state.reverted = False
        elif step == "displaced":
            state.displaced = True
        else:
            state.final_ms = at_ms

    def close(self) -> None:
        """Close the file."""
        self._db.close()
