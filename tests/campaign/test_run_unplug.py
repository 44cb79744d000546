"""A plug pulled in the middle of an island ends in a stated verdict; the rest is left safe.

A device that can harm and is out of reach is not known to be safe: it is named, exit code 6. A
meter moves nothing: without it its periods settle on estimates, and the criterion on that fails.
"""

import tomllib
from pathlib import Path
from typing import Any

import pytest
from gridrig_process import SAFELY_TOLD, events_of, last_commands
from small_street import OPENED_S, SAFE_ENDS, rig_file, run_here, scenario_file

from gridrig.campaign.builtin import SCENARIOS
from gridrig.campaign.measurements import Outcome

PULLED_S = OPENED_S + 5
DEMO = tomllib.loads((SCENARIOS / "sunny-then-storm.toml").read_text(encoding="utf-8"))
SETTLED = next(one for one in DEMO["criterion"] if one["name"] == "meter_periods_estimated")


def pull(folder: Path, device: str, at_s: int = PULLED_S) -> Any:
    scenario = scenario_file(
        folder,
        faults=[{"device": device, "at_s": at_s, "name": "unplug"}],
        criteria=[SETTLED],
    )
    return run_here(folder, rig_file(folder), scenario).verdicts


def without(table: dict[str, Any], names: tuple[str, ...]) -> dict[str, Any]:
    return {name: value for name, value in table.items() if name not in names}


@pytest.mark.parametrize(
    "device", ["pv-3", "pv-4", "storage-a", "storage-b", "battery-a", "battery-b"]
)
def test_a_device_whose_plug_is_pulled_is_named_unsafe_and_the_rest_is_safe(
    tmp_path: Path, device: str
) -> None:
    verdicts = pull(tmp_path, device)
    assert verdicts.outcome.exit_code == 6
    assert verdicts.ended is Outcome.ERROR
    assert f"device {device} did not answer 3 times in a row" in verdicts.cause
    # Out of reach, storage-a goes on forming the island; its pack carries that current, and a
    # switch that opened now would be destroyed. So it stays closed and is named too.
    unsafe = ("storage-a", "battery-a") if device == "storage-a" else (device,)
    assert verdicts.left_unsafe == unsafe
    assert verdicts.devices_end[device].startswith("unreachable: ")
    if device == "storage-a":
        assert "i_a is still" in verdicts.devices_end["battery-a"]
    ends, told = dict(verdicts.devices_end), last_commands(tmp_path / "run")
    assert without(ends, unsafe) == without(SAFE_ENDS, unsafe)
    assert without(told, unsafe) == without(SAFELY_TOLD, unsafe)
    # Told within the time-outs of three readings, not at the end of the scenario.
    lost = [e for e in events_of(tmp_path / "run") if e["kind"] == "read_failed"]
    assert {e["device"] for e in lost} == {device}
    assert lost[0]["t_s"] >= PULLED_S
    assert lost[-1]["t_s"] < PULLED_S + 30


@pytest.mark.parametrize("meter", ["meter-bus-3", "meter-pv-3", "meter-head"])
def test_a_meter_whose_plug_is_pulled_leaves_its_periods_estimated(
    tmp_path: Path, meter: str
) -> None:
    verdicts = pull(tmp_path, meter)
    assert (verdicts.ended, verdicts.outcome.exit_code) == (Outcome.PASS, 1)
    assert dict(verdicts.devices_end) == SAFE_ENDS
    assert [v.value for v in verdicts.verdicts] == [2]
    missing = [e for e in events_of(tmp_path / "run") if e["kind"] == "reading_missing"]
    assert {e["device"] for e in missing} == {meter}, "other units of its gateway answer"
