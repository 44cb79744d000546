"""The market's benchmark runs whole on small inputs and says all that it promises."""

import json
import os
from collections.abc import Iterator

import pytest

from gridrig.bench.market import WORKLOADS, market_commands, market_rates
from gridrig.cli import main
from gridrig.errors import MarketError


@pytest.fixture(autouse=True)
def _affinity() -> Iterator[None]:
    """Let the tests that follow use all cores again."""
    allowed = os.sched_getaffinity(0)
    yield
    os.sched_setaffinity(0, allowed)


def test_quick_market_benchmark_gives_every_row(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["bench", "market", "--quick", "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert found["topic"] == "market"
    assert found["quick"] is True
    assert found["machine"]["core"] in os.sched_getaffinity(0)
    rows = [(row["task"], row["workload"]) for row in found["rows"]]
    assert len(rows) >= 12 + 8 + 1 + 2
    for words in ("W1, one", "W2, move-heavy, log off", "W2, move-heavy, log on", "W3, 1,000"):
        assert any(workload.startswith(words) for _, workload in rows), words
    assert all(row["ours"] > 0 for row in found["rows"])
    with_ratio = [row for row in found["rows"] if row["peer_figure"] is not None]
    assert all(row["ratio"] > 0 for row in with_ratio)
    named = {row["peer"] for row in with_ratio} | {one["name"] for one in found["missing"]}
    assert {"naive book", "limit-order-book", "order-matching"} <= named
    goals = [row for row in found["rows"] if row["goal"] is not None]
    assert len(goals) == 3 + 2 + 1 + 1
    assert all(row["reached"] is None for row in goals), "a quick run judges no goal"
    assert any("coordinated omission" in remark for remark in found["remarks"])


def test_a_chosen_workload_is_measured_alone(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["bench", "market", "--quick", "--workload", "w1"]) == 0
    printed = capsys.readouterr().out
    assert "W1, one growing book, log off" in printed
    assert "pinned to core" in printed
    assert "figures not to quote" in printed
    assert "W2" not in printed


def test_native_measurements_name_a_workload_they_do_not_have() -> None:
    assert "w1" in WORKLOADS
    with pytest.raises(MarketError, match='workload "w9" is not w1, w2 or w3'):
        market_rates("w9", 10, 1)
    with pytest.raises(MarketError, match="workload"):
        market_commands("e1", 10)
