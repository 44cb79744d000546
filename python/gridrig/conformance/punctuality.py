"""How late the referee's own loop was: the measure of whether its judgement of time counts."""

import asyncio
import contextlib

from gridrig.clock import Clock

BEAT_S = 0.05


class Punctuality:
    """Beats while it is entered, and keeps how late the latest beat was.

    Parameters
    ----------
    clock : Clock
        The referee's.
    """

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._beating: asyncio.Task[None] | None = None
        self.late_s = 0.0

    async def __aenter__(self) -> "Punctuality":
        self._beating = asyncio.create_task(self._beat())
        return self

    async def __aexit__(self, *_: object) -> None:
        assert self._beating is not None
        self._beating.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await self._beating

    async def _beat(self) -> None:
        while True:
            due_s = self._clock.now_s() + BEAT_S
            self.late_s = max(self.late_s, await self._clock.sleep_until(due_s))
