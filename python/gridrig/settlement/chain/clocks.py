"""Four clocks of a transaction, side by side: there is no one time of settlement."""

import sqlite3
from dataclasses import dataclass

from gridrig.settlement.chain.outbox import rows
from gridrig.settlement.chain.progress import Progress


@dataclass(frozen=True)
class ChainClocks:
    """When a transaction passed each station; none where it has not.

    Parameters
    ----------
    matched_ms : int or None
        The market had matched what it reports. [UTC ms]
    accepted_ms : int or None
        A node held it. [UTC ms]
    included_ms : int or None
        The sender saw it in a block. [UTC ms]
    final_ms : int or None
        The sender saw that block final. [UTC ms]
    block_number, block_time_s : int or None
        The block, and the chain's own time of it. [s since 1970]
    failure : str or None
        "reverted": it is in the block and did nothing. "displaced": another has its nonce.
    """

    subject: str
    attempt: int
    nonce: int
    matched_ms: int | None
    written_ms: int
    accepted_ms: int | None
    included_ms: int | None
    final_ms: int | None
    block_number: int | None
    block_time_s: int | None
    failure: str | None


def clocks(
    db: sqlite3.Connection, progress: Progress, *, sender: bytes, chain_id: int
) -> list[ChainClocks]:
    """Return the clocks of every transaction of an account, by nonce."""
    found = []
    for row in rows(db, sender, chain_id):
        state = progress.of(row.hash)
        failure = "reverted" if state.reverted else "displaced" if state.displaced else None
        found.append(
            ChainClocks(
                row.subject,
                row.attempt,
                row.nonce,
                row.matched_ms,
                row.written_ms,
                state.accepted_ms,
                state.included_ms,
                state.final_ms,
                state.block_number,
                state.block_time_s,
                failure,
            )
        )
    return found


def clocks_table(found: list[ChainClocks]) -> str:
    """Return a line for each transaction, with seconds from its commit to each station.

    Matching is before the commit, so its seconds are negative; none for what reports no match.
    """
    head = " ".join(f"{name:>9}" for name in ("matched", "accepted", "included", "final"))
    lines = [f"{'nonce':>5}  {head}  subject"]
    for one in found:
        stations = (one.matched_ms, one.accepted_ms, one.included_ms, one.final_ms)
        seconds = " ".join(
            f"{'-':>9}" if at is None else f"{(at - one.written_ms) / 1000:>8.3f}s"
            for at in stations
        )
        lines.append(f"{one.nonce:>5}  {seconds}  {one.subject}{_note(one)}")
    return "\n".join(lines)


def _note(one: ChainClocks) -> str:
    return f" ({one.failure})" if one.failure else ""
