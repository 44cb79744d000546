"""A signal to a running `gridrig run` ends it, with every device safe and its evidence written."""

import signal
import subprocess
import time
from pathlib import Path

import pytest
import tomli_w
from gridrig_process import (
    SAFELY_TOLD,
    begin,
    call,
    ended,
    events_of,
    last_commands,
    verdicts_of,
    wait_for_line,
)
from small_street import SAFE_ENDS, SCENARIO, rig_file

HOURS_S = 7200  # long enough that no machine comes to the end of it before the signal
IN_THE_ISLAND_S = 1.0  # of real time after the start: the connection opens in the second tick


def long_island(folder: Path) -> Path:
    """Write a scenario that is an island from its second tick to its end."""
    table = {
        **SCENARIO,
        "scenario": {**SCENARIO["scenario"], "duration_s": HOURS_S},
        "event": [{"name": "opening", "at_s": 1, "do": "open", "target": "pcc"}],
    }
    path = folder / "long.toml"
    path.write_text(tomli_w.dumps(table))
    return path


def began(folder: Path) -> subprocess.Popen[str]:
    rig, scenario = rig_file(folder), long_island(folder)
    process = begin("run", scenario, "--rig", rig, "--out", "run", cwd=folder)
    wait_for_line(process, "running")
    time.sleep(IN_THE_ISLAND_S)
    return process


def check_stopped(folder: Path, done: subprocess.CompletedProcess[str], name: str) -> None:
    run = folder / "run"
    assert done.returncode == 5, done.stderr
    verdicts = verdicts_of(run)
    assert (verdicts["ended"], verdicts["cause"]) == ("ABORTED", f"stopped by {name}")
    assert verdicts["devices_end"] == SAFE_ENDS
    assert last_commands(run) == SAFELY_TOLD
    kinds = [event["kind"] for event in events_of(run)]
    assert "island_opened" in kinds, "the signal came before the island: nothing was proved"
    assert "island_reclosed" not in kinds
    assert "ABORTED" in done.stdout
    assert call("verify", run, cwd=folder).returncode == 0


def test_a_sigterm_in_the_middle_of_an_island_leaves_every_device_safe(tmp_path: Path) -> None:
    process = began(tmp_path)
    process.send_signal(signal.SIGTERM)
    check_stopped(tmp_path, ended(process), "SIGTERM")


def test_a_hail_of_ctrl_c_neither_hurries_the_safe_state_nor_loses_the_evidence(
    tmp_path: Path,
) -> None:
    process = began(tmp_path)
    while process.poll() is None:
        process.send_signal(signal.SIGINT)
        time.sleep(0.02)
        if (tmp_path / "run" / "manifest.sig").exists():
            break  # whatever comes later is for the shell that waits
    check_stopped(tmp_path, ended(process), "SIGINT")


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_before_the_bench_is_open_ends_without_a_traceback(
    tmp_path: Path, number: signal.Signals
) -> None:
    process = begin("run", "sunny-then-storm", "--rig", "emulated-street", cwd=tmp_path)
    wait_for_line(process, "loading")
    process.send_signal(number)
    done = ended(process)
    assert done.returncode in (5, -signal.SIGTERM), done.stderr
