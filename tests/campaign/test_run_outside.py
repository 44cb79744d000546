"""Runs on the wall clock, against emulators in a process of their own.

What a device was left in is told by that other process, at its end, never by the run itself.
"""

import json
import signal
import subprocess
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from gridrig_process import begin, ended, verdicts_of, wait_for_line
from small_street import DEVICES, METERS, rig_file, scenario_file

pytestmark = pytest.mark.alone

TICKS_S = 10
FROZEN_S = 2.5
LATENESS = {
    "name": "tick_lateness_max_s",
    "unit": "s",
    "max": 0.1,
    "source": "a tenth of the tick",
}
CEASED = {"connected": False, "p_w": 0.0}
SAFE_AT_THE_END: dict[str, dict[str, Any]] = {
    "pv-3": CEASED,
    "pv-4": CEASED,
    "storage-a": CEASED,
    "storage-b": CEASED,
    "battery-a": {"charge_fet": False, "discharge_fet": False},
    "battery-b": {"charge_fet": True, "discharge_fet": True},  # its wire cannot switch
    **{meter: {} for meter in METERS},
}


@dataclass
class Outside:
    """A rig whose devices are served by another process."""

    folder: Path
    emulators: subprocess.Popen[str]

    def run(self, *more: str) -> subprocess.Popen[str]:
        """Start a run of ten seconds in ticks of one."""
        scenario = scenario_file(self.folder, criteria=[LATENESS])
        length = ("--for-s", str(TICKS_S), "--tick-s", "1", "--out", "run")
        arguments = ("run", scenario, "--rig", "outside.toml", *length)
        return begin(*arguments, *more, cwd=self.folder)

    def final_states(self) -> dict[str, Mapping[str, Any]]:
        """End the other process and return in which state it left each device."""
        self.emulators.send_signal(signal.SIGTERM)
        done = ended(self.emulators)
        assert done.returncode == 0
        rows = [json.loads(line) for line in done.stderr.splitlines() if "final_state" in line]
        return {row["device"]: {k: row[k] for k in SAFE_AT_THE_END[row["device"]]} for row in rows}


@pytest.fixture
def outside(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Outside]:
    """Serve the small street, or the devices a test names; the run itself emulates the others."""
    served: Sequence[str] = getattr(request, "param", ())
    only = [word for name in served for word in ("--only", name)]
    rig = rig_file(tmp_path)
    process = begin("emulate", rig, "--write-rig", "outside.toml", *only, cwd=tmp_path)
    try:
        assert process.stdout is not None
        endpoints = []
        for line in process.stdout:
            if line == "ready\n":
                break
            endpoints.append(json.loads(line))
        assert [e["device"] for e in endpoints] == list(served or DEVICES)
        yield Outside(tmp_path, process)
    finally:
        process.kill()
        process.wait()


def test_a_run_in_real_time_says_how_late_it_was_and_leaves_every_device_safe(
    outside: Outside,
) -> None:
    done = ended(outside.run())
    verdicts = verdicts_of(outside.folder / "run")
    (lateness,) = verdicts["criteria"]
    print(f"late by at most {lateness['value'] * 1000:.1f} ms")
    assert "tick_lateness_max_s" in done.stdout
    # How late it was is the machine's affair; that the verdict says so is ours.
    met = lateness["value"] <= LATENESS["max"]
    assert (done.returncode, lateness["outcome"]) == ((0, "PASS") if met else (1, "FAIL"))
    assert lateness["value"] > 0.0
    assert set(verdicts["devices_end"].values()) == {"safe"}
    assert "EMULATED" not in done.stdout, "to this process the devices are real"
    assert outside.final_states() == SAFE_AT_THE_END


def test_a_missed_deadline_is_an_outcome_and_a_sigterm_leaves_every_device_safe(
    outside: Outside,
) -> None:
    process = outside.run()
    wait_for_line(process, "running")
    time.sleep(2)
    process.send_signal(signal.SIGSTOP)
    time.sleep(FROZEN_S)
    process.send_signal(signal.SIGCONT)
    time.sleep(1)
    process.send_signal(signal.SIGTERM)
    done = ended(process)
    assert done.returncode == 5, done.stderr
    verdicts = verdicts_of(outside.folder / "run")
    assert (verdicts["ended"], verdicts["cause"]) == ("ABORTED", "stopped by SIGTERM")
    (lateness,) = verdicts["criteria"]
    assert lateness["value"] > FROZEN_S - 1.5
    assert set(verdicts["devices_end"].values()) == {"safe"}
    assert outside.final_states() == SAFE_AT_THE_END


def test_emulators_killed_in_the_middle_of_a_run_are_all_named_unsafe(outside: Outside) -> None:
    process = outside.run()
    wait_for_line(process, "running")
    time.sleep(3)
    outside.emulators.send_signal(signal.SIGKILL)
    check_lost(outside, ended(process), [name for name in DEVICES if name not in METERS])


@pytest.mark.parametrize("outside", [("pv-4", "meter-pv-4")], indirect=True)
def test_one_emulator_killed_in_the_middle_of_a_run_is_named_and_the_rest_left_safe(
    outside: Outside,
) -> None:
    process = outside.run()
    wait_for_line(process, "running")
    time.sleep(3)
    outside.emulators.send_signal(signal.SIGKILL)
    check_lost(outside, ended(process), ["pv-4"])


def check_lost(
    outside: Outside, done: subprocess.CompletedProcess[str], unsafe: Sequence[str]
) -> None:
    assert done.returncode == 6, done.stderr
    verdicts = verdicts_of(outside.folder / "run")
    assert verdicts["ended"] == "ERROR"
    assert "did not answer 3 times in a row" in verdicts["cause"]
    assert verdicts["left_unsafe"] == unsafe
    for name, end in verdicts["devices_end"].items():
        assert end.startswith("unreachable: ") if name in unsafe else end == "safe", name
    for name in unsafe:
        assert name in done.stdout
