"""pyserial's handler of ``counted://``: a POSIX port; on a virtual clock its bytes are counted."""

import asyncio
import os
import time
from typing import Any

import serial

from gridrig.clock.virtual import VirtualLoop
from gridrig.clock.wires import End

SCHEME = "counted://"
DRAIN_LIMIT_S = 1.0


def serial_class_for_url(url: str) -> tuple[str, type[serial.Serial]]:
    """Return the path in the URL and the class that opens it, as pyserial asks of a handler."""
    return url[len(SCHEME) :], Serial


def _virtual_loop() -> VirtualLoop | None:
    try:
        loop = asyncio.get_running_loop()
    except RuntimeError:
        return None
    return loop if isinstance(loop, VirtualLoop) else None


class Serial(serial.Serial):  # type: ignore[misc]
    """A serial port; its pty wire knows what was read, written and flushed."""

    _end: End | None = None

    def open(self) -> None:
        """Open the port and join its wire."""
        loop = _virtual_loop()
        if loop is not None:
            wire = loop.wires.pty(os.path.realpath(self.portstr))
            end = End(wire)
            if wire.near is not None:
                end.written, end.read = wire.near.written, wire.near.read
            self._end = wire.near = end
            wire.touch()
        try:
            super().open()
        except BaseException:
            if self._end is not None:
                self._end.close()
            raise

    def close(self) -> None:
        """Close the port and leave its wire."""
        if self._end is not None and self.is_open:
            self._end.close()
        super().close()

    def read(self, size: int = 1) -> Any:
        """Read up to `size` bytes."""
        data = super().read(size)
        if self._end is not None and data:
            self._end.took(len(data))
        return data

    def write(self, data: Any) -> Any:
        """Write and return how many bytes went out."""
        count = super().write(data)
        if self._end is not None and count:
            self._end.wrote(count)
        return count

    def _reset_input_buffer(self) -> None:
        end = self._end
        if end is None or end.wire.far is None:
            super()._reset_input_buffer()
            return
        # A flush in the kernel would lose count: read away what the other end has sent.
        sent = end.wire.far.written
        give_up = time.monotonic() + DRAIN_LIMIT_S
        while end.read < sent and time.monotonic() < give_up:
            try:
                end.took(len(os.read(self.fd, sent - end.read)))
            except BlockingIOError:
                continue

    def reset_output_buffer(self) -> None:
        """Drop nothing on a counted wire: a pty has passed it on already."""
        if self._end is None:
            super().reset_output_buffer()
