"""Pseudo-terminals: the emulator's side as a transport, the driver's side as streams, both counted.

A pty has no baud timing, no parity and no RTS; who emulates a line paces it by calculation. The
master keeps one descriptor of the slave open, because its reads fail with EIO as soon as the last
slave descriptor closes, and drivers may open and close the port at every command.
"""

import asyncio
import contextlib
import fcntl
import os
import pty
import sys
import tty
from collections.abc import Callable
from typing import Any

import serial

from gridrig.clock import serial_url
from gridrig.clock.virtual import VirtualLoop
from gridrig.clock.wires import End
from gridrig.errors import DriverError

READ_SIZE = 4096
BUFFER_LIMIT_BYTES = 1 << 20
# Linux: the settings with the speed as a number, so that one without a termios code is known too.
TCGETS2 = 0x802C542A
TERMIOS2_BYTES = 44


class PtyPair:
    """A pseudo-terminal in raw mode; the slave's path is what a driver opens.

    The path is given to the next pseudo-terminal once both descriptors are closed.
    """

    def __init__(self) -> None:
        self.master_fd, self.slave_fd = pty.openpty()
        tty.setraw(self.slave_fd)
        self.slave_path = os.ttyname(self.slave_fd)
        os.set_blocking(self.master_fd, False)

    def baudrate(self) -> int:
        """Return the speed that the driver has set, seen from the master's side. [bit/s]"""
        settings = fcntl.ioctl(self.master_fd, TCGETS2, bytes(TERMIOS2_BYTES))
        return int.from_bytes(settings[-4:], sys.byteorder)

    def close(self) -> None:
        """Close both descriptors; a driver that holds the slave sees a hang-up."""
        for fd in (self.slave_fd, self.master_fd):
            with contextlib.suppress(OSError):
                os.close(fd)


def open_pty() -> PtyPair:
    """Open a new pseudo-terminal."""
    return PtyPair()


class PtyMasterTransport(asyncio.Transport):
    """The emulator's end of a pty."""

    def __init__(
        self, loop: asyncio.AbstractEventLoop, protocol: asyncio.Protocol, pair: PtyPair
    ) -> None:
        super().__init__()
        self._loop = loop
        self._protocol = protocol
        self._pair = pair
        self._buffer = bytearray()
        self._closing = False
        self._end: End | None = None
        if isinstance(loop, VirtualLoop):
            wire = loop.wires.open_pty(pair.slave_path)
            self._end = wire.far = End(wire)
        loop.add_reader(pair.master_fd, self._read_ready)
        loop.call_soon(protocol.connection_made, self)

    def get_extra_info(self, name: str, default: Any = None) -> Any:
        """Return the pair under "pty", else `default`."""
        return self._pair if name == "pty" else default

    def is_closing(self) -> bool:
        """Return whether the transport is closed."""
        return self._closing

    def write(self, data: bytes | bytearray | memoryview) -> None:
        """Send bytes to the driver, after what is buffered."""
        if self._closing or not data:
            return
        if len(self._buffer) + len(data) > BUFFER_LIMIT_BYTES:
            raise DriverError(
                "pty.buffer_full",
                "{path}: nobody reads; {limit} bytes wait",
                kind="other",
                path=self._pair.slave_path,
                limit=BUFFER_LIMIT_BYTES,
            )
        if self._end is not None:
            self._end.wrote(len(data))
        self._buffer += data
        self._write_ready()

    def close(self) -> None:
        """Hang up: both descriptors close and the driver sees an error."""
        if self._closing:
            return
        self._closing = True
        self._loop.remove_reader(self._pair.master_fd)
        self._loop.remove_writer(self._pair.master_fd)
        self._pair.close()
        if self._end is not None:
            self._end.close()
        self._loop.call_soon(self._protocol.connection_lost, None)

    abort = close

    def _read_ready(self) -> None:
        try:
            data = os.read(self._pair.master_fd, READ_SIZE)
        except (BlockingIOError, InterruptedError):
            return
        except OSError:
            self.close()
            return
        if self._end is not None:
            self._end.took(len(data))
        self._protocol.data_received(data)

    def _write_ready(self) -> None:
        try:
            while self._buffer:
                del self._buffer[: os.write(self._pair.master_fd, self._buffer)]
        except (BlockingIOError, InterruptedError):
            self._loop.add_writer(self._pair.master_fd, self._write_ready)
            return
        except OSError:
            self.close()
            return
        self._loop.remove_writer(self._pair.master_fd)


def open_pty_master(
    loop: asyncio.AbstractEventLoop,
    protocol_factory: Callable[[], asyncio.Protocol],
    pair: PtyPair,
) -> tuple[PtyMasterTransport, asyncio.Protocol]:
    """Serve the master side of `pair` with a protocol."""
    protocol = protocol_factory()
    return PtyMasterTransport(loop, protocol, pair), protocol


class SerialWriter:
    """The driver's sending side of a serial port."""

    def __init__(
        self, loop: asyncio.AbstractEventLoop, port: serial.Serial, reader: asyncio.StreamReader
    ) -> None:
        self._loop = loop
        self._port = port
        self._reader = reader
        self._buffer = bytearray()
        self._open = True
        loop.add_reader(port.fileno(), self._read_ready)

    def write(self, data: bytes) -> None:
        """Send bytes; what the kernel does not take at once follows when it can."""
        if not self._open:
            raise DriverError(
                "serial.closed", "{port} is closed", kind="unavailable", port=self.path
            )
        self._buffer += data
        self._write_ready()

    @property
    def path(self) -> str:
        """The port's path."""
        return str(self._port.name)

    def close(self) -> None:
        """Close the port; the reader ends."""
        if not self._open:
            return
        self._open = False
        self._loop.remove_reader(self._port.fileno())
        self._loop.remove_writer(self._port.fileno())
        self._port.close()
        self._reader.feed_eof()

    def _read_ready(self) -> None:
        try:
            data = self._port.read(READ_SIZE)
        except (serial.SerialException, OSError):
            self.close()
            return
        if data:
            self._reader.feed_data(data)

    def _write_ready(self) -> None:
        try:
            while self._buffer:
                sent = self._port.write(bytes(self._buffer)) or 0
                if not sent:
                    self._loop.add_writer(self._port.fileno(), self._write_ready)
                    return
                del self._buffer[:sent]
        except (serial.SerialException, OSError):
            self.close()
            return
        self._loop.remove_writer(self._port.fileno())


async def open_serial(path: str, baudrate: int) -> tuple[asyncio.StreamReader, SerialWriter]:
    """Open a serial port, 8N1, for a driver.

    Parameters
    ----------
    path : str
        Device path, such as ``/dev/ttyUSB0``.
    baudrate : int
        Line speed. [bit/s]

    Raises
    ------
    DriverError
        Kind "unavailable", if the port cannot be opened.
    """
    loop = asyncio.get_running_loop()
    try:
        port = serial.serial_for_url(
            serial_url.counted(path),
            baudrate=baudrate,
            timeout=0,
            write_timeout=0,
            exclusive=True,  # a second program on the line would take answers meant for us
        )
    except (serial.SerialException, OSError, ValueError) as error:
        raise DriverError(
            "serial.open",
            "{path} cannot be opened: {cause}",
            kind="unavailable",
            path=path,
            cause=str(error),
        ) from error
    reader = asyncio.StreamReader(limit=1 << 16)
    return reader, SerialWriter(loop, port, reader)
