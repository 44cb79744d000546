"""A capture file: every piece of bytes that a driver sent or heard, with the rig's time.

The file is JSON lines. The first says what it is; then come wires, each when it is first used, and
pieces:

    {"capture": 1, "start_utc_s": 1468152000, "clock": "virtual"}
    {"wire": "pv-1", "kind": "modbus-tcp"}
    {"t_s": 0.25, "wire": "pv-1", "way": "out", "data": "00010000000601039c400002"}

"out" is from the host to the device. Pieces of one moment are written wire by wire and joined, so
that on a virtual clock the same run gives the same bytes, however the kernel parted them.

Limits: 1 GiB of text, then one line {"full": true} and nothing more; 200,000 pieces before `begin`.
"""

import asyncio
import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any, Literal, Protocol
from weakref import WeakKeyDictionary

VERSION = 1
TEXT_MAX = 1 << 30
BEFORE_MAX = 200_000
Way = Literal["out", "in"]
Tap = Callable[[Way, bytes], None]


class Tape(Protocol):
    """What listens to the wires of a loop."""

    def tap(self, wire: str, kind: str, **facts: object) -> Tap:
        """Return what a line calls with every piece of bytes."""

    def begin(self) -> None:
        """Make now the beginning."""


class Recorder:
    """Writes one capture file.

    Parameters
    ----------
    stream : text stream
        Where to.
    now_s : callable
        Gives every piece its time. [s]
    start_utc_s : int
        UTC at time 0. [s since 1970]
    clock : {"virtual", "wall"}
        Whose time it is.
    """

    def __init__(
        self, stream: IO[str], now_s: Callable[[], float], *, start_utc_s: int, clock: str
    ) -> None:
        self._stream = stream
        self._now_s = now_s
        self._left = TEXT_MAX
        self._rank: dict[str, int] = {}
        self._moment_s = float("-inf")
        self._moment: dict[str, list[tuple[Way, bytearray]]] = {}
        # None once the run has begun.
        self._before: list[tuple[float, str, Way, bytes]] | None = []
        self._write({"capture": VERSION, "start_utc_s": start_utc_s, "clock": clock})

    def tap(self, wire: str, kind: str, **facts: object) -> Tap:
        """Return what a line calls with every piece of bytes.

        Parameters
        ----------
        wire : str
            Name of the wire; of two lines with one name, both are heard as one.
        kind : str
            What is spoken there: "modbus-tcp", "modbus-rtu", or a serial protocol's name.
        **facts
            What else a reader should know of the wire.
        """
        if wire not in self._rank:
            self._rank[wire] = len(self._rank)
            self._write({"wire": wire, "kind": kind, **facts})

        def take(way: Way, data: bytes) -> None:
            self._take(self._now_s(), wire, way, data)

        return take

    def begin(self) -> None:
        """Make now the beginning: what was recorded before it gets times below zero."""
        before, self._before = self._before or [], None
        latest_s = max((t_s for t_s, *_ in before), default=0.0)
        for t_s, wire, way, data in before:
            self._take(t_s - latest_s - 1.0, wire, way, data)

    def close(self) -> None:
        """Write what is held back."""
        for piece in self._before or ():
            self._before = None
            self._take(*piece)
        self._end_moment()
        self._stream.flush()

    def _take(self, t_s: float, wire: str, way: Way, data: bytes) -> None:
        if self._before is not None:
            if len(self._before) < BEFORE_MAX:
                self._before.append((t_s, wire, way, bytes(data)))
            return
        if t_s != self._moment_s:
            self._end_moment()
            self._moment_s = t_s
        pieces = self._moment.setdefault(wire, [])
        if pieces and pieces[-1][0] == way:
            pieces[-1][1].extend(data)
        else:
            pieces.append((way, bytearray(data)))

    def _end_moment(self) -> None:
        t_s = round(self._moment_s, 9) if self._moment else 0.0
        for wire in sorted(self._moment, key=self._rank.__getitem__):
            for way, data in self._moment[wire]:
                self._write({"t_s": t_s, "wire": wire, "way": way, "data": data.hex()})
        self._moment.clear()

    def _write(self, row: dict[str, Any]) -> None:
        if self._left <= 0:
            return
        line = json.dumps(row, separators=(", ", ": ")) + "\n"
        self._left -= len(line)
        self._stream.write(line if self._left > 0 else '{"full": true}\n')


RECORDERS: WeakKeyDictionary[asyncio.AbstractEventLoop, Tape] = WeakKeyDictionary()


def recorder() -> Tape | None:
    """Return the recorder of the running loop; None if nobody records."""
    return RECORDERS.get(asyncio.get_running_loop())


@contextmanager
def recording(
    path: Path, now_s: Callable[[], float], *, start_utc_s: int, clock: str
) -> Iterator[Recorder]:
    """Record every wire of the running loop into a file, which must not exist."""
    loop = asyncio.get_running_loop()
    with path.open("x", encoding="ascii", newline="\n") as stream:
        one = Recorder(stream, now_s, start_utc_s=start_utc_s, clock=clock)
        RECORDERS[loop] = one
        try:
            yield one
        finally:
            del RECORDERS[loop]
            one.close()
