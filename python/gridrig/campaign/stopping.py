"""Serving until somebody says stop."""

import asyncio
import signal


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
