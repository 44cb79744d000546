"""Lines out, taps and regulators as events of a scenario, and what a run says of them by name."""

import json
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest
from small_street import read, rig_file, run_here, scenario_file

from gridrig.campaign.outcomes import Outcome
from gridrig.campaign.rig_grid import load_grid
from gridrig.campaign.slicing import slice_scenario
from gridrig.campaign.switching_fit import check_switchable, require_switchable
from gridrig.errors import RigError

LINE, TRAFO = "line:LV1.101 Line 9", "trafo:MV1.101-LV1.101-Trafo 1"
DEAD = ["LV1.101 Bus 5", "LV1.101 Bus 6"]  # behind the line
EVENTS: list[dict[str, Any]] = [
    {"at_s": 10, "do": "switch", "target": LINE, "closed": False, "name": "line out"},
    {"at_s": 20, "do": "switch", "target": LINE, "closed": True},
    {"at_s": 30, "do": "tap", "target": TRAFO, "steps": -2},
]
CRITERIA: list[dict[str, Any]] = [
    {"name": "buses_dead_max", "unit": "1", "max": 0, "source": "test", "event": "line out"},
    {"name": "bus_v_max_pu", "unit": "pu", "max": 1.1, "source": "test"},
    {"name": "line_loading_max_percent", "unit": "%", "max": 0.01, "source": "test"},
]


def test_run_with_a_line_out_names_its_dead_buses_and_fails(tmp_path: Path) -> None:
    files = (
        rig_file(tmp_path),
        scenario_file(tmp_path, duration_s=60, events=EVENTS, criteria=CRITERIA),
    )
    result = run_here(tmp_path, *files)
    verdicts = {verdict.criterion.name: verdict for verdict in result.verdicts.verdicts}
    dead = verdicts["buses_dead_max"]
    assert (dead.outcome, dead.value, dead.note) == (
        Outcome.FAIL, 2, "LV1.101 Bus 5, LV1.101 Bus 6 at 10 s",
    )  # fmt: skip
    assert verdicts["bus_v_max_pu"].outcome is Outcome.PASS
    loaded = verdicts["line_loading_max_percent"]
    assert loaded.outcome is Outcome.FAIL
    assert loaded.note.startswith("LV1.101 Line ")
    assert result.verdicts.findings[0] == ("LV1.101 Bus 5: dead; 10 s in all; and LV1.101 Bus 6")
    lines = (result.path / "events.jsonl").read_text().splitlines()
    events = [event for event in map(json.loads, lines) if event["kind"].startswith("buses_")]
    assert [(e["t_s"], e["kind"], e["buses"]) for e in events] == [
        (10.0, "buses_dead", DEAD), (20.0, "buses_live", DEAD),
    ]  # fmt: skip
    trace = pq.read_table(result.path / "trace.parquet").to_pydict()
    for bus in DEAD:
        v_pu = trace[f"bus.{bus}.v_pu"]
        assert {t for t, v in zip(trace["t_s"], v_pu, strict=True) if v == 0.0} == set(
            map(float, range(10, 20))
        )
    before, after = (trace["bus.LV1.101 Bus 4.v_pu"][at] for at in (29, 31))
    assert after - before > 0.03  # two steps of 2.5 %, off the network's own +0


def test_feeder_is_as_loaded_again_when_the_next_run_begins(tmp_path: Path) -> None:
    rig_path = rig_file(tmp_path)
    for number, events in enumerate((EVENTS[:1], ())):
        folder = tmp_path / str(number)
        folder.mkdir()
        scenario = scenario_file(folder, duration_s=60, events=events, criteria=CRITERIA[1:2])
        result = run_here(folder, rig_path, scenario)
    assert not [text for text in result.verdicts.findings if "dead" in text]


def test_events_at_what_the_feeder_lacks_are_refused_all_at_once(tmp_path: Path) -> None:
    events: list[dict[str, Any]] = [
        {"at_s": 1, "do": "switch", "target": "line:LV1.101 Line9", "closed": False},
        {"at_s": 2, "do": "switch", "target": TRAFO, "closed": False},
        {"at_s": 3, "do": "tap", "target": TRAFO, "steps": 40},
        {"at_s": 4, "do": "regulator", "target": "regulator:creg", "acts": False},
    ]
    rig, scenario = read(rig_file(tmp_path), scenario_file(tmp_path, events=events, criteria=[
        CRITERIA[1]
    ]))  # fmt: skip
    grid = load_grid(rig, scenario.start_utc_s, 60)
    with pytest.raises(RigError) as caught:
        require_switchable(grid.feeder, scenario)
    assert [(issue.key, issue.found, issue.near_miss) for issue in caught.value.issues] == [
        ("event[0].target", '"line:LV1.101 Line9"', "line:LV1.101 Line 9"),
        ("event[1].target", f'"{TRAFO}", the PCC', None),
        ("event[2].steps", "40", None),
        ("event[3].target", '"regulator:creg"', None),
    ]


def test_slice_begins_with_what_was_switched_before_it(tmp_path: Path) -> None:
    rig, whole = read(rig_file(tmp_path), scenario_file(tmp_path, events=EVENTS, criteria=CRITERIA))
    slice_ = slice_scenario(whole, from_s=60, for_s=60, tick_s=None)
    assert [(e.at_s, e.do, e.name) for e in slice_.events] == [
        (0.0, "switch", None), (0.0, "switch", None), (0.0, "tap", None),
    ]  # fmt: skip
    assert [c.name for c in slice_.criteria] == ["bus_v_max_pu", "line_loading_max_percent"]
    assert check_switchable(load_grid(rig, whole.start_utc_s, 60).feeder, slice_) == ()


@pytest.mark.parametrize(
    ("event", "found"),
    [
        ({"do": "switch", "target": LINE, "closed": False}, '"switch" at 50'),
        ({"do": "switch", "target": "Line 9", "closed": False}, '"Line 9"'),
        ({"do": "tap", "target": LINE, "steps": 1}, f'"{LINE}"'),
        ({"do": "regulator", "target": "regulator:r"}, "neither acts nor vreg_v"),
    ],
)
def test_feeder_events_that_cannot_be_are_issues(
    tmp_path: Path, event: dict[str, Any], found: str
) -> None:
    opening = {"name": "opening", "at_s": 20, "do": "open", "target": "pcc"}
    path = scenario_file(tmp_path, events=[opening, {"at_s": 50, **event}])
    with pytest.raises(RigError) as caught:
        read(rig_file(tmp_path), path)
    assert any(issue.found.startswith(found) for issue in caught.value.issues)
