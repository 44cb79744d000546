"""The clocks of a trade: the book stays as deep as it says, and every clock has its row."""

import json
import os
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from gridrig.bench.machine import MOUNTS, file_system
from gridrig.bench.trade import LIVE, order_calls, resting_book
from gridrig.cli import main
from gridrig.market.exchange import Exchange

IN_RAM = Path("/dev/shm")


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


@pytest.mark.skipif(
    not IN_RAM.is_dir() or file_system(IN_RAM) != "tmpfs", reason="no tmpfs at /dev/shm"
)
def test_a_sync_that_reaches_no_disk_is_never_called_one(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(IN_RAM))
    assert main(["bench", "trade", "--workload", "written", "--quick", "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert all(row["workload"].endswith("log in memory, on no disk") for row in found["rows"])
    assert any(remark.startswith("written: /dev/shm is on tmpfs") for remark in found["remarks"])


@pytest.mark.skipif(not MOUNTS.exists(), reason="no system that tells")
def test_a_file_system_is_named_as_the_system_names_it() -> None:
    assert file_system(Path("/proc")) == "proc"


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
