"""The virtual clock: an asyncio loop whose time jumps to the next timer once its wires are quiet.

Drivers and emulators are tasks on this loop, joined by real sockets and ptys. The time stands
still while anything is ready, while any byte is between two ends, and while a hold is taken. The
loop then waits on the kernel, in real time, under a guard.
"""

import asyncio
import contextlib
import math
import selectors
import socket
from asyncio import selector_events, sslproto
from collections.abc import Callable
from typing import Any

from gridrig.clock.wires import End, WireLedger
from gridrig.errors import ClockError

STALL_LIMIT_S = 5.0  # real time without progress before the run is given up
HOLD_LIMIT_S = 300.0  # real time that a hold may take
RESOLUTION_S = 1e-9  # of the loop: what a timer may be early


def _address(name: Any) -> str:
    return f"{name[0]}:{name[1]}"


class _CountedSocket:
    """A socket that tells its end of the wire what it took."""

    def __init__(self, sock: socket.socket, end: End) -> None:
        self._sock = sock
        self._end = end

    def __getattr__(self, name: str) -> Any:
        return getattr(self._sock, name)

    def recv(self, size: int) -> bytes:
        data = self._sock.recv(size)
        self._count(len(data))
        return data

    def recv_into(self, buffer: Any) -> int:
        count = self._sock.recv_into(buffer)
        self._count(count)
        return count

    def _count(self, count: int) -> None:
        if count:
            self._end.took(count)
        else:
            self._end.finish()


class _CountedTransport(selector_events._SelectorSocketTransport):  # type: ignore[misc,name-defined]
    """asyncio's own socket transport, with its bytes counted below any TLS."""

    def __init__(self, loop: "VirtualLoop", sock: socket.socket, *args: Any, **kwargs: Any) -> None:
        super().__init__(loop, sock, *args, **kwargs)
        self._end = loop.wires.connection(
            _address(sock.getsockname()),
            _address(sock.getpeername()),
            accepted=self._server is not None,
        )
        self._sock = _CountedSocket(sock, self._end)

    def write(self, data: Any) -> None:
        if not self._conn_lost and not self._eof:
            self._end.wrote(len(data))
        super().write(data)

    def writelines(self, list_of_data: Any) -> None:
        self.write(b"".join(list_of_data))

    def pause_reading(self) -> None:
        self._end.paused = True
        super().pause_reading()

    def resume_reading(self) -> None:
        self._end.paused = False
        self._end.wire.touch()
        super().resume_reading()

    def _call_connection_lost(self, exc: BaseException | None) -> None:
        self._end.close()
        super()._call_connection_lost(exc)


class _CountedDatagramSocket:
    """A UDP socket: each datagram that it sends to an endpoint of this loop is waited for there."""

    def __init__(self, sock: socket.socket, wires: WireLedger) -> None:
        self._sock = sock
        self._wires = wires
        self._inbox = wires.inbox(_address(sock.getsockname()))

    def __getattr__(self, name: str) -> Any:
        return getattr(self._sock, name)

    def recvfrom(self, size: int) -> tuple[bytes, Any]:
        data, sender = self._sock.recvfrom(size)
        self._inbox.took(1)
        return data, sender

    def send(self, data: bytes) -> int:
        count = self._sock.send(data)
        self._wires.sent_datagram(_address(self._sock.getpeername()))
        return count

    def sendto(self, data: bytes, address: Any) -> int:
        count = self._sock.sendto(data, address)
        self._wires.sent_datagram(_address(address))
        return count

    def close(self) -> None:
        self._inbox.close()
        self._sock.close()


class _CountedDatagramTransport(selector_events._SelectorDatagramTransport):  # type: ignore[misc,name-defined]
    """asyncio's own datagram transport, with its datagrams counted."""

    def __init__(self, loop: "VirtualLoop", sock: socket.socket, *args: Any, **kwargs: Any) -> None:
        super().__init__(loop, sock, *args, **kwargs)
        self._sock = _CountedDatagramSocket(sock, loop.wires)


class _JumpingSelector(selectors.DefaultSelector):
    """Asks the kernel first, and moves the time only when there is nothing to wait for."""

    loop: "VirtualLoop"

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        events = super().select(0)
        if events or (timeout is not None and timeout <= 0):
            return events
        if timeout is not None and self.loop.wires.settled:
            self.loop.jump()
            return events
        limit_s = HOLD_LIMIT_S if self.loop.wires.holds else STALL_LIMIT_S
        events = super().select(limit_s)
        if not events:
            self.loop.give_up(limit_s)
        return events


class VirtualLoop(asyncio.SelectorEventLoop):
    """An event loop on virtual time, starting at 0 s."""

    def __init__(self) -> None:
        self.wires = WireLedger()
        self.stall: ClockError | None = None
        self.on_stall: Callable[[], object] | None = None
        self._now_s = 0.0
        self.jumps = 0
        selector = _JumpingSelector()
        selector.loop = self
        super().__init__(selector)

    def time(self) -> float:
        """Return the virtual time. [s]"""
        return self._now_s

    def jump(self) -> None:
        """Move the time to the next timer."""
        self.jumps += 1
        self._now_s = max(self._now_s, self._scheduled[0].when())  # type: ignore[attr-defined]
        # A timer is due before now + resolution, and after 194 days a nanosecond adds nothing.
        self._clock_resolution = max(RESOLUTION_S, math.ulp(self._now_s))

    def give_up(self, limit_s: float) -> None:
        """End a run that makes no progress, naming the wire; the first time by cancelling it."""
        error = ClockError(
            "clock.stalled",
            "no progress for {limit_s} s of real time at t = {now_s:.3f} s: {under_way}",
            limit_s=limit_s,
            now_s=self._now_s,
            under_way=self.wires.under_way(),
        )
        if self.stall is not None or self.on_stall is None:
            raise error
        self.stall = error
        # What was lost on the wires will not come: the clean-up goes on without it.
        self.wires.unsettled.clear()
        self.on_stall()

    async def sock_connect(self, sock: socket.socket, address: Any) -> None:
        """Connect, with the clock held until the kernel has decided."""
        with self.wires.hold(f"connecting to {address}"):
            await super().sock_connect(sock, address)

    def run_in_executor(self, executor: Any, func: Any, *args: Any) -> Any:  # type: ignore[override]
        """Run in a thread, with the clock held until it is done."""
        hold = contextlib.ExitStack()
        hold.enter_context(self.wires.hold(f"thread {getattr(func, '__qualname__', func)}"))
        future = super().run_in_executor(executor, func, *args)
        future.add_done_callback(lambda _: hold.close())
        return future

    def _make_ssl_transport(
        self,
        rawsock: socket.socket,
        protocol: Any,
        sslcontext: Any,
        waiter: Any = None,
        *,
        server_side: bool = False,
        server_hostname: str | None = None,
        extra: Any = None,
        server: Any = None,
        **timeouts: Any,
    ) -> Any:
        """Secure a socket as asyncio does, on a transport that counts the bytes below TLS."""
        secured = sslproto.SSLProtocol(
            self, protocol, sslcontext, waiter, server_side, server_hostname, **timeouts
        )
        _CountedTransport(self, rawsock, secured, extra=extra, server=server)
        return secured._app_transport

    def _make_socket_transport(self, sock: socket.socket, *args: Any, **kwargs: Any) -> Any:
        return _CountedTransport(self, sock, *args, **kwargs)

    def _make_datagram_transport(self, sock: socket.socket, *args: Any, **kwargs: Any) -> Any:
        return _CountedDatagramTransport(self, sock, *args, **kwargs)

    def _start_serving(
        self, protocol_factory: Any, sock: socket.socket, *args: Any, **kwargs: Any
    ) -> None:
        self.wires.listening.add(_address(sock.getsockname()))
        super()._start_serving(protocol_factory, sock, *args, **kwargs)  # type: ignore[misc]

    def _stop_serving(self, sock: socket.socket) -> None:
        self.wires.stop_listening(_address(sock.getsockname()))
        super()._stop_serving(sock)  # type: ignore[misc]
