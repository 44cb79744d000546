"""An office of a bridge waits for a node in trouble, and holds no lock meanwhile."""

import asyncio
import sqlite3
from pathlib import Path

import pytest

from gridrig.clock import Clock, run_virtual
from gridrig.errors import SettlementError
from gridrig.settlement.chain import Node, SenderPolicy, Signer, Terms, local_node
from gridrig.settlement.chain.bridging import BridgeToken, Office, Side
from gridrig.settlement.chain.extra import web3
from gridrig.settlement.chain.node import NodeError
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
