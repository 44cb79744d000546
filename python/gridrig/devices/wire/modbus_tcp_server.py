"""A Modbus TCP server for emulated devices: many units on one socket, many clients.

Every request of a segment is answered, with its own transaction id and in the order of its unit. A
unit that is not there is silent, or answered for by the gateway; a broadcast is carried out in
silence. A frame of another protocol is passed over; after an impossible length, where no frame can
be found again, the connection is closed.

Limits: 64 connections, a further one is closed as it comes; 64 requests waiting for a unit, then
exception 6; 256 KiB of answers that a client has not fetched, then its connection is dropped.

References
----------
.. [1] Modbus Organization, "Modbus Messaging on TCP/IP Implementation Guide V1.0b," 2006.
"""

import asyncio
from collections.abc import Callable
from typing import Literal

from pymodbus.constants import ExcCodes

from gridrig.devices.wire.modbus_framing import Noise, TcpDecoder, TcpFrame, tcp_frame
from gridrig.devices.wire.modbus_pdu import exception_reply
from gridrig.devices.wire.modbus_units import BROADCAST, Reply, Turns, UnitTable
from gridrig.devices.wire.steps import Step
from gridrig.devices.wire.tls_door import TlsDoor
from gridrig.errors import DriverError

CONNECTIONS_MAX = 64
UNFETCHED_MAX_BYTES = 1 << 18  # about a thousand of the longest answers
# Takes the connection, unit and PDU of a request; returns the exception that refuses it.
Guard = Callable[[asyncio.Transport, int, bytes], ExcCodes | None]


class _Connection(asyncio.Protocol):
    """One client."""

    def __init__(self, server: "ModbusTcpServer") -> None:
        self._server = server
        self._decoder = TcpDecoder()
        self._turns: dict[int, Turns[TcpFrame]] = {}
        self._transport: asyncio.Transport | None = None
        self._idle: asyncio.TimerHandle | None = None
        self._mute = False

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport
        if self._server.is_full():
            transport.abort()
            return
        transport.set_write_buffer_limits(UNFETCHED_MAX_BYTES)
        self._server.connections[transport] = self
        self.watch_idleness()

    def pause_writing(self) -> None:
        """Drop a client who asks and does not fetch the answers: they would wait without bound."""
        if self._transport is not None and not self._mute:
            self._mute = True
            self._transport.abort()
            self._server.on_dropped(f"more than {UNFETCHED_MAX_BYTES} bytes of answers not fetched")

    def connection_lost(self, exc: Exception | None) -> None:
        if self._transport is not None:
            self._server.connections.pop(self._transport, None)
        if self._idle is not None:
            self._idle.cancel()
        self._transport = None

    def data_received(self, data: bytes) -> None:
        if self._mute:
            return
        self.watch_idleness()
        for frame in self._decoder.feed(data):
            if self._transport is None or self._mute:
                return
            if isinstance(frame, Noise):
                self._transport.close()
                return
            if frame.protocol == 0:
                self._request(frame)

    def watch_idleness(self) -> None:
        """Begin to count the time until this connection is closed for being idle."""
        if self._idle is not None:
            self._idle.cancel()
            self._idle = None
        if (wait_s := self._server.idle_s()) is not None:
            self._idle = asyncio.get_running_loop().call_later(wait_s, self._was_idle)

    def _was_idle(self) -> None:
        self._idle = None
        if self._transport is not None and self._server.fires("close_idle"):
            self._transport.close()

    def _request(self, frame: TcpFrame) -> None:
        server, number = self._server, frame.unit
        server.requests += 1
        if server.guard is not None and self._transport is not None:
            refused = server.guard(self._transport, number, frame.pdu)
            if refused is not None:
                self._refuse(frame, refused)
                return
        if number == BROADCAST:
            server.broadcast(frame.pdu)
            return
        unit = server.unit_for(number)
        if unit is None:
            code = server.missing_unit or server.told_of_missing()
            if code is not None:
                self._refuse(frame, code)
            return
        turns = self._turns.get(number)
        if turns is None or turns.unit is not unit:
            turns = self._turns[number] = Turns(number, unit, _encoded, _wait_s, self._send)
        if not turns.take(frame):
            self._refuse(frame, ExcCodes.DEVICE_BUSY)

    def _refuse(self, frame: TcpFrame, code: int) -> None:
        if self._transport is not None:
            pdu = exception_reply(frame.pdu[0], code)
            self._transport.write(tcp_frame(frame.transaction, frame.unit, pdu))

    def _send(self, turns: Turns[TcpFrame], step: Step) -> None:
        transport = self._transport
        if transport is None or self._mute or transport.is_closing():
            return
        if not self._server.holds(turns.number, turns.unit):
            return  # its plug was pulled meanwhile
        if step.data:
            transport.write(step.data)
        if step.end == "reset":
            transport.abort()
        elif step.end == "mute":
            self._mute = True


def _encoded(frame: TcpFrame, reply: Reply) -> bytes:
    unit = frame.unit if reply.unit is None else reply.unit
    return tcp_frame(frame.transaction ^ reply.transaction, unit, reply.pdu, reply.protocol)


def _wait_s(frame: TcpFrame, step: Step, first: bool) -> float:
    return step.wait_s


class ModbusTcpServer(UnitTable):
    """Modbus TCP.

    Parameters
    ----------
    host : str
        Address to listen at.
    port : int
        Port to listen at, 0 for any free one.
    missing_unit : {"silent", "gateway", "device"}
        What a unit that is not there answers: nothing, exception 0x0B as some gateways do, or 4 as
        some devices do.
    door : TlsDoor or None
        Of a server that speaks Modbus Security.
    guard : callable or None
        Asked before every request; may refuse it by the rights of who sent it.
    on_dropped : callable
        Takes why a client was dropped.
    """

    def __init__(
        self,
        host: str,
        port: int,
        *,
        missing_unit: Literal["silent", "gateway", "device"] = "silent",
        door: TlsDoor | None = None,
        guard: Guard | None = None,
        on_dropped: Callable[[str], object] = lambda _: None,
    ) -> None:
        super().__init__()
        self.host = host
        self.port = port
        self.missing_unit = {
            "silent": None,
            "gateway": ExcCodes.GATEWAY_NO_RESPONSE,
            "device": ExcCodes.DEVICE_FAILURE,
        }[missing_unit]
        self.guard = guard
        self.on_dropped = on_dropped
        self.connections: dict[asyncio.Transport, _Connection] = {}
        self._door = door
        self._listener: asyncio.Server | None = None
        self._return: asyncio.TimerHandle | None = None
        self._starting: asyncio.Task[None] | None = None

    async def start(self) -> None:
        """Listen.

        Raises
        ------
        DriverError
            `emulator.port_busy`, if the port cannot be had.
        """
        loop = asyncio.get_running_loop()
        try:
            self._listener = await loop.create_server(
                self._connection, self.host, self.port, reuse_address=True
            )
        except OSError as error:
            raise DriverError(
                "emulator.port_busy",
                "cannot listen at {host}:{port}: {cause}",
                kind="unavailable",
                host=self.host,
                port=self.port,
                cause=error.strerror or str(error),
            ) from error
        self.port = self._listener.sockets[0].getsockname()[1]

    async def stop(self) -> None:
        """Close the listener and every connection."""
        listener = self._listener
        self.unplug()
        if listener is not None:
            await listener.wait_closed()

    def _connection(self) -> asyncio.Protocol:
        if self._door is None:
            return _Connection(self)
        return self._door(lambda: _Connection(self))

    def outage(self, down_s: float) -> None:
        """Reset every connection and refuse new ones for a time. [s]"""
        self.unplug()
        self._return = asyncio.get_running_loop().call_later(down_s, self._come_back)

    def _come_back(self) -> None:
        self._return = None
        # Kept, or the loop would drop it.
        self._starting = asyncio.get_running_loop().create_task(self.start())

    def unplug(self) -> None:
        """Kill the wire at once."""
        if self._return is not None:
            self._return.cancel()
            self._return = None
        if self._starting is not None:
            self._starting.cancel()
            self._starting = None
        if self._listener is not None:
            self._listener.close()
            self._listener = None
        if self._door is not None:
            self._door.close()
        for transport in tuple(self.connections):
            transport.abort()

    def is_full(self) -> bool:
        """Return whether one more client is one too many."""
        if len(self.connections) >= CONNECTIONS_MAX:
            return True
        for board in self.boards:
            most = board.peek("max_clients")
            if most is not None and len(self.connections) >= most["clients"]:
                return board.fire("max_clients") is not None
        return False

    def idle_s(self) -> float | None:
        """Return after which time an idle connection is closed; None if never. [s]"""
        found = [board.peek("close_idle") for board in self.boards]
        return min((float(one["idle_s"]) for one in found if one is not None), default=None)

    def told_of_missing(self) -> int | None:
        """Return the exception for a missing unit that a device is told to give; None for none."""
        for board in self.boards:
            if (told := board.fire("missing_unit")) is not None:
                return int(told["code"])
        return None

    def fires(self, fault: str) -> bool:
        """Return whether a fault of the connection fires on any of the devices."""
        return any(board.fire(fault) is not None for board in self.boards)

    def watch_idleness(self) -> None:
        """Let every connection count its idle time from now."""
        for connection in self.connections.values():
            connection.watch_idleness()
