"""The command line as a process of its own, and what it left behind."""

import json
import os
import subprocess
import sys
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

GRIDRIG = Path(sys.executable).parent / "gridrig"
ENDS_WITHIN_S = 120


def begin(
    *arguments: str | Path, cwd: Path, env: Mapping[str, str] | None = None
) -> subprocess.Popen[str]:
    """Start a command in a folder; its output is text on two pipes."""
    return subprocess.Popen(
        [str(GRIDRIG), *map(str, arguments)],
        cwd=cwd,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env={**os.environ, "COLUMNS": "200", **(env or {})},
    )


def call(
    *arguments: str | Path, cwd: Path, env: Mapping[str, str] | None = None
) -> subprocess.CompletedProcess[str]:
    """Run a command to its end; a traceback is a failure whatever it is about."""
    process = begin(*arguments, cwd=cwd, env=env)
    return ended(process)


def ended(process: subprocess.Popen[str]) -> subprocess.CompletedProcess[str]:
    """Wait for the end of a command that was started."""
    try:
        out, err = process.communicate(timeout=ENDS_WITHIN_S)
    finally:
        process.kill()
    assert "Traceback" not in out + err, out + err
    return subprocess.CompletedProcess(process.args, process.returncode, out, err)


def wait_for_line(process: subprocess.Popen[str], text: str) -> str:
    """Return the first line of stderr that has `text`."""
    assert process.stderr is not None
    for line in process.stderr:
        if text in line:
            return line
    raise AssertionError(f"ended without {text!r}")


def watchdog_of(pid: int, within_s: float = ENDS_WITHIN_S) -> int:
    """Return the process id of a command's watchdog, waiting until it is there."""
    end_s = time.monotonic() + within_s
    while True:
        for child, said in children_of(pid).items():
            if b"watchdog_process" in said:
                return child
        assert time.monotonic() < end_s, "no watchdog"
        time.sleep(0.02)


def children_of(pid: int) -> dict[int, bytes]:
    """Return the processes that a process has begun and not outlived, with their command lines."""
    found = {}
    for entry in Path("/proc").iterdir():
        if entry.name.isdecimal():
            try:
                fields = (entry / "stat").read_bytes().rpartition(b")")[2].split()
                if int(fields[1]) == pid:
                    found[int(entry.name)] = (entry / "cmdline").read_bytes()
            except (OSError, IndexError):
                continue  # it has ended meanwhile
    return found


def verdicts_of(run: Path) -> dict[str, Any]:
    """Return `verdicts.json` of a run directory."""
    content: dict[str, Any] = json.loads((run / "verdicts.json").read_text())
    return content


def events_of(run: Path) -> list[dict[str, Any]]:
    """Return the events of a run directory, in their order."""
    return [json.loads(line) for line in (run / "events.jsonl").read_text().splitlines()]


def last_commands(run: Path) -> dict[str, dict[str, Any]]:
    """Return what each emulated device was last told, by what the device itself noted."""
    told: dict[str, dict[str, Any]] = {}
    for event in events_of(run):
        match event["kind"]:
            case "set_connect":
                told.setdefault(event["device"], {})["connect"] = event["on"]
            case "set_power_w":
                told.setdefault(event["device"], {})["power_w"] = event["p_w"]
            case "fets":
                told.setdefault(event["device"], {})["charge"] = event["charge"]
                told.setdefault(event["device"], {})["discharge"] = event["discharge"]
    return told


SAFELY_TOLD = {
    "pv-3": {"connect": False},
    "pv-4": {"connect": False},
    "storage-a": {"connect": False, "power_w": 0.0},
    "storage-b": {"connect": False, "power_w": 0.0},
    "battery-a": {"charge": False, "discharge": False},
}
"""What the devices of the small street have been told last when they are in their safe state."""
