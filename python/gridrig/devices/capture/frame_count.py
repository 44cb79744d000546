"""How many frames went over the wires, counted where a recorder would hear them.

A frame is one request as a driver sent it: a Modbus request, a line of SCPI, a packet of a battery
protocol. Answers come in pieces as the kernel parts them, so they are not counted.
"""

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager

from gridrig.devices.capture.recorder import RECORDERS, Tap, Tape, Way


class FrameCount:
    """Counts frames, all and by wire, and hands everything on to a recorder if there is one.

    Parameters
    ----------
    recorder : Tape or None
        Who else listens.
    """

    def __init__(self, recorder: Tape | None) -> None:
        self.sent = 0
        self.by_wire: dict[str, int] = {}
        self._recorder = recorder

    def tap(self, wire: str, kind: str, **facts: object) -> Tap:
        """Return what a line calls with every piece of bytes."""
        inner = None if self._recorder is None else self._recorder.tap(wire, kind, **facts)

        def take(way: Way, data: bytes) -> None:
            if way == "out":
                self.sent += 1
                self.by_wire[wire] = self.by_wire.get(wire, 0) + 1
            if inner is not None:
                inner(way, data)

        return take

    def begin(self) -> None:
        """Make now the beginning of what is recorded."""
        if self._recorder is not None:
            self._recorder.begin()


@contextmanager
def counting_frames() -> Iterator[FrameCount]:
    """Count the frames of the running loop, beside whoever records them already."""
    loop = asyncio.get_running_loop()
    before = RECORDERS.get(loop)
    count = RECORDERS[loop] = FrameCount(before)
    try:
        yield count
    finally:
        if before is None:
            del RECORDERS[loop]
        else:
            RECORDERS[loop] = before
