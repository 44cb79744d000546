"""SunSpec's reversion timers, on the rig's clock: a control falls back when nobody renews it."""

import asyncio
import math
from collections.abc import Callable


class ReversionTimer:
    """Counts down from the last renewal and calls once when it ends.

    Parameters
    ----------
    on_expiry : callable
        What falls back.
    """

    def __init__(self, on_expiry: Callable[[], None]) -> None:
        self._on_expiry = on_expiry
        self._handle: asyncio.TimerHandle | None = None

    @property
    def remaining_s(self) -> int:
        """Time left, rounded up; 0 if it does not run. [s]"""
        if self._handle is None:
            return 0
        return math.ceil(self._handle.when() - asyncio.get_running_loop().time())

    def start(self, duration_s: int) -> None:
        """Count down from the beginning; 0 never falls back. [s]"""
        self.cancel()
        if duration_s:
            loop = asyncio.get_running_loop()
            self._handle = loop.call_later(duration_s, self._expired)

    def cancel(self) -> None:
        """Stop counting; nothing falls back."""
        if self._handle is not None:
            self._handle.cancel()
            self._handle = None

    def _expired(self) -> None:
        self._handle = None
        self._on_expiry()
