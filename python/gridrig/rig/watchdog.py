"""The run's end of the watchdog: start it, keep telling it that all is well, and let it go.

    async with Watchdog(rig, lease, Path("runs/seven"), on_lost=stop):
        async with bench:
            ...

The heartbeat is a task of the run's own loop, so that a loop that hangs is silent. What the
watchdog does then is in `watchdog_process`. The run in its turn hears if the watchdog dies, and has
to stop: without it nobody would answer for the bench.

Limits: the time it takes at most is `safe_within_s`; every part of it is bounded.
"""

import asyncio
import contextlib
import json
import os
import sys
from collections.abc import Callable
from contextlib import AbstractAsyncContextManager
from pathlib import Path
from types import TracebackType
from typing import Self

from gridrig.errors import RigError
from gridrig.rig.bench import CLOSE_S, OPEN_S
from gridrig.rig.description import Rig
from gridrig.rig.lease import Lease
from gridrig.rig.safe_order import end_within_s

BEAT_S = 0.5
READY_S = 30.0
GONE_S = 5.0  # for a killed process to be gone
QUIET_S = 1.0  # nothing is sent for so long, so that late replies are over
BEAT, END = b".", b"E"
REPORT = "watchdog.json"


def needs_watchdog(rig: Rig) -> bool:
    """Return whether something on the bench outlives the process that runs it."""
    return any(not device.emulated for device in rig.devices)


def safe_within_s(rig: Rig) -> float:
    """Return how long the bench may stay as it is after the last heartbeat, at most. [s]"""
    end_s = end_within_s(rig.safe_order)
    return rig.watchdog_s + GONE_S + QUIET_S + OPEN_S + end_s + CLOSE_S


def watched(
    rig: Rig, lease: Lease, folder: Path | None, on_lost: Callable[[str], object]
) -> AbstractAsyncContextManager[object]:
    """Return the watchdog of a bench, or one that does nothing for a bench that needs none."""
    if not needs_watchdog(rig):
        return contextlib.nullcontext()
    return Watchdog(rig, lease, folder, on_lost)


class Watchdog:
    """Has a process of its own make the bench safe if this one no longer can.

    Parameters
    ----------
    rig : Rig
        On the wall clock; its emulated devices end with this process and do not concern it.
    lease : Lease
        Held by the watchdog too, so that nobody takes the bench before it is safe.
    folder : Path or None
        Where it writes `watchdog.json` if it had to act; None for a file of its own in the folder
        the command was started in.
    on_lost : callable
        Told the cause if the watchdog is gone.
    """

    def __init__(
        self, rig: Rig, lease: Lease, folder: Path | None, on_lost: Callable[[str], object]
    ) -> None:
        self._rig = rig
        self._lease = lease
        self._folder = folder
        self._on_lost = on_lost
        self._process: asyncio.subprocess.Process | None = None
        self._tasks: list[asyncio.Task[None]] = []

    async def __aenter__(self) -> Self:
        """Start it and wait until it watches.

        Raises
        ------
        RigError
            `rig.no_watchdog` if it does not come to that.
        """
        self._process = await asyncio.create_subprocess_exec(
            sys.executable,
            "-m",
            "gridrig.rig.watchdog_process",
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            pass_fds=self._lease.descriptors,
            start_new_session=True,  # a Ctrl-C is for the run; the watchdog outlives it
        )
        charge = {
            "pid": os.getpid(),
            "path": self._rig.path,
            "text": self._rig.text.decode(),
            "folder": None if self._folder is None else str(self._folder.resolve()),
        }
        try:
            assert self._process.stdin is not None
            assert self._process.stdout is not None
            self._process.stdin.write(json.dumps(charge).encode() + b"\n")
            async with asyncio.timeout(READY_S):
                ready = await self._process.stdout.readline()
        except (TimeoutError, OSError):
            ready = b""
        if ready != b"ready\n":
            with contextlib.suppress(ProcessLookupError):
                self._process.kill()
            await self._process.wait()
            raise RigError(
                "rig.no_watchdog",
                "the watchdog did not start within {bound:g} s; nothing was sent to the bench",
                bound=READY_S,
            )
        self._tasks = [asyncio.create_task(self._beat()), asyncio.create_task(self._listen())]
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Let it go; the bench has been made safe by then, or its end is known to be unsafe."""
        for task in self._tasks:
            task.cancel()
        process = self._process
        if process is None or process.stdin is None:
            return
        with contextlib.suppress(OSError):
            process.stdin.write(END)
            process.stdin.close()
        try:
            async with asyncio.timeout(GONE_S):
                await process.wait()
        except TimeoutError:
            process.kill()
            await process.wait()

    async def _beat(self) -> None:
        assert self._process is not None
        assert self._process.stdin is not None
        while True:
            # One that no longer reads lets the beats pile up; `_listen` hears of one that is dead.
            if self._process.stdin.transport.get_write_buffer_size() > 0:
                self._on_lost("the watchdog no longer listens")
                return
            with contextlib.suppress(OSError):
                self._process.stdin.write(BEAT)
            await asyncio.sleep(BEAT_S)

    async def _listen(self) -> None:
        assert self._process is not None
        assert self._process.stdout is not None
        await self._process.stdout.read()
        self._on_lost("the watchdog is gone")
