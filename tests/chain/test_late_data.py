"""A reading that comes after its period was anchored: booked later, and no anchored root moves."""

import sqlite3
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from account import RULES, START_S, TERMS, ChainAccount, anchored, endow, make_account
from anvil import Anvil

from gridrig.clock import Clock, run_virtual
from gridrig.errors import SettlementError
from gridrig.events import EventLog
from gridrig.metering import EnrolledKey, OcmfSigner, VerifiedReading, Verifier, enrol_all
from gridrig.settlement import (
    Correction,
    Journal,
    PostedLines,
    Settled,
    meter_period,
    posted_tree,
    settle_period,
)
from gridrig.settlement.audit import audit
from gridrig.settlement.chain import Node, calls, outbox
from gridrig.settlement.proofs import prove

PERIOD_S = 900
COUNTED = {"home": (250_000, 40_000), "head": (30_000, 260_000)}  # a period: import, export [mWh]


@dataclass
class House:
    """A home and the feeder's head: what they sign, and what of it has been heard."""

    verifier: Verifier = field(default_factory=Verifier)
    told: dict[str, list[VerifiedReading]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.signers = {name: OcmfSigner.from_seed(3, name, name) for name in COUNTED}
        enrol_all(
            self.verifier,
            [
                EnrolledKey(name, name, "ecdsa-p256", signer.public_key_der, 0)
                for name, signer in self.signers.items()
            ],
        )
        for name in COUNTED:
            self.hear(name, 0)

    def hear(self, name: str, number: int) -> None:
        """Verify what a meter signed at the beginning of a period."""
        at_s = START_S + PERIOD_S * number
        registers = (number * counted for counted in COUNTED[name])
        record = self.signers[name].sign(number + 1, at_s, *registers)
        self.told.setdefault(name, []).append(self.verifier.verify(record, at_s=at_s))

    def settle(self, period: int, revision: int = 0) -> Settled:
        """Settle a period by what has been heard."""
        from_ms = 1000 * (START_S + PERIOD_S * period)
        ends = from_ms, from_ms + 1000 * PERIOD_S
        home, head = (meter_period(name, name, self.told[name], *ends) for name in COUNTED)
        return settle_period(
            period,
            [home],
            [],
            from_ms=ends[0],
            to_ms=ends[1],
            rules=RULES,
            head=head,
            revision=revision,
        )


@pytest.fixture
def account(tmp_path: Path, node: Anvil) -> ChainAccount:
    made = make_account(tmp_path)
    endow(node, made)
    made.add_deployment()
    return made


def send(node: Anvil, account: ChainAccount) -> list[str]:
    """Send all that was written; return the kinds of the events."""
    log: list[str] = []

    async def main(clock: Clock) -> None:
        events = EventLog(clock, [])
        assert await account.sender(Node(node.url), clock, events).drain(60)
        log.extend(event.row()["kind"] for event in events.ordered())

    run_virtual(main, start_utc_s=START_S)
    return log


def post(account: ChainAccount, house: House, one: Settled, *corrections: Correction) -> None:
    def anchor(db: sqlite3.Connection, root: bytes) -> None:
        call = calls.anchor_period(account.anchor, one.period, root)
        outbox.add(db, call, account.signer, TERMS, written_ms=one.to_ms)

    with Journal(account.journal) as journal:
        accepted = journal.unposted(house.verifier.ledger_rows())
        journal.post(one, corrections=corrections, accepted=accepted, within=anchor)


def test_what_comes_late_is_booked_later_and_no_anchored_root_moves(
    node: Anvil, account: ChainAccount
) -> None:
    house = House()
    house.hear("head", 1)
    first = house.settle(0)
    assert first.is_estimated
    post(account, house, first)
    assert send(node, account) == []
    (before,) = anchored(node, account)

    for name, number in (("head", 2), ("home", 1), ("home", 2)):
        house.hear(name, number)
    again = house.settle(0, revision=1)
    assert not again.is_estimated
    correction = Correction(PostedLines.of(first), again, 1)
    post(account, house, house.settle(1), correction)
    assert send(node, account) == []

    assert audit(account.journal) == []
    with Journal(account.journal) as journal:
        assert anchored(node, account) == [(one.period, one.root) for one in journal.posts()]
        assert anchored(node, account)[0] == before
        balances = journal.balances()
        proof, _ = prove(journal, 0, revision=1, line=1)
    # Everybody stands where it would stand had everything been known at once.
    due: Counter[str] = Counter()
    for entry in (*again.entries, *house.settle(1).entries):
        due[entry.debit] -= entry.amount_micro
        due[entry.credit] += entry.amount_micro
    assert (
        {name: micro for name, micro in balances.items() if micro}
        == {name: micro for name, micro in due.items() if micro}
        != {}
    )
    # The correction is proven by what the chain has of the later period, and not of its own.
    _, (_, root) = anchored(node, account)
    assert proof.verify(root).root == root
    with pytest.raises(SettlementError) as refused:
        proof.verify(before[1])
    assert refused.value.code.startswith("settlement.merkle_")

    # Nor does anybody get what the period comes to now in place of what was anchored.
    now = posted_tree(again, []).root()
    with pytest.raises(SettlementError) as refused:
        account.add(calls.anchor_period(account.anchor, 0, now))
    assert refused.value.code == "settlement.chain_subject_taken"
    account.add(calls.call("again", account.anchor, "PeriodAnchor", "anchor", 0, now))
    assert send(node, account) == ["chain.reverted"]
    assert len(anchored(node, account)) == 2
