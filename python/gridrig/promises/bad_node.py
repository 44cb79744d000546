"""A run's periods, anchored through a node that does everything wrong in turn."""

import hashlib
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from gridrig.clock import Clock
from gridrig.events import EventLog
from gridrig.settlement.chain import Node, SenderPolicy, Signer, Terms, calls
from gridrig.settlement.chain.anchoring import anchor_journal, root_opening
from gridrig.settlement.chain.extra import web3
from gridrig.settlement.chain.practice_node import (
    SEND,
    Asked,
    Misbehaviour,
    PracticeChain,
    PracticeNode,
    served,
)
from gridrig.settlement.journal_reader import JournalReader

CHAIN_ID = 31_337
# Stands in public: nothing of worth may ever be sent to its account.
KEY = hashlib.sha256(b"gridrig practice, worth nothing").digest()
SECRET = hashlib.sha256(b"gridrig practice, no secret").digest()
POLICY = SenderPolicy(back_off_s_max=5.0, head_stale_s=30.0, confirmations=4)
STALE_FROM_S = 160.0
PLAN: tuple[tuple[float, Misbehaviour | int | None], ...] = (
    # Before the account's first nonce is known ...
    (0.0, "busy"),
    (15.0, "failing"),
    (30.0, "wrong_chain"),
    (45.0, "cut"),
    (60.0, None),
    # ... and again when what was posted is forgotten, less deep than what counts as final.
    (85.0, 3),
    (85.0, "wrong_chain"),
    (115.0, "busy"),
    (130.0, "failing"),
    (145.0, None),
    (STALE_FROM_S, "stale"),
    (215.0, 9),  # while nobody can see it
    (250.0, None),
)
WAIT_S = 600.0
ALARMS = (
    "chain.node_busy",
    "chain.node_faulty",
    "chain.wrong_chain",
    "chain.node_down",
    "chain.reorganised",
    "chain.head_stale",
    "chain.recovered",
)


@dataclass(frozen=True)
class Anchoring:
    """What anchoring came to.

    Parameters
    ----------
    roots : int
        Periods of the journal.
    unlike : tuple of str
        What on the chain is not each root once.
    dropped : int
        Transactions that fell out of the chain on the way.
    in_doubt : int
        Transactions that were sent to a node on another chain, or with a stale head.
    alarms_missing : tuple of str
        What went wrong and was not told.
    asked_in_vain : int
        Requests while the node answered nothing.
    """

    roots: int
    unlike: tuple[str, ...]
    dropped: int
    in_doubt: int
    alarms_missing: tuple[str, ...]
    asked_in_vain: int


async def anchor_in_trouble(journal: Path, clock: Clock, *, wait_s: float = WAIT_S) -> Anchoring:
    """Anchor a journal, for at most `wait_s`, and look at the chain afterwards. [s]"""
    events = EventLog(clock, [])
    signer = Signer(web3().Account.from_key(KEY))
    chain = PracticeChain(CHAIN_ID, clock)
    node = PracticeNode(chain, PLAN)
    with tempfile.TemporaryDirectory() as folder, served(node) as url:
        done = await anchor_journal(
            journal,
            Node(url),
            signer,
            SECRET,
            clock,
            outbox_path=Path(folder) / "outbox",
            terms=Terms(CHAIN_ID, fee_wei_per_gas_max=10**9),
            policy=POLICY,
            wait_s=wait_s,
            record=events.record,
        )
    told = {event.kind for event in events.ordered()}
    unlike = [] if done.is_final else ["not every transaction is final"]
    return Anchoring(
        roots=len(done.transactions) - 1,
        unlike=(*unlike, *_unlike(journal, chain, signer)),
        dropped=node.dropped,
        in_doubt=sum(_is_in_doubt(one) for one in node.asked),
        alarms_missing=tuple(kind for kind in ALARMS if kind not in told),
        asked_in_vain=sum(one.wrong in ("busy", "failing") for one in node.asked),
    )


def _is_in_doubt(asked: Asked) -> bool:
    stood = asked.t_s - STALE_FROM_S > (POLICY.head_stale_s or 0)
    return asked.method == SEND and (
        asked.wrong == "wrong_chain" or (asked.wrong == "stale" and stood)
    )


def _unlike(journal: Path, chain: PracticeChain, signer: Signer) -> Iterator[str]:
    """Yield what on the chain is not the deployment and then each period's root, once."""
    with JournalReader(journal) as reader, reader.snapshot():
        posts = reader.posts()
    included = list(chain.transactions())
    contract = calls.contract_address(signer.address, 0)
    if not included or included[0].target is not None:
        yield "the first transaction is no deployment"
    expected = [(post.period, root_opening(post, SECRET)[1]) for post in posts]
    # A call is the 4 octets of its name and two words: the period, the root.
    found = [
        (int.from_bytes(one.data[4:36], "big"), one.data[36:])
        for one in included[1:]
        if one.target == contract and len(one.data) == 68
    ]
    if found != expected or len(included) != len(expected) + 1:
        yield f"{len(included)} transactions hold {len(found)} roots, not {len(expected)} once each"
