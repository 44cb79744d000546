"""Serving until somebody says stop."""

import asyncio
import signal


async def until_stopped() -> None:
    """Wait for SIGINT or SIGTERM, even where whoever started this process had SIGINT ignored.

    A shell without job control does that to what it starts in the background, and Python then
    leaves it so.
    """
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, stop.set)
    await stop.wait()
