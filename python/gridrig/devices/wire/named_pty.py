"""A pseudo-terminal under a name of its own, which hangs up and comes back under it."""

import asyncio

from gridrig.clock.port_names import PortName
from gridrig.clock.ptys import PtyPair, open_pty, open_pty_master


class NamedPty:
    """The devices' end of a line.

    Parameters
    ----------
    protocol : asyncio.Protocol
        Gets what the client sends.
    """

    def __init__(self, protocol: asyncio.Protocol) -> None:
        self._protocol = protocol
        self._name = PortName()
        self._pair: PtyPair | None = None
        self._transport: asyncio.Transport | None = None
        self._return: asyncio.TimerHandle | None = None

    @property
    def path(self) -> str:
        """Path that a client opens; it stays the same over an outage."""
        return self._name.path

    @property
    def up(self) -> bool:
        """Whether the line is there."""
        return self._transport is not None and not self._transport.is_closing()

    @property
    def client_baudrate(self) -> int:
        """The speed that the client has set; 0 while the line is away. [bit/s]"""
        return self._pair.baudrate() if self._pair is not None and self.up else 0

    def open(self) -> None:
        """Open the line."""
        self._return = None
        self._pair = open_pty()
        loop = asyncio.get_running_loop()
        self._transport, _ = open_pty_master(loop, lambda: self._protocol, self._pair)
        self._name.lead_to(self._pair.slave_fd)

    def write(self, data: bytes) -> None:
        """Send to the client; nothing goes out while the line is away."""
        if self._transport is not None and self.up:
            self._transport.write(data)

    def unplug(self) -> None:
        """Hang up at once; twice is allowed."""
        if self._return is not None:
            self._return.cancel()
            self._return = None
        self._name.withdraw()
        if self._transport is not None:
            self._transport.close()
            self._transport = None

    def outage(self, down_s: float) -> None:
        """Hang up, and be back under the same name after a time. [s]"""
        self.unplug()
        self._return = asyncio.get_running_loop().call_later(down_s, self.open)
