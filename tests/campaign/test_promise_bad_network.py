"""What judges campaign 7 finds lost energy, and senders that believe a bad node."""

from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from criteria import assert_fails, assert_passes

from gridrig.clock import Clock, run_virtual
from gridrig.promises import bad_node
from gridrig.promises.bad_node import Anchoring, anchor_in_trouble
from gridrig.promises.good_twin import energy_unlike_milliwh, entries_unlike
from gridrig.settlement import Journal, SettlementRules, settle_period
from gridrig.settlement.chain import Node, Sender, anchoring
from gridrig.settlement.chain.node import NodeError

START = 1_466_424_000
RULES = SettlementRules(long_price_micro_per_kwh=50_000, short_price_micro_per_kwh=400_000)


@pytest.fixture
def journal(tmp_path: Path) -> Path:
    path = tmp_path / "journal.sqlite"
    with Journal(path) as made:
        for period in range(3):
            from_ms = 1000 * START + 900_000 * period
            made.post(
                settle_period(period, [], [], from_ms=from_ms, to_ms=from_ms + 900_000, rules=RULES)
            )
    return path


def anchored(journal: Path) -> Anchoring:
    async def main(clock: Clock) -> Anchoring:
        return await anchor_in_trouble(journal, clock)

    return run_virtual(main, start_utc_s=START)


class BelievesAnyChain(Sender):
    def _check_chain(self) -> None:
        pass


class BelievesAnyHead(Sender):
    def _check_head(self) -> int:
        return self._node.head().number - 3


class NeverWaits(Sender):
    def wait_s(self) -> float:
        return 1.0


class SaysNothing(Sender):
    def _tell(self, failed: str | None) -> None:
        self._notices.clear()


class SendsOnce(Sender):
    """Takes what a node accepted for done."""

    sent: set[bytes]

    def _advance(self, row: Any, final: int) -> None:
        self.sent = getattr(self, "sent", set())
        if row.hash not in self.sent or self._node.receipt(row.hash) is not None:
            self.sent.add(row.hash)
            super()._advance(row, final)


def test_the_sender_comes_through(journal: Path) -> None:
    found = anchored(journal)
    assert (found.unlike, found.in_doubt, found.alarms_missing) == ((), 0, ())
    assert found.roots == 3
    assert found.dropped >= 4
    assert found.asked_in_vain <= 20


WRONG_SENDERS: dict[type[Sender], Callable[[Anchoring], object]] = {
    BelievesAnyHead: lambda found: found.in_doubt,
    SendsOnce: lambda found: found.unlike,
    BelievesAnyChain: lambda found: found.in_doubt,
    NeverWaits: lambda found: found.asked_in_vain > 20,
    SaysNothing: lambda found: found.alarms_missing,
}


@pytest.mark.parametrize("kind", list(WRONG_SENDERS)[:2])
def test_a_sender_that_is_wrong_is_found(
    journal: Path, kind: type[Sender], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(anchoring, "Sender", kind)
    found = anchored(journal)
    assert WRONG_SENDERS[kind](found)
    if kind is BelievesAnyHead:
        assert_fails(found.in_doubt, "test_bad_network.sent_in_doubt")
    if kind is SendsOnce:
        assert_fails(len(found.unlike), "test_bad_network.roots_unlike_journal")


@pytest.mark.soak
@pytest.mark.parametrize("kind", list(WRONG_SENDERS)[2:])
def test_every_other_sender_that_is_wrong_is_found(
    journal: Path, kind: type[Sender], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(anchoring, "Sender", kind)
    assert WRONG_SENDERS[kind](anchored(journal))


def test_a_sender_that_never_waits_asks_too_often(
    journal: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    plan = ((0.0, None), (5.0, "busy"), (40.0, None))
    monkeypatch.setattr(bad_node, "PLAN", plan)
    assert_passes(anchored(journal).asked_in_vain, "test_bad_network.asked_in_vain")
    monkeypatch.setattr(anchoring, "Sender", NeverWaits)
    assert_fails(anchored(journal).asked_in_vain, "test_bad_network.asked_in_vain")


def test_a_node_without_trouble_and_a_journal_too_short_are_no_trial(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(bad_node, "PLAN", ((0.0, None),))
    path = tmp_path / "journal.sqlite"
    with Journal(path) as made:
        made.post(
            settle_period(0, [], [], from_ms=1000 * START, to_ms=1000 * START + 1, rules=RULES)
        )
    found = anchored(path)
    assert found.unlike == ()
    assert_fails(found.roots, "test_bad_network.roots_anchored")
    assert_fails(found.dropped, "test_bad_network.postings_dropped")
    assert_fails(len(found.alarms_missing), "test_bad_network.alarms_missing")


def test_a_node_that_posts_twice_is_found(journal: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    class Doubles(bad_node.PracticeChain):
        def transactions(self) -> Any:
            for one in super().transactions():
                yield one
                if one.nonce == 2:
                    yield one

    monkeypatch.setattr(bad_node, "PracticeChain", Doubles)
    assert anchored(journal).unlike


def run_of(energy_milliwh: int, amount_micro: int) -> Any:
    meter = SimpleNamespace(meter="m", import_milliwh=energy_milliwh, export_milliwh=7)
    entry = SimpleNamespace(
        period=0, kind="taken", debit="a", credit="b", meter="m",
        energy_milliwh=energy_milliwh, amount_micro=amount_micro,
    )  # fmt: skip
    settled = [SimpleNamespace(meters=[meter])]
    return SimpleNamespace(account=SimpleNamespace(settled=settled, entries=lambda: [entry]))


def test_one_milliwatt_hour_and_one_millionth_are_found() -> None:
    assert energy_unlike_milliwh(run_of(5, 9), run_of(5, 9)) == 0
    assert energy_unlike_milliwh(run_of(5, 9), run_of(6, 9)) == 1
    assert entries_unlike(run_of(5, 9), run_of(5, 9)) == 0
    assert entries_unlike(run_of(5, 9), run_of(5, 10)) == 2


def test_a_node_that_is_down_is_told_after_the_stated_time(journal: Path, tmp_path: Path) -> None:
    """Nothing is written before a new account's nonce is known, and of the right chain."""

    async def main(clock: Clock) -> float:
        told: list[str] = []
        with pytest.raises(NodeError):
            await anchoring.anchor_journal(
                journal,
                Node("http://127.0.0.1:9"),
                bad_node.Signer(bad_node.web3().Account.from_key(bad_node.KEY)),
                bad_node.SECRET,
                clock,
                outbox_path=tmp_path / "outbox",
                terms=bad_node.Terms(bad_node.CHAIN_ID, fee_wei_per_gas_max=10**9),
                policy=bad_node.POLICY,
                wait_s=60.0,
                record=lambda kind, **_: told.append(kind),
            )
        assert told == ["chain.node_down"]
        return clock.now_s()

    assert 50.0 <= run_virtual(main, start_utc_s=START) <= 60.0
