"""A Modbus server in a process of its own, ours or pymodbus', for the benchmark of devices.

    python -m gridrig.bench.devices_server WHOSE WIRE LINES UNITS

WHOSE is "ours", "pymodbus" or "floor", which sends one canned reply to whatever it hears; WIRE is
"tcp" or "rtu"; LINES servers with UNITS units each, every unit with 200 holding registers from
40000. It prints one JSON line with where it listens, then answers each line of its input with the
CPU time it has used, and ends when its input does.
"""

import asyncio
import json
import os
import sys
from collections.abc import Sequence
from typing import Any

from gridrig.devices.wire.modbus_server import ModbusRtuServer, ModbusTcpServer, RegisterUnit

FIRST_REGISTER = 40_000
REGISTERS = 200
BAUDRATE = 115_200
HOST = "127.0.0.1"


class _Block:
    """Registers that never change, as pymodbus' are here."""

    def __init__(self) -> None:
        self._values = [7] * REGISTERS

    def read(self, address: int, count: int) -> Sequence[int]:
        begin = address - FIRST_REGISTER
        return self._values[begin : begin + count]

    def write(self, address: int, values: Sequence[int]) -> None:
        begin = address - FIRST_REGISTER
        self._values[begin : begin + len(values)] = values


async def _ours(wire: str, lines: int, units: int) -> list[Any]:
    where: list[Any] = []
    for _ in range(lines):
        # No pacing: a pty is measured, not the line it stands for.
        server: Any = (
            ModbusTcpServer(HOST, 0) if wire == "tcp" else ModbusRtuServer(BAUDRATE, paced=False)
        )
        for unit in range(1, units + 1):
            server.units[unit] = RegisterUnit(_Block())
        await server.start()
        where.append(server.port if wire == "tcp" else server.path)
        _KEPT.append(server)
    return where


async def _pymodbus(wire: str, lines: int, units: int) -> list[Any]:
    from pymodbus.server import ModbusSerialServer, ModbusTcpServer
    from pymodbus.simulator import DataType, SimData, SimDevice

    where: list[Any] = []
    for _ in range(lines):
        data = [
            SimData(FIRST_REGISTER, count=REGISTERS, values=7, datatype=DataType.REGISTERS),
        ]
        devices = [SimDevice(unit, data) for unit in range(1, units + 1)]
        if wire == "tcp":
            server: Any = ModbusTcpServer(devices, address=(HOST, 0))
            await server.serve_forever(background=True)
            where.append(server.transport.sockets[0].getsockname()[1])
        else:
            client_end, server_end = _joined_ptys()
            server = ModbusSerialServer(devices, port=server_end, baudrate=BAUDRATE)
            await server.serve_forever(background=True)
            where.append(client_end)
        _KEPT.append(server)
    return where


class _Canned(asyncio.Protocol):
    """Sends one reply to whatever it hears: what the loop and the kernel cost alone."""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport

    def data_received(self, data: bytes) -> None:
        self._transport.write(_CANNED)


async def _floor(wire: str, lines: int, units: int) -> list[Any]:
    server = await asyncio.get_running_loop().create_server(_Canned, HOST, 0)
    _KEPT.append(server)
    return [server.sockets[0].getsockname()[1]]


class _Relay(asyncio.Protocol):
    """Hands what comes on one pty to another; pymodbus cannot serve a master's side."""

    other: Any

    def data_received(self, data: bytes) -> None:
        self.other.write(data)


def _joined_ptys() -> tuple[str, str]:
    from gridrig.clock.ptys import open_pty, open_pty_master

    loop = asyncio.get_running_loop()
    pairs = open_pty(), open_pty()
    (one, one_relay), (two, two_relay) = (open_pty_master(loop, _Relay, p) for p in pairs)
    assert isinstance(one_relay, _Relay)
    assert isinstance(two_relay, _Relay)
    one_relay.other, two_relay.other = two, one
    return pairs[0].slave_path, pairs[1].slave_path


_KEPT: list[Any] = []
_CANNED = bytes(9 + 2 * 60)


async def main(whose: str, wire: str, lines: int, units: int) -> None:
    """Serve until the input ends."""
    start = {"ours": _ours, "pymodbus": _pymodbus, "floor": _floor}[whose]
    print(json.dumps(await start(wire, lines, units)), flush=True)
    loop = asyncio.get_running_loop()
    reader = asyncio.StreamReader()
    await loop.connect_read_pipe(lambda: asyncio.StreamReaderProtocol(reader), sys.stdin)
    while await reader.readline():
        used = os.times()
        print(used.user + used.system, flush=True)


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1], sys.argv[2], int(sys.argv[3]), int(sys.argv[4])))
