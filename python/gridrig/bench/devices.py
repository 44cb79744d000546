"""The benchmark of emulated devices: our Modbus server beside pymodbus', same core, same clients.

Each server runs in a process of its own on the pinned core, one at a time; the clients are raw
asyncio pollers in this process, on another core where there is one. So a rate is what the server
can do as long as the clients have time to spare, which a remark tells.
"""

import asyncio
import json
import os
import subprocess
import sys
from collections.abc import Awaitable, Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from gridrig.bench.devices_poller import Polled, closed_loop, closed_loop_rtu, open_loop
from gridrig.bench.rows import Goal, Measured, Row

WORKLOADS = ("saturated", "small-reads", "polled", "rtu")
COUNT = 60
GATEWAYS = 10
UNITS = 200
PEER = "pymodbus server"


def measure(workloads: Sequence[str], quick: bool) -> Measured:
    """Measure the chosen workloads, in the order asked for."""
    measured = Measured()
    for_s = 0.3 if quick else 4.0
    with _on_another_core() as cores:
        if not cores.apart:
            measured.remarks.append("one core for server and clients: rates are of both together")
        for workload in workloads:
            match workload:
                case "saturated":
                    for connections in (1, 10, 100):
                        measured.rows += _saturated(cores, measured, connections, COUNT, for_s)
                    measured.rows += _floor(cores, for_s)
                case "small-reads":
                    measured.rows += _saturated(cores, measured, 10, 2, for_s)
                case "polled":
                    units = 20 if quick else UNITS
                    measured.rows += _polled(cores, units, 1 if quick else 6)
                case "rtu":
                    measured.rows += _rtu(cores, for_s)
    return measured


@dataclass(frozen=True)
class _Cores:
    """Where servers run, and whether the clients run elsewhere."""

    servers: frozenset[int]
    apart: bool


@contextmanager
def _on_another_core() -> Iterator[_Cores]:
    """Move this process off the pinned core while servers run there, where it may."""
    if not hasattr(os, "sched_setaffinity"):
        yield _Cores(frozenset(), apart=False)
        return
    pinned = os.sched_getaffinity(0)
    others = set(range(os.cpu_count() or 1)) - pinned
    try:
        os.sched_setaffinity(0, others or pinned)
    except OSError:  # the other cores are not ours to use
        others = set()
    try:
        yield _Cores(frozenset(pinned), apart=bool(others))
    finally:
        os.sched_setaffinity(0, pinned)


class _Server:
    """One server process."""

    def __init__(self, cores: _Cores, whose: str, wire: str, lines: int, units: int) -> None:
        command = [sys.executable, "-m", "gridrig.bench.devices_server", whose, wire]
        self._process = subprocess.Popen(
            [*command, str(lines), str(units)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        if cores.servers:
            os.sched_setaffinity(self._process.pid, cores.servers)
        assert self._process.stdout is not None
        self.where: list[Any] = json.loads(self._process.stdout.readline())

    def cpu_s(self) -> float:
        """Return the CPU time it has used. [s]"""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write("cpu\n")
        self._process.stdin.flush()
        return float(self._process.stdout.readline())

    def stop(self) -> None:
        """End it."""
        assert self._process.stdin is not None
        self._process.stdin.close()
        self._process.kill()
        self._process.wait()


def _both(
    cores: _Cores,
    wire: str,
    lines: int,
    units: int,
    poll: Callable[[list[Any]], Awaitable[Polled]],
    servers: Sequence[str] = ("ours", "pymodbus"),
) -> tuple[tuple[Polled, float, float], ...]:
    """Poll our server, then the others: what was seen, and server and client CPU. [s]"""
    found = []
    for whose in servers:
        server = _Server(cores, whose, wire, lines, units)
        try:
            before_s, own = server.cpu_s(), os.times()
            polled = asyncio.run(_run(poll, server.where))
            used = os.times()
            client_s = used.user + used.system - own.user - own.system
            found.append((polled, server.cpu_s() - before_s, client_s))
        finally:
            server.stop()
    return tuple(found)


async def _run(poll: Callable[[list[Any]], Awaitable[Polled]], where: list[Any]) -> Polled:
    return await poll(where)


def _saturated(
    cores: _Cores, measured: Measured, connections: int, count: int, for_s: float
) -> Iterator[Row]:
    ours, theirs = _both(
        cores, "tcp", 1, 1, lambda ports: closed_loop(ports, connections, count, for_s)
    )
    workload = f"TCP, FC3 of {count} registers, {connections} connections, closed loop"
    if ours[2] > 0.9 * ours[0].took_s:
        measured.remarks.append(f"{connections} connections: the clients had no time to spare")
    yield Row(
        task="polls answered",
        workload=workload,
        ours=ours[0].rate,
        unit="polls/s",
        peer=PEER,
        peer_figure=theirs[0].rate,
        goal=Goal(ratio=1.0),
        note=f"server CPU {ours[1] / ours[0].took_s:.0%} and {theirs[1] / theirs[0].took_s:.0%}",
    )
    yield Row(
        task="polls for a second of server CPU",
        workload=workload,
        ours=len(ours[0].latencies_ns) / max(ours[1], 0.01),
        unit="polls",
        peer=PEER,
        peer_figure=len(theirs[0].latencies_ns) / max(theirs[1], 0.01),
        goal=Goal(ratio=1.0),
    )
    yield from _latencies(workload, ours[0], theirs[0])


def _floor(cores: _Cores, for_s: float) -> Iterator[Row]:
    ours, canned = _both(
        cores, "tcp", 1, 1, lambda ports: closed_loop(ports, 10, COUNT, for_s), ("ours", "floor")
    )
    yield Row(
        task="polls for a second of server CPU",
        workload=f"TCP, FC3 of {COUNT} registers, 10 connections, closed loop",
        ours=len(ours[0].latencies_ns) / max(ours[1], 0.01),
        unit="polls",
        peer="asyncio, a canned reply",
        peer_figure=len(canned[0].latencies_ns) / max(canned[1], 0.01),
        note="the floor: what the loop and the kernel cost without any Modbus",
    )


def _latencies(workload: str, ours: Polled, theirs: Polled) -> Iterator[Row]:
    for share, name in ((0.5, "p50"), (0.99, "p99"), (0.999, "p99.9")):
        yield Row(
            task=f"latency, {name}",
            workload=workload,
            ours=ours.latency_ms(share),
            unit="ms",
            peer=PEER,
            peer_figure=theirs.latency_ms(share),
            less_is_better=True,
        )


def _polled(cores: _Cores, units: int, rounds: int) -> Iterator[Row]:
    devices = GATEWAYS * units
    ours, theirs = _both(
        cores, "tcp", GATEWAYS, units, lambda ports: open_loop(ports, units, COUNT, rounds=rounds)
    )
    workload = f"{devices:,} units on {GATEWAYS} ports, each once a second, {COUNT} registers"
    yield Row(
        task="polls answered of those asked",
        workload=workload,
        ours=100 * len(ours[0].latencies_ns) / ours[0].asked,
        unit="%",
        peer=PEER,
        peer_figure=100 * len(theirs[0].latencies_ns) / theirs[0].asked,
        goal=Goal(ours=100.0),
        note="requests to the units of a port overlap on its connection when one is late",
    )
    yield Row(
        task="server CPU for 1,000 devices",
        workload=workload,
        ours=100 * ours[1] / ours[0].took_s / devices * 1000,
        unit="% of a core",
        peer=PEER,
        peer_figure=100 * theirs[1] / theirs[0].took_s / devices * 1000,
        goal=Goal(ours=50.0, ratio=1.0),
        less_is_better=True,
    )
    yield from _latencies(workload, ours[0], theirs[0])


def _rtu(cores: _Cores, for_s: float) -> Iterator[Row]:
    ours, theirs = _both(cores, "rtu", 1, 1, lambda paths: closed_loop_rtu(paths[0], COUNT, for_s))
    workload = f"RTU, pty without pacing, FC3 of {COUNT} registers"
    yield Row(
        task="polls answered",
        workload=workload,
        ours=ours[0].rate,
        unit="polls/s",
        peer=PEER,
        peer_figure=theirs[0].rate,
        goal=Goal(ratio=1.0),
        note="the peer's bus has a relay between two ptys in its process: it serves no master side",
    )
    yield from _latencies(workload, ours[0], theirs[0])
