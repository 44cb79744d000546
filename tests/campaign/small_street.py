"""A small street cut out of the emulated one, a short scenario with an island, and runs of both.

One device of every kind: PV on TCP and on RTU, a storage with a JBD pack that forms the island and
one with a Pylontech pack, and meters behind three gateways. The wires are as real as in the whole
street; only there are fewer, and a delivery period takes a minute.
"""

import tomllib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import Any

import tomli_w

from gridrig.campaign.builtin import RIGS
from gridrig.campaign.catalogue import CATALOGUE
from gridrig.campaign.rig_grid import Grid, load_grid
from gridrig.campaign.run import Progress, RunResult, run
from gridrig.campaign.scenario import Scenario, load_scenario, units
from gridrig.campaign.scenario_fit import check_together
from gridrig.rig.description import Rig, load_rig

METERS = (
    "meter-bus-3",
    "meter-bus-12",
    "meter-pv-3",
    "meter-pv-4",
    "meter-storage-a",
    "meter-storage-b",
    "meter-head",
)
DEVICES = ("pv-3", "pv-4", "storage-a", "battery-a", "storage-b", "battery-b", *METERS)
SIMPLE_AGENTS = {"bus": "consumer", "pv": "producer", "storage": "storage", "head": "grid"}
SAFE_ENDS = dict.fromkeys(DEVICES, "safe")

SCENARIO: dict[str, Any] = {
    "scenario": {
        "title": "A minute alone",
        "start": "2016-06-29T13:15:00Z",
        "duration_s": 120,
        "period_s": 60,
        "seed": 1,
    },
    "window": [{"from_s": 0, "tick_s": 1}],
    "market": {
        "mechanism": "pay-as-clear",
        "gate_closure_s": 30,
        "feed_in_micro_per_kwh": 80_000,
        "retail_micro_per_kwh": 300_000,
        "long_price_micro_per_kwh": 20_000,
        "short_price_micro_per_kwh": 400_000,
    },
    "event": [
        {"name": "opening", "at_s": 20, "do": "open", "target": "pcc"},
        {"name": "reclose", "at_s": 80, "do": "reclose", "target": "pcc"},
    ],
    "criterion": [
        {"name": "island_formed_s", "unit": "s", "max": 0.5, "source": "test", "event": "opening"},
        {"name": "ledger_sum_micro", "unit": "micro", "min": 0, "max": 0, "source": "test"},
    ],
}
OPENED_S = 20  # the island is there from here on, over the end of the first period


def rig_file(
    folder: Path,
    change: Callable[[dict[str, Any]], object] = lambda _: None,
    *,
    homes: bool = False,
) -> Path:
    """Write the small street's rig; `change` edits its tables first.

    Without `homes`, whose minds are trained for a second, each meter has a simple agent.
    """
    table = tomllib.loads((RIGS / "emulated-street.toml").read_text())
    table["rig"]["name"] = "small-street"
    table["feeder"]["engine"] = "opendss"
    table["device"] = [d for d in table["device"] if d["name"] in DEVICES]
    assert len(table["device"]) == len(DEVICES), "the street was rebuilt: choose again"
    table["key"] = [k for k in table["key"] if k["meter"] in METERS]
    table["participant"] = [p for p in table["participant"] if p["meter"] in METERS]
    if not homes:
        for participant in table["participant"]:
            kind = SIMPLE_AGENTS[participant["meter"].split("-")[1]]
            participant["agent"] = {"kind": kind}
    change(table)
    path = folder / "small-street.toml"
    path.write_text(tomli_w.dumps(table))
    return path


def scenario_file(
    folder: Path,
    *,
    duration_s: int = 120,
    faults: Sequence[Mapping[str, Any]] = (),
    events: Sequence[Mapping[str, Any]] | None = None,
    criteria: Sequence[Mapping[str, Any]] | None = None,
    settlement: Mapping[str, Any] | None = None,
) -> Path:
    """Write the scenario; what lies beyond `duration_s` falls away. [s]"""
    table = {**SCENARIO, "scenario": {**SCENARIO["scenario"], "duration_s": duration_s}}
    chosen = SCENARIO["event"] if events is None else events
    table["event"] = [e for e in chosen if e["at_s"] < duration_s]
    named = {e.get("name") for e in table["event"]}
    table["fault"] = list(faults)
    if settlement is not None:
        table["market"] = {**SCENARIO["market"], "settlement": settlement}
    table["criterion"] = [
        c
        for c in (SCENARIO["criterion"] if criteria is None else criteria)
        if c.get("event") is None or c["event"] in named
    ]
    path = folder / "minute.toml"
    path.write_text(tomli_w.dumps(table))
    return path


@cache
def _grid(start_utc_s: int, duration_s: int) -> Grid:
    rig = load_rig(RIGS / "emulated-street.toml")
    assert rig.feeder is not None
    solved = replace(rig, feeder=replace(rig.feeder, engine="opendss"))
    return load_grid(solved, start_utc_s, duration_s)


def read(rig_path: Path, scenario_path: Path) -> tuple[Rig, Scenario]:
    """Read both files, which must fit each other."""
    rig, scenario = load_rig(rig_path), load_scenario(scenario_path, units(CATALOGUE))
    assert check_together(rig, scenario) == ()
    return rig, scenario


def run_here(
    folder: Path,
    rig_path: Path,
    scenario_path: Path,
    progress: Progress | None = None,
    *,
    seed: int = 1,
    render: Callable[[Path], object] = lambda _: None,
) -> RunResult:
    """Run in this process; the network is loaded once for all runs of a test session."""
    rig, scenario = read(rig_path, scenario_path)
    return run(
        rig,
        scenario,
        folder / "run",
        seed=seed,
        render=render,
        progress=progress,
        grid=_grid(scenario.start_utc_s, 3600),
    )
