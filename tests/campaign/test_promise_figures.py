"""Rows that figures of this machine carry: judged by a benchmark's goal, which no test depends on.

What the benchmark says is written by hand here, and tampered with.
"""

import json
from pathlib import Path
from typing import Any

import pytest

from gridrig.bench.rows import Goal
from gridrig.bench.rows import Row as BenchRow
from gridrig.promises import figures
from gridrig.promises.campaigns import CAMPAIGNS
from gridrig.promises.campaigns.power_plant import DEVIATION, SHAVED
from gridrig.promises.figures import measured_here, read_bench
from gridrig.promises.report_page import promises_page
from gridrig.promises.results import Result, judged
from gridrig.promises.rows import Campaign, Figure, Row

JUDGED, ASIDE = Figure("trade", "matched, p99", is_judged=True), Figure("trade", "final, p50")
ROW = Row("M2", "an order is matched in milliseconds", figures=(JUDGED, ASIDE))
CAMPAIGN = Campaign(1, "title", (ROW,))
MACHINE = {"cpu": "a processor", "features": ["avx"], "cores": 2, "core": 1}


def told(p99_ms: float, **changes: Any) -> dict[str, Any]:
    """Return what `gridrig bench trade --json` would say."""
    given = {"goal": Goal(ours=10.0), "less_is_better": True} | changes
    rows = [
        BenchRow("matched, p99", "10,000 live orders", p99_ms, "ms", **given),
        BenchRow("final, p50", "a node here", 4.0, "s", less_is_better=True),
    ]
    found = {"machine": MACHINE, "rows": [row.to_json() for row in rows], "remarks": ["load 1.0"]}
    read: dict[str, Any] = json.loads(json.dumps(found))
    return read


def result_of(found: dict[str, Any]) -> Result:
    here = read_bench(found, ROW.figures)
    return judged(CAMPAIGN, ROW, {}, here)


@pytest.mark.parametrize(
    ("p99_ms", "changes", "verdict"),
    [
        (10.0, {}, "PASS"),
        (10.1, {}, "FAIL"),
        (1.0, {"goal": Goal(ours=0.5)}, "FAIL"),
        (1.0, {"goal": None}, "ERROR"),
        (1.0, {"judged": False}, "ERROR"),  # a quick run
    ],
)
def test_a_figure_is_judged_by_its_goal(
    p99_ms: float, changes: dict[str, Any], verdict: str
) -> None:
    result = result_of(told(p99_ms, **changes))
    assert result.verdict == verdict
    assert "a processor, 2 cores, pinned to core 1; avx; load 1.0" in result.machine


def test_a_figure_that_is_told_decides_nothing_and_one_that_is_judged_cannot_be_missing() -> None:
    found = told(1.0)
    aside = result_of({**found, "rows": found["rows"][:1]})
    assert (aside.verdict, aside.shown[1].measured) == ("PASS", "not measured")
    assert result_of({**found, "rows": found["rows"][1:]}).verdict == "ERROR"
    assert judged(CAMPAIGN, ROW, {}).verdict == "ERROR"
    only_told = Row("M2", "claim", figures=(ASIDE,), missing="a goal")
    assert judged(CAMPAIGN, only_told, {}).verdict == "NOT PROVEN"


def test_a_page_names_the_machine_and_the_benchmark() -> None:
    page = promises_page([result_of(told(1.0))], [], {}).decode()
    assert "Measured by gridrig bench trade, on a processor, 2 cores" in page
    assert "<td>told</td>" in page
    assert "1 of 1 promise proven" in page


def test_a_figure_beside_a_peer_is_judged_by_their_ratio() -> None:
    of, beside = (Figure("t", "shaved", True, "w", peer) for peer in ("optimum", "greedy"))
    rows = [
        BenchRow("shaved", "w", 60.0, "%", peer="optimum", peer_figure=80.0, goal=Goal(ratio=0.8)),
        BenchRow("shaved", "w", 60.0, "%", peer="greedy", peer_figure=30.0, goal=Goal(ratio=2.0)),
    ]
    found = {"machine": MACHINE, "rows": [row.to_json() for row in rows], "remarks": []}
    shown = read_bench(json.loads(json.dumps(found)), (of, beside))
    assert (shown[of].outcome, shown[of].limit) == ("FAIL", "at least 0.8 of the peer's")
    assert shown[of].measured == "60.0 %, 0.750 of 80.0 % (optimum)"
    assert shown[beside].outcome == "PASS"


# In the place of the command line; a second time it ends with 4.
SAYS = """
import pathlib, sys
ran = pathlib.Path(PATH)
again = ran.exists()
with ran.open("a") as file:
    print(*sys.argv[1:], file=file)
print(SAID)
sys.exit(4 * again)
"""
HANGS = """
import time
print("{", flush=True)
time.sleep(1000)
"""


def test_each_benchmark_runs_once_and_one_that_ends_badly_measures_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    ran, said = tmp_path / "ran", json.dumps(told(1.0))
    says = SAYS.replace("PATH", repr(str(ran))).replace("SAID", repr(said))
    monkeypatch.setattr(figures, "_BENCH", says)
    assert measured_here(ROW.figures).keys() == {JUDGED, ASIDE}
    assert measured_here(ROW.figures) == {}
    assert ran.read_text().splitlines() == ["bench trade --json"] * 2


def test_a_benchmark_that_never_ends_is_an_error_with_its_reason(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(figures, "_BENCH", HANGS)
    result = judged(CAMPAIGN, ROW, {}, measured_here(ROW.figures, within_s=0.5))
    assert result.verdict == "ERROR"
    assert [one.measured for one in result.shown] == ["not measured, no end within 0.5 s"] * 2


def test_every_figure_of_a_row_is_a_task_of_its_benchmark() -> None:
    rows = [row for campaign in CAMPAIGNS for row in campaign.rows if row.figures]
    assert "M2" in {row.name for row in rows}
    assert "N13" in {row.name for row in rows}
    tasks = {f"{clock}, {quantile}" for clock in ("matched", "written", "accepted", "included",
             "final") for quantile in ("p50", "p99", "p99.9", "max")}  # fmt: skip
    for figure in (figure for row in rows for figure in row.figures if figure.topic == "trade"):
        assert figure.task in tasks
    street = {SHAVED, DEVIATION}
    assert {one.task for row in rows for one in row.figures if one.topic == "microgrid"} == street
