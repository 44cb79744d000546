"""Runs on the wall clock, against emulators in a process of their own.

What a device was left in is told by that other process, at its end, never by the run itself.
"""

import json
import signal
import subprocess
import time
import tomllib
from collections.abc import Sequence

import pytest
import tomli_w
from gridrig_process import ended, events_of, verdicts_of, wait_for_line
from outside_street import LATENESS, SAFE_AT_THE_END, Outside
from small_street import DEVICES, METERS

from gridrig.campaign.formats import csv_rows
from gridrig.campaign.records import OrderRow

pytestmark = pytest.mark.alone

FROZEN_S = 2.5


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
    passed = (3 if verdicts["invalid"] else 0, "PASS")
    assert (done.returncode, lateness["outcome"]) == (passed if met else (1, "FAIL"))
    kept = json.loads((outside.folder / "run" / "timing.json").read_text())
    assert bool(verdicts["invalid"]) == (kept["missed_deadlines"] > 0)
    assert lateness["value"] > 0.0
    assert set(verdicts["devices_end"].values()) == {"safe"}
    assert "EMULATED" not in done.stdout, "to this process the devices are real"
    assert outside.final_states() == SAFE_AT_THE_END


def test_a_missed_deadline_is_an_outcome_and_a_sigterm_leaves_every_device_safe(
    outside: Outside,
) -> None:
    process = outside.run(for_s=120)  # orders of real devices are its first act
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
    assert "cleared" in {event["kind"] for event in events_of(outside.folder / "run")}
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


@pytest.mark.soak
def test_real_devices_are_traded_by_what_they_give_and_hold(outside: Outside) -> None:
    done = ended(outside.run(for_s=120))
    assert done.returncode in (0, 1, 3), done.stderr  # lateness is the machine's affair
    orders = csv_rows(OrderRow, outside.folder / "run" / "orders.csv")
    # In the first period nobody has read them yet.
    offered = {o.participant for o in orders if o.period == 1 and o.side == "offer"}
    assert {"solar-3", "solar-4", "battery-operator-a"} <= offered


@pytest.mark.soak
def test_an_instrument_whose_calibration_is_overdue_makes_a_run_invalid(outside: Outside) -> None:
    record = {
        "certificate": "K-1",
        "laboratory": "Lab",
        "on": "2019-03-02",
        "due": "2020-03-02",
        "uncertainty": {"p_percent": 0.1},
    }
    rig = outside.folder / "outside.toml"
    table = tomllib.loads(rig.read_text())
    next(d for d in table["device"] if d["name"] == "meter-pv-3")["calibration"] = record
    rig.write_text(tomli_w.dumps(table))
    assert ended(outside.run()).returncode in (1, 3)
    verdicts = verdicts_of(outside.folder / "run")
    assert "the calibration of meter-pv-3 was due on 2020-03-02" in verdicts["invalid"]
    named = {finding.split()[0] for finding in verdicts["findings"] if "traceable" in finding}
    assert named == set(METERS) - {"meter-pv-3"}
    devices = json.loads((outside.folder / "run" / "run.json").read_text())["devices"]
    kept = next(d for d in devices if d["name"] == "meter-pv-3")["calibration"]
    assert kept == record
    assert (
        "expanded uncertainty p_percent 0.1" in (outside.folder / "run" / "report.html").read_text()
    )
