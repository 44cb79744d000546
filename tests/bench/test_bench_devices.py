"""The benchmark of devices runs whole on small inputs and says what it promises."""

import json
import os
from collections.abc import Iterator

import pytest

from gridrig.cli import main


@pytest.fixture(autouse=True)
def _affinity() -> Iterator[None]:
    """Let the tests that follow use all cores again."""
    allowed = os.sched_getaffinity(0)
    yield
    os.sched_setaffinity(0, allowed)


def test_quick_device_benchmark_gives_every_row(capsys: pytest.CaptureFixture[str]) -> None:
    workloads = [word for one in ("small-reads", "polled", "rtu") for word in ("--workload", one)]
    assert main(["bench", "devices", "--quick", "--json", *workloads]) == 0
    found = json.loads(capsys.readouterr().out)
    assert found["missing"] == []
    tasks = [row["task"] for row in found["rows"]]
    for task in ("polls answered", "server CPU for 1,000 devices", "latency, p99"):
        assert task in tasks, task
    assert all(row["ours"] > 0 and row["peer_figure"] > 0 for row in found["rows"])
    assert all(row["peer"] == "pymodbus server" for row in found["rows"])
    answered = next(row for row in found["rows"] if row["unit"] == "%")
    assert (answered["ours"], answered["peer_figure"]) == (100, 100)
    goals = [row for row in found["rows"] if row["goal"] is not None]
    assert all(row["reached"] is None for row in goals), "a quick run judges no goal"
