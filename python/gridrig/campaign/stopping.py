"""Serving, or working on a bench, until somebody says stop."""

import asyncio
import signal
import threading


def stop_asked() -> asyncio.Event:
    """Return an event that SIGINT and SIGTERM set from now on.

    That holds even where whoever started this process had SIGINT ignored: a shell without job
    control does so to what it puts in the background, and Python then leaves it so.
    """
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, stop.set)
    return stop


class Stop:
    """Cancels the running task once, on the first of SIGINT, SIGTERM and `because`.

    A second time must not stop the way to the safe state. `cause` says what it was; empty as long
    as nobody said stop.
    """

    def __init__(self) -> None:
        self.cause = ""
        self._task = asyncio.current_task()
        if threading.current_thread() is not threading.main_thread():
            return  # only the main thread gets signals
        loop = asyncio.get_running_loop()
        for number in (signal.SIGINT, signal.SIGTERM):
            loop.add_signal_handler(number, self.because, f"stopped by {number.name}")

    def because(self, cause: str) -> None:
        """Stop, and say why."""
        if not self.cause and self._task is not None:
            self.cause = cause
            self._task.cancel()
