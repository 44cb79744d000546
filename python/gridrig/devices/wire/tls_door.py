"""The door of a TLS server: everybody has to show a certificate, and who is not let in is named.

asyncio's own TLS servers drop a handshake that fails and say nothing. Here each one that does not
end well is told with its cause, takes a bounded time, and holds one of a bounded number of places:
when all are taken the one that has been at it longest goes, so that half-open handshakes keep
nobody out.

Limits: 64 handshakes at a time, 5 s each.
"""

import asyncio
import contextlib
import ssl
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

HANDSHAKE_S = 5.0
HALF_OPEN_MAX = 64
CLIENT_HELLO = 0x16  # the first octet of every TLS connection, and never one of a Modbus length
PIECE_BYTES = 1 << 16


@dataclass(frozen=True)
class DoorRules:
    """How a door is kept; all but the defaults is how a door should not be kept.

    Parameters
    ----------
    handshake_s : float
        Longest handshake. [s]
    plain : bool
        Whether who does not begin with TLS is let in without it.
    failures_max : int
        After so many handshakes that did not end well nobody is let in any more; 0 for never.
    """

    handshake_s: float = HANDSHAKE_S
    plain: bool = False
    failures_max: int = 0


class TlsDoor:
    """Lets clients in, and counts who was not.

    Parameters
    ----------
    context : ssl.SSLContext
        What is shown to clients and asked of them.
    rules : DoorRules
        How it is kept.
    on_refused : callable
        Takes the cause of each refusal.
    """

    def __init__(
        self, context: ssl.SSLContext, rules: DoorRules, on_refused: Callable[[str], object]
    ) -> None:
        self.context = context
        self.rules = rules
        self.refused = 0
        self._on_refused = on_refused
        self._half_open: dict[_AtTheDoor, None] = {}  # in the order in which they came

    def __call__(self, behind: Callable[[], asyncio.Protocol]) -> asyncio.Protocol:
        """Return the protocol of one connection; `behind` makes what is behind the door."""
        return _AtTheDoor(self, behind)

    def close(self) -> None:
        """Send everybody away who is at the door."""
        for waiting in tuple(self._half_open):
            waiting.send_away()

    def comes(self, client: "_AtTheDoor") -> bool:
        """Return whether somebody who comes may try."""
        most = self.rules.failures_max
        if most and self.refused >= most:
            return False
        if len(self._half_open) >= HALF_OPEN_MAX:
            next(iter(self._half_open)).refuse("pushed out by newer handshakes")
        self._half_open[client] = None
        return True

    def leaves(self, client: "_AtTheDoor") -> None:
        """Forget somebody who is through the door or away from it."""
        self._half_open.pop(client, None)

    def tell(self, cause: str) -> None:
        """Count a refusal."""
        self.refused += 1
        self._on_refused(cause)


class _AtTheDoor(asyncio.Protocol):
    """One connection: its handshake, and then what passes through."""

    def __init__(self, door: TlsDoor, behind: Callable[[], asyncio.Protocol]) -> None:
        self._door = door
        self._behind = behind
        self._inside: asyncio.Protocol | None = None
        self._through: asyncio.Transport | None = None
        self._refused = False
        self._begun = False
        self._came, self._goes = ssl.MemoryBIO(), ssl.MemoryBIO()
        self.tls = door.context.wrap_bio(self._came, self._goes, server_side=True)
        self.wire: asyncio.Transport
        self._timer: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self.wire = transport
        if not self._door.comes(self):
            self._refused = True
            transport.abort()
            return
        limit_s = self._door.rules.handshake_s
        self._timer = asyncio.get_running_loop().call_later(
            limit_s, self.refuse, f"no end of the handshake within {limit_s:g} s"
        )

    def data_received(self, data: bytes) -> None:
        if self._refused:
            return
        if not self._begun and self._door.rules.plain and data[0] != CLIENT_HELLO:
            self._let_in(self.wire)
        self._begun = True
        if self._inside is not None and self._through is self.wire:
            self._inside.data_received(data)
            return
        self._came.write(data)
        try:
            if self._inside is None:
                self.tls.do_handshake()
                self._let_in(_Secured(self))
            self._hand_on()
        except ssl.SSLWantReadError:
            self.flush()
        except ssl.SSLZeroReturnError:
            self.wire.close()
        except ssl.SSLError as error:
            self.flush()  # the alert that tells the other side
            self.refuse(_cause(error))

    def connection_lost(self, exc: Exception | None) -> None:
        if self._inside is not None:
            self._inside.connection_lost(exc)
        elif not self._refused:
            self.refuse("hung up in the handshake")
        self._is_past()

    def pause_writing(self) -> None:
        """Tell who is behind the door that the client does not fetch what is sent."""
        if self._inside is not None:
            self._inside.pause_writing()

    def refuse(self, cause: str) -> None:
        """Send away whoever cannot be let in, or no longer be believed."""
        self._refused = True
        self._is_past()
        self._door.tell(cause)
        self.wire.close()

    def send_away(self) -> None:
        """Close the wire because the door is closed, which is nobody's refusal."""
        self._refused = True
        self._is_past()
        self.wire.abort()

    def flush(self) -> None:
        """Send what TLS has to say."""
        if self._goes.pending and not self.wire.is_closing():
            self.wire.write(self._goes.read())

    def _let_in(self, transport: asyncio.Transport) -> None:
        self._is_past()
        self._through, self._inside = transport, self._behind()
        self._inside.connection_made(transport)

    def _hand_on(self) -> None:
        """Hand on what came, until there is no more or one of the two has closed."""
        assert self._inside is not None
        assert self._through is not None
        self.flush()
        while not self.wire.is_closing():
            if not (data := self.tls.read(PIECE_BYTES)):
                self._through.close()  # the client's goodbye, which waits for ours
                return
            self._inside.data_received(data)

    def _is_past(self) -> None:
        self._door.leaves(self)
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None


class _Secured(asyncio.Transport):
    """The way back to a client, through TLS."""

    def __init__(self, client: _AtTheDoor) -> None:
        super().__init__({"ssl_object": client.tls})
        self._client = client

    def write(self, data: Any) -> None:
        if not self.is_closing():
            self._client.tls.write(data)
            self._client.flush()

    def set_write_buffer_limits(self, high: int | None = None, low: int | None = None) -> None:
        self._client.wire.set_write_buffer_limits(high, low)

    def close(self) -> None:
        with contextlib.suppress(ssl.SSLError):  # it says that this is the end, and does not wait
            self._client.tls.unwrap()
        self._client.flush()
        self._client.wire.close()

    def abort(self) -> None:
        self._client.wire.abort()

    def is_closing(self) -> bool:
        return self._client.wire.is_closing()


def _cause(error: ssl.SSLError) -> str:
    if isinstance(error, ssl.SSLCertVerificationError):
        return f"the client's certificate: {error.verify_message}"
    return (error.reason or str(error)).lower().replace("_", " ")
