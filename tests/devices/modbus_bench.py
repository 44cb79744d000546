"""What the Modbus tests share: terminals in the plant's place, raw wires, and both clocks."""

import asyncio
import struct
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field, replace
from typing import Any

from pymodbus.framer import FramerRTU

from gridrig.clock.ptys import open_serial
from gridrig.devices.emulators.fault import OnEvent, no_log
from gridrig.devices.emulators.inverter import (
    InverterEmulator,
    InverterParameters,
    StorageInverterEmulator,
    StorageParameters,
)
from gridrig.devices.emulators.terminal import PackState, TerminalState
from gridrig.devices.links import ModbusRtuLink, ModbusTcpLink

TCP = ModbusTcpLink("127.0.0.1", 0, 1)
RTU = ModbusRtuLink("auto", 115200, 1)
START_UTC_S = 1_468_152_000

RUNNING = TerminalState(
    v_pu=1.02,
    f_hz=50.01,
    p_w=4321.0,
    q_var=-120.0,
    connected=True,
    status="running",
    import_milliwh=1_500,
    export_milliwh=9_876_543,
)


@dataclass
class Terminal:
    """Stands where the plant is: keeps what it was told."""

    now: TerminalState = RUNNING
    functions: frozenset[str] = frozenset()
    commands: list[tuple[str, Any]] = field(default_factory=list)

    def state(self) -> TerminalState:
        return self.now

    def change(self, **values: Any) -> None:
        self.now = replace(self.now, **values)

    def set_connect(self, on: bool) -> None:
        self.commands.append(("connect", on))
        self.change(connected=on)

    def set_limit_w(self, p_w: float | None) -> None:
        self.commands.append(("limit_w", p_w))

    def set_power_w(self, p_w: float) -> None:
        self.commands.append(("power_w", p_w))
        self.change(p_w=p_w)

    def set_q_var(self, q_var: float) -> None:
        self.commands.append(("q_var", q_var))

    def set_function(self, name: str, settings: Any) -> None:
        self.commands.append((name, settings))

    def function(self, name: str) -> None:
        return None


class Pack:
    """Stands where the plant's pack is."""

    soc = 0.55

    def pack(self) -> PackState:
        return PackState(
            soc=self.soc,
            v_v=52.0,
            i_a=0.0,
            cells_mv=(3250,) * 16,
            temperature_c=25.0,
            charge_fet=True,
            discharge_fet=True,
            charge_limit_a=100.0,
            discharge_limit_a=100.0,
            capacity_ah=200.0,
            cycles=3,
        )

    def set_fets(self, charge: bool, discharge: bool) -> None:
        raise AssertionError("the inverter has no FETs")


class Registers:
    """A plain register map; every register's value is its address until written."""

    def __init__(self, size: int = 200) -> None:
        self.values = list(range(size))
        self.writes: list[tuple[int, tuple[int, ...]]] = []

    def read(self, address: int, count: int) -> list[int]:
        return self.values[address : address + count]

    def write(self, address: int, values: Any) -> None:
        self.writes.append((address, tuple(values)))
        self.values[address : address + len(values)] = values


def pv(
    link: Any = TCP,
    terminal: Terminal | None = None,
    on_event: OnEvent = no_log,
    **options: Any,
) -> InverterEmulator:
    parameters = InverterParameters(**{"s_va": 11_000.0, **options})
    return InverterEmulator("pv-1", link, parameters, terminal or Terminal(), on_event)


def storage(
    link: Any = TCP, terminal: Terminal | None = None, **options: Any
) -> StorageInverterEmulator:
    parameters = StorageParameters(s_va=5_000.0, p_charge_max_w=4_000.0, **options)
    return StorageInverterEmulator(
        "battery-1", link, parameters, terminal or Terminal(), pack=Pack()
    )


def with_crc(frame: bytes) -> bytes:
    return frame + FramerRTU.compute_CRC(frame).to_bytes(2, "big")


def mbap(transaction: int, unit: int, pdu: bytes) -> bytes:
    return struct.pack(">HHHB", transaction, 0, len(pdu) + 1, unit) + pdu


def read_pdu(address: int, count: int) -> bytes:
    return struct.pack(">BHH", 3, address, count)


async def listen(reader: asyncio.StreamReader, for_s: float = 0.15) -> bytes:
    """Return all that comes within a time."""
    heard = b""
    try:
        async with asyncio.timeout(for_s):
            while part := await reader.read(1000):
                heard += part
    except TimeoutError:
        pass
    return heard


async def raw_tcp(port: int) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    return await asyncio.open_connection("127.0.0.1", port)


async def raw_rtu(path: str, baudrate: int = 19200) -> tuple[asyncio.StreamReader, Any]:
    return await open_serial(path, baudrate)


Run = Callable[[Callable[[], Awaitable[Any]]], Any]
