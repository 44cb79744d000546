"""The tests' account: its key in a keystore, its outbox in a journal, its anchor on a node."""

import json
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from anvil import Anvil
from web3 import Account

from gridrig.clock import Clock
from gridrig.events import EventLog
from gridrig.settlement import Journal, Settled, SettlementRules, settle_period
from gridrig.settlement.chain import (
    Call,
    Node,
    OutboxRow,
    Progress,
    Sender,
    SenderPolicy,
    Signer,
    Terms,
    calls,
    outbox,
)

CHAIN_ID = 31_337
# A key that stands in public: nothing of worth may ever be sent to its account.
TEST_KEY = b"gridrig tests, worth nothing...."
PASSWORD = "test"
TERMS = Terms(CHAIN_ID, fee_wei_per_gas_max=100 * 10**9)
START_S = 1_466_424_000
RULES = SettlementRules(long_price_micro_per_kwh=50_000, short_price_micro_per_kwh=400_000)
POLICY = SenderPolicy(confirmations=1, head_stale_s=None)


def write_keystore(path: Path) -> Path:
    # Two rounds and not a quarter of a million: this key needs no protection.
    keystore = Account.encrypt(TEST_KEY, PASSWORD, kdf="pbkdf2", iterations=2)
    path.write_text(json.dumps(keystore))
    return path


@contextmanager
def committing(journal: Path) -> Iterator[sqlite3.Connection]:
    """Open the journal's database and one transaction in it."""
    db = sqlite3.connect(journal, isolation_level=None, timeout=10)
    try:
        db.execute("PRAGMA foreign_keys = ON")
        db.execute("BEGIN IMMEDIATE")
        yield db
        db.execute("COMMIT")
    finally:
        db.close()  # whatever was not committed is rolled back


@dataclass
class ChainAccount:
    """An enrolled account whose first transaction deploys the anchor it later calls."""

    journal: Path
    signer: Signer

    @property
    def anchor(self) -> bytes:
        return calls.contract_address(self.signer.address, 0)

    def add(self, call: Call, **given: Any) -> OutboxRow:
        with committing(self.journal) as db:
            return outbox.add(
                db, call, self.signer, TERMS, **{"written_ms": START_S * 1000} | given
            )

    def add_deployment(self) -> OutboxRow:
        me = self.signer.address
        return self.add(calls.deployment("deploy/anchor", "PeriodAnchor", me, me, 0))

    def add_period(self, period: int) -> OutboxRow:
        return self.add(calls.anchor_period(self.anchor, period, root_of(period)))

    def post_period(self, journal: Journal, period: int, **given: Any) -> None:
        """Post a period and the transaction that anchors its root, in one commit."""

        def anchored(db: sqlite3.Connection, root: bytes) -> None:
            call = calls.anchor_period(self.anchor, period, root)
            outbox.add(db, call, self.signer, TERMS, **{"written_ms": period} | given)

        journal.post(settled_of(period), within=anchored)

    def sender(self, node: Node, clock: Clock, log: EventLog, **given: Any) -> Sender:
        progress = given.pop("progress", None) or Progress(self.journal.with_suffix(".chain"))
        settings: dict[str, Any] = {
            "chain_id": CHAIN_ID,
            "sender": self.signer.address,
            "record": log.record,
            "policy": POLICY,
        }
        return Sender(node, self.journal, progress, clock, **settings | given)


def settled_of(period: int) -> Settled:
    """Settle a period in which nobody met anybody."""
    from_ms = 1000 * START_S + 900_000 * period
    return settle_period(period, [], [], from_ms=from_ms, to_ms=from_ms + 900_000, rules=RULES)


def root_of(period: int) -> bytes:
    return b"root" + period.to_bytes(28, "big")


def make_account(folder: Path) -> ChainAccount:
    signer = Signer.from_keystore(write_keystore(folder / "key.json"), PASSWORD)
    home = folder / "home"
    home.mkdir()
    journal = home / "journal.sqlite"
    Journal(journal).close()
    with committing(journal) as db:
        outbox.enrol(db, signer.address, CHAIN_ID, nonce_first=0)
    return ChainAccount(journal, signer)


def endow(node: Anvil, account: ChainAccount) -> None:
    node.rpc("anvil_setBalance", "0x" + account.signer.address.hex(), hex(10**20))


def anchored(node: Anvil, account: ChainAccount) -> list[tuple[int, bytes]]:
    """Return every period and root that the anchor told of, in the order of the chain."""
    logs = node.rpc("eth_getLogs", {"address": "0x" + account.anchor.hex(), "fromBlock": "0x0"})
    event = "0x" + bytes(node.web3.keccak(text="PeriodAnchored(uint64,bytes32,bytes32)")).hex()
    mine = [log["topics"] for log in logs if log["topics"][0] == event]
    return [(int(topics[1], 16), bytes.fromhex(topics[2][2:])) for topics in mine]
