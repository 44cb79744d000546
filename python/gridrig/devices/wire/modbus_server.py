"""A Modbus server for emulated devices: many units on one TCP socket or one RTU line.

Every request of a segment is answered, with its own transaction id, and a unit answers in the
order it was asked, however slow it is. A unit that is not there is silent, as on a bus; an RTU
frame for somebody else is never answered; a broadcast is carried out in silence. On RTU a frame
ends by its length or by 3.5 characters of silence, after which whatever good frame the noise left
is still found; the line's speed is kept by calculation: the reply comes when its last character
would have come.

Limits: 64 connections, 64 requests waiting for a unit (then exception 6), 512 bytes waiting for
the end of a frame. Known gaps: no parity, no break, no collisions on the bus.

References
----------
.. [1] Modbus Organization, "Modbus Messaging on TCP/IP Implementation Guide V1.0b," 2006.
.. [2] Modbus Organization, "Modbus over Serial Line V1.02," 2006, cl. 2.
"""

import asyncio
import struct
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal, Protocol

from pymodbus.constants import ExcCodes
from pymodbus.framer import FramerRTU

from gridrig.clock.ptys import PtyPair, open_pty, open_pty_master
from gridrig.devices.wire import modbus_pdu
from gridrig.devices.wire.uart import misheard
from gridrig.errors import DriverError

CONNECTIONS_MAX = 64
WAITING_MAX = 64
BUFFER_MAX_BYTES = 512
PDU_MAX_BYTES = 253
CHARACTER_BITS = 10  # 8N1
SILENCE_FLOOR_S = 0.005  # 1.75 ms by the standard; a pty's writer may be scheduled away
BROADCAST = 0


@dataclass(frozen=True)
class Reply:
    """What a unit answers: the PDU, how long it takes, and whether the frame is damaged."""

    pdu: bytes
    delay_s: float = 0.0
    corrupt: bool = False


class Unit(Protocol):
    """One device behind a Modbus server."""

    def reply(self, pdu: bytes) -> Reply | None:
        """Carry out a request and return the answer; None is silence."""


@dataclass(frozen=True)
class RegisterUnit:
    """The plainest unit: a register map that answers at once."""

    registers: modbus_pdu.RegisterMap

    def reply(self, pdu: bytes) -> Reply | None:
        """Return the answer of the register map."""
        return Reply(modbus_pdu.answer(self.registers, pdu))


class _Turns:
    """Requests to one unit on one wire: one at a time, answered in order."""

    def __init__(self, unit: Unit, line_time_s: Callable[[bytes, Reply], float]) -> None:
        self._unit = unit
        self._line_time_s = line_time_s
        self._waiting: deque[tuple[bytes, Callable[[Reply], None]]] = deque()
        self._busy = False

    def take(self, pdu: bytes, deliver: Callable[[Reply], None]) -> bool:
        """Take one request; False if too many wait."""
        if len(self._waiting) >= WAITING_MAX:
            return False
        self._waiting.append((pdu, deliver))
        if not self._busy:
            self._run()
        return True

    def _run(self) -> None:
        self._busy = False
        while self._waiting:
            pdu, deliver = self._waiting.popleft()
            reply = self._unit.reply(pdu)
            if reply is None:
                continue
            delay_s = reply.delay_s + self._line_time_s(pdu, reply)
            if delay_s > 0:
                self._busy = True
                loop = asyncio.get_running_loop()
                loop.call_later(delay_s, self._finish, deliver, reply)
                return
            deliver(reply)

    def _finish(self, deliver: Callable[[Reply], None], reply: Reply) -> None:
        deliver(reply)
        self._run()


class _TcpConnection(asyncio.Protocol):
    """One client of a TCP server."""

    def __init__(self, server: "ModbusTcpServer") -> None:
        self._server = server
        self._buffer = bytearray()
        self._turns: dict[int, tuple[Unit, _Turns]] = {}
        self._transport: asyncio.Transport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport
        if len(self._server.connections) >= CONNECTIONS_MAX:
            transport.abort()
            return
        self._server.connections.add(transport)

    def connection_lost(self, exc: Exception | None) -> None:
        if self._transport is not None:
            self._server.connections.discard(self._transport)
        self._transport = None

    def data_received(self, data: bytes) -> None:
        self._buffer += data
        while len(self._buffer) >= 7 and self._transport is not None:
            transaction, protocol, length, unit = struct.unpack_from(">HHHB", self._buffer)
            if not 2 <= length <= PDU_MAX_BYTES + 1:
                self._transport.close()  # no frame can begin here, and none can be found again
                return
            if len(self._buffer) < 6 + length:
                return
            pdu = bytes(self._buffer[7 : 6 + length])
            del self._buffer[: 6 + length]
            if protocol == 0:
                self._request(transaction, unit, pdu)

    def _request(self, transaction: int, number: int, pdu: bytes) -> None:
        self._server.requests += 1
        if number == BROADCAST:
            self._server.broadcast(pdu)
            return
        unit = self._server.units.get(number)
        if unit is None:
            if self._server.missing_unit == "gateway":
                code = ExcCodes.GATEWAY_NO_RESPONSE
                self._deliver(transaction, number, modbus_pdu.exception_reply(pdu[0], code))
            return
        known = self._turns.get(number)
        if known is None or known[0] is not unit:
            known = self._turns[number] = (unit, _Turns(unit, lambda _pdu, _reply: 0.0))

        def deliver(reply: Reply) -> None:
            if self._server.units.get(number) is unit:
                self._deliver(transaction, number, reply.pdu)

        if not known[1].take(pdu, deliver):
            busy = modbus_pdu.exception_reply(pdu[0], ExcCodes.DEVICE_BUSY)
            self._deliver(transaction, number, busy)

    def _deliver(self, transaction: int, number: int, pdu: bytes) -> None:
        if self._transport is not None and not self._transport.is_closing():
            header = struct.pack(">HHHB", transaction, 0, len(pdu) + 1, number)
            self._transport.write(header + pdu)


class _Server:
    """Units by number, and how many requests came."""

    def __init__(self) -> None:
        self.units: dict[int, Unit] = {}
        self.requests = 0

    def broadcast(self, pdu: bytes) -> None:
        """Let every unit carry out a write; nobody answers."""
        if modbus_pdu.is_write(pdu):
            for unit in self.units.values():
                unit.reply(pdu)


class ModbusTcpServer(_Server):
    """Modbus TCP.

    Parameters
    ----------
    host : str
        Address to listen at.
    port : int
        Port to listen at, 0 for any free one.
    missing_unit : {"silent", "gateway"}
        What a unit that is not there answers: nothing, or exception 0x0B as some gateways do.
    """

    def __init__(
        self, host: str, port: int, *, missing_unit: Literal["silent", "gateway"] = "silent"
    ) -> None:
        super().__init__()
        self.host = host
        self.port = port
        self.missing_unit = missing_unit
        self.connections: set[asyncio.Transport] = set()
        self._listener: asyncio.Server | None = None

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
                lambda: _TcpConnection(self), self.host, self.port
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

    def unplug(self) -> None:
        """Kill the wire at once."""
        if self._listener is not None:
            self._listener.close()
            self._listener = None
        for transport in tuple(self.connections):
            transport.abort()


class ModbusRtuServer(_Server, asyncio.Protocol):
    """Modbus RTU on the master side of a pseudo-terminal.

    Parameters
    ----------
    baudrate : int
        Line speed; a client at another speed is not understood. [Bd]
    paced : bool
        Whether replies take the time their characters would take.
    """

    def __init__(self, baudrate: int, *, paced: bool = True) -> None:
        super().__init__()
        self.baudrate = baudrate
        self._paced = paced
        self._character_s = CHARACTER_BITS / baudrate
        self.silence_s = max(3.5 * self._character_s, SILENCE_FLOOR_S)
        self._buffer = bytearray()
        self._silence: asyncio.TimerHandle | None = None
        self._turns: dict[int, tuple[Unit, _Turns]] = {}
        self._line_free_at_s = 0.0
        self._pair: PtyPair | None = None
        self._transport: asyncio.Transport | None = None

    @property
    def path(self) -> str:
        """Path that a client opens."""
        return "" if self._pair is None else self._pair.slave_path

    async def start(self) -> None:
        """Open the pseudo-terminal."""
        self._pair = open_pty()
        loop = asyncio.get_running_loop()
        self._transport, _ = open_pty_master(loop, lambda: self, self._pair)

    async def stop(self) -> None:
        """Hang up."""
        self.unplug()

    def unplug(self) -> None:
        """Kill the wire at once: the client sees a hang-up."""
        if self._silence is not None:
            self._silence.cancel()
        if self._transport is not None:
            self._transport.close()
            self._transport = None

    def data_received(self, data: bytes) -> None:
        """Take what the client sent: whole frames at once, the rest after a silence."""
        assert self._pair is not None
        self._buffer += misheard(data, self._pair.baudrate(), self.baudrate)
        while size := self._good_frame_at(0):
            self._frame(bytes(self._buffer[:size]))
            del self._buffer[:size]
        del self._buffer[:-BUFFER_MAX_BYTES]
        if self._silence is not None:
            self._silence.cancel()
            self._silence = None
        if self._buffer:
            loop = asyncio.get_running_loop()
            self._silence = loop.call_later(self.silence_s, self._line_fell_silent)

    def _line_fell_silent(self) -> None:
        """Look for good frames behind noise, then forget what is left."""
        begin = 0
        while begin < len(self._buffer) - 3:
            size = self._good_frame_at(begin)
            if not size and begin == 0 and self._crc_is_right(0, len(self._buffer)):
                size = len(self._buffer)  # a function whose length we do not know
            if size:
                self._frame(bytes(self._buffer[begin : begin + size]))
            begin += size or 1
        self._buffer.clear()

    def _good_frame_at(self, begin: int) -> int:
        """Return the size of a request of a known function with a right CRC, else 0."""
        rest = len(self._buffer) - begin
        if rest < 8:
            return 0
        function, size = self._buffer[begin + 1], 8
        if function == modbus_pdu.WRITE_MANY:
            size = 9 + self._buffer[begin + 6]
        elif not 1 <= function <= modbus_pdu.WRITE_ONE:
            return 0
        return size if rest >= size and self._crc_is_right(begin, begin + size) else 0

    def _crc_is_right(self, begin: int, end: int) -> bool:
        found = int.from_bytes(self._buffer[end - 2 : end], "big")
        return bool(FramerRTU.compute_CRC(bytes(self._buffer[begin : end - 2])) == found)

    def _frame(self, frame: bytes) -> None:
        self.requests += 1
        number, pdu = frame[0], frame[1:-2]
        if number == BROADCAST:
            self.broadcast(pdu)
            return
        unit = self.units.get(number)
        if unit is None:
            return
        known = self._turns.get(number)
        if known is None or known[0] is not unit:
            known = self._turns[number] = (unit, _Turns(unit, self._time_on_line_s))

        def deliver(reply: Reply) -> None:
            if self.units.get(number) is unit:
                self._deliver(number, reply)

        known[1].take(pdu, deliver)

    def _time_on_line_s(self, pdu: bytes, reply: Reply) -> float:
        """Return how long request, gap and reply keep the line. [s]"""
        if not self._paced:
            return 0.0
        characters = len(pdu) + 3 + 3.5 + len(reply.pdu) + 3
        now_s = asyncio.get_running_loop().time()
        begin_s = max(now_s, self._line_free_at_s - reply.delay_s)
        self._line_free_at_s = begin_s + reply.delay_s + characters * self._character_s
        return begin_s - now_s + characters * self._character_s

    def _deliver(self, number: int, reply: Reply) -> None:
        if self._transport is None or self._transport.is_closing():
            return
        frame = bytes((number,)) + reply.pdu
        crc = FramerRTU.compute_CRC(frame)
        if reply.corrupt:
            crc ^= 0x0100
        self._transport.write(frame + crc.to_bytes(2, "big"))
