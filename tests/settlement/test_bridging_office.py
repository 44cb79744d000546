"""An office of a bridge holds no lock while a node is asked, and sees what others wrote then."""

import asyncio
import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest

from gridrig.clock import Clock, run_virtual
from gridrig.errors import SettlementError
from gridrig.settlement.chain import Node, SenderPolicy, Signer, Terms, local_node, outbox
from gridrig.settlement.chain.bridge import TOKEN, VAULT, Crossing, End, receive
from gridrig.settlement.chain.bridging import BridgeToken, Office, Side
from gridrig.settlement.chain.extra import web3
from gridrig.settlement.chain.node import Log, NodeError
from gridrig.settlement.chain.practice_node import PracticeChain, PracticeNode, served

KEY = b"\x11" * 32  # worth nothing
POLICY = SenderPolicy(confirmations=2, head_stale_s=None)
BUSY_S, LOOKED_S, GIVEN_UP_S = 20.0, 10.0, 300.0


def deployed(outbox: Path, *, busy_s: float) -> tuple[list[str], bool, int]:
    """Deploy over a busy node; return what was told, whether all is final, and how often locked."""
    told: list[str] = []

    async def main(clock: Clock) -> tuple[list[str], bool, int]:
        chains = [PracticeChain(number, clock) for number in (31_337, 31_338)]
        nodes = [
            PracticeNode(chains[0], ((0.0, None),)),
            PracticeNode(chains[1], ((0.0, "busy"), (busy_s, None))),
        ]
        with served(nodes[0]) as home, served(nodes[1]) as far:
            sides = [
                Side(Node(url), Terms(number, fee_wei_per_gas_max=10**9), POLICY)
                for url, number in ((home, 31_337), (far, 31_338))
            ]
            signer = Signer(web3().Account.from_key(KEY))
            office = Office(
                sides[0], sides[1], signer, outbox, clock, lambda kind, **_: told.append(kind)
            )
            locked = 0

            async def look() -> None:
                nonlocal locked
                await clock.sleep(LOOKED_S)
                other = sqlite3.connect(outbox, isolation_level=None, timeout=0)
                try:
                    other.execute("BEGIN IMMEDIATE")
                    other.execute("ROLLBACK")
                except sqlite3.OperationalError:
                    locked += 1
                finally:
                    other.close()

            looking = asyncio.create_task(look())
            token, relays = b"\x77" * 20, [b"\x01" * 20, b"\x02" * 20]
            named = BridgeToken("Energy", "WH", 3)
            try:
                *_, found = await office.deploy(token, named, relays, 2, GIVEN_UP_S)
            finally:
                await looking
        return told, all(one.final_ms is not None for one in found), locked

    return run_virtual(main, start_utc_s=1_466_424_000)


def test_a_busy_node_is_waited_for_and_the_outbox_is_free_meanwhile(tmp_path: Path) -> None:
    told, is_final, locked = deployed(tmp_path / "outbox", busy_s=BUSY_S)
    assert "chain.node_busy" in told
    assert is_final
    assert locked == 0


def test_a_node_that_stays_busy_is_given_up_after_the_stated_time(tmp_path: Path) -> None:
    with pytest.raises(NodeError):
        deployed(tmp_path / "outbox", busy_s=10_000.0)


HOME, FAR = 31_337, 31_338
VAULT_END = End(b"\x21" * 20, VAULT, confirmations=1)
TOKEN_END = End(b"\x22" * 20, TOKEN, confirmations=1)
GUEST = b"\x23" * 20


class Meanwhile(Node):
    """A node that knows some messages, and tells of what it is asked while it answers."""

    def __init__(self, name: str, url: str, sent: int, act: Callable[[str], object]) -> None:
        super().__init__(url)
        self._name, self._sent, self._act = name, sent, act

    def nonce(self, account: bytes) -> int:
        found = super().nonce(account)
        self._act(f"{self._name} nonce")
        return found

    def logs(self, contract: bytes, topic: bytes, from_block: int, to_block: int) -> list[Log]:
        if contract != VAULT_END.contract:
            return []
        sent = range(1, self._sent + 1)
        self._act(f"{self._name} logs")
        return [
            Log((topic, n.to_bytes(32, "big"), bytes(12) + GUEST), (10 * n).to_bytes(32, "big"))
            for n in sent
        ]


def relayed(
    outbox_path: Path, do: Callable[[sqlite3.Connection], object], *runs: int, at: str = "home logs"
) -> tuple[list[str], list[outbox.OutboxRow]]:
    """Relay as often as said, another process acting while a node is first asked for something.

    Each run says how many messages the vault's node then knows of. Returns what was told, and the
    rows of the outbox for the far chain.
    """
    told: list[str] = []
    acted = False

    def act(asked: str) -> None:
        nonlocal acted
        if asked == at and not acted:
            acted = True
            with closing(sqlite3.connect(outbox_path, isolation_level=None, timeout=0)) as other:
                other.execute("BEGIN IMMEDIATE")
                do(other)
                other.execute("COMMIT")

    async def main(clock: Clock) -> list[outbox.OutboxRow]:
        nodes = [PracticeNode(PracticeChain(number, clock), ()) for number in (HOME, FAR)]
        signer = Signer(web3().Account.from_key(KEY))
        with served(nodes[0]) as home, served(nodes[1]) as far:
            for sent in runs:
                sides = [
                    Side(node, terms_of(number), POLICY)
                    for node, number in (
                        (Meanwhile("home", home, sent, act), HOME),
                        (Meanwhile("far", far, sent, act), FAR),
                    )
                ]
                office = Office(
                    *sides, signer, outbox_path, clock, lambda kind, **_: told.append(kind)
                )
                await office.relay(VAULT_END, TOKEN_END, 0.0)
        with closing(sqlite3.connect(outbox_path)) as db:
            return outbox.rows(db, signer.address, FAR)

    rows = run_virtual(main, start_utc_s=1_466_424_000)
    assert acted
    return told, rows


def terms_of(chain_id: int) -> Terms:
    return Terms(chain_id, fee_wei_per_gas_max=10**9)


def saying(*numbers: int, nonce_first: int = 0) -> Callable[[sqlite3.Connection], object]:
    """Return what another process of the same relay does: it enrols there, and says messages."""
    signer = Signer(web3().Account.from_key(KEY))

    def do(db: sqlite3.Connection) -> None:
        outbox.enrol(db, signer.address, FAR, nonce_first=nonce_first)
        for number in numbers:
            call = receive(VAULT_END, TOKEN_END, Crossing(number, GUEST, 10 * number))
            outbox.add(db, call, signer, terms_of(FAR), written_ms=0)

    return do


def test_the_outbox_is_free_while_a_relay_reads_its_source(tmp_path: Path) -> None:
    told, rows = relayed(tmp_path / "outbox", lambda _: None, 2)
    assert told.count("bridge_carried") == 2
    assert len(rows) == 2


def test_what_another_process_said_meanwhile_is_said_once_and_is_no_fork(tmp_path: Path) -> None:
    _, rows = relayed(tmp_path / "outbox", saying(1, 2, 3), 2, 3, 4)
    numbers = [int(row.subject.rpartition("/")[2]) for row in rows]
    assert numbers == [1, 2, 3, 4]


def test_a_message_that_was_said_and_is_gone_is_still_a_fork(tmp_path: Path) -> None:
    with pytest.raises(SettlementError, match=r"bridge_forked.*number 2"):
        relayed(tmp_path / "outbox", lambda _: None, 2, 1)


def test_an_account_that_another_process_enrolled_meanwhile_goes_on_there(tmp_path: Path) -> None:
    # Its own nonce was told before; what the node tells now counts what the other has sent.
    _, rows = relayed(tmp_path / "outbox", saying(1, nonce_first=7), 2, at="far nonce")
    assert [row.nonce for row in rows] == [7, 8]


def test_a_node_that_says_nothing_is_ended_and_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    dumb = tmp_path / "dumb"
    dumb.write_text("#!/bin/sh\nexec sleep 1000\n")
    dumb.chmod(0o755)
    monkeypatch.setattr(local_node, "LISTENS_S_MAX", 0.1)
    with (
        pytest.raises(SettlementError, match=r"dumb .* ended with -9 and did not listen within"),
        local_node.local_node(1, start_utc_s=0, executable=dumb),
    ):
        pass
