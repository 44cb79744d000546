"""The benchmark of time: a bench of inverters read and set at a fixed rate, on two cores.

The inverters are served by `gridrig emulate`, a process of its own; this process drives them with
the SunSpec driver over TCP, on the absolute deadlines of the wall clock, as a run does. At every
tick each inverter is read, and a tenth of them are given a new limit, which the driver reads back.
"""

import asyncio
import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import tomli_w

from gridrig.bench.cores import OnCores
from gridrig.bench.rows import Goal, Measured, Row
from gridrig.campaign.timing import TickTimes, memory_at_rest
from gridrig.clock import Clock, run_wall
from gridrig.devices.links import ModbusTcpLink
from gridrig.errors import BenchError
from gridrig.rig.registry import DRIVERS, Registry

WORKLOADS = ("inverters",)
INVERTERS, TICK_S, CORES = 100, 0.1, 2
S_VA = 10_000
FOR_S = 60.0
JITTER_P99_MS = 5.0


def measure(workloads: Sequence[str], quick: bool, for_s: float | None = None) -> Measured:
    """Measure the one workload, for `for_s` seconds or a minute. [s]"""
    del workloads  # there is but one
    inverters = 10 if quick else INVERTERS
    length_s = for_s or (1.0 if quick else FOR_S)
    measured = Measured()
    with OnCores(CORES) as cores, tempfile.TemporaryDirectory(prefix="gridrig-timing-") as folder:
        if cores < CORES:
            measured.remarks.append(f"{cores} core for both processes, {CORES} were wanted")
        rig = Path(folder) / "inverters.toml"
        rig.write_text(tomli_w.dumps(_rig(inverters)), encoding="utf-8")
        with _emulators(rig) as endpoints:
            used = os.times()
            times = run_wall(lambda clock: _drive(clock, endpoints, length_s), start_utc_s=0)
            spent = os.times()
    if hasattr(os, "getloadavg"):
        load = os.getloadavg()[0]
        measured.remarks.append(f"load of the machine at the end: {load:.1f}, of this bench 1 to 2")
    cpu_s = spent.user + spent.system - used.user - used.system
    measured.rows = _rows(times, inverters, length_s, cpu_s)
    return measured


def _rows(times: TickTimes, inverters: int, for_s: float, cpu_s: float) -> list[Row]:
    workload = f"{inverters} inverters read at {1 / TICK_S:g} Hz for {for_s:g} s, on {CORES} cores"
    p99_s, worst_s = times.jitter_p_s(0.99), times.jitter_p_s(1.0)
    assert p99_s is not None, "there was a tick"
    assert worst_s is not None, "there was a tick"
    late = TickTimes(jitter_s=times.work_s)
    work_s = late.jitter_p_s(0.99) or 0.0
    figures: list[tuple[str, float, str, Goal | None]] = [
        ("deadlines missed", float(len(times.missed)), "ticks", Goal(ours=0.0)),
        ("jitter, p99", 1000 * p99_s, "ms", Goal(ours=JITTER_P99_MS)),
        ("jitter, worst", 1000 * worst_s, "ms", None),
        ("work of a tick, p99", 1000 * work_s, "ms", None),
        ("CPU of the driving process", 100 * cpu_s / for_s, "% of a core", None),
    ]
    return [
        Row(
            task=task,
            workload=workload,
            ours=ours,
            unit=unit,
            goal=goal,
            less_is_better=True,
            note="a tenth of the inverters are set at every tick, and read back",
        )
        for task, ours, unit, goal in figures
    ]


def _rig(inverters: int) -> dict[str, Any]:
    devices = [
        {
            "name": f"inverter-{number}",
            "capability": "inverter",
            "driver": "sunspec",
            "bus": "bench",
            "link": {"kind": "modbus-tcp", "host": "127.0.0.1", "port": 0, "unit": 1},
            "terminal": "model",
            "limits": {"p_w_max": S_VA, "s_va_max": S_VA},
            "safe_state": {"connect": False},
            "emulate": {"model": "pv", "s_va": S_VA, "seed": number},
        }
        for number in range(1, inverters + 1)
    ]
    nominal = {"f_hz": 50, "v_ll": 400, "phases": 3}
    return {"rig": {"name": "timing", "clock": "wall", "nominal": nominal}, "device": devices}


# The command line, ended by the end of its input: so it does not outlive us, whatever ends us.
_EMULATE = """
import os, signal, sys, threading
from gridrig.cli import main
def end():
    os.read(0, 1)
    os.kill(os.getpid(), signal.SIGTERM)
threading.Thread(target=end, daemon=True).start()
sys.exit(main())
"""


@contextmanager
def _emulators(rig: Path) -> Any:
    """Serve a rig from a process of its own and give where each device is."""
    process = subprocess.Popen(
        [sys.executable, "-c", _EMULATE, "emulate", str(rig)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,  # its log of every set-point
        text=True,
    )
    try:
        assert process.stdout is not None
        endpoints = []
        for line in process.stdout:
            if line == "ready\n":
                break
            endpoints.append(json.loads(line))
        else:
            raise BenchError("bench.not_served", "gridrig emulate ended before it served")
        yield endpoints
    finally:
        process.terminate()
        process.wait()


async def _drive(clock: Clock, endpoints: Sequence[dict[str, Any]], for_s: float) -> TickTimes:
    driver: Any = Registry.installed().load(DRIVERS, "sunspec")
    inverters = [
        driver(e["device"], ModbusTcpLink(e["host"], e["port"], e["unit"]), driver.PARAMETERS())
        for e in endpoints
    ]
    times = TickTimes()
    try:
        await asyncio.gather(*(inverter.open() for inverter in inverters))
        await asyncio.gather(*(inverter.read() for inverter in inverters))
        with memory_at_rest():
            clock.restart()
            for number in range(round(for_s / TICK_S)):
                t_s = number * TICK_S
                times.began(await clock.sleep_until(t_s))
                limit_w = S_VA / 2 if number % 20 < 10 else S_VA
                setting = [one.set_limit_w(limit_w) for one in inverters[number % 10 :: 10]]
                await asyncio.gather(*(one.read() for one in inverters))
                await asyncio.gather(*setting)
                times.ended(t_s, TICK_S, clock.now_s())
    finally:
        await asyncio.gather(*(inverter.close() for inverter in inverters))
    return times
