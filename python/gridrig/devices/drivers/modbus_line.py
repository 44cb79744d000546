"""One Modbus connection for every driver on the same gateway or bus, one request at a time.

What it adds to pymodbus' client, whose time-outs, retries and reconnects are all set here:
- a reply counts only with the transaction id (TCP), unit, function and length of its request; ids
  go on counting over a reconnection, so that no old answer of a slow gateway fits a new request;
- after a time-out on RTU, where replies carry no id, the line is drained until quiet, and before
  the unit is asked anything else a probe is read whose length no unanswered request to it had: a
  device answers in order, so once the probe is answered nothing older can come;
- on RTU two requests in a row whose replies look alike have a probe between them, where the driver
  named registers for it: an answer that comes twice, or again, is never taken for the next;
- a hang-up fails the request at once; the next request opens the wire anew, once each attempt, and
  nothing reconnects in the background; a connection on which several requests in a row got nothing
  is given up as half open; a wire that cannot be opened is left alone for a time that doubles;
- while a unit fails it gets one attempt a call, so that a dead unit costs the others one time-out.

Limits: 60 lost requests to one unit are told apart, 3 probes a call, 1 s of draining, 2 s of
leaving alone. Known gaps: a device that answers out of order can mislead an RTU line; one that
repeats itself can, until the driver has named registers to probe.

References
----------
.. [1] Modbus Organization, "Modbus over Serial Line V1.02," 2006, cl. 2.5.
"""

import asyncio
import logging
import ssl
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any
from weakref import WeakKeyDictionary

from pymodbus.client import AsyncModbusSerialClient, AsyncModbusTcpClient
from pymodbus.constants import ExcCodes
from pymodbus.exceptions import ConnectionException, ModbusException
from pymodbus.pdu.register_message import (
    ReadHoldingRegistersRequest,
    WriteMultipleRegistersRequest,
)

from gridrig.clock.serial_url import counted
from gridrig.devices.capture.recorder import Tap, recorder
from gridrig.devices.links import ModbusLink, ModbusTcpLink, ModbusTlsLink
from gridrig.devices.wire.modbus_tls import client_context
from gridrig.devices.wire.sunspec import BASES
from gridrig.errors import DriverError, DriverFailure

LOST_MAX = 60
PROBES_MAX = 3
DRAIN_MAX_S = 1.0
QUIET_S = 0.05
BUSY_PAUSE_S = 0.1
DEAF_MAX = 4  # unanswered requests in a row until a TCP connection counts as half open
LEAVE_ALONE_S = 0.1  # after the first failed opening; doubles with each further one
LEAVE_ALONE_S_MAX = 2.0
CHARACTER_BITS = 11  # the standard's character, for the silence between frames
SILENCE_FLOOR_S = 0.00175
RETRIED: frozenset[DriverFailure] = frozenset({"timeout", "framing", "busy", "unavailable"})

_EXCEPTION_KINDS: dict[int, DriverFailure] = {
    ExcCodes.ACKNOWLEDGE: "busy",
    ExcCodes.DEVICE_BUSY: "busy",
    ExcCodes.GATEWAY_PATH_UNAVIABLE: "unavailable",
    ExcCodes.GATEWAY_NO_RESPONSE: "unavailable",
}

# pymodbus logs every time-out; here each is an exception that says more.
logging.getLogger("pymodbus.logging").addHandler(logging.NullHandler())


@dataclass(frozen=True)
class Patience:
    """How long to wait and how often to ask.

    Parameters
    ----------
    timeout_s : float
        From request to reply. [s]
    retries : int
        Further attempts after the first.
    """

    timeout_s: float = 1.0
    retries: int = 1


@dataclass
class _UnitState:
    """What the line knows of one unit."""

    failing: bool = False
    owed: deque[int] = field(default_factory=lambda: deque(maxlen=LOST_MAX))  # lengths
    last: tuple[int, ...] = ()  # what the reply before looked like
    probes: int = 0
    probe_at: Sequence[int] = BASES
    probe_named: bool = False


class ModbusLine:
    """A connection and its lock; made by `join_line`."""

    def __init__(self, link: ModbusLink, name: str = "") -> None:
        self._link = link
        self._name = name
        self._tap: Tap | None = None
        self._serial = not isinstance(link, ModbusTcpLink)
        self._tls = client_context(link) if isinstance(link, ModbusTlsLink) else None
        self._lock = asyncio.Lock()
        self._client: Any = None
        self._in_flight = False
        self._undecodable = False
        self._heard_bytes = 0
        self._silence_s = 0.0
        self._quiet_from_s = 0.0
        if not isinstance(link, ModbusTcpLink):
            self._silence_s = max(3.5 * CHARACTER_BITS / link.baudrate, SILENCE_FLOOR_S)
        self._units: dict[int, _UnitState] = {}
        self._transaction = 0
        self._unanswered = 0
        self._failed_openings = 0
        self._leave_alone_until_s = 0.0
        self.members = 0

    @property
    def text(self) -> str:
        """Name the wire, for errors."""
        if isinstance(self._link, ModbusTcpLink):
            return f"{self._link.host}:{self._link.port}"
        return self._link.path

    @property
    def _kind(self) -> str:
        return "modbus-rtu" if self._serial else "modbus-tcp"

    @property
    def baudrate(self) -> int | None:
        """Line speed, None on TCP. [Bd]"""
        return None if isinstance(self._link, ModbusTcpLink) else self._link.baudrate

    def probe_at(self, unit: int, addresses: Sequence[int]) -> None:
        """Name registers that can be read, `LOST_MAX` + 2 of them, to find a unit's step again."""
        state = self._units.setdefault(unit, _UnitState())
        state.probe_at, state.probe_named = addresses, True

    async def read(self, unit: int, address: int, count: int, patience: Patience) -> list[int]:
        """Read holding registers.

        Raises
        ------
        DriverError
            Kind "timeout", "framing", "refused", "busy", "unavailable" or "other".
        """
        request = ReadHoldingRegistersRequest(address=address, count=count, dev_id=unit)
        reply = await self._call(unit, request, count, patience)
        return list(reply.registers)

    async def write(
        self, unit: int, address: int, values: Sequence[int], patience: Patience
    ) -> None:
        """Write holding registers with one FC16.

        Raises
        ------
        DriverError
            As `read`.
        """
        request = WriteMultipleRegistersRequest(
            address=address, registers=list(values), dev_id=unit
        )
        await self._call(unit, request, 0, patience)

    async def leave(self) -> None:
        """Let go; the last member closes the connection."""
        self.members -= 1
        if self.members == 0:
            lines = _LINES.get(asyncio.get_running_loop(), {})
            if lines.get(_key(self._link)) is self:
                del lines[_key(self._link)]
            async with self._lock:
                self._drop()

    async def _call(self, unit: int, request: Any, length: int, patience: Patience) -> Any:
        state = self._units.setdefault(unit, _UnitState())
        attempts = 1 if state.failing else 1 + patience.retries
        for left in reversed(range(attempts)):
            try:
                # The lock is let go between attempts: the other units have their turn.
                async with self._lock:
                    alike = state.probe_named and state.last == _looks(request, length)
                    if state.owed or (self._serial and alike):
                        await self._find_step(unit, state, length, patience.timeout_s)
                    reply = await self._ask(unit, request, length, patience.timeout_s)
            except DriverError as error:
                state.failing = error.kind in RETRIED
                if not state.failing or not left:
                    raise
                if error.kind == "busy":
                    await asyncio.sleep(BUSY_PAUSE_S)
            else:
                state.failing = False
                return reply
        raise AssertionError("unreachable: the last attempt returns or raises")

    async def _ask(self, unit: int, request: Any, length: int, timeout_s: float) -> Any:
        """Send one request and return its own reply, exceptions raised."""
        client = await self._connected(unit, timeout_s)
        loop = asyncio.get_running_loop()
        if self._serial and (wait_s := self._quiet_from_s - loop.time()) > 0:
            await asyncio.sleep(wait_s)
        client.ctx.comm_params.timeout_connect = timeout_s
        client.ctx.next_tid = self._transaction
        state = self._units.setdefault(unit, _UnitState())
        heard = self._heard_bytes
        self._in_flight, self._undecodable = True, False
        try:
            reply = await client.execute(False, request)
        except ConnectionException as error:
            self._drop()
            raise self._failure("hung_up", "unavailable", unit, request) from error
        except ModbusException as error:
            damaged = self._undecodable or (self._serial and self._heard_bytes > heard)
            await self._after_timeout(unit, length)
            self._unanswered += 1
            if not self._serial and self._unanswered >= DEAF_MAX and not self._heard_bytes > heard:
                self._drop()
            kind: DriverFailure = "framing" if damaged else "timeout"
            name = "damaged" if damaged else "timeout"
            raise self._failure(name, kind, unit, request, timeout_s=timeout_s) from error
        except asyncio.CancelledError:
            # Whoever gave up waiting leaves an answer behind, exactly as a time-out does.
            self._owe(unit, length)
            self._drop_half_frame()
            raise
        finally:
            self._in_flight = False
            self._transaction = request.transaction_id
            self._quiet_from_s = loop.time() + self._silence_s
        self._unanswered = 0
        state.last = _looks(request, length)
        return await self._checked(unit, request, reply, length)

    async def _checked(self, unit: int, request: Any, reply: Any, length: int) -> Any:
        function = request.function_code
        if reply.dev_id == unit and reply.function_code == function | 0x80:
            if reply.transaction_id == request.transaction_id:
                kind = _EXCEPTION_KINDS.get(reply.exception_code, "refused")
                raise self._failure(
                    "exception", kind, unit, request, exception=reply.exception_code
                )
        elif (
            reply.dev_id == unit
            and reply.function_code == function
            and reply.transaction_id == request.transaction_id
        ):
            right = (
                len(reply.registers) == request.count
                if length
                else (reply.address, reply.count) == (request.address, request.count)
            )
            if right:
                return reply
        await self._after_timeout(unit, length)
        raise self._failure("foreign_reply", "framing", unit, request)

    async def _find_step(self, unit: int, state: _UnitState, wanted: int, timeout_s: float) -> None:
        """Read probes until one is answered as only itself can be, and not as what is wanted."""
        for left in reversed(range(PROBES_MAX)):
            taken = {*state.owed, *state.last[1:2], wanted}
            length = 2 + state.probes % (LOST_MAX + 1)
            while length in taken:
                state.probes += 1
                length = 2 + state.probes % (LOST_MAX + 1)
            address = state.probe_at[state.probes % len(state.probe_at)]
            state.probes += 1
            probe = ReadHoldingRegistersRequest(address=address, count=length, dev_id=unit)
            try:
                await self._ask(unit, probe, length, timeout_s)
            except DriverError as error:
                # An exception has no length: it may be the late answer to something else.
                if error.kind not in {"framing", "refused", "busy"} or not left:
                    raise
                await self._drain()
            else:
                state.owed.clear()
                return

    async def _after_timeout(self, unit: int, length: int) -> None:
        self._owe(unit, length)
        if self._serial:
            await self._drain()
        else:
            self._drop_half_frame()

    def _owe(self, unit: int, length: int) -> None:
        if self._serial:
            self._units.setdefault(unit, _UnitState()).owed.append(length)

    def _drop_half_frame(self) -> None:
        # pymodbus forgets the first half of a late frame at the next request; the second half
        # would then be taken for the beginning of one.
        if not self._serial and self._client is not None and self._client.ctx.recv_buffer:
            self._drop()

    async def _drain(self) -> None:
        """Wait until nothing comes any more, for a bounded time."""
        loop = asyncio.get_running_loop()
        give_up_s = loop.time() + DRAIN_MAX_S
        while loop.time() < give_up_s:
            heard = self._heard_bytes
            await asyncio.sleep(max(QUIET_S, self._silence_s))
            if self._heard_bytes == heard:
                return

    async def _connected(self, unit: int, timeout_s: float) -> Any:
        if self._client is not None and self._client.connected:
            return self._client
        self._drop()
        loop = asyncio.get_running_loop()
        if (left_s := self._leave_alone_until_s - loop.time()) > 0:
            if left_s > timeout_s:
                raise self._failure("left_alone", "unavailable", unit, None, left_s=left_s)
            await asyncio.sleep(left_s)
        # A new client each time: pymodbus' own objects mix an old transport's end with a new one.
        options = {
            "timeout": timeout_s,
            "retries": 0,
            "reconnect_delay": 0,
            "trace_packet": self._trace_packet,
            "trace_connect": self._trace_connect,
        }
        if isinstance(self._link, ModbusTcpLink):
            client = AsyncModbusTcpClient(self._link.host, port=self._link.port, **options)
            if self._tls is not None:  # MBAP over TLS; pymodbus' own TLS client leaves MBAP out
                client.ctx.comm_params.sslctx = self._tls
                client.ctx.init_setup_connect_listen(self._link.host, self._link.port)
        else:
            client = AsyncModbusSerialClient(
                counted(self._link.path), baudrate=self._link.baudrate, **options
            )
        self._client = client
        client.ctx.callback_data = self._guarded(client.ctx.callback_data)
        client.ctx.data_received = self._listening(client.ctx.data_received)
        tape = recorder()
        self._tap = None if tape is None else tape.tap(self._name or self.text, self._kind)
        if not await client.connect():
            self._drop()
            wait_s = min(LEAVE_ALONE_S * 2**self._failed_openings, LEAVE_ALONE_S_MAX)
            self._failed_openings = min(self._failed_openings + 1, 8)
            self._leave_alone_until_s = loop.time() + wait_s
            if self._tls is not None and (cause := await self._tls_refusal()) is not None:
                raise self._failure("tls", "other", unit, None, cause=cause)
            raise self._failure("no_connection", "unavailable", unit, None)
        self._failed_openings = self._unanswered = 0
        return client

    async def _tls_refusal(self) -> str | None:
        """Return why the handshake fails, which pymodbus does not tell; None if it does not."""
        assert isinstance(self._link, ModbusTcpLink)
        try:
            _, writer = await asyncio.open_connection(
                self._link.host, self._link.port, ssl=self._tls
            )
        except ssl.SSLCertVerificationError as error:
            return f"the server's certificate: {error.verify_message}"
        except ssl.SSLError as error:
            return error.reason or str(error)
        except OSError:
            return None
        writer.transport.abort()
        return None

    def _drop(self) -> None:
        client, self._client = self._client, None
        if client is not None:
            client.close()

    def _guarded(self, take: Callable[..., int]) -> Callable[..., int]:
        """Let a frame that pymodbus cannot decode fail the request; it would end the transport."""

        def callback_data(data: bytes, addr: Any = None) -> int:
            try:
                return take(data, addr)
            except ModbusException as error:
                self._undecodable = True
                if self._client is not None and not self._client.ctx.response_future.done():
                    self._client.ctx.response_future.set_exception(error)
                return len(data)

        return callback_data

    def _listening(self, take: Callable[[bytes], None]) -> Callable[[bytes], None]:
        """Count and record what comes; pymodbus' own trace tells the same bytes again and again."""

        def data_received(data: bytes) -> None:
            self._heard_bytes += len(data)
            if self._tap is not None:
                self._tap("in", data)
            take(data)

        return data_received

    def _trace_packet(self, sending: bool, data: bytes) -> bytes:
        if sending and self._tap is not None:
            self._tap("out", data)
        return data

    def _trace_connect(self, connected: bool) -> None:
        if connected or not self._in_flight or self._client is None:
            return
        waiting = self._client.ctx.response_future
        if not waiting.done():
            waiting.set_exception(ConnectionException("the wire hung up"))

    def _failure(
        self, name: str, kind: DriverFailure, unit: int, request: Any, **facts: object
    ) -> DriverError:
        texts = {
            "timeout": "no reply within {timeout_s} s",
            "damaged": "a damaged reply within {timeout_s} s",
            "foreign_reply": "a reply to something else",
            "exception": "exception {exception}",
            "hung_up": "the wire hung up",
            "tls": "no secure connection: {cause}",
            "no_connection": "cannot connect",
            "left_alone": "could not be opened, and is left alone for {left_s:.3f} s more",
        }
        what = ""
        if request is not None:
            what = f", function {request.function_code} at {request.address}"
        return DriverError(
            f"modbus.{name}",
            f"{{wire}} unit {{unit}}{what}: {texts[name]}",
            kind=kind,
            wire=self.text,
            unit=unit,
            address=getattr(request, "address", None),
            **facts,
        )


def _looks(request: Any, length: int) -> tuple[int, ...]:
    """Return what tells the reply to a request from another on a line without ids."""
    if length:
        return (request.function_code, length)
    return (request.function_code, 0, request.address, request.count)


_LINES: WeakKeyDictionary[asyncio.AbstractEventLoop, dict[tuple[object, ...], ModbusLine]] = (
    WeakKeyDictionary()
)


def _key(link: ModbusLink) -> tuple[object, ...]:
    if isinstance(link, ModbusTlsLink):
        return ("tls", link.host, link.port, link.cafile, link.certfile, link.keyfile)
    if isinstance(link, ModbusTcpLink):
        return ("tcp", link.host, link.port)
    return ("rtu", link.path)


def join_line(link: ModbusLink, name: str = "") -> ModbusLine:
    """Return the connection to a link's wire, shared by everyone on this loop who asks for it.

    Parameters
    ----------
    link : ModbusTcpLink or ModbusRtuLink
        The wire, and the unit on it.
    name : str
        Device name; a capture calls the wire after the device that joins it first.

    Raises
    ------
    DriverError
        `modbus.baudrate`, if others use the bus at another speed; `modbus.tls_files` or
        `modbus.tls_role`, if the link cannot be secured as it says.
    """
    lines = _LINES.setdefault(asyncio.get_running_loop(), {})
    line = lines.get(_key(link))
    if line is None:
        line = lines[_key(link)] = ModbusLine(link, name)
    if not isinstance(link, ModbusTcpLink) and line.baudrate != link.baudrate:
        raise DriverError(
            "modbus.baudrate",
            "{path}: {found} Bd on a bus of {expected} Bd",
            path=link.path,
            found=link.baudrate,
            expected=line.baudrate,
        )
    line.members += 1
    return line
