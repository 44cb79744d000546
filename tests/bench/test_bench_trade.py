"""The clocks of a trade: the book stays as deep as it says, and every clock has its row."""

import json
import os
from collections.abc import Iterator

import pytest

from gridrig.bench.trade import LIVE, order_calls, resting_book
from gridrig.cli import main
from gridrig.market.exchange import Exchange


@pytest.fixture(autouse=True)
def _affinity() -> Iterator[None]:
    """Let the tests that follow use all cores again."""
    allowed = os.sched_getaffinity(0)
    yield
    os.sched_setaffinity(0, allowed)


def test_every_other_order_trades_and_the_book_stays_at_ten_thousand() -> None:
    exchange = resting_book(log=True)
    assert exchange.orders_resting == LIVE
    for number, call in enumerate(order_calls(exchange, 2_000)):
        call()
        assert exchange.orders_resting == LIVE - (number % 2 == 0)
    log = exchange.take_log()
    assert log is not None
    assert Exchange.replay(log).state_hash() == exchange.state_hash()


def test_a_quick_run_gives_every_row_without_a_node_too(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GRIDRIG_EVM_NODE", "no-such-node")
    assert main(["bench", "trade", "--quick", "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    tasks = [row["task"] for row in found["rows"]]
    assert tasks == [
        f"{clock}, {quantile}"
        for clock in ("matched", "written")
        for quantile in ("p50", "p99", "p99.9", "max")
    ]
    assert all(row["ours"] > 0 and row["reached"] is None for row in found["rows"])
    assert any("no node no-such-node" in remark for remark in found["remarks"])
    assert any("load of the machine" in remark for remark in found["remarks"])
