"""A battery outside the state of charge its rig keeps it within, and islands that ended badly."""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from gridrig_process import events_of
from small_street import rig_file, run_here, scenario_file

from gridrig.campaign.island_findings import island_findings
from gridrig.campaign.island_watch import IslandRecord
from gridrig.campaign.outcomes import Outcome
from gridrig.campaign.run_verdicts import RunVerdicts
from gridrig.campaign.soc_limits import SocLimits
from gridrig.devices.capabilities import BmsReading
from gridrig.events import EventLog
from gridrig.plant import Event
from gridrig.rig.description import load_rig

OPENED = {"name": "opening", "at_s": 20, "do": "open", "target": "pcc"}
LEDGER = {"name": "ledger_sum_micro", "unit": "micro", "min": 0, "max": 0, "source": "test"}
PASSED = "soc_limit_passed"


def run_with(folder: Path, events: Sequence[dict[str, Any]]) -> RunVerdicts:
    path = scenario_file(folder, events=events, criteria=[LEDGER])
    return run_here(folder, rig_file(folder), path).verdicts


def told(folder: Path, kind: str) -> list[dict[str, Any]]:
    return [event for event in events_of(folder / "run") if event["kind"] == kind]


@pytest.mark.parametrize("islanded", [True, False])
def test_a_pack_below_its_limit_is_told_once_and_a_finding(tmp_path: Path, islanded: bool) -> None:
    emptied = {"at_s": 40, "do": "set_soc", "target": "battery-a", "soc": 0.05}
    verdicts = run_with(tmp_path, [OPENED, emptied] if islanded else [emptied])
    assert verdicts.outcome is Outcome.PASS, verdicts.cause
    (passed,) = told(tmp_path, PASSED)
    assert (passed["device"], passed["key"], passed["limit"]) == ("battery-a", "soc_min", 0.1)
    assert (passed["islanded"], passed["soc"]) == (islanded, pytest.approx(0.05, abs=0.01))
    (said,) = [text for text in verdicts.findings if text.startswith("battery-a")]
    assert "told a state of charge below soc_min = 0.1: 0.0" in said
    assert "passed once, in an island" in said if islanded else "in an island" not in said


def test_a_run_inside_its_limits_says_nothing_of_them(tmp_path: Path) -> None:
    verdicts = run_with(tmp_path, [OPENED])
    assert told(tmp_path, PASSED) == []
    assert not [text for text in verdicts.findings if "state of charge" in text]
    assert not [text for text in verdicts.findings if "the island" in text]


def test_an_island_whose_former_loses_its_battery_is_a_finding(tmp_path: Path) -> None:
    lost = {"at_s": 40, "do": "trip", "target": "battery-a"}
    verdicts = run_with(tmp_path, [OPENED, lost])
    tripped = told(tmp_path, "island_tripped")
    assert "storage-a" in {event["device"] for event in tripped}
    (said,) = [text for text in verdicts.findings if text.startswith("the island of 20 s")]
    for event in tripped:
        assert f"{event['device']} tripped ({event['detail']}) at " in said
    assert "it lost its voltage at 40." in said


def test_each_passing_is_told_and_the_furthest_kept(tmp_path: Path) -> None:
    rig = load_rig(rig_file(tmp_path, lambda table: _limit(table, "battery-b", soc_max=0.9)))
    events = EventLog(SimpleNamespace(now_s=float), [device.name for device in rig.devices])
    watch = SocLimits(rig, events)
    one = BmsReading(
        soc=0.5, v_v=51.2, i_a=0.0, cells_mv=(3200,) * 16, temperature_c=25.0,
        charge_limit_a=100.0, discharge_limit_a=100.0, charge_fet=True, discharge_fet=True,
        protections=(),
    )  # fmt: skip
    socs = (0.9, 0.91, 0.95, 0.9, 0.1 - 1e-12, 0.92, 0.09)
    for t_s, soc in enumerate(socs):
        watch.look(t_s, {"battery-b": replace(one, soc=soc)}, islanded=t_s == 5)
    watch.look(9, {}, islanded=False)
    watch.look(10, {"battery-b": replace(one, soc=0.08)}, islanded=False)
    assert [(e.data["key"], e.data["soc"], e.data["islanded"]) for e in events.ordered()] == [
        ("soc_max", 0.91, False),
        ("soc_max", 0.92, True),
        ("soc_min", 0.09, False),
    ]
    assert watch.findings() == [
        "battery-b told a state of charge above soc_max = 0.9: 0.95 at worst; passed 2 times, "
        "1 of them in an island, first at 1 s",
        "battery-b told a state of charge below soc_min = 0.1: 0.08 at worst; passed once, "
        "first at 6 s",
    ]


def test_a_limit_is_news_of_an_island_only_beside_something_worse() -> None:
    limit = Event(20.01, "limit", "storage-a", 1.0, "current")
    tripped = Event(21.0, "tripped", "storage-a", 0.5, "UV2")
    held, lost = (
        IslandRecord(20.0, 0.0, 0, 0, troubles=found) for found in ([limit], [limit, tripped])
    )
    assert island_findings([held]) == []
    (said,) = island_findings([lost])
    assert "reached its limit of current at 20.01 s; storage-a tripped (UV2) at 21.00 s" in said


def _limit(table: dict[str, Any], name: str, **limits: float) -> None:
    (device,) = [device for device in table["device"] if device["name"] == name]
    device["limits"] |= limits
