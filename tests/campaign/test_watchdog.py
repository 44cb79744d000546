"""A run that can no longer answer for its bench: the watchdog does, from a process of its own.

The judge is the process that serves the devices: it tells in which state each was left.
"""

import contextlib
import json
import os
import select
import signal
import time
from pathlib import Path
from typing import Any

import pytest
from gridrig_process import call, ended, verdicts_of, wait_for_line, watchdog_of
from outside_street import SAFE_AT_THE_END, Outside

from gridrig.errors import RigError
from gridrig.rig.description import load_rig
from gridrig.rig.lease import LEASES, take_lease

pytestmark = pytest.mark.alone

RUNNING_S = 2.0


@pytest.fixture(autouse=True)
def _own_leases(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(LEASES, str(tmp_path / "leases"))


def report_of(outside: Outside, watchdog: int) -> dict[str, Any]:
    """Wait for the end of a watchdog and return what it wrote."""
    with contextlib.suppress(ProcessLookupError):
        # Ready to be read once the process has ended.
        assert select.select([os.pidfd_open(watchdog)], [], [], 60)[0], "it did not end"
    content: dict[str, Any] = json.loads((outside.folder / "run" / "watchdog.json").read_text())
    return content


@pytest.mark.parametrize(
    ("number", "cause"),
    [
        (signal.SIGKILL, "the run ended without a word"),
        (signal.SIGSTOP, "no heartbeat for 5 s"),  # as a loop that hangs
    ],
)
def test_a_run_that_is_killed_or_hangs_leaves_a_bench_that_its_watchdog_made_safe(
    outside: Outside, number: signal.Signals, cause: str
) -> None:
    process = outside.run()
    wait_for_line(process, "running")
    time.sleep(RUNNING_S)
    watchdog = watchdog_of(process.pid)
    process.send_signal(number)
    process.wait(timeout=60)
    assert process.returncode == -signal.SIGKILL, "one that hangs is ended by the watchdog"
    # As long as the watchdog is at it, nobody else gets the bench.
    with pytest.raises(RigError, match=r"by process \d+ \(gridrig run minute"):
        take_lease(load_rig(outside.folder / "outside.toml"), "test")
    report = report_of(outside, watchdog)
    assert report["cause"] == cause
    assert report["left_unsafe"] == []
    assert report["took_s"] < report["safe_within_s"]
    assert outside.final_states() == SAFE_AT_THE_END
    assert call("verify", outside.folder / "run", cwd=outside.folder).returncode != 0


@pytest.mark.soak
@pytest.mark.parametrize("stage", ["opening the bench", "driving the bench to its safe state"])
def test_a_run_that_is_killed_in_set_up_or_tear_down_leaves_a_safe_bench(
    outside: Outside, stage: str
) -> None:
    process = outside.run()
    wait_for_line(process, stage)
    watchdog = watchdog_of(process.pid)
    process.send_signal(signal.SIGKILL)
    process.wait(timeout=60)
    report = report_of(outside, watchdog)
    assert report["cause"] == "the run ended without a word"
    assert report["left_unsafe"] == []
    assert outside.final_states() == SAFE_AT_THE_END


@pytest.mark.soak
@pytest.mark.parametrize("stage", ["opening the bench", "driving the bench to its safe state"])
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_run_that_is_stopped_in_set_up_or_tear_down_leaves_a_bench_safe_or_untouched(
    outside: Outside, stage: str, number: signal.Signals
) -> None:
    process = outside.run()
    wait_for_line(process, stage)
    process.send_signal(number)
    done = ended(process)
    # On its way to the safe state a run has nothing left to stop, and ends as it would have.
    late = stage.startswith("driving")
    assert done.returncode in ((0, 1, 3, 5) if late else (5,)), done.stderr
    ends = set(verdicts_of(outside.folder / "run")["devices_end"].values())
    left = outside.final_states()
    if ends == {"never opened"}:  # nothing was sent: it is as somebody else left it
        assert left["pv-3"]["connected"] is True
    else:
        assert ends == {"safe"}
        assert left == SAFE_AT_THE_END


def test_a_run_whose_watchdog_dies_stops_at_once_and_makes_the_bench_safe_itself(
    outside: Outside,
) -> None:
    process = outside.run()
    wait_for_line(process, "running")
    time.sleep(RUNNING_S)
    os.kill(watchdog_of(process.pid), signal.SIGKILL)
    done = ended(process)
    assert done.returncode == 5, done.stderr
    verdicts = verdicts_of(outside.folder / "run")
    assert (verdicts["ended"], verdicts["cause"]) == ("ABORTED", "the watchdog is gone")
    assert set(verdicts["devices_end"].values()) == {"safe"}
    assert outside.final_states() == SAFE_AT_THE_END


@pytest.mark.parametrize("outside", [("pv-4", "meter-pv-4")], indirect=True)
def test_a_device_that_the_watchdog_does_not_reach_is_named_unsafe(outside: Outside) -> None:
    process = outside.run()
    wait_for_line(process, "running")
    time.sleep(RUNNING_S)
    watchdog = watchdog_of(process.pid)
    outside.emulators.send_signal(signal.SIGKILL)
    process.send_signal(signal.SIGKILL)
    process.wait(timeout=60)
    report = report_of(outside, watchdog)
    assert report["left_unsafe"] == ["pv-4", "meter-pv-4"]
