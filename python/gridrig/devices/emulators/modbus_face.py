"""The Modbus side of an emulated device: its unit on a shared gateway or bus, with its faults.

Devices whose links name the same host and port, or the same `auto:NAME` line, are units of one
server. A pulled plug takes the unit away; the last unit's plug kills the wire itself.
"""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import ClassVar
from weakref import WeakKeyDictionary

from gridrig.clock import stream
from gridrig.devices.emulators.fault import FaultBoard, FaultSpec, FaultValue, OnEvent
from gridrig.devices.emulators.modbus_faults import (
    MODBUS_FAULTS,
    MODBUS_RTU_FAULTS,
    MODBUS_TCP_FAULTS,
    ModbusFaults,
    mislengthened_rtu,
    mislengthened_tcp,
    spoiled_rtu,
)
from gridrig.devices.emulators.wire_faults import WireFaults
from gridrig.devices.links import ModbusLink, ModbusRtuLink, ModbusTcpLink
from gridrig.devices.wire import modbus_pdu
from gridrig.devices.wire.modbus_server import ModbusRtuServer, ModbusTcpServer, Reply
from gridrig.errors import DriverError

Server = ModbusTcpServer | ModbusRtuServer

_SERVERS: WeakKeyDictionary[asyncio.AbstractEventLoop, dict[tuple[object, ...], Server]] = (
    WeakKeyDictionary()
)


@dataclass(frozen=True, kw_only=True)
class ModbusFaceParameters:
    """What the `emulate` table may say of any Modbus emulator.

    Parameters
    ----------
    seed : int
        Seed of the device's random stream.
    reply_delay_s, reply_jitter_s : float
        Time from request to reply, and what is added at random up to. [s]
    base : int
        Register where the SunSpec map begins: 40000, 0 or 50000.
    manufacturer, product, serial, firmware : str
        What the common model says; an empty serial is the device's name.
    telemetry : {"live", "frozen"}
        A frozen device repeats the first values it reported.
    sign : {1, -1}
        Sign put on the reported active power.
    scale : float
        Factor put on the reported active power.
    """

    seed: int = 0
    reply_delay_s: float = 0.0
    reply_jitter_s: float = 0.0
    base: int = 40000
    manufacturer: str = "gridrig"
    product: str = "emulated"
    serial: str = ""
    firmware: str = "1.0"
    telemetry: str = "live"
    sign: int = 1
    scale: float = 1.0

    def __post_init__(self) -> None:
        require("reply_delay_s", self.reply_delay_s, self.reply_delay_s >= 0, ">= 0")
        require("reply_jitter_s", self.reply_jitter_s, self.reply_jitter_s >= 0, ">= 0")
        require("base", self.base, self.base in {0, 40000, 50000}, "0, 40000 or 50000")
        frozen = self.telemetry in {"live", "frozen"}
        require("telemetry", self.telemetry, frozen, "live or frozen")
        require("sign", self.sign, self.sign in {1, -1}, "1 or -1")
        require("scale", self.scale, self.scale > 0, "> 0")


def require(key: str, found: object, right: bool, expected: str) -> None:
    """Refuse an emulator parameter that is not right.

    Raises
    ------
    DriverError
        `emulator.parameter`.
    """
    if not right:
        raise DriverError(
            "emulator.parameter",
            "{key} = {found!r}, expected {expected}",
            key=key,
            found=found,
            expected=expected,
        )


def link_kind(link: ModbusLink) -> str:
    """Return how a rig file names the kind of a link."""
    return "modbus-rtu" if isinstance(link, ModbusRtuLink) else "modbus-tcp"


class ModbusEmulator:
    """An emulated device that is one unit of a Modbus server.

    Parameters
    ----------
    name : str
        Device name, for errors, events and its random stream.
    link : ModbusTcpLink or ModbusRtuLink
        Where it serves. TCP port 0 is any free port; an RTU path is `auto` or `auto:NAME`.
    parameters : ModbusFaceParameters
        As the `emulate` table has them.
    registers : modbus_pdu.RegisterMap
        What it answers from.
    on_event : OnEvent
        Gets what happens on the device.
    faults : FaultBoard or None
        Of a device whose registers ask it too; None for one of its own.
    """

    kind: ClassVar[str]
    FAULTS: ClassVar[Mapping[str, FaultSpec | tuple[str, ...]]] = MODBUS_FAULTS

    def __init__(
        self,
        name: str,
        link: ModbusLink,
        parameters: ModbusFaceParameters,
        registers: modbus_pdu.RegisterMap,
        on_event: OnEvent,
        faults: FaultBoard | None = None,
    ) -> None:
        self.name = name
        self.link = link
        self._face = parameters
        self._on_event = on_event
        self._random = stream(parameters.seed, f"{name}/reply")
        seed = parameters.seed
        self._faults = faults or FaultBoard(
            name, self.faults_on(link_kind(link)), on_event, seed=seed
        )
        self._answers = ModbusFaults(self._faults, on_event)
        self._registers = registers
        serial = isinstance(link, ModbusRtuLink)
        self.wire = WireFaults(
            self._faults,
            stream(seed, f"{name}/wire"),
            spoil=spoiled_rtu if serial else None,
            mislength=mislengthened_rtu if serial else mislengthened_tcp,
            baudrate=link.baudrate if isinstance(link, ModbusRtuLink) else 0,
        )
        self._server: Server | None = None
        self._key: tuple[object, ...] = ()

    @classmethod
    def faults_on(cls, kind: str) -> dict[str, FaultSpec | tuple[str, ...]]:
        """Return the faults it can show on a kind of link, "modbus-tcp" or "modbus-rtu"."""
        on_link = MODBUS_RTU_FAULTS if kind == "modbus-rtu" else MODBUS_TCP_FAULTS
        elsewhere = MODBUS_FAULTS.keys() - on_link.keys()
        return {name: spec for name, spec in cls.FAULTS.items() if name not in elsewhere}

    @property
    def endpoint(self) -> dict[str, str | int]:
        """Where a driver finds the device, as `gridrig emulate` prints it."""
        server = self._running()
        if isinstance(server, ModbusTcpServer):
            where: dict[str, str | int] = {"host": server.host, "port": server.port}
            kind = "modbus-tcp"
        else:
            where = {"port": server.path, "baudrate": server.baudrate}
            kind = "modbus-rtu"
        return {"device": self.name, "kind": kind, **where, "unit": self.link.unit}

    @property
    def endpoint_link(self) -> ModbusLink:
        """The link a driver opens to reach this device."""
        server = self._running()
        if isinstance(server, ModbusTcpServer):
            return ModbusTcpLink(server.host, server.port, self.link.unit)
        return ModbusRtuLink(server.path, server.baudrate, self.link.unit)

    async def start(self) -> None:
        """Join the gateway or bus, which the first unit starts.

        Raises
        ------
        DriverError
            `emulator.port_busy`, `emulator.unit_taken`, `emulator.path` or `emulator.baudrate`.
        """
        if self._server is not None:
            return
        servers = _SERVERS.setdefault(asyncio.get_running_loop(), {})
        self._key = self._line_key()
        server = servers.get(self._key)
        if server is None:
            server = self._new_server()
            servers[self._key] = server
            try:
                await server.start()
            except BaseException:
                del servers[self._key]
                raise
        if self.link.unit in server.units:
            raise DriverError(
                "emulator.unit_taken",
                "{device}: unit {unit} is on that line already",
                device=self.name,
                unit=self.link.unit,
            )
        if isinstance(self.link, ModbusRtuLink) and server.baudrate != self.link.baudrate:  # type: ignore[union-attr]
            raise DriverError(
                "emulator.baudrate",
                "{device}: {found} Bd on a line of {expected} Bd",
                device=self.name,
                found=self.link.baudrate,
                expected=server.baudrate,  # type: ignore[union-attr]
            )
        server.units[self.link.unit] = self
        server.boards.append(self._faults)
        self._server = server

    async def stop(self) -> None:
        """Leave the line; the last unit stops it. Stopping twice is allowed."""
        server = self._leave()
        if server is not None and not server.units:
            await server.stop()

    def unplug(self) -> None:
        """Pull the plug: the unit is gone at once, and with the last unit the wire."""
        server = self._leave()
        if server is None:
            return
        self._on_event("unplugged")
        if not server.units:
            server.unplug()

    def arm(self, fault: str, *, count: int | None = None, **params: FaultValue) -> None:
        """Let a fault fire on its occasions, by default the next.

        "unplug" and "outage" fire now.

        Raises
        ------
        DriverError
            `emulator.fault_unknown` or `emulator.fault_parameter`.
        """
        self._faults.arm(fault, count=count, **params)
        if fault == "unplug":
            self._faults.fire(fault)
            self.unplug()
        elif fault == "outage" and (lost := self._faults.fire(fault)) is not None:
            self._running().outage(float(lost["down_s"]))
        elif fault == "close_idle" and isinstance(self._server, ModbusTcpServer):
            self._server.watch_idleness()

    def reply(self, pdu: bytes) -> Reply | None:
        """Answer one request, as the server asks of a unit."""
        reply = self._answers.reply(self._registers, pdu)
        delay_s = self._delay_s()
        return replace(reply, delay_s=delay_s) if delay_s else reply

    def answers_for(self, unit: int) -> bool:
        """Return whether it is told to answer for a unit that is not there."""
        told = self._faults.peek("foreign_unit")
        return told is not None and told["unit"] == unit and bool(self._faults.fire("foreign_unit"))

    def _delay_s(self) -> float:
        jitter_s = self._face.reply_jitter_s
        added_s = self._random.uniform(0.0, jitter_s) if jitter_s else 0.0
        return self._face.reply_delay_s + added_s

    def _line_key(self) -> tuple[object, ...]:
        if isinstance(self.link, ModbusTcpLink):
            # Port 0 asks for a port of one's own.
            own = id(self) if self.link.port == 0 else None
            return ("tcp", self.link.host, self.link.port, own)
        if self.link.path != "auto" and not self.link.path.startswith("auto:"):
            raise DriverError(
                "emulator.path",
                "{device}: an emulated line is 'auto' or 'auto:NAME', found {path!r}",
                device=self.name,
                path=self.link.path,
            )
        own = id(self) if self.link.path == "auto" else None
        return ("rtu", self.link.path, own)

    def _new_server(self) -> Server:
        if isinstance(self.link, ModbusTcpLink):
            return ModbusTcpServer(self.link.host, self.link.port, on_dropped=self._dropped)
        return ModbusRtuServer(self.link.baudrate)

    def _dropped(self, cause: str) -> None:
        self._on_event("client_dropped", cause=cause)

    def _leave(self) -> Server | None:
        server, self._server = self._server, None
        if server is None:
            return None
        server.units.pop(self.link.unit, None)
        server.boards.remove(self._faults)
        if not server.units:
            _SERVERS.get(asyncio.get_running_loop(), {}).pop(self._key, None)
        return server

    def _running(self) -> Server:
        if self._server is None:
            raise DriverError(
                "emulator.stopped", "{device} is not running", kind="unavailable", device=self.name
            )
        return self._server
