"""A bridge of two chains: units locked on one are minted on the other, and back.

A `BridgeVault` at home keeps what a `BridgedToken` over there stands for. Relays read what either
contract sent, in blocks that are final, and say so to the other, each in a transaction of its own;
when a quorum has said the same, the other acts, once for each number.

Invariants
- Units at home outside the vault and bridged units are together never more than there were units:
  every minted one was locked before, in a block that is final, and every released one burnt.
- What is said of a number once is said once: it is the subject of the outbox. A relay that was
  killed, or away for as long as it likes, goes on where the chains are.
- A relay that finds something else where it had read before, by its outbox, stops: a chain has
  re-organised deeper than its confirmations. What was minted on it cannot be taken back from here.

Known gaps: whoever holds the keys of a quorum can mint. Reading begins anew each time, at the block
the contracts were deployed in: fine for a bench, too slow for a chain of years. Units of a relay
that stays away are locked until it, or another of the quorum, comes back.
"""

import sqlite3
from collections.abc import Callable
from dataclasses import dataclass
from typing import NamedTuple

from gridrig.errors import SettlementError
from gridrig.settlement.chain import calls, outbox
from gridrig.settlement.chain.node import Node
from gridrig.settlement.chain.signer import Signer
from gridrig.settlement.chain.terms import Terms

VAULT, TOKEN = "BridgeVault", "BridgedToken"
GAS_RECEIVE_MAX = 300_000


@dataclass(frozen=True)
class End:
    """One end of a bridge.

    Parameters
    ----------
    contract : bytes, shape (20,)
        Where it is.
    name : str
        "BridgeVault" at home, "BridgedToken" over there.
    confirmations : int or None
        Blocks from inclusion to finality there, the block of inclusion counted; none asks the node
        for the last block that its chain calls final.
    first_block : int
        Nothing was sent before it.
    """

    contract: bytes
    name: str
    confirmations: int | None = None
    first_block: int = 0


@dataclass(frozen=True)
class Crossing:
    """What an end sent: its number there, for whom on the other chain, and how much."""

    number: int
    account: bytes
    amount: int


def crossings(node: Node, end: End) -> list[Crossing]:
    """Return all that an end sent, in blocks that are final, by number.

    Raises
    ------
    NodeError
        If the node does not answer.
    SettlementError
        `settlement.bridge_numbers` if a number is missing or comes twice: the node is not whole.
    """
    if end.confirmations is None:
        final = node.final_number()
    else:
        final = node.head().number - end.confirmations + 1
    if final < end.first_block:
        return []
    topic = calls.event_topic(end.name, "Sent")
    found = [
        Crossing(
            int.from_bytes(log.topics[1], "big"),
            log.topics[2][-20:],
            int.from_bytes(log.data, "big"),
        )
        for log in node.logs(end.contract, topic, end.first_block, final)
    ]
    for expected, one in enumerate(found, start=1):
        if one.number != expected:
            raise SettlementError(
                "settlement.bridge_numbers",
                "0x{contract} has sent number {found}, expected {expected}",
                contract=end.contract.hex(),
                found=one.number,
                expected=expected,
            )
    return found


class Looked(NamedTuple):
    """What a relay found at the end that sends, and how much it had said before it looked."""

    said_before: int
    found: tuple[Crossing, ...]


@dataclass(frozen=True)
class Relay:
    """Carries what one end sent to the other, one way.

    Parameters
    ----------
    source : Node
        Of the chain that sends.
    sends, receives : End
        There, and on the other chain.
    signer : Signer
        Its account on the other chain, which has the role of a relay there.
    terms : Terms
        Of the other chain.
    record : callable
        Takes events as `EventLog.record` does.
    """

    source: Node
    sends: End
    receives: End
    signer: Signer
    terms: Terms
    record: Callable[..., object]

    def look(self, db: sqlite3.Connection) -> Looked:
        """Ask the node what was sent; before a transaction, for a node takes its time.

        Raises
        ------
        NodeError, SettlementError
            As `crossings`.
        """
        me, chain_id = self.signer.address, self.terms.chain_id
        prefix = _subject(self.sends, self.receives, "")
        subjects = [row.subject for row in outbox.rows(db, me, chain_id)]
        said = [int(one.removeprefix(prefix)) for one in subjects if one.startswith(prefix)]
        return Looked(max(said, default=0), tuple(crossings(self.source, self.sends)))

    def carry(self, db: sqlite3.Connection, looked: Looked, *, written_ms: int) -> int:
        """Sign what is new, inside the transaction that the caller has open; return how much.

        What is new is what the outbox does not hold now; another process of this relay may have
        said it, or more than it, since `look`. A `Sender` of the other chain sends it.

        Raises
        ------
        SettlementError
            `settlement.bridge_forked` if what was said before is no longer there, or is another;
            nothing of this time is to be committed then. What `outbox.add` raises.
        """
        new = 0
        if looked.said_before > len(looked.found):
            raise self._forked(len(looked.found) + 1)
        for one in looked.found:
            known = self._said(db, one.number) is not None
            call = receive(self.sends, self.receives, one)
            try:
                outbox.add(db, call, self.signer, self.terms, written_ms=written_ms)
            except SettlementError as fault:
                if fault.code == "settlement.chain_subject_taken":
                    raise self._forked(one.number) from fault
                raise
            if not known:
                new += 1
                self.record(
                    "bridge_carried",
                    number=one.number,
                    amount=one.amount,
                    account=one.account.hex(),
                )
        return new

    def _said(self, db: sqlite3.Connection, number: int) -> outbox.OutboxRow | None:
        subject = _subject(self.sends, self.receives, number)
        return outbox.OutboxRow.last_of(db, self.signer.address, self.terms.chain_id, subject)

    def _forked(self, number: int) -> SettlementError:
        return SettlementError(
            "settlement.bridge_forked",
            "the chain of 0x{contract} has re-organised deeper than its confirmations: number "
            "{number} was told to the other end and is not there any more",
            contract=self.sends.contract.hex(),
            number=number,
        )


def _subject(sends: End, receives: End, number: int | str) -> str:
    return f"bridge/{sends.contract.hex()}/{receives.contract.hex()}/{number}"


def receive(sends: End, receives: End, one: Crossing) -> calls.Call:
    """Return the call by which a relay tells an end what the other one sent."""
    return calls.call(
        _subject(sends, receives, one.number),
        receives.contract,
        receives.name,
        "receiveMessage",
        one.number,
        one.account,
        one.amount,
        gas_max=GAS_RECEIVE_MAX,
    )


def send(end: End, account: bytes, amount: int, *, subject: str) -> calls.Call:
    """Return the call that sends units of the caller to an account on the other chain.

    At home the vault needs the token's `approve` first. `subject` names this sending among all.
    """
    return calls.call(subject, end.contract, end.name, "send", account, amount)


def was_received(node: Node, end: End, number: int) -> bool:
    """Tell whether an end has acted on a message."""
    asked = calls.call("", end.contract, end.name, "received", number)
    (found,) = calls.decode(end.name, "received", node.call(end.contract, asked.data))
    return bool(found)
