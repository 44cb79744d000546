"""A device that a bad wire lost is taken back in the same run, if the scenario lets it be away.

The street is that of `small_street`, on its real sockets and pseudo-terminals, connected to the
main grid unless a test opens it.
"""

import tomllib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import tomli_w
from gridrig_process import events_of
from small_street import SAFE_ENDS, rig_file, run_here, scenario_file

from gridrig.campaign.loop import Loop
from gridrig.campaign.measurements import Outcome
from gridrig.campaign.run import Progress
from gridrig.campaign.run_verdicts import RunVerdicts
from gridrig.campaign.scenario import load_scenario
from gridrig.campaign.scenario_fit import check_together
from gridrig.rig.description import load_rig

LOST_S, AWAY_S = 10, 20
LONG_S = 240
DEVICES = ("pv-3", "pv-4", "storage-a", "storage-b", "battery-a", "battery-b")
NONE_LOST = {"name": "devices_lost", "unit": "1", "max": 0, "source": "test"}
LEDGER = {"name": "ledger_sum_micro", "unit": "micro", "min": 0, "max": 0, "source": "test"}


def silent(device: str, for_s: float = AWAY_S) -> dict[str, Any]:
    return {"device": device, "at_s": LOST_S, "name": "no_reply", "for_s": for_s}


def run_with(
    folder: Path,
    faults: Sequence[Mapping[str, Any]],
    *,
    away_s_max: float | None = 120,
    begin: Callable[[Loop], object] = lambda _: None,
    **scenario: Any,
) -> RunVerdicts:
    path = scenario_file(folder, faults=faults, duration_s=LONG_S, **{"events": [], **scenario})
    table = tomllib.loads(path.read_text())
    if away_s_max is not None:
        table["scenario"]["away_s_max"] = away_s_max
    path.write_text(tomli_w.dumps(table))
    return run_here(folder, rig_file(folder), path, Progress(begin=begin)).verdicts


def told(folder: Path, *kinds: str) -> list[dict[str, Any]]:
    return [event for event in events_of(folder / "run") if event["kind"] in kinds]


@pytest.mark.parametrize("device", DEVICES)
def test_a_device_that_is_silent_for_three_polls_is_back_in_the_same_run(
    tmp_path: Path, device: str
) -> None:
    verdicts = run_with(tmp_path, [silent(device)], criteria=[LEDGER])
    assert (verdicts.ended, verdicts.outcome) == (Outcome.PASS, Outcome.PASS), verdicts.cause
    assert dict(verdicts.devices_end) == SAFE_ENDS
    lost, back = told(tmp_path, "device_lost", "device_back")
    assert (lost["kind"], lost["device"], lost["in_a_row"]) == ("device_lost", device, 3)
    assert (back["kind"], back["device"]) == ("device_back", device)
    assert back["away_s"] == pytest.approx(back["t_s"] - lost["t_s"], abs=1)
    assert 0 < back["away_s"] < AWAY_S + 60
    told_s = f"{back['away_s']:.0f} s in all until it was taken back"
    assert verdicts.findings == (f"{device} was lost once, {told_s}",)
    after = [e for e in told(tmp_path, "read_failed", "write_failed") if e["t_s"] > back["t_s"]]
    assert after == []


def test_nothing_is_sent_to_a_storage_while_it_is_lost(tmp_path: Path) -> None:
    run_with(tmp_path, [silent("storage-b")], criteria=[LEDGER])
    lost, back = told(tmp_path, "device_lost", "device_back")
    sent = told(tmp_path, "set_power_w", "set_connect", "set_limit_w")
    between = [e for e in sent if lost["t_s"] <= e["t_s"] <= back["t_s"]]
    mine = [e for e in between if e["device"] == "storage-b"]
    # What it was told on its way back: nothing, to cease, and to connect again.
    assert {e["p_w"] for e in mine if e["kind"] == "set_power_w"} <= {0.0}
    assert [e["on"] for e in mine if e["kind"] == "set_connect"][-1] is True
    assert [e for e in between if e["device"] == "storage-a"], "the others are led on"
    assert told(tmp_path, "write_refused") == [], "nobody tried"


def test_without_the_scenarios_word_a_lost_device_ends_the_run(tmp_path: Path) -> None:
    verdicts = run_with(tmp_path, [silent("pv-3")], away_s_max=None, criteria=[NONE_LOST])
    assert verdicts.ended is Outcome.ERROR
    assert "device pv-3 did not answer 3 times in a row" in verdicts.cause
    (lost,) = told(tmp_path, "device_lost", "device_back")
    assert (lost["kind"], lost["device"], lost["away_s_max"]) == ("device_lost", "pv-3", 0)
    (counted,) = verdicts.verdicts
    assert (counted.value, counted.outcome) == (1, Outcome.FAIL)
    assert verdicts.findings == ("pv-3 was lost once, and not taken back",)


@pytest.mark.parametrize("away_s_max", [0, 60])
@pytest.mark.parametrize("host_dead", ["none", "relay", "reversion-timer"])
def test_a_real_storage_is_waited_for_only_if_it_comes_to_rest_by_itself(
    tmp_path: Path, away_s_max: int, host_dead: Any
) -> None:
    rig = load_rig(rig_file(tmp_path))
    real = replace(rig.device("storage-a"), emulation=None, host_dead=host_dead)
    devices = tuple(real if device.name == real.name else device for device in rig.devices)
    path = scenario_file(tmp_path, events=[], criteria=[LEDGER])
    table = tomllib.loads(path.read_text())
    table["scenario"]["away_s_max"] = away_s_max
    path.write_text(tomli_w.dumps(table))
    found = check_together(replace(rig, devices=devices), load_scenario(path))
    refused = [issue for issue in found if issue.key == "scenario.away_s_max"]
    assert len(refused) == (away_s_max > 0 and host_dead != "reversion-timer")
    assert all('host_dead = "reversion-timer" of storage-a' in one.expected for one in refused)


@pytest.mark.parametrize(
    ("away_s_max", "why"),
    [(60, "it was not back within 60 s"), (600, "it was not back when the run ended")],
)
def test_one_that_stays_away_ends_the_run_as_it_ever_did(
    tmp_path: Path, away_s_max: float, why: str
) -> None:
    verdicts = run_with(tmp_path, [silent("pv-4", 3_600)], away_s_max=away_s_max)
    assert verdicts.findings == ("pv-4 was lost once, and not taken back",)
    assert (verdicts.ended, verdicts.outcome.exit_code) == (Outcome.ERROR, 6)
    assert "device pv-4 did not answer 3 times in a row" in verdicts.cause
    assert why in verdicts.cause
    assert verdicts.left_unsafe == ("pv-4",)
    assert told(tmp_path, "device_back") == []


@pytest.mark.parametrize("device", ["storage-a", "battery-a"])
def test_an_island_does_not_wait_for_what_forms_it(tmp_path: Path, device: str) -> None:
    opened = [{"name": "opening", "at_s": 5, "do": "open", "target": "pcc"}]
    verdicts = run_with(tmp_path, [silent(device)], events=opened, criteria=[LEDGER])
    assert verdicts.ended is Outcome.ERROR
    assert "the island cannot do without it" in verdicts.cause
    (lost,) = told(tmp_path, "device_lost", "device_back")
    assert (lost["device"], lost["away_s_max"]) == (device, 0), "it is not waited for"


@pytest.mark.parametrize("islanded", [True, False])
def test_a_real_storage_that_forms_an_island_is_needed_like_one_of_the_plant(
    tmp_path: Path, islanded: bool
) -> None:
    rig = load_rig(rig_file(tmp_path))
    plant = SimpleNamespace(rig=rig, former=None)  # where the storage is not modelled
    loop: Any = SimpleNamespace(physics=SimpleNamespace(street=plant, islanded=islanded))
    assert Loop._needed(loop) == (("storage-a", "battery-a") if islanded else ())


def test_an_island_waits_for_a_device_that_does_not_form_it(tmp_path: Path) -> None:
    opened = [{"name": "opening", "at_s": 5, "do": "open", "target": "pcc"}]
    verdicts = run_with(tmp_path, [silent("pv-3")], events=opened, criteria=[LEDGER])
    assert verdicts.ended is Outcome.PASS, verdicts.cause
    assert [e["kind"] for e in told(tmp_path, "device_lost", "device_back")][-1] == "device_back"


def test_another_device_in_its_place_is_named_once_and_never_taken_back(tmp_path: Path) -> None:
    def swap(loop: Loop) -> None:
        emulator: Any = loop.stimuli._emulators["pv-3"]
        emulator.models[0].set_raw("SN", "SOMEBODY-ELSE")

    verdicts = run_with(tmp_path, [silent("pv-3")], begin=swap, criteria=[LEDGER])
    assert verdicts.ended is Outcome.ERROR
    assert "device pv-3 did not answer" in verdicts.cause
    (refused,) = told(tmp_path, "device_refused")
    assert refused["code"] == "rig.other_device"
    assert "SOMEBODY-ELSE" in refused["cause"]
    assert verdicts.left_unsafe == ("pv-3",)
    assert told(tmp_path, "device_back") == []


def test_a_criterion_can_limit_how_often_a_device_may_be_lost(tmp_path: Path) -> None:
    verdicts = run_with(tmp_path, [silent("pv-3")], criteria=[NONE_LOST])
    assert (verdicts.ended, verdicts.outcome.exit_code) == (Outcome.PASS, 1)
    assert [v.value for v in verdicts.verdicts] == [1]


@pytest.mark.parametrize("device", ["pv-4", "battery-a"])
def test_the_same_bad_wire_loses_and_takes_back_to_the_same_bytes(
    tmp_path: Path, device: str
) -> None:
    noise = {"device": device, "at_s": LOST_S, "name": "truncate", "for_s": 90, "probability": 0.4}
    kept = []
    for name in ("first", "second"):
        (tmp_path / name).mkdir()
        run_with(tmp_path / name, [silent(device), noise], criteria=[LEDGER])
        kept.append((tmp_path / name / "run" / "events.jsonl").read_bytes())
    assert b"device_back" in kept[0]
    assert kept[0] == kept[1]
