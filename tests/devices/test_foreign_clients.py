"""Clients and servers that are not ours, unchanged, at the other end: libmodbus, mbpoll, npm's."""

import asyncio
import json
import shutil
import subprocess
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest
from modbus_bench import Registers
from pymodbus.constants import ExcCodes

from gridrig.clock import Clock, run_wall
from gridrig.clock.ptys import PtyMasterTransport, open_pty, open_pty_master
from gridrig.devices.drivers.modbus_line import Patience, join_line
from gridrig.devices.links import ModbusRtuLink, ModbusTcpLink
from gridrig.devices.wire.modbus_server import ModbusRtuServer, ModbusTcpServer, RegisterUnit
from gridrig.errors import DriverError

FOREIGN = Path(__file__).parent / "foreign"
NPM = Path(__file__).parent / "npm" / "node_modules"
PATIENCE = Patience(timeout_s=2.0, retries=1)
BAUDRATE = 115200


class Everything(Registers):
    """Registers that end at 200, and coils; discrete inputs are the parity of their address."""

    def __init__(self) -> None:
        super().__init__()
        self.coils = [False] * 50

    def read(self, address: int, count: int) -> Any:
        if address + count > len(self.values):
            return ExcCodes.ILLEGAL_ADDRESS
        return super().read(address, count)

    def read_bits(self, function: int, address: int, count: int) -> list[bool]:
        if function == 2:
            return [bool(a & 1) for a in range(address, address + count)]
        return self.coils[address : address + count]

    def write_bits(self, address: int, values: Any) -> None:
        self.coils[address : address + len(values)] = values


def test_the_tools_are_installed() -> None:
    for tool in ("mbpoll", "gcc", "node"):
        assert shutil.which(tool), f"{tool} is missing: run tests/debian-packages"
    assert (NPM / "modbus-serial").is_dir(), "run tests/npm-packages"


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Compile both C programs."""
    folder = tmp_path_factory.mktemp("foreign")
    for name in ("client", "server"):
        command = ["gcc", "-O1", "-Wall", "-Werror", "-o", folder / name, FOREIGN / f"{name}.c"]
        done = subprocess.run([*command, "-lmodbus"], capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr
    return folder


async def output_of(*command: Any) -> str:
    process = await asyncio.create_subprocess_exec(
        *map(str, command), stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.STDOUT
    )
    async with asyncio.timeout(20):
        said, _ = await process.communicate()
    return said.decode()


def on_wall(main: Callable[[], Awaitable[Any]]) -> Any:
    async def body(_: Clock) -> Any:
        return await main()

    return run_wall(body, start_utc_s=0)


async def with_server(kind: str, use: Callable[[Any], Awaitable[Any]], units: int = 1) -> Any:
    server: Any = ModbusTcpServer("127.0.0.1", 0) if kind == "tcp" else ModbusRtuServer(BAUDRATE)
    for unit in range(1, units + 1):
        server.units[unit] = RegisterUnit(Everything())
    await server.start()
    try:
        return await use(server)
    finally:
        await server.stop()


EXPECTED = """\
fc3 10 11 12
fc3 125 124
fc4 20 21
fc6
fc16
read back 4242 11 22 65535
fc22
fc23 11 22 32
fc5
fc15
fc1 1 1 0 1 1 0 0 0 1 1 1
fc2 1 0 1 0
beyond error: Illegal data address
after 151
"""


@pytest.mark.parametrize("kind", ["tcp", "rtu"])
def test_libmodbus_gets_every_function_it_knows(built: Path, kind: str) -> None:
    async def use(server: Any) -> str:
        where = (server.host, server.port) if kind == "tcp" else (server.path, BAUDRATE)
        return await output_of(built / "client", kind, *where, 1)

    assert (4242 & 0xF2) | (0x25 & ~0xF2) == 151
    assert on_wall(lambda: with_server(kind, use)) == EXPECTED


def test_mbpoll_reads_every_unit_of_a_bus_and_a_gateway() -> None:
    async def use(server: Any) -> str:
        options = ("-a", "1:3", "-0", "-r", "10", "-c", "3", "-1", "-o", "2")
        if isinstance(server, ModbusTcpServer):
            return await output_of("mbpoll", "-m", "tcp", "-p", server.port, *options, server.host)
        line = ("-b", BAUDRATE, "-P", "none")
        return await output_of("mbpoll", "-m", "rtu", *line, *options, server.path)

    for kind in ("tcp", "rtu"):
        said = on_wall(lambda kind=kind: with_server(kind, use, units=3))
        for value in (10, 11, 12):
            assert said.count(f"[{value}]: \t{value}\n") == 3, said


def test_modbus_serial_of_npm_gets_three_answers_at_once() -> None:
    async def use(server: Any) -> str:
        return await output_of("node", FOREIGN / "client.js", server.port)

    said = json.loads(on_wall(lambda: with_server("tcp", use)))
    assert said == [[10, 11], [20, 21], [30, 31], [7, 8]]


class Relay(asyncio.Protocol):
    """Hands what comes on one pty to another, as a crossed cable does."""

    other: PtyMasterTransport

    def data_received(self, data: bytes) -> None:
        self.other.write(data)


@pytest.mark.parametrize("kind", ["tcp", "rtu"])
def test_the_driver_line_reads_and_writes_a_libmodbus_server(built: Path, kind: str) -> None:
    async def main() -> list[Any]:
        command = [str(built / "server"), kind]
        ends: list[Any] = []
        if kind == "rtu":
            loop = asyncio.get_running_loop()
            pairs = [open_pty(), open_pty()]
            ends = [open_pty_master(loop, Relay, pair) for pair in pairs]
            ends[0][1].other, ends[1][1].other = ends[1][0], ends[0][0]
            command += [pairs[0].slave_path, str(BAUDRATE), "3"]
        else:
            command += ["-"]
        process = await asyncio.create_subprocess_exec(*command, stdout=asyncio.subprocess.PIPE)
        assert process.stdout is not None
        said = await asyncio.wait_for(process.stdout.readline(), 5)
        link: Any = ModbusTcpLink("127.0.0.1", int(said) if kind == "tcp" else 0, 3)
        if kind == "rtu":
            link = ModbusRtuLink(pairs[1].slave_path, BAUDRATE, 3)
        line = join_line(link)
        line.probe_at(3, range(100, 164))
        try:
            seen: list[Any] = [await line.read(3, 10, 3, PATIENCE)]
            await line.write(3, 20, [5, 6], PATIENCE)
            seen.append(await line.read(3, 19, 4, PATIENCE))
            with pytest.raises(DriverError) as caught:
                await line.read(3, 190, 20, PATIENCE)
            seen.append((caught.value.kind, caught.value.exception))
            seen.append(await line.read(3, 0, 125, PATIENCE))
            return seen
        finally:
            await line.leave()
            process.kill()
            await process.wait()
            for transport, _ in ends:
                transport.close()

    seen = on_wall(main)
    assert seen[:3] == [[10, 11, 12], [19, 5, 6, 22], ("refused", 2)]
    assert seen[3][:3] == [0, 1, 2]
