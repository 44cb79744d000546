"""Places that compute, in rig and scenario files: what is refused, by its place, all at once."""

import tomllib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import tomli_w

from gridrig.campaign.builtin import RIGS, SCENARIOS
from gridrig.campaign.places import places_of
from gridrig.campaign.scenario import load_scenario
from gridrig.campaign.scenario_fit import check_together
from gridrig.errors import Issue, RigError
from gridrig.rig.description import load_rig

RIG = RIGS / "emulated-compute-node.toml"
SCENARIO = SCENARIOS / "promise-9-night-compute.toml"
Change = Callable[[dict[str, Any]], object]


def changed(source: Path, folder: Path, change: Change) -> Path:
    table = tomllib.loads(source.read_text())
    change(table)
    path = folder / source.name
    path.write_text(tomli_w.dumps(table))
    return path


def issues_of(source: Path, folder: Path, change: Change) -> list[Issue]:
    with pytest.raises(RigError) as caught:
        (load_rig if source is RIG else load_scenario)(changed(source, folder, change))
    return list(caught.value.issues)


def agent(table: dict[str, Any], name: str) -> dict[str, Any]:
    found: dict[str, Any] = next(p for p in table["participant"] if p["name"] == name)["agent"]
    return found


def test_the_place_is_read_with_its_battery_its_sun_and_its_meters() -> None:
    (place,) = places_of(load_rig(RIG))
    assert (place.node, place.storage, place.pack) == ("node-1", "storage-1", "battery-1")
    assert place.sources == ("pv-1",)
    assert (place.reserve_soc, place.resume_soc, place.draws_w) == (0.1, 0.15, 450.0)
    assert set(place.meter_of.values()) == {"meter-node", "meter-pv", "meter-storage"}


def test_every_mistake_of_a_place_is_told_at_once(tmp_path: Path) -> None:
    def wrong(table: dict[str, Any]) -> None:
        agent(table, "roof")["node"] = "nod-1"
        agent(table, "node")["reserve_soc"] = 0.2
        agent(table, "battery").pop("reserve_soc")

    told = {(i.key, i.found, i.near_miss) for i in issues_of(RIG, tmp_path, wrong)}
    assert ("participant 'roof'.agent.node", '"nod-1"', "node-1") in told
    assert ("participant 'node'.agent.reserve_soc", "0.2", None) in told
    assert ("participant 'battery'.agent.reserve_soc", "nothing", None) in told


def test_a_place_without_a_battery_is_refused(tmp_path: Path) -> None:
    def wrong(table: dict[str, Any]) -> None:
        next(p for p in table["participant"] if p["name"] == "battery")["agent"] = {
            "kind": "storage"
        }

    (issue,) = issues_of(RIG, tmp_path, wrong)
    assert "the meter of one battery" in issue.expected


def test_settings_that_no_node_has_are_refused(tmp_path: Path) -> None:
    def wrong(table: dict[str, Any]) -> None:
        node = next(d for d in table["device"] if d["name"] == "node-1")
        node["emulate"]["busy_kw"] = 1

    (issue,) = issues_of(RIG, tmp_path, wrong)
    assert (issue.key, issue.near_miss) == ("device 'node-1'.emulate.busy_kw", "busy_w")


def test_every_mistake_of_a_job_is_told_at_once(tmp_path: Path) -> None:
    def wrong(table: dict[str, Any]) -> None:
        first, second, third, *_ = table["job"]
        first["work"] = "7x16"
        second["name"] = first["name"]
        third["due_s"] = third["at_s"] + 1
        third["at_s"] += 7

    told = {(i.key.split(".")[-1], i.found) for i in issues_of(SCENARIO, tmp_path, wrong)}
    assert {("work", '"7x16"'), ("name", '"summaries"')} <= told
    assert ("due_s", "7201") in told
    assert ("at_s", "7207") in told  # between two ticks


def test_jobs_without_a_market_are_refused(tmp_path: Path) -> None:
    (issue,) = issues_of(SCENARIO, tmp_path, lambda table: table.pop("market"))
    assert (issue.key, issue.found) == ("job", "jobs without a [market]")


def test_a_job_for_a_node_that_the_rig_has_not_does_not_fit(tmp_path: Path) -> None:
    def other(table: dict[str, Any]) -> None:
        table["job"][0]["node"] = "node-2"

    scenario = load_scenario(changed(SCENARIO, tmp_path, other))
    (issue,) = check_together(load_rig(RIG), scenario)
    assert (issue.key, issue.near_miss) == ("job 'summaries'.node", "node-1")
