"""Deploying a bridge, and running one of its relays, each from one outbox for both chains."""

import sqlite3
from collections.abc import Callable, Sequence
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

from gridrig.clock import Clock
from gridrig.settlement.chain import calls, outbox
from gridrig.settlement.chain.bridge import TOKEN, VAULT, End, Relay, was_received
from gridrig.settlement.chain.clocks import ChainClocks, clocks
from gridrig.settlement.chain.first_nonce import first_nonce
from gridrig.settlement.chain.node import Node
from gridrig.settlement.chain.policy import SenderPolicy
from gridrig.settlement.chain.progress import Progress
from gridrig.settlement.chain.sender import Sender
from gridrig.settlement.chain.signer import Signer
from gridrig.settlement.chain.terms import Terms

SAID, DEPLOYED = "bridge/", "deploy/bridge/"


@dataclass(frozen=True)
class Side:
    """A chain as one account uses it: a node, what is signed for it, when it is believed."""

    node: Node
    terms: Terms
    policy: SenderPolicy


@dataclass(frozen=True)
class BridgeToken:
    """What the token of the far end is called, and its decimals."""

    name: str
    symbol: str
    decimals: int


class Office:
    """One account on both chains of a bridge, with its outbox.

    Parameters
    ----------
    home, far : Side
        The chains.
    signer : Signer
        The account.
    outbox_path : Path
        The file of signed transactions; how far they came stands in one beside it.
    clock : Clock
        The caller's.
    record : callable
        Takes alarms as `Sender` tells them.
    """

    def __init__(
        self,
        home: Side,
        far: Side,
        signer: Signer,
        outbox_path: Path,
        clock: Clock,
        record: Callable[..., object],
    ) -> None:
        self.home, self.far, self._signer = home, far, signer
        self._outbox, self._clock, self._record = outbox_path, clock, record

    async def deploy(
        self, token: bytes, named: BridgeToken, relays: Sequence[bytes], quorum: int, wait_s: float
    ) -> tuple[bytes, bytes, list[ChainClocks]]:
        """Deploy both ends; the same again returns where they are.

        Returns
        -------
        tuple
            Vault at home, bridged token over there, and the clocks of both deployments.

        Raises
        ------
        SettlementError
            `settlement.chain_*`.
        """
        until_s = self._clock.now_s() + wait_s
        subject, me = f"{DEPLOYED}{token.hex()}", self._signer.address
        given = (me, list(relays), quorum)
        vault = calls.deployment(subject, VAULT, token, *given)
        bridged = calls.deployment(subject, TOKEN, named.name, named.symbol, named.decimals, *given)
        with closing(self._database()) as db:
            self._begin(db, await self._first_nonces(db, until_s))
            where = [
                calls.contract_address(me, self._add(db, side, call).nonce)
                for side, call in ((self.home, vault), (self.far, bridged))
            ]
            db.execute("COMMIT")
        return where[0], where[1], await self._drained(DEPLOYED, until_s)

    async def relay(self, vault: End, bridged: End, wait_s: float) -> list[ChainClocks]:
        """Say on each chain what the other sent, and follow it until all is final.

        Returns
        -------
        list of ChainClocks
            Of everything said so far. What a quorum had said before this relay is reverted there,
            and no failure.

        Raises
        ------
        SettlementError
            `settlement.bridge_*`, `settlement.chain_*`.
        """
        until_s = self._clock.now_s() + wait_s
        ways = ((self.home, vault, self.far, bridged), (self.far, bridged, self.home, vault))
        with closing(self._database()) as db:
            for source, sends, target, receives in ways:
                relay = Relay(
                    source.node, sends, receives, self._signer, target.terms, self._record
                )
                firsts = await self._first_nonces(db, until_s)
                looked = relay.look(db)
                self._begin(db, firsts)
                relay.carry(db, looked, written_ms=self._now_ms())
                db.execute("COMMIT")
        found = await self._drained(SAID, until_s)
        return [
            one
            for one in found
            if one.failure != "reverted" or not self._was_received(one.subject, vault, bridged)
        ]

    def _was_received(self, subject: str, vault: End, bridged: End) -> bool:
        _, _, receiver, number = subject.split("/")
        side, end = self.home, vault
        if bytes.fromhex(receiver) == bridged.contract:
            side, end = self.far, bridged
        return was_received(side.node, end, int(number))

    def _database(self) -> sqlite3.Connection:
        return sqlite3.connect(self._outbox, isolation_level=None)

    async def _first_nonces(self, db: sqlite3.Connection, until_s: float) -> dict[int, int]:
        """Return the first nonce of the account on each chain where the outbox has none.

        A node in trouble is waited for, so ask before the outbox is locked, not with it.
        """
        me = self._signer.address
        return {
            side.terms.chain_id: await first_nonce(
                side.node, me, side.terms.chain_id, self._clock, side.policy, until_s, self._record
            )
            for side in (self.home, self.far)
            if not outbox.rows(db, me, side.terms.chain_id)
        }

    def _begin(self, db: sqlite3.Connection, firsts: dict[int, int]) -> None:
        """Begin a transaction in which the account is enrolled on both chains."""
        me = self._signer.address
        db.execute("BEGIN IMMEDIATE")
        for chain_id, nonce in firsts.items():
            # Another process may have enrolled it meanwhile, and spent that nonce.
            if not outbox.rows(db, me, chain_id):
                outbox.enrol(db, me, chain_id, nonce_first=nonce)

    def _add(self, db: sqlite3.Connection, side: Side, call: calls.Call) -> outbox.OutboxRow:
        return outbox.add(db, call, self._signer, side.terms, written_ms=self._now_ms())

    def _now_ms(self) -> int:
        return self._clock.start_utc_s * 1000 + int(self._clock.now_s() * 1000)

    async def _drained(self, of: str, until_s: float) -> list[ChainClocks]:
        """Send until all is final, or time is over; return the clocks of some subjects."""
        progress = Progress(self._outbox.with_name(self._outbox.name + ".chain"))
        found: list[ChainClocks] = []
        with closing(self._database()) as db, closing(progress):
            for side in (self.home, self.far):
                sender = Sender(
                    side.node,
                    self._outbox,
                    progress,
                    self._clock,
                    chain_id=side.terms.chain_id,
                    sender=self._signer.address,
                    record=self._record,
                    policy=side.policy,
                )
                while not await sender.round() and self._clock.now_s() < until_s:
                    await self._clock.sleep(sender.wait_s())
                me, chain_id = self._signer.address, side.terms.chain_id
                found += clocks(db, progress, sender=me, chain_id=chain_id)
        return [one for one in found if one.subject.startswith(of)]
