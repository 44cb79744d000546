"""What is still under way on the wires of a run, by counting bytes at both ends.

Asking the kernel whether a descriptor is readable does not tell whether bytes are in flight: a pty
hands them over in a work queue, TCP in a soft interrupt. Only the two ends know: what one wrote and
the other has not read yet is on its way, and the virtual clock must stand still for it.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field


@dataclass
class End:
    """One end of a wire: what its owner put in and took out."""

    wire: "Wire"
    written: int = 0
    read: int = 0
    paused: bool = False
    finished: bool = False  # saw end of file
    closed: bool = False

    def wrote(self, count: int) -> None:
        """Count bytes handed to the wire, sent or still buffered."""
        self.written += count
        self.wire.touch()

    def took(self, count: int) -> None:
        """Count bytes taken from the wire."""
        self.read += count
        self.wire.touch()

    def finish(self) -> None:
        """Record that the other side's end of file was seen."""
        self.finished = True
        self.wire.touch()

    def close(self) -> None:
        """Record that this end neither reads nor writes any more."""
        self.closed = True
        self.wire.touch()


@dataclass
class Wire:
    """A connection or a pty, seen from both ends."""

    name: str
    ledger: "WireLedger"
    eof_travels: bool  # TCP tells the other side of a close; a pty hangs up at once
    near: End | None = None
    far: End | None = None
    far_expected: bool = False

    def touch(self) -> None:
        """Mark the wire for the next look of the clock."""
        self.ledger.unsettled[id(self)] = self

    @property
    def settled(self) -> bool:
        """Whether nothing is under way."""
        if self.near is None or self.far is None:
            return not self.far_expected
        return self._arrived(self.near, self.far) and self._arrived(self.far, self.near)

    def _arrived(self, source: End, sink: End) -> bool:
        if sink.closed or sink.paused:
            return True
        if source.closed and self.eof_travels:
            return sink.finished
        return source.written == sink.read

    def text(self) -> str:
        """Return the wire's counts for an error message."""

        def side(end: End | None) -> str:
            if end is None:
                return "absent"
            return f"wrote {end.written} read {end.read}{' closed' if end.closed else ''}"

        return f"{self.name} ({side(self.near)} | {side(self.far)}){self._foreign()}"

    def _foreign(self) -> str:
        """Say who else is on a pty: an end that read more than the other wrote heard a stranger."""
        near = self.near or End(self)
        far = self.far or End(self)
        count = max(far.read - near.written, near.read - far.written)
        return f", {count} bytes of them from another program" if count > 0 else ""


@dataclass
class WireLedger:
    """Every wire of a loop, and what holds the clock."""

    unsettled: dict[int, Wire] = field(default_factory=dict)
    holds: dict[int, str] = field(default_factory=dict)
    listening: set[str] = field(default_factory=set)
    ptys: dict[str, Wire] = field(default_factory=dict)
    connections: dict[tuple[str, str], Wire] = field(default_factory=dict)
    inboxes: dict[str, Wire] = field(default_factory=dict)
    bytes_carried: int = 0
    _next_hold: int = 0

    @contextmanager
    def hold(self, reason: str) -> Iterator[None]:
        """Keep the clock still while something outside the loop works."""
        self._next_hold += 1
        key = self._next_hold
        self.holds[key] = reason
        try:
            yield
        finally:
            del self.holds[key]

    def connection(self, local: str, peer: str, *, accepted: bool) -> End:
        """Return a new end of the TCP connection between two addresses."""
        key = (peer, local) if accepted else (local, peer)
        wire = self.connections.get(key)
        if wire is None or (wire.far if accepted else wire.near) is not None:
            # A second use of the same pair of ports is a new wire.
            wire = Wire(f"tcp {key[0]} to {key[1]}", self, eof_travels=True)
            self.connections[key] = wire
        end = End(wire)
        if accepted:
            wire.far = end
        else:
            wire.near = end
            wire.far_expected = wire.far is None and key[1] in self.listening
        wire.touch()
        return end

    def inbox(self, address: str) -> End:
        """Return the end at which a UDP socket takes what anybody sends to its address.

        Datagrams are counted, not bytes. The kernel drops what a full buffer cannot take (some 250
        small ones on Linux): whoever sends more before the receiver had its turn stalls the clock.
        """
        wire = Wire(f"udp {address}", self, eof_travels=False)
        wire.near, wire.far = End(wire), End(wire)
        self.inboxes[address] = wire
        return wire.far

    def sent_datagram(self, address: str) -> None:
        """Count a datagram, if somebody of this loop takes it there."""
        wire = self.inboxes.get(address)
        if wire is not None and wire.near is not None:
            wire.near.wrote(1)

    def open_pty(self, path: str) -> Wire:
        """Return a new wire for a pty that was opened; the kernel gives out its paths again."""
        self.ptys[path] = Wire(f"pty {path}", self, eof_travels=False)
        return self.ptys[path]

    def pty(self, path: str) -> Wire:
        """Return the wire of the pty whose slave is at `path`."""
        return self.ptys[path] if path in self.ptys else self.open_pty(path)

    def stop_listening(self, address: str) -> None:
        """Forgive connections that a closed listener will never accept."""
        self.listening.discard(address)
        for (_, server), wire in self.connections.items():
            if server == address and wire.far is None:
                wire.far_expected = False

    @property
    def settled(self) -> bool:
        """Whether every byte written has been read and nothing holds the clock."""
        if self.holds:
            return False
        if not self.unsettled:
            return True
        for key, wire in list(self.unsettled.items()):
            if wire.settled:
                del self.unsettled[key]
                self._forget(wire)
        return not self.unsettled

    def _forget(self, wire: Wire) -> None:
        near, far = wire.near, wire.far
        if near is None or far is None or not (near.closed and far.closed):
            return
        self.bytes_carried += near.read + far.read
        for key, known in list(self.connections.items()):
            if known is wire:
                del self.connections[key]

    def under_way(self) -> str:
        """Return what keeps the clock from moving, for an error message."""
        parts = [wire.text() for wire in self.unsettled.values()]
        parts += [f"hold {reason!r}" for reason in self.holds.values()]
        return "; ".join(parts) or "nothing: every task waits for something that no timer brings"
