"""However a sweep over a bench is stopped, the run under way leaves its street safe.

The sweep itself touches no device; each point is a run in a process of its own, which outlives the
sweep for as long as it takes to make the bench safe. The judge is the process that serves it.
"""

import os
import select
import signal
import subprocess
import time
import tomllib
from pathlib import Path

import pytest
import tomli_w
from gridrig_process import GRIDRIG, children_of
from outside_street import LATENESS, SAFE_AT_THE_END, Outside
from small_street import METERS, scenario_file

pytestmark = [pytest.mark.alone, pytest.mark.soak]

WITHIN_S = 120.0
ABORTED = 5


def swept(folder: Path) -> subprocess.Popen[bytes]:
    """Start a sweep of two points over the street outside."""
    path = folder / "outside.toml"
    table = tomllib.loads(path.read_text())
    for device in table["device"]:
        if device["name"] not in METERS:
            device["host_dead"] = "relay"  # nobody stands beside a sweep
    path.write_text(tomli_w.dumps(table))
    scenario = scenario_file(folder, criteria=[LATENESS])
    words = ("sweep", scenario, "--rig", "outside.toml", "--seeds", "1..2", "--out", "sweep")
    return subprocess.Popen(
        [str(GRIDRIG), *map(str, words), "--jobs", "1", "--tick-s", "1"],
        cwd=folder,
        env={**os.environ, "GRIDRIG_LEASES": "leases", "GRIDRIG_FOUND": "found"},
    )


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGKILL])
def test_a_sweep_that_is_stopped_leaves_the_street_of_its_run_safe(
    outside: Outside, number: signal.Signals
) -> None:
    sweep = swept(outside.folder)
    points = outside.folder / "sweep" / "points"
    end_s = time.monotonic() + WITHIN_S
    while not any('"cleared"' in p.read_text() for p in points.rglob("events.live.jsonl")):
        assert sweep.poll() is None
        assert time.monotonic() < end_s, "no point is running"
        time.sleep(0.05)
    running = [os.pidfd_open(pid) for pid in children_of(sweep.pid)]
    assert running
    sweep.send_signal(number)
    code = sweep.wait(timeout=WITHIN_S)
    assert code == (-signal.SIGKILL if number is signal.SIGKILL else ABORTED)
    for pid in running:
        assert select.select([pid], [], [], WITHIN_S)[0], "the run did not end"
    assert outside.final_states() == SAFE_AT_THE_END
    assert not list(points.rglob("point.json")), "what was cut short is no result"
