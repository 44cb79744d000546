"""What servers get wrong: each script of the table is right here, and wrong at pymodbus' server.

The second half is what the first is worth: it fails as soon as pymodbus mends a row.
"""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import pytest
from modbus_bench import Registers, listen, mbap, read_pdu, with_crc
from pymodbus.client import AsyncModbusSerialClient
from pymodbus.exceptions import ModbusException
from pymodbus.server import ModbusSerialServer
from pymodbus.server import ModbusTcpServer as PymodbusTcpServer
from pymodbus.simulator import DataType, SimData, SimDevice

from gridrig.clock import Clock, run_virtual, run_wall
from gridrig.clock.ptys import PtyMasterTransport, open_pty, open_pty_master, open_serial
from gridrig.devices.drivers.modbus_line import Patience, join_line
from gridrig.devices.links import ModbusRtuLink, ModbusTcpLink
from gridrig.devices.wire import modbus_pdu
from gridrig.devices.wire.modbus_server import ModbusRtuServer, ModbusTcpServer, Reply
from gridrig.errors import DriverError

BAUDRATE = 19200
SLOW_S = 0.3


@dataclass(frozen=True)
class Script:
    """Pieces sent 20 ms apart, and all that must come back; every first answer may be slow."""

    kind: str
    pieces: tuple[bytes, ...]
    expected: bytes
    slow: bool = False


def told(*values: int) -> bytes:
    return bytes((3, 2 * len(values))) + b"".join(v.to_bytes(2, "big") for v in values)


ONE, TWO = mbap(1, 1, read_pdu(10, 1)), mbap(2, 1, read_pdu(20, 1))
BOTH = mbap(1, 1, told(10)) + mbap(2, 1, told(20))
RTU_READ, RTU_TOLD = with_crc(b"\x01" + read_pdu(10, 1)), with_crc(b"\x01" + told(10))
REFUSED = mbap(1, 1, b"\x83\x03")
SCRIPTS = {
    "two requests in one segment": Script("tcp", (ONE + TWO,), BOTH),
    "a second request before a slow answer": Script("tcp", (ONE, TWO), BOTH, slow=True),
    "half a frame before a slow answer": Script(
        "tcp", (ONE, TWO[:5]), mbap(1, 1, told(10)), slow=True
    ),
    "a foreign protocol id before a good request": Script(
        "tcp", (ONE[:2] + b"\x00\x05" + ONE[4:], TWO), mbap(2, 1, told(20))
    ),
    "a unit that is not there": Script("tcp", (mbap(1, 9, read_pdu(10, 1)),), b""),
    "a bus frame for another unit": Script("rtu", (with_crc(b"\x02" + read_pdu(10, 1)),), b""),
    "a broadcast write": Script("rtu", (with_crc(b"\x00\x06\x00\x05\x12\x34"),), b""),
    "noise directly before a good frame": Script("rtu", (b"\xff" + RTU_READ,), RTU_TOLD),
    "a read of no registers": Script("tcp", (mbap(1, 1, read_pdu(0, 0)),), mbap(1, 1, b"\x83\x03")),
    "a read of 126 registers": Script(
        "tcp", (mbap(1, 1, read_pdu(0, 126)),), mbap(1, 1, b"\x83\x03")
    ),
    "an unknown function": Script("tcp", (mbap(1, 1, b"\x55"),), mbap(1, 1, b"\xd5\x01")),
}


class Slow:
    """A unit that takes its time."""

    wire = None

    def __init__(self, delay_s: float) -> None:
        self._registers, self._delay_s = Registers(), delay_s

    def reply(self, pdu: bytes) -> Reply:
        return Reply(modbus_pdu.answer(self._registers, pdu), self._delay_s)

    def answers_for(self, unit: int) -> bool:
        return False


async def ours(script: Script) -> tuple[Any, Callable[[], Any]]:
    server: Any = (
        ModbusTcpServer("127.0.0.1", 0) if script.kind == "tcp" else ModbusRtuServer(BAUDRATE)
    )
    server.units[1] = Slow(SLOW_S if script.slow else 0.0)
    await server.start()
    return (server.port if script.kind == "tcp" else server.path), server.stop


class Relay(asyncio.Protocol):
    other: PtyMasterTransport

    def data_received(self, data: bytes) -> None:
        self.other.write(data)


async def theirs(script: Script) -> tuple[Any, Callable[[], Any]]:
    async def action(*_: Any) -> None:
        if script.slow:
            await asyncio.sleep(SLOW_S)

    data = SimData(0, values=list(range(200)), datatype=DataType.REGISTERS)
    device = SimDevice(1, [data], action=action)
    if script.kind == "tcp":
        tcp = PymodbusTcpServer(device, address=("127.0.0.1", 0), ignore_missing_devices=True)
        await tcp.serve_forever(background=True)
        return tcp.transport.sockets[0].getsockname()[1], tcp.shutdown
    loop = asyncio.get_running_loop()
    pairs = [open_pty(), open_pty()]
    (one, relay_one), (two, relay_two) = (open_pty_master(loop, Relay, pair) for pair in pairs)
    relay_one.other, relay_two.other = two, one  # type: ignore[attr-defined]
    rtu = ModbusSerialServer(device, port=pairs[0].slave_path, baudrate=BAUDRATE)
    await rtu.serve_forever(background=True)

    async def stop() -> None:
        await rtu.shutdown()
        one.close()
        two.close()

    return pairs[1].slave_path, stop


def played(script: Script, serve: Callable[[Script], Any]) -> bytes:
    async def main(_: Clock) -> bytes:
        where, stop = await serve(script)
        writer: Any
        if script.kind == "tcp":
            reader, writer = await asyncio.open_connection("127.0.0.1", where)
        else:
            reader, writer = await open_serial(where, BAUDRATE)
        for piece in script.pieces:
            writer.write(piece)
            await asyncio.sleep(0.02)
        heard = await listen(reader, 2.5 * SLOW_S if script.slow else 0.3)
        writer.close()
        await stop()
        return heard

    return run_wall(main, start_utc_s=0)


@pytest.mark.parametrize("name", SCRIPTS, ids=lambda name: name.replace(" ", "-"))
def test_our_server_is_right_after(name: str) -> None:
    assert played(SCRIPTS[name], ours) == SCRIPTS[name].expected


@pytest.mark.soak
@pytest.mark.parametrize("name", SCRIPTS, ids=lambda name: name.replace(" ", "-"))
def test_pymodbus_server_is_still_wrong_after(name: str) -> None:
    heard = played(SCRIPTS[name], theirs)
    print(name, heard.hex(" "))
    assert heard != SCRIPTS[name].expected


LATE = (10, 20, 30, 40, 50)


def first_reply_late() -> ModbusRtuServer:
    """Return a bus whose first reply comes 0.6 s after its request, the others after 0.05 s."""
    server = ModbusRtuServer(BAUDRATE, paced=False)
    delays_s = [0.6]

    class Late(Slow):
        def reply(self, pdu: bytes) -> Reply:
            answer = modbus_pdu.answer(self._registers, pdu)
            return Reply(answer, delays_s.pop() if delays_s else 0.05)

    server.units[1] = Late(0.0)
    return server


@pytest.mark.soak
def test_pymodbus_client_takes_a_late_reply_for_the_next_answer() -> None:
    async def main(_: Clock) -> list[Any]:
        server = first_reply_late()
        await server.start()
        client = AsyncModbusSerialClient(server.path, baudrate=BAUDRATE, timeout=0.4, retries=0)
        await client.connect()
        seen: list[Any] = []
        for address in LATE:
            try:
                seen.append((await client.read_holding_registers(address, count=1)).registers[0])
            except ModbusException:
                seen.append(None)
                await asyncio.sleep(0.15)
        client.close()
        await server.stop()
        return seen

    assert run_wall(main, start_utc_s=0) == [None, 10, 20, 30, 40]


@pytest.mark.soak
def test_our_line_does_not() -> None:
    async def main(_: Clock) -> list[Any]:
        server = first_reply_late()
        await server.start()
        line = join_line(ModbusRtuLink(server.path, BAUDRATE, 1))
        line.probe_at(1, range(100, 164))
        seen: list[Any] = []
        for address in LATE:
            try:
                seen.append((await line.read(1, address, 1, Patience(0.4, 0)))[0])
            except DriverError:
                seen.append(None)
                await asyncio.sleep(0.15)
        await line.leave()
        await server.stop()
        return seen

    seen = run_wall(main, start_utc_s=0)
    assert all(value in (None, address) for value, address in zip(seen, LATE, strict=True))
    assert seen[-1] == LATE[-1]


def test_the_driver_line_uses_pymodbus_simulator_as_it_is() -> None:
    async def main(_: Clock) -> list[Any]:
        port, stop = await theirs(SCRIPTS["two requests in one segment"])
        line = join_line(ModbusTcpLink("127.0.0.1", port, 1))
        seen: list[Any] = [await line.read(1, 10, 3, Patience())]
        await line.write(1, 10, [7, 8], Patience())
        seen.append(await line.read(1, 9, 4, Patience()))
        with pytest.raises(DriverError) as caught:
            await line.read(1, 190, 20, Patience())
        seen.append(caught.value.exception)
        await line.leave()
        await stop()
        return seen

    assert run_wall(main, start_utc_s=0) == [[10, 11, 12], [9, 7, 8, 12], 2]


def test_a_dead_unit_costs_the_others_of_its_bus_one_time_out() -> None:
    async def main(clock: Clock) -> tuple[list[float], list[Any]]:
        server = ModbusRtuServer(BAUDRATE)
        for unit in (1, 2):
            server.units[unit] = Slow(0.0)
        await server.start()
        link = ModbusRtuLink(server.path, BAUDRATE, 1)
        line = join_line(link)
        patience = Patience(0.2, 1)
        took_s, seen = [], []

        async def poll(unit: int) -> None:
            for _ in range(3):
                began_s = clock.now_s()
                try:
                    seen.append(await line.read(unit, 10, 1, patience))
                except DriverError as error:
                    seen.append(error.kind)
                if unit != 9:
                    took_s.append(clock.now_s() - began_s)

        await asyncio.gather(*(poll(unit) for unit in (9, 1, 2)))
        await line.leave()
        await server.stop()
        return took_s, seen

    took_s, seen = run_virtual(main, start_utc_s=0)
    assert seen.count([10]) == 6
    assert seen.count("timeout") == 3
    assert max(took_s) < 0.2 + 0.2  # one time-out, its draining, and the line's own time
