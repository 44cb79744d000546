"""One open serial port for every driver on the same line, held by one of them at a time.

A device with an address shares its port with the others on that path; one without has it alone, and
a second open of the same path is refused by the operating system's lock.

Limits: 64 KiB of unread input; the oldest is lost first.
"""

import asyncio
import contextlib
from weakref import WeakKeyDictionary

from gridrig.clock import ptys
from gridrig.devices.capture.recorder import Tap
from gridrig.devices.links import SerialLink

INPUT_BYTES_MAX = 1 << 16
READ_BYTES = 4096


class SerialPort:
    """A port, its unread input and its lock; made by `join_port`."""

    def __init__(self, link: SerialLink) -> None:
        self._link = link
        self._writer: ptys.SerialWriter | None = None
        self._pump: asyncio.Task[None] | None = None
        self._inbox = bytearray()
        self._news = asyncio.Event()
        self._ended = False
        self._tap: Tap | None = None  # of whoever asked last: what comes is recorded as heard by it
        self._opening = asyncio.Lock()
        self.lock = asyncio.Lock()
        self.members: set[object] = set()
        self.failing: set[object] = set()  # members whose last question was not answered
        self.openings = 0

    @property
    def path(self) -> str:
        """The port's path."""
        return self._link.path

    @property
    def usable(self) -> bool:
        """Whether it is open and has not hung up."""
        return self._writer is not None and not self._ended

    @property
    def at_end(self) -> bool:
        """Whether it is closed or hung up, and all input is read."""
        return not self.usable and not self._inbox

    async def open(self) -> None:
        """Open the port; opening an open one is allowed."""
        async with self._opening:
            if self.usable:
                return
            await self.shut()
            reader, self._writer = await ptys.open_serial(self._link.path, self._link.baudrate)
            self._ended = False
            self.openings += 1
            self._inbox.clear()
            self._pump = asyncio.get_running_loop().create_task(
                self._take(reader), name=f"{self._link.path} serial port"
            )

    async def shut(self) -> None:
        """Close the port, whoever uses it; closing twice is allowed."""
        writer, self._writer = self._writer, None
        pump, self._pump = self._pump, None
        if writer is not None:
            writer.close()
        if pump is not None:
            pump.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await pump

    def write(self, data: bytes, tap: Tap | None = None) -> None:
        """Send bytes, after throwing away what came unasked; `tap` records the exchange."""
        assert self._writer is not None, "an unusable port is not written to"
        self.forget()
        self._writer.write(data)
        self._tap = tap
        if tap is not None:
            tap("out", data)

    def forget(self) -> None:
        """Throw the unread input away."""
        self._inbox.clear()
        self._news.clear()

    def taken(self) -> bytes:
        """Return the unread input and forget it."""
        data = bytes(self._inbox)
        self._inbox.clear()
        return data

    async def heard(self, wait_s: float) -> bool:
        """Wait for input or the line's end; return whether either came in time. [s]"""
        if not self._inbox and not self._ended:
            self._news.clear()
            try:
                async with asyncio.timeout(wait_s):
                    await self._news.wait()
            except TimeoutError:
                return False
        return True

    async def _take(self, reader: asyncio.StreamReader) -> None:
        try:
            while data := await reader.read(READ_BYTES):
                if self._tap is not None:
                    self._tap("in", data)
                self._inbox += data
                del self._inbox[:-INPUT_BYTES_MAX]
                self._news.set()
        finally:
            self._ended = True
            self._news.set()


_SHARED: WeakKeyDictionary[asyncio.AbstractEventLoop, dict[tuple[str, int], SerialPort]] = (
    WeakKeyDictionary()
)


def join_port(link: SerialLink, member: object) -> SerialPort:
    """Return the port of a link, one of its own if it has no address."""
    shared = _SHARED.setdefault(asyncio.get_running_loop(), {})
    key = (link.path, link.baudrate)
    port = SerialPort(link) if link.address is None else shared.setdefault(key, SerialPort(link))
    port.members.add(member)
    return port


async def leave_port(port: SerialPort, member: object) -> None:
    """Take one driver off a port; the last one closes it."""
    port.members.discard(member)
    port.failing.discard(member)
    if not port.members:
        shared = _SHARED.get(asyncio.get_running_loop(), {})
        for key in [key for key, one in shared.items() if one is port]:
            del shared[key]
        await port.shut()
