"""The pty that one emulated device has for itself, or that several share as an RS485 bus.

Every device on the bus hears every request. Replies go out one after another: devices that answer
at once would collide on a real bus, and those that are addressed properly never do. One that pulls
its plug leaves the others where they are; with the last one the line hangs up.

Known gap: devices do not hear each other's replies.
"""

import asyncio
from typing import Protocol
from weakref import WeakKeyDictionary

from gridrig.devices.wire.named_pty import NamedPty
from gridrig.devices.wire.uart import line_time_s, misheard

CHUNK_BYTES = 64


class Listener(Protocol):
    """A device on the wire."""

    def heard(self, data: bytes, client_baudrate: int) -> None:
        """Take bytes from the client, and the speed it sent them at. [bit/s]"""


class SerialWire(asyncio.Protocol):
    """One pty and the devices on it; made by `join_wire`."""

    def __init__(self) -> None:
        self._pty = NamedPty(self)
        self._pty.open()
        self._sending = asyncio.Lock()
        self.listeners: list[Listener] = []

    @property
    def path(self) -> str:
        """The path that a driver opens; it stays the same over an outage."""
        return self._pty.path

    @property
    def client_baudrate(self) -> int:
        """The speed that the client has set; 0 while the line is away. [bit/s]"""
        return self._pty.client_baudrate

    def data_received(self, data: bytes) -> None:
        """Take bytes from the client."""
        speed = self.client_baudrate
        for listener in tuple(self.listeners):
            listener.heard(data, speed)

    def leave(self, listener: Listener) -> None:
        """Take a device off the wire; without devices it hangs up."""
        if listener in self.listeners:
            self.listeners.remove(listener)
        if not self.listeners:
            self._pty.unplug()

    def outage(self, down_s: float) -> None:
        """Hang up with every device on it, and be back after a time. [s]"""
        self._pty.outage(down_s)

    async def send(self, data: bytes, baudrate: int) -> None:
        """Send bytes at a device's speed, each in its own time; another device's wait. [bit/s]"""
        async with self._sending:
            for at in range(0, len(data), CHUNK_BYTES):
                chunk = data[at : at + CHUNK_BYTES]
                await asyncio.sleep(line_time_s(len(chunk), baudrate))
                if not self._pty.up:
                    return
                self._pty.write(misheard(chunk, baudrate, self.client_baudrate))


_SHARED: WeakKeyDictionary[asyncio.AbstractEventLoop, dict[str, SerialWire]] = WeakKeyDictionary()


def join_wire(listener: Listener, name: str | None) -> SerialWire:
    """Put a device on the wire of that name, or on one of its own."""
    wires = _SHARED.setdefault(asyncio.get_running_loop(), {})
    wire = wires.get(name) if name is not None else None
    if wire is None or not wire.listeners:
        wire = SerialWire()
        if name is not None:
            wires[name] = wire
    wire.listeners.append(listener)
    return wire
