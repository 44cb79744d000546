"""The watchdog: a process that makes a bench safe when the run's heartbeat stops.

Its standard input is its charge, one line of JSON, then a beat every half second, then `E` for a
run that ended in order. If the beats stop, or the pipe closes without that `E`, it

1. ends the run: its process group if the run leads one, else the run and its children, so that
   their ports and sockets are free;
2. waits until replies that are still under way are over;
3. opens every device that is not emulated, and drives the bench through its safe sequence;
4. writes what it found and how each device was left to `watchdog.json` in the run directory, or
   for a command that has none to `gridrig-watchdog-PID.json` where it was started; and a line to
   its standard error.

Exit code: 0 if it had nothing to do, 5 if it acted and the bench is safe, 6 if it is left unsafe.
Settings are restored as found from the notes that the run kept (`found_store`); `not_restored`
names the devices of which some are left.
"""

import asyncio
import contextlib
import json
import os
import signal
import sys
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from gridrig.clock import Clock
from gridrig.clock.wall_time import utc_now
from gridrig.errors import GridrigError
from gridrig.rig.bench import Bench
from gridrig.rig.description import Rig, describe
from gridrig.rig.keeping import not_restored
from gridrig.rig.safe_end import SafeReport
from gridrig.rig.toml_file import parse_toml
from gridrig.rig.watchdog import END, GONE_S, QUIET_S, REPORT, safe_within_s

NOTHING_TO_DO, BENCH_SAFE, LEFT_UNSAFE = 0, 5, 6
CHARGE_MAX_BYTES = 16 * 1024 * 1024
NOT_TOLD = "unreachable: it could not be opened"


@dataclass(frozen=True)
class Charge:
    """What a watchdog is there for.

    Parameters
    ----------
    rig : Rig
        Its devices that are not emulated.
    pid : int
        The run.
    run : int
        Descriptor of the run's process: it names the same process even after its number is used
        again.
    folder : Path or None
        The run directory, if there is one.
    """

    rig: Rig
    pid: int
    run: int
    folder: Path | None


def read_charge(line: str) -> Charge:
    """Read the first line of standard input."""
    said = json.loads(line)
    # What a mutant changed was in its emulate tables, which do not concern us.
    rig = describe(parse_toml(said["text"].encode(), said["path"]), mutant=True)
    outside = tuple(device for device in rig.devices if not device.emulated)
    folder = None if said["folder"] is None else Path(said["folder"])
    return Charge(replace(rig, devices=outside), said["pid"], os.pidfd_open(said["pid"]), folder)


async def heard(beats: asyncio.StreamReader, silent_s: float) -> str:
    """Return why the run is to be given up, empty if it ended in order."""
    while True:
        try:
            async with asyncio.timeout(silent_s):
                chunk = await beats.read(4096)
        except TimeoutError:
            return f"no heartbeat for {silent_s:g} s"
        if END in chunk:
            return ""
        if not chunk:
            return "the run ended without a word"


def started_by(pid: int) -> list[int]:
    """Return all processes that descend from one, but for this one, from `/proc`."""
    parent: dict[int, int] = {}
    for entry in Path("/proc").iterdir():
        if entry.name.isdecimal():
            with contextlib.suppress(OSError, ValueError):
                # The name before the last bracket may hold blanks and brackets itself.
                fields = (entry / "stat").read_text().rpartition(")")[2].split()
                parent[int(entry.name)] = int(fields[1])
    found = [pid]
    for one in found:
        found += [child for child, of in parent.items() if of == one and child != os.getpid()]
    return found[1:]


async def end_run(charge: Charge) -> bool:
    """Kill the run with all it started; return whether it is gone."""
    with contextlib.suppress(ProcessLookupError):
        if os.getpgid(charge.pid) == charge.pid:
            os.killpg(charge.pid, signal.SIGKILL)
    for pid in started_by(charge.pid):
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)
    with contextlib.suppress(ProcessLookupError):
        signal.pidfd_send_signal(charge.run, signal.SIGKILL)
    gone = asyncio.Event()
    loop = asyncio.get_running_loop()
    loop.add_reader(charge.run, gone.set)
    try:
        async with asyncio.timeout(GONE_S):
            await gone.wait()
    except TimeoutError:
        return False
    finally:
        loop.remove_reader(charge.run)
    return True


async def make_bench_safe(rig: Rig) -> tuple[SafeReport, list[dict[str, Any]]]:
    """Open what can be opened and drive it to its safe state; return how each device was left."""
    steps: list[dict[str, Any]] = []

    def note(kind: str, device: str = "", **data: object) -> None:
        steps.append({"device": device, "kind": kind, **data})

    bench = Bench(rig, Clock(asyncio.get_running_loop(), 0), note, only_to_end=True)
    try:
        async with bench:
            pass  # leaving it is what makes it safe
    except GridrigError as error:
        note("not_opened", cause=str(error))
    left = dict.fromkeys((device.name for device in rig.devices), NOT_TOLD)
    left |= dict(bench.safe_report.devices) if bench.safe_report else {}
    return SafeReport(left), steps


async def watch(charge: Charge) -> int:
    """Listen until the run has ended, one way or the other, and act if it did not end in order."""
    loop = asyncio.get_running_loop()
    beats = asyncio.StreamReader()
    await loop.connect_read_pipe(lambda: asyncio.StreamReaderProtocol(beats), sys.stdin.buffer)
    cause = await heard(beats, charge.rig.watchdog_s)
    if not cause:
        return NOTHING_TO_DO
    noticed_s = loop.time()
    gone = await end_run(charge)
    await asyncio.sleep(QUIET_S)
    safe, steps = await make_bench_safe(charge.rig)
    report = {
        "cause": cause,
        "noticed": utc_now(),
        "run_gone": gone,
        "took_s": round(loop.time() - noticed_s, 3),
        "safe_within_s": safe_within_s(charge.rig),
        "devices_end": dict(safe.devices),
        "left_unsafe": list(safe.left_unsafe),
        "not_restored": not_restored(charge.rig),
        "steps": steps,
    }
    _write(report, _report_path(charge))
    return LEFT_UNSAFE if safe.left_unsafe else BENCH_SAFE


def _report_path(charge: Charge) -> Path:
    """Return where the report goes: beside the run's evidence, else to where it was started."""
    if charge.folder is not None and charge.folder.is_dir():
        return charge.folder / REPORT
    return Path(f"gridrig-watchdog-{charge.pid}.json")


def _write(report: dict[str, Any], path: Path) -> None:
    text = json.dumps(report, indent=1, default=str)
    with contextlib.suppress(OSError):  # the terminal may be gone with the run
        unsafe = ", ".join(report["left_unsafe"])
        end = f"LEFT UNSAFE: {unsafe}" if unsafe else "the bench is in its safe state"
        print(f"gridrig watchdog: {report['cause']}; {end}", file=sys.stderr, flush=True)
    path.write_text(text + "\n", encoding="utf-8")


def main() -> int:
    """Watch one run."""
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, signal.SIG_IGN)
    # Unbuffered: what comes after the first line has to stay in the pipe.
    line = bytearray()
    while not line.endswith(b"\n") and len(line) < CHARGE_MAX_BYTES:
        byte = os.read(0, 1)
        if not byte:
            return NOTHING_TO_DO  # the run died before it had opened anything
        line += byte
    charge = read_charge(line.decode())
    print("ready", flush=True)
    return asyncio.run(watch(charge))


if __name__ == "__main__":
    sys.exit(main())
