"""The benchmark of time runs whole on a small bench and judges nothing then."""

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


def test_a_quick_timing_benchmark_gives_every_row(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["bench", "timing", "--quick", "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    rows = {row["task"]: row for row in found["rows"]}
    assert {"deadlines missed", "jitter, p99", "work of a tick, p99"} <= rows.keys()
    assert rows["work of a tick, p99"]["ours"] > 0
    assert all(row["reached"] is None for row in found["rows"]), "a quick run judges no goal"
    assert any("load of the machine" in remark for remark in found["remarks"])


def test_a_length_is_of_this_topic_only(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["bench", "plant", "--for-s", "5"]) == 2
    assert "bench.for_s" in capsys.readouterr().err
