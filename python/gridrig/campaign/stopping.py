"""Serving, or working on a bench, until somebody says stop."""

import asyncio

from gridrig.stop_signals import hand_to


def stop_asked() -> asyncio.Event:
    """Return an event that SIGINT, SIGTERM and SIGHUP set from now on."""
    stop = asyncio.Event()
    hand_to(asyncio.get_running_loop(), lambda _: stop.set())
    return stop


class Stop:
    """Cancels the running task once, on the first of SIGINT, SIGTERM, SIGHUP and `because`.

    A second time must not stop the way to the safe state. `cause` says what it was; empty as long
    as nobody said stop.
    """

    def __init__(self) -> None:
        self.cause = ""
        self._task = asyncio.current_task()
        hand_to(asyncio.get_running_loop(), lambda name: self.because(f"stopped by {name}"))

    def because(self, cause: str) -> None:
        """Stop, and say why."""
        if not self.cause and self._task is not None:
            self.cause = cause
            self._task.cancel()
