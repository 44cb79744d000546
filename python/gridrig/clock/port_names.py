"""Names that serial ports keep over a hang-up, as `/dev/serial/by-id` does for adapters.

The kernel gives the path of a pseudo-terminal that hung up to whoever opens one next, so a driver
must not open it again. A name of ours is a symbolic link in a folder of this process: it is gone
while the line is down, and leads to the new pseudo-terminal when it is back. It leads there by way
of this process's descriptor, because a process that is killed withdraws nothing: its names then
lead nowhere, instead of to the pseudo-terminal that a stranger was given under the same path.
"""

import atexit
import itertools
import os
import shutil
import tempfile
from contextlib import suppress
from functools import lru_cache
from pathlib import Path

_numbers = itertools.count(1)


@lru_cache(maxsize=1)
def _folder() -> Path:
    """Make this process's folder, which nobody else can write; it goes with the process."""
    folder = Path(tempfile.mkdtemp(prefix="gridrig-ports-"))
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    return folder


class PortName:
    """One name, which leads nowhere yet."""

    def __init__(self) -> None:
        self._link = _folder() / str(next(_numbers))

    @property
    def path(self) -> str:
        """What a driver opens."""
        return str(self._link)

    def lead_to(self, descriptor: int) -> None:
        """Let the name lead to a port of which this process keeps a descriptor open."""
        self.withdraw()
        os.symlink(f"/proc/{os.getpid()}/fd/{descriptor}", self._link)

    def withdraw(self) -> None:
        """Let the name lead nowhere; twice is allowed."""
        with suppress(FileNotFoundError):
            self._link.unlink()
