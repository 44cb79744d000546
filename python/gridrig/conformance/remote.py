"""The referee's end of a driver that runs in a process of its own.

Whatever the driver does, the referee goes on: a call that does not end within its deadline ends the
process (and its group), a process that ends is a result, and both are told with numbers. Memory,
file descriptors and threads are read from the kernel, not from the driver.

Limits: `CALL_S` a call, `START_S` for what is the referee's own: beginning, and telling what ran.
"""

import asyncio
import contextlib
import itertools
import json
import os
import signal
import socket
import sys
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, BinaryIO

from gridrig.clock import Clock
from gridrig.conformance.exchange import LINE_BYTES_MAX, line_of, packed, unpacked
from gridrig.devices.links import Link

CALL_S = 10.0
START_S = 60.0
PAGE_BYTES = os.sysconf("SC_PAGE_SIZE")


class WorkerEnded(Exception):
    """The driver's process is no more.

    Parameters
    ----------
    hung : bool
        Whether it was ended because a call did not; else it ended by itself.
    text : str
        What was asked and what became of it.
    """

    def __init__(self, text: str, *, hung: bool) -> None:
        super().__init__(text)
        self.hung = hung


@dataclass(frozen=True)
class Failure:
    """What a driver raised.

    Parameters
    ----------
    type : str
        Class of the exception.
    message : str
        What it says.
    code, kind : str or None
        Of a `DriverError`; None of anything else.
    """

    type: str
    message: str = ""
    code: str | None = None
    kind: str | None = None

    @property
    def named(self) -> bool:
        """Whether it is a `DriverError`, as the rules want it."""
        return self.kind is not None

    def __str__(self) -> str:
        return f"{self.type} {self.kind or ''}: {self.message}"


@dataclass(frozen=True)
class Answer:
    """What a call came to: a value, or a failure; and how long it took. [s]"""

    value: Any
    failure: Failure | None
    took_s: float


@dataclass(frozen=True)
class Footprint:
    """What a process holds: resident memory [bytes], open descriptors, threads."""

    memory_bytes: int
    descriptors: int
    threads: int


class Remote:
    """A driver in a process of its own.

    Parameters
    ----------
    clock : Clock
        The referee's; deadlines are its.
    log : binary file
        Takes what the driver prints.
    """

    def __init__(self, clock: Clock, log: BinaryIO) -> None:
        self._clock = clock
        self._log = log
        self._numbers = itertools.count(1)
        self._waiting: dict[int, asyncio.Future[dict[str, Any]]] = {}
        self._process: asyncio.subprocess.Process | None = None
        self._hearing: asyncio.Task[None] | None = None
        self._writer: asyncio.StreamWriter | None = None

    @property
    def alive(self) -> bool:
        """Whether the process still hears."""
        return self._hearing is not None and not self._hearing.done()

    def another(self) -> "Remote":
        """Return one like it, not started."""
        return Remote(self._clock, self._log)

    async def start(self) -> None:
        """Begin the process; the driver is not made yet.

        Raises
        ------
        WorkerEnded
            If it does not come up.
        """
        ours, theirs = socket.socketpair()
        with theirs:
            self._process = await asyncio.create_subprocess_exec(
                *(sys.executable, "-m", "gridrig.conformance.worker"),
                *(str(theirs.fileno()), str(self._clock.utc_s())),
                pass_fds=[theirs.fileno()],
                stdin=asyncio.subprocess.DEVNULL,
                stdout=self._log,
                stderr=self._log,
                start_new_session=True,
            )
        reader, self._writer = await asyncio.open_connection(sock=ours, limit=LINE_BYTES_MAX)
        self._hearing = asyncio.create_task(self._hear(reader))
        await self._ask("ping", deadline_s=START_S)

    async def load(self, driver: str) -> str:
        """Import a driver's class, make nothing, and return its capability."""
        answer = await self._ask("load", START_S, driver=driver)
        if answer.failure is not None:
            raise WorkerEnded(f"the driver cannot be loaded: {answer.failure}", hung=False)
        return str(answer.value)

    async def make(
        self, driver: str, name: str, link: Link, parameters: dict[str, Any]
    ) -> dict[str, Any]:
        """Make the driver and return what it is; `Failure`s are raised as `WorkerEnded`."""
        wire = {"class": type(link).__name__, "fields": asdict(link)}
        answer = await self._ask(
            *("make", START_S), driver=driver, name=name, link=wire, parameters=parameters
        )
        if answer.failure is not None:
            raise WorkerEnded(f"the driver cannot be made: {answer.failure}", hung=False)
        made: dict[str, Any] = answer.value
        return made

    async def call(self, method: str, *args: Any, deadline_s: float = CALL_S) -> Answer:
        """Call one method of the driver."""
        told = [packed(arg) for arg in args]
        return await self._ask("call", deadline_s, method=method, args=told)

    async def call_and_cancel(self, method: str, *args: Any, after_s: float) -> Answer:
        """Call a method and cancel the call under way."""
        told = [packed(arg) for arg in args]
        number, future = self._send("call", method=method, args=told)
        begun_s = self._clock.now_s()
        await self._clock.sleep(after_s)
        await self._ask("cancel", CALL_S, of=number)
        return await self._await(future, f"{method}, cancelled", CALL_S, begun_s)

    async def ping_s(self) -> float:
        """Return how long the driver's loop took to turn. [s]"""
        return (await self._ask("ping", CALL_S)).took_s

    async def trace(self) -> dict[str, Any]:
        """Return the code that ran and the top-level packages that are loaded."""
        found: dict[str, Any] = (await self._ask("trace", START_S)).value
        return found

    def footprint(self) -> Footprint:
        """Return what the process holds, as the kernel counts it."""
        assert self._process is not None
        place = Path("/proc") / str(self._process.pid)
        resident = int((place / "statm").read_text().split()[1])
        return Footprint(
            resident * PAGE_BYTES,
            len(os.listdir(place / "fd")),
            len(os.listdir(place / "task")),
        )

    async def stop(self) -> None:
        """End the process and all that it began."""
        process = self._process
        if process is not None:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
            await process.wait()
        if self._hearing is not None:
            await self._hearing
        if self._writer is not None:
            self._writer.close()

    async def _ask(self, do: str, deadline_s: float, **fields: Any) -> Answer:
        begun_s = self._clock.now_s()
        _, future = self._send(do, **fields)
        return await self._await(future, str(fields.get("method", do)), deadline_s, begun_s)

    def _send(self, do: str, **fields: Any) -> tuple[int, asyncio.Future[dict[str, Any]]]:
        assert self._writer is not None
        number = next(self._numbers)
        future = asyncio.get_running_loop().create_future()
        if not self.alive:
            future.set_result({})
        else:
            self._waiting[number] = future
            self._writer.write(line_of({"id": number, "do": do, **fields}))
        return number, future

    async def _await(
        self, future: asyncio.Future[dict[str, Any]], what: str, deadline_s: float, begun_s: float
    ) -> Answer:
        try:
            async with asyncio.timeout(deadline_s):
                message = await future
        except TimeoutError:
            await self.stop()
            text = f"{what} did not end within {deadline_s:g} s"
            raise WorkerEnded(text, hung=True) from None
        took_s = self._clock.now_s() - begun_s
        if not message:
            raise WorkerEnded(f"{what}: the process ended, {await self._end()}", hung=False)
        if "error" in message:
            return Answer(None, Failure(**message["error"]), took_s)
        return Answer(unpacked(message["value"]), None, took_s)

    async def _end(self) -> str:
        assert self._process is not None
        code = await self._process.wait()
        return f"by signal {signal.Signals(-code).name}" if code < 0 else f"exit code {code}"

    async def _hear(self, reader: asyncio.StreamReader) -> None:
        # A line that is too long or is none ends the process: nothing it says counts then.
        with contextlib.suppress(ValueError, KeyError, ConnectionError):
            while line := await reader.readline():
                message = json.loads(line)
                future = self._waiting.pop(message["id"], None)
                if future is not None and not future.done():
                    future.set_result(message)
        for future in self._waiting.values():
            if not future.done():
                future.set_result({})
        self._waiting.clear()
        assert self._process is not None
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self._process.pid, signal.SIGKILL)
