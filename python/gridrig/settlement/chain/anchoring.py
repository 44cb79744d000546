"""The roots of a journal's periods on a chain: hidden there, and opened to whom one likes.

A root over names and amounts confirms every guess of them, so what is anchored for a period is the
root over one salted commitment to it (`gridrig.settlement.privacy`). Its leaf is named after the
period and its link in the journal, so that no two journals share one.

Invariant: deployment and anchors are one commit of the outbox, each once: doing it again adds what
the journal has posted since, and sends what is not final.
"""

import itertools
import sqlite3
from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

from gridrig.clock import Clock
from gridrig.errors import SettlementError
from gridrig.settlement.chain import calls, outbox
from gridrig.settlement.chain.clocks import ChainClocks, clocks
from gridrig.settlement.chain.first_nonce import first_nonce
from gridrig.settlement.chain.node import Node
from gridrig.settlement.chain.policy import SenderPolicy
from gridrig.settlement.chain.progress import Progress
from gridrig.settlement.chain.sender import Sender
from gridrig.settlement.chain.signer import Signer
from gridrig.settlement.chain.terms import Terms
from gridrig.settlement.journal_reader import JournalReader, PostRow
from gridrig.settlement.privacy import LeafOpening, Opening, commitment_salt, committed_tree

CONTRACT = "PeriodAnchor"


@dataclass(frozen=True)
class Anchored:
    """How far the anchors of a journal came.

    Parameters
    ----------
    contract : bytes, shape (20,)
        Where they are.
    chain_id : int
        On which chain. [EIP-155 number]
    transactions : list of ChainClocks
        The deployment, then the periods in order, each with its clocks.
    """

    contract: bytes
    chain_id: int
    transactions: list[ChainClocks]

    @property
    def is_final(self) -> bool:
        """Whether every one is final and did what it is for."""
        return all(one.final_ms is not None and not one.failure for one in self.transactions)

    @property
    def has_failed(self) -> bool:
        """Whether one was reverted, or another took its nonce."""
        return any(one.failure for one in self.transactions)


def root_opening(post: PostRow, secret: bytes) -> tuple[LeafOpening, bytes]:
    """Return what opens the anchored root of a period, and that root.

    Parameters
    ----------
    post : PostRow
        The period.
    secret : bytes, shape (32,)
        The rig's, as `gridrig disclose secret` makes it.
    """
    leaf_id, payload = f"root/{post.period}/{post.link.hex()}", post.root.hex().encode()
    commitment = Opening(leaf_id, commitment_salt(secret, leaf_id), payload).commitment
    opening = LeafOpening.of(secret, leaf_id, payload, [commitment])
    return opening, committed_tree([commitment])[0].root()


def add_anchors(
    db: sqlite3.Connection,
    posts: list[PostRow],
    secret: bytes,
    signer: Signer,
    terms: Terms,
    *,
    nonce: Callable[[], int],
    written_ms: int,
) -> bytes:
    """Sign the deployment of an anchor and every period's root, in one commit; return where it is.

    Parameters
    ----------
    db : sqlite3.Connection
        The outbox; made if it is empty.
    posts : list of PostRow
        All of the journal, its periods without a gap.
    secret : bytes, shape (32,)
        What hides the roots.
    nonce : callable
        Asked for the next nonce of the account, if this outbox does not know it.
    written_ms : int
        Now. [UTC ms]

    Raises
    ------
    SettlementError
        `settlement.anchor_gap`, `settlement.chain_*`. Nothing is written then.
    """
    for one, other in itertools.pairwise(posts):
        if other.period != one.period + 1:
            raise SettlementError(
                "settlement.anchor_gap",
                "period {other} follows {one} in the journal: an anchor takes every period in turn",
                one=one.period,
                other=other.period,
            )
    first, me = posts[0], signer.address
    deployment = calls.deployment(
        f"deploy/anchor/{first.link.hex()}", CONTRACT, me, me, first.period
    )
    db.execute("BEGIN IMMEDIATE")
    try:
        if not outbox.rows(db, me, terms.chain_id):
            outbox.enrol(db, me, terms.chain_id, nonce_first=nonce())
        deployed = outbox.add(db, deployment, signer, terms, written_ms=written_ms)
        contract = calls.contract_address(me, deployed.nonce)
        for post in posts:
            _, hidden = root_opening(post, secret)
            call = calls.anchor_period(contract, post.period, hidden)
            outbox.add(db, call, signer, terms, written_ms=written_ms)
        db.execute("COMMIT")
    except BaseException:
        db.execute("ROLLBACK")
        raise
    return contract


async def anchor_journal(
    journal: Path,
    node: Node,
    signer: Signer,
    secret: bytes,
    clock: Clock,
    *,
    outbox_path: Path,
    terms: Terms,
    policy: SenderPolicy,
    wait_s: float,
    record: Callable[..., object],
) -> Anchored:
    """Anchor every period of a journal, and follow the transactions until all are final.

    Parameters
    ----------
    journal : Path
        It is read only.
    outbox_path : Path
        The file of signed transactions; how far they came stands in one beside it.
    wait_s : float
        How long to wait for what is not final. [s]
    record : callable
        Takes alarms as `Sender` tells them.

    Raises
    ------
    SettlementError
        `settlement.anchor_empty` for a journal without a period; as `add_anchors`; of a node that
        does not tell a new account's nonce in time, what it said last.
    """
    with JournalReader(journal) as reader, reader.snapshot():
        posts = reader.posts()
    if not posts:
        raise SettlementError(
            "settlement.anchor_empty", "{path} has no period to anchor", path=str(journal)
        )
    me, chain_id = signer.address, terms.chain_id
    progress = Progress(outbox_path.with_name(outbox_path.name + ".chain"))
    until_s = clock.now_s() + wait_s
    with closing(sqlite3.connect(outbox_path, isolation_level=None)) as db, closing(progress):
        first = 0
        if not outbox.rows(db, me, chain_id):
            first = await first_nonce(node, me, chain_id, clock, policy, until_s, record)
        contract = add_anchors(
            db,
            posts,
            secret,
            signer,
            terms,
            nonce=lambda: first,
            written_ms=clock.start_utc_s * 1000 + int(clock.now_s() * 1000),
        )
        sender = Sender(
            node,
            outbox_path,
            progress,
            clock,
            chain_id=chain_id,
            sender=me,
            record=record,
            policy=policy,
        )
        while not await sender.round() and clock.now_s() < until_s:
            await clock.sleep(sender.wait_s())
        of_contract = f"anchor/{contract.hex()}/"
        mine = (f"deploy/anchor/{posts[0].link.hex()}", of_contract)
        found = clocks(db, progress, sender=me, chain_id=chain_id)
    return Anchored(contract, chain_id, [one for one in found if one.subject.startswith(mine)])


def anchored_root(node: Node, contract: bytes, period: int) -> bytes:
    """Return what a contract holds for a period; 32 zero bytes if it holds nothing."""
    asked = calls.call("", contract, CONTRACT, "rootOf", period)
    (root,) = calls.decode(CONTRACT, "rootOf", node.call(contract, asked.data))
    return bytes(root)
