"""One Modbus connection for every driver on the same gateway or bus, one request at a time.

What it adds to pymodbus' client, whose time-outs, retries and reconnects are all set here:
- a reply counts only with the transaction id (TCP), unit, function and length of its request;
- after a time-out on RTU, where replies carry no id, the line is drained until quiet, and before
  the unit is asked anything else a probe is read whose length no unanswered request to it had: a
  device answers in order, so once the probe is answered nothing older can come;
- on RTU two requests in a row whose replies look alike have a probe between them, where the driver
  named registers for it: an answer that comes twice, or again, is never taken for the next;
- the wire is opened anew once each attempt, and by nothing else (`modbus_wire`);
- while a unit fails it gets one attempt a call, so that a dead unit costs the others one time-out.

Limits: 60 lost requests to one unit are told apart, fewer where its registers allow no read so
long; 3 probes a call. Known gaps: a device that answers out of order can mislead an RTU line; one
that repeats itself can, until the driver has named registers to probe.

References
----------
.. [1] Modbus Organization, "Modbus over Serial Line V1.02," 2006, cl. 2.5.
"""

import asyncio
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any
from weakref import WeakKeyDictionary

from pymodbus.constants import ExcCodes
from pymodbus.pdu.register_message import (
    ReadHoldingRegistersRequest,
    WriteMultipleRegistersRequest,
    WriteSingleRegisterRequest,
)

from gridrig.devices.drivers.modbus_wire import ModbusWire
from gridrig.devices.links import ModbusLink, ModbusTcpLink, ModbusTlsLink
from gridrig.devices.wire.sunspec import BASES
from gridrig.errors import DriverError, DriverFailure

LOST_MAX = 60
PROBES_MAX = 3
BUSY_PAUSE_S = 0.1
RETRIED: frozenset[DriverFailure] = frozenset({"timeout", "framing", "busy", "unavailable"})

_EXCEPTION_KINDS: dict[int, DriverFailure] = {
    ExcCodes.ACKNOWLEDGE: "busy",
    ExcCodes.DEVICE_BUSY: "busy",
    ExcCodes.GATEWAY_PATH_UNAVIABLE: "unavailable",
    ExcCodes.GATEWAY_NO_RESPONSE: "unavailable",
}


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
    probe_most: int = LOST_MAX + 2  # registers of the longest probe


class ModbusLine:
    """A connection and its lock; made by `join_line`."""

    def __init__(self, link: ModbusLink, name: str = "") -> None:
        self._link = link
        self._wire = ModbusWire(link, name)
        self._lock = asyncio.Lock()
        self._units: dict[int, _UnitState] = {}
        self.members = 0

    @property
    def baudrate(self) -> int | None:
        """Line speed, None on TCP. [Bd]"""
        return None if isinstance(self._link, ModbusTcpLink) else self._link.baudrate

    def probe_at(self, unit: int, addresses: Sequence[int], longest: int = LOST_MAX + 2) -> None:
        """Name registers that can be read, by default `LOST_MAX` + 2, to find a unit's step again.

        Parameters
        ----------
        unit : int
            Whose.
        addresses : sequence of int
            From which of them to read.
        longest : int
            How many may be read from each at most: fewer tell fewer lost requests apart.
        """
        state = self._units.setdefault(unit, _UnitState())
        state.probe_at, state.probe_named, state.probe_most = addresses, True, longest
        if longest < LOST_MAX + 2:
            # A probe's length is none of those owed, nor the last reply's, nor the wanted one.
            state.owed = deque(state.owed, maxlen=longest - 4)

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

    async def write_one(self, unit: int, address: int, value: int, patience: Patience) -> None:
        """Write one holding register with FC6.

        Raises
        ------
        DriverError
            As `read`.
        """
        request = WriteSingleRegisterRequest(address=address, registers=[value], dev_id=unit)
        await self._call(unit, request, 0, patience)

    async def leave(self) -> None:
        """Let go; the last member closes the connection."""
        self.members -= 1
        if self.members == 0:
            lines = _LINES.get(asyncio.get_running_loop(), {})
            if lines.get(_key(self._link)) is self:
                del lines[_key(self._link)]
            async with self._lock:
                self._wire.drop()

    async def _call(self, unit: int, request: Any, length: int, patience: Patience) -> Any:
        state = self._units.setdefault(unit, _UnitState())
        attempts = 1 if state.failing else 1 + patience.retries
        for left in reversed(range(attempts)):
            try:
                # The lock is let go between attempts: the other units have their turn.
                async with self._lock:
                    alike = state.probe_named and state.last == _looks(request, length)
                    if state.owed or (self._wire.serial and alike):
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
        try:
            reply = await self._wire.exchange(unit, request, timeout_s)
        except DriverError as error:
            if error.kind in {"timeout", "framing"}:
                await self._after_timeout(unit, length)
            raise
        except asyncio.CancelledError:
            # Whoever gave up waiting leaves an answer behind, exactly as a time-out does.
            self._owe(unit, length)
            self._wire.drop_half_frame()
            raise
        self._units.setdefault(unit, _UnitState()).last = _looks(request, length)
        return await self._checked(unit, request, reply, length)

    async def _checked(self, unit: int, request: Any, reply: Any, length: int) -> Any:
        function = request.function_code
        if reply.dev_id == unit and reply.function_code == function | 0x80:
            if reply.transaction_id == request.transaction_id:
                kind = _EXCEPTION_KINDS.get(reply.exception_code, "refused")
                raise self._wire.failure(
                    "exception", kind, unit, request, exception=reply.exception_code
                )
        elif (
            reply.dev_id == unit
            and reply.function_code == function
            and reply.transaction_id == request.transaction_id
        ):
            right = (
                len(reply.registers) == request.count if length else _echo(reply) == _echo(request)
            )
            if right:
                return reply
        await self._after_timeout(unit, length)
        raise self._wire.failure("foreign_reply", "framing", unit, request)

    async def _find_step(self, unit: int, state: _UnitState, wanted: int, timeout_s: float) -> None:
        """Read probes until one is answered as only itself can be, and not as what is wanted."""
        for left in reversed(range(PROBES_MAX)):
            taken = {*state.owed, *state.last[1:2], wanted}
            length = 2 + state.probes % (state.probe_most - 1)
            while length in taken:
                state.probes += 1
                length = 2 + state.probes % (state.probe_most - 1)
            address = state.probe_at[state.probes % len(state.probe_at)]
            state.probes += 1
            probe = ReadHoldingRegistersRequest(address=address, count=length, dev_id=unit)
            try:
                await self._ask(unit, probe, length, timeout_s)
            except DriverError as error:
                # An exception has no length: it may be the late answer to something else.
                if error.kind not in {"framing", "refused", "busy"} or not left:
                    raise
                await self._wire.drain()
            else:
                state.owed.clear()
                return

    async def _after_timeout(self, unit: int, length: int) -> None:
        self._owe(unit, length)
        if self._wire.serial:
            await self._wire.drain()
        else:
            self._wire.drop_half_frame()

    def _owe(self, unit: int, length: int) -> None:
        if self._wire.serial:
            self._units.setdefault(unit, _UnitState()).owed.append(length)


def _echo(message: Any) -> tuple[int, ...]:
    """Return what the reply to a write repeats: where, and how many registers or which value."""
    one = message.function_code == WriteSingleRegisterRequest.function_code
    return (message.address, message.registers[0] if one else message.count)


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
