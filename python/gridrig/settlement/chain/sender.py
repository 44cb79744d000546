"""Sends what the outbox holds, and follows each transaction to its final block.

A task of its own on the run's clock: each round works in a thread, so that the control loop never
waits for a node; on the virtual clock the thread holds the time still, as every wire does.

Invariants
- What is sent are the signed bytes of the outbox and nothing else: sending them again after a
  crash, a time-out or a re-organisation cannot do anything twice, because a nonce is included once.
- Nothing is sent to a node on another chain than the row was signed for, nor while its head is
  stale or behind one that was seen.
- Acceptance, inclusion and finality are seen by asking, and kept apart.

Limits: `SenderPolicy`. Waiting between rounds and after failures is bounded on the run's clock, an
answer in real time.

Known gaps: a fee below the market leaves a transaction waiting, told as `chain.refused` or
`chain.overdue`; it is not replaced by a dearer one. A block that is re-organised after it was final
is not looked at again.
"""

import asyncio
import sqlite3
from collections.abc import Callable
from pathlib import Path
from typing import Any

from gridrig.clock import Clock
from gridrig.settlement.chain.node import Head, Node, NodeError, Receipt
from gridrig.settlement.chain.outbox import OutboxRow, rows
from gridrig.settlement.chain.policy import SenderPolicy
from gridrig.settlement.chain.progress import Progress, State, Step

Notice = tuple[str, dict[str, Any]]


class Sender:
    """Sends the transactions of one account on one chain.

    Parameters
    ----------
    node : Node
        Any node of the chain.
    outbox : Path or str
        The journal that holds the outbox; read only.
    progress : Progress
        Where steps are kept.
    clock : Clock
        The run's.
    chain_id, sender
        The account. [EIP-155 number; bytes, shape (20,)]
    record : callable
        Takes events as `EventLog.record` does. Alarms: `chain.node_down`, `.node_slow`,
        `.node_busy`, `.node_faulty`, `.refused`, `.wrong_chain`, `.head_stale`, `.head_behind`,
        `.outbox_unreadable`, `.overdue`, `.reorganised`, `.reverted`, `.nonce_taken`; then
        `.recovered`. An alarm that lasts is told once.
    """

    def __init__(
        self,
        node: Node,
        outbox: Path | str,
        progress: Progress,
        clock: Clock,
        *,
        chain_id: int,
        sender: bytes,
        record: Callable[..., object],
        policy: SenderPolicy | None = None,
    ) -> None:
        self._node, self._outbox, self._progress, self._clock = node, Path(outbox), progress, clock
        self._chain_id, self._sender, self._record = chain_id, sender, record
        self.policy = policy or SenderPolicy()
        self._nonce_from = 0
        self._failures = 0
        self._alarm: str | None = None
        self._head: Head | None = None
        self._head_since_s = 0.0
        self._notices: list[Notice] = []
        self._overdue: set[bytes] = set()

    async def run(self) -> None:
        """Send until cancelled."""
        while True:
            await self.round()
            await self._clock.sleep(self.wait_s())

    async def drain(self, rounds_max: int) -> bool:
        """Send until everything is final; tell whether it is after so many rounds."""
        for _ in range(rounds_max):
            if await self.round():
                return True
            await self._clock.sleep(self.wait_s())
        return False

    def wait_s(self) -> float:
        """Return the wait before the next round. [s]"""
        if not self._failures:
            return self.policy.poll_s
        doubled = self.policy.back_off_s_first * 2.0 ** min(self._failures - 1, 64)
        return min(doubled, self.policy.back_off_s_max)

    async def round(self) -> bool:
        """Look at every transaction once; tell whether all are final."""
        failed: str | None = None
        done = False
        try:
            done = await asyncio.to_thread(self._round)
        except NodeError as fault:
            word = "refused" if fault.fault == "refused" else f"node_{fault.fault}"
            failed = f"chain.{word}"
            self._notices.append((failed, {"method": fault.method, "reason": fault.reason}))
        except sqlite3.Error as fault:
            failed = "chain.outbox_unreadable"
            self._notices.append((failed, {"path": str(self._outbox), "reason": str(fault)}))
        except _NotNow as fault:
            failed = fault.kind
            self._notices.append((failed, fault.facts))
        self._tell(failed)
        self._failures = self._failures + 1 if failed else 0
        return done

    def _tell(self, failed: str | None) -> None:
        for kind, facts in self._notices:
            if kind != failed or kind != self._alarm:
                self._record(kind, **facts)
        self._notices.clear()
        if self._alarm is not None and failed is None:
            self._record("chain.recovered", after=self._alarm, rounds=self._failures)
        self._alarm = failed

    def _round(self) -> bool:
        waiting = self._waiting()
        if not waiting:
            return True
        self._check_chain()
        final = self._check_head()
        for row in waiting[: self.policy.in_flight_max]:
            self._advance(row, final)
        return not self._waiting()

    def _waiting(self) -> list[OutboxRow]:
        """Return what is not final, by nonce; what lies behind it is not read again."""
        # As a reader that cannot write; a journal in use needs its log's shared memory, so not
        # `immutable`.
        db = sqlite3.connect(f"{self._outbox.resolve().as_uri()}?mode=ro", uri=True)
        try:
            found = rows(db, self._sender, self._chain_id, nonce_from=self._nonce_from)
        finally:
            db.close()
        waiting = [row for row in found if self._progress.of(row.hash).final_ms is None]
        if found:
            self._nonce_from = waiting[0].nonce if waiting else found[-1].nonce + 1
        return waiting

    def _check_chain(self) -> None:
        found = self._node.chain_id()
        if found != self._chain_id:
            raise _NotNow("chain.wrong_chain", found=found, expected=self._chain_id)

    def _check_head(self) -> int:
        """Return the last final block, if the node's head can be believed."""
        head, seen, limit_s = self._node.head(), self._head, self.policy.head_stale_s
        now_s = self._clock.now_s()
        stood_s = now_s - self._head_since_s
        moved = seen is None or head.number > seen.number
        # A block of the same height in another's place is a chain re-organised, and true at once.
        sibling = seen is not None and head.number == seen.number and head.hash != seen.hash
        if moved or sibling or limit_s is None:
            self._head, self._head_since_s = head, now_s
        elif head == seen and stood_s > limit_s:
            raise _NotNow("chain.head_stale", number=head.number, stood_s=stood_s)
        elif head != seen and stood_s <= limit_s:
            raise _NotNow("chain.head_behind", number=head.number, stood_s=stood_s)
        elif head != seen:
            self._head, self._head_since_s = head, now_s  # long enough: the chain is shorter now
        confirmations = self.policy.confirmations
        if confirmations is None:
            return self._node.final_number()
        return head.number - confirmations + 1

    def _advance(self, row: OutboxRow, final: int) -> None:
        state = self._progress.of(row.hash)
        receipt = self._node.receipt(row.hash)
        moved = receipt is None or receipt.block_hash != state.block_hash
        if state.block_hash is not None and moved:
            self._notices.append(
                (
                    "chain.reorganised",
                    {"subject": row.subject, "nonce": row.nonce, "block": state.block_number},
                )
            )
            self._progress.add(row.hash, "lost", self._now_ms())
        if receipt is None:
            self._send(row)
            return
        if moved:
            self._include(row, receipt)
        if receipt.block_hash == state.block_hash and receipt.block_number <= final:
            self._progress.add(
                row.hash, "final", self._now_ms(), receipt.block_number, receipt.block_hash
            )

    def _include(self, row: OutboxRow, receipt: Receipt) -> None:
        block = self._node.block(receipt.block_number)
        if block is None or block[0] != receipt.block_hash:
            return  # re-organised between two answers: the next round sees what is true then
        if self._progress.of(row.hash).accepted_ms is None:
            self._progress.add(row.hash, "accepted", self._now_ms())
        step: Step = "included" if receipt.succeeded else "reverted"
        self._progress.add(
            row.hash, step, self._now_ms(), receipt.block_number, receipt.block_hash, block[1]
        )
        if not receipt.succeeded:
            self._notices.append(("chain.reverted", {"subject": row.subject, "nonce": row.nonce}))

    def _send(self, row: OutboxRow) -> None:
        state = self._progress.of(row.hash)
        if self._node.send(row.raw) == "accepted":
            self._accepted(row, state)
        elif self._node.receipt(row.hash) is None and not state.displaced:
            # The nonce is spent, and not on this: somebody else signs with this key.
            self._progress.add(row.hash, "displaced", self._now_ms())
            self._notices.append(
                ("chain.nonce_taken", {"subject": row.subject, "nonce": row.nonce})
            )

    def _accepted(self, row: OutboxRow, state: State) -> None:
        if state.accepted_ms is None:
            self._progress.add(row.hash, "accepted", self._now_ms())
            return
        waited_s = (self._now_ms() - state.accepted_ms) / 1000
        if waited_s > self.policy.overdue_s and row.hash not in self._overdue:
            self._overdue.add(row.hash)
            facts = {"subject": row.subject, "nonce": row.nonce, "waited_s": waited_s}
            self._notices.append(("chain.overdue", facts))

    def _now_ms(self) -> int:
        return self._clock.start_utc_s * 1000 + int(self._clock.now_s() * 1000)


class _NotNow(Exception):
    """Nothing is sent in this round, and why."""

    def __init__(self, kind: str, **facts: Any) -> None:
        super().__init__(kind)
        self.kind, self.facts = kind, facts
