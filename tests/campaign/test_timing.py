"""How a run keeps its times: what is counted, and that a run past its budget is never a PASS."""

import gc
import json
import time
import tomllib
import xml.etree.ElementTree as ET
from pathlib import Path
from typing import Any

import pytest
import tomli_w
from gridrig_process import ENDS_WITHIN_S, begin, verdicts_of
from small_street import SCENARIO, rig_file, scenario_file

from gridrig.campaign.builtin import RIGS
from gridrig.campaign.lab import Lab
from gridrig.campaign.measurements import Criterion, Outcome
from gridrig.campaign.procedures import Procedure, execute
from gridrig.campaign.recipe import Recipe
from gridrig.campaign.run import run
from gridrig.campaign.timing import EDGES_S, TickTimes, TimingBudget
from gridrig.commands import render
from gridrig.rig.description import load_rig
from gridrig.rig.toml_file import read_toml


def times(*ticks: tuple[float, float]) -> TickTimes:
    """Return ticks of a second each: how late each began, and when in it its work was done."""
    found = TickTimes()
    for number, (late_s, done_s) in enumerate(ticks):
        found.began(late_s)
        found.ended(float(number), 1.0, number + done_s)
    return found


def test_a_deadline_is_missed_once_the_next_tick_is_due() -> None:
    kept = times((0.0, 0.5), (0.001, 1.0), (0.0, 1.25), (0.25, 0.75))
    assert [(missed.t_s, missed.late_s) for missed in kept.missed] == [(2.0, 0.25)]
    assert kept.work_s == [0.5, 0.999, 1.25, 0.5]
    assert kept.broken(TimingBudget(missed_deadlines_max=1)) == []
    (told,) = kept.broken(TimingBudget())
    assert told == "1 of 4 ticks missed their deadline, allowed are 0; the worst, at 2 s, by 0.25 s"


def test_jitter_is_judged_at_worst_and_for_all_but_one_in_a_hundred() -> None:
    kept = times(*[(0.001, 0.1)] * 199, (0.4, 0.5))
    assert kept.jitter_p_s(0.99) == 0.001
    assert kept.jitter_p_s(1.0) == 0.4
    assert kept.broken(TimingBudget(jitter_p99_s_max=0.001, jitter_s_max=0.4)) == []
    assert len(kept.broken(TimingBudget(jitter_p99_s_max=0.0009, jitter_s_max=0.39))) == 2
    assert TickTimes().jitter_p_s(0.99) is None


COUNTS_FROZEN = """
import gc, threading, time
from pathlib import Path
def count():
    while True:
        if frozen := gc.get_freeze_count():
            Path("frozen").write_text(f"{frozen} {len(gc.get_objects())}\\n")
            return
        time.sleep(0.02)
threading.Thread(target=count, daemon=True).start()
"""
LOADED_MIN = 50_000  # objects: what the libraries of any bench bring with them


def test_whoever_serves_devices_has_its_memory_at_rest(tmp_path: Path) -> None:
    (tmp_path / "sitecustomize.py").write_text(COUNTS_FROZEN)
    served = begin("emulate", "one-inverter", cwd=tmp_path, env={"PYTHONPATH": str(tmp_path)})
    try:
        end_s = time.monotonic() + ENDS_WITHIN_S
        while not (tmp_path / "frozen").exists() and time.monotonic() < end_s:
            time.sleep(0.02)
        frozen, walked = map(int, (tmp_path / "frozen").read_text().split())
    finally:
        served.terminate()
        served.communicate()
    assert frozen > LOADED_MIN > walked


def test_a_procedure_on_a_wall_clock_has_its_memory_at_rest(tmp_path: Path) -> None:
    seen: list[int] = []

    async def body(lab: Lab) -> None:
        seen.append(gc.get_freeze_count())

    table = tomllib.loads((RIGS / "one-inverter.toml").read_text())
    for clock in ("virtual", "wall"):
        table["rig"]["clock"] = clock
        (tmp_path / "rig.toml").write_text(tomli_w.dumps(table))
        tested = Procedure(
            "test_rests", "", "", "", "", (), (Criterion("x", "1", max=1),), (), body
        )
        execute(tested, load_rig(tmp_path / "rig.toml"))
    virtual, wall = seen
    assert wall > LOADED_MIN + virtual


def test_the_histogram_counts_every_tick_at_its_upper_edge() -> None:
    kept = times(*[(edge, 1.0) for edge in EDGES_S], (EDGES_S[-1] + 1, 1.0), (0.0, 1.0))
    assert kept.histogram() == [2] + [1] * len(EDGES_S)


def on_wall(table: dict[str, Any]) -> None:
    table["rig"]["clock"] = "wall"


def test_a_run_that_misses_a_deadline_is_inconclusive_and_says_why(tmp_path: Path) -> None:
    # The inverter answers after its driver has given up, which is longer than the tick.
    late = {"device": "pv-3", "at_s": 1, "name": "late_reply", "delay_s": 1.2}
    holds = [c for c in SCENARIO["criterion"] if c["name"] == "ledger_sum_micro"]
    scenario = scenario_file(tmp_path, faults=[late], criteria=holds)
    rig = rig_file(tmp_path, on_wall)
    recipe = Recipe(read_toml(rig), read_toml(scenario), for_s=3, tick_s=1)
    prepared, part, seed = recipe.prepare()
    result = run(prepared, part, tmp_path / "run", seed=seed, render=render)
    assert [v.outcome for v in result.verdicts.verdicts] == [Outcome.PASS]
    assert result.outcome is Outcome.INCONCLUSIVE
    (reason,) = verdicts_of(tmp_path / "run")["invalid"]
    assert "missed their deadline, allowed are 0" in reason
    kept = json.loads((tmp_path / "run" / "timing.json").read_text())
    assert kept["missed"][0]["t_s"] == 1.0
    assert kept["ticks"] == 3
    assert sum(kept["jitter_histogram"]["ticks"]) == 4  # the end is a time to be kept as well
    assert reason in (tmp_path / "run" / "report.html").read_text()
    suite = ET.fromstring((tmp_path / "run" / "junit.xml").read_bytes())
    assert [e.get("type") for e in suite.iter("error")] == ["INCONCLUSIVE"]


@pytest.mark.parametrize("line", ["missed_deadlines_max = -1", "jitter_ms_max = 5"])
def test_a_budget_that_means_nothing_is_refused(tmp_path: Path, line: str) -> None:
    scenario = scenario_file(tmp_path)
    scenario.write_text(scenario.read_text() + f"\n[timing]\n{line}\n")
    recipe = Recipe(read_toml(rig_file(tmp_path)), read_toml(scenario))
    with pytest.raises(Exception, match=f"timing.{line.split(' ', maxsplit=1)[0]}"):
        recipe.prepare()
