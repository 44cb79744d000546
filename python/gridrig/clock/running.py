"""The clock that a run is given, and the two ways to run under it."""

import asyncio
import contextlib
import math
from collections.abc import Awaitable, Callable
from contextlib import AbstractContextManager
from typing import Literal, TypeVar

from gridrig.clock.virtual import VirtualLoop

T = TypeVar("T")


class Clock:
    """Time since the run began, and the UTC that the scenario gives it.

    Parameters
    ----------
    loop : asyncio loop
        Virtual or ordinary.
    start_utc_s : int
        UTC of the scenario's start. [s since 1970]
    """

    def __init__(self, loop: asyncio.AbstractEventLoop, start_utc_s: int) -> None:
        self._loop = loop
        self._zero_s = loop.time()
        self.start_utc_s = start_utc_s
        self.kind: Literal["virtual", "wall"] = (
            "virtual" if isinstance(loop, VirtualLoop) else "wall"
        )

    def now_s(self) -> float:
        """Return the time since the run began. [s]"""
        return self._loop.time() - self._zero_s

    def utc_s(self) -> int:
        """Return the scenario's UTC, rounded down. [s since 1970]"""
        return self.start_utc_s + math.floor(self.now_s())

    def restart(self) -> None:
        """Make this instant the beginning of the run; set-up before it does not count."""
        self._zero_s = self._loop.time()

    async def sleep(self, duration_s: float) -> None:
        """Wait. [s]"""
        await asyncio.sleep(duration_s)

    async def sleep_until(self, t_s: float) -> float:
        """Wait for an absolute deadline and return how late it was met. [s]"""
        wait_s = t_s - self.now_s()
        if wait_s > 0:
            await asyncio.sleep(wait_s)
        if isinstance(self._loop, VirtualLoop):
            return max(0.0, -wait_s)
        return max(0.0, self.now_s() - t_s)

    def hold(self, reason: str) -> AbstractContextManager[None]:
        """Keep a virtual clock still while something outside the loop works."""
        if isinstance(self._loop, VirtualLoop):
            return self._loop.wires.hold(reason)
        return contextlib.nullcontext()


async def _under(main: Callable[[Clock], Awaitable[T]], start_utc_s: int) -> T:
    return await main(Clock(asyncio.get_running_loop(), start_utc_s))


def run_wall(main: Callable[[Clock], Awaitable[T]], *, start_utc_s: int) -> T:
    """Run `main` on the wall clock."""
    return asyncio.run(_under(main, start_utc_s))


def run_virtual(main: Callable[[Clock], Awaitable[T]], *, start_utc_s: int) -> T:
    """Run `main` on a virtual clock of its own.

    Raises
    ------
    ClockError
        If nothing moves for five seconds of real time; the message names the wire. `main` is
        cancelled first, so that its clean-up runs.
    """
    with asyncio.Runner(loop_factory=VirtualLoop) as runner:
        loop = runner.get_loop()
        assert isinstance(loop, VirtualLoop)

        async def guarded() -> T:
            task = asyncio.current_task()
            assert task is not None
            loop.on_stall = task.cancel
            try:
                return await _under(main, start_utc_s)
            except asyncio.CancelledError:
                if loop.stall is not None:
                    raise loop.stall from None
                raise

        return runner.run(guarded())
