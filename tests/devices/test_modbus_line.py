"""The shared client line against servers that misbehave in ways no emulator does on purpose."""

import asyncio
import struct
from collections.abc import Awaitable, Callable
from typing import Any

import pytest
from modbus_bench import RTU, Registers, Run, mbap, pv

from gridrig.devices.drivers.modbus_line import ModbusLine, Patience, join_line
from gridrig.devices.links import ModbusRtuLink, ModbusTcpLink
from gridrig.devices.wire import modbus_pdu
from gridrig.errors import DriverError

ONCE = Patience(timeout_s=0.2, retries=0)
Answer = Callable[[asyncio.StreamWriter, int, int, bytes], Awaitable[None]]


def right(transaction: int, unit: int, pdu: bytes) -> bytes:
    return mbap(transaction, unit, modbus_pdu.answer(Registers(), pdu))


async def against(answer: Answer, use: Callable[[ModbusLine], Awaitable[Any]]) -> Any:
    """Use a line on a server whose answers are made by hand."""

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while True:
                head = await reader.readexactly(7)
                transaction, _, length, unit = struct.unpack(">HHHB", head)
                await answer(writer, transaction, unit, await reader.readexactly(length - 1))
        except (asyncio.IncompleteReadError, ConnectionError):
            pass
        finally:
            writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    line = join_line(ModbusTcpLink("127.0.0.1", server.sockets[0].getsockname()[1], 1))
    try:
        return await use(line)
    finally:
        await line.leave()
        server.close()


async def outcomes(line: ModbusLine, *addresses: int) -> list[Any]:
    """Read two registers at each address: the first value, or the kind of failure."""
    seen: list[Any] = []
    for address in addresses:
        try:
            seen.append((await line.read(1, address, 2, ONCE))[0])
        except DriverError as error:
            seen.append(error.kind)
    return seen


def test_the_second_half_of_a_late_frame_is_not_taken_for_a_frame(run: Run) -> None:
    asked = 0

    async def answer(writer: asyncio.StreamWriter, transaction: int, unit: int, pdu: bytes) -> None:
        nonlocal asked
        asked += 1
        frame = right(transaction, unit, pdu)
        if asked == 1:
            writer.write(frame[:6])
            await asyncio.sleep(0.25)
            frame = frame[6:]
        writer.write(frame)

    assert run(lambda: against(answer, lambda line: outcomes(line, 10, 20, 30))) == [
        "timeout",
        20,
        30,
    ]


def test_a_reply_without_its_transaction_id_does_not_count(run: Run) -> None:
    async def answer(writer: asyncio.StreamWriter, _: int, unit: int, pdu: bytes) -> None:
        writer.write(right(0, unit, pdu))

    assert run(lambda: against(answer, lambda line: outcomes(line, 10, 20))) == ["framing"] * 2


def test_a_reply_of_another_length_or_function_does_not_count(run: Run) -> None:
    async def answer(writer: asyncio.StreamWriter, transaction: int, unit: int, pdu: bytes) -> None:
        address, count = struct.unpack(">HH", pdu[1:])
        if address == 10:
            pdu = struct.pack(">BHH", 3, address, count + 1)
        if address == 20:
            pdu = struct.pack(">BHH", 4, address, count)
        writer.write(right(transaction, unit, pdu))

    found = run(lambda: against(answer, lambda line: outcomes(line, 10, 20, 30)))
    assert found == ["framing", "framing", 30]


def test_a_write_acknowledged_for_another_address_does_not_count(run: Run) -> None:
    async def answer(writer: asyncio.StreamWriter, transaction: int, unit: int, pdu: bytes) -> None:
        writer.write(mbap(transaction, unit, struct.pack(">BHH", 16, 11, 1)))

    async def use(line: ModbusLine) -> str:
        with pytest.raises(DriverError) as caught:
            await line.write(1, 10, [7], ONCE)
        return caught.value.kind

    assert run(lambda: against(answer, use)) == "framing"


def test_retries_are_counted_and_the_connection_stays_one(run: Run) -> None:
    transactions: list[int] = []

    async def answer(writer: asyncio.StreamWriter, transaction: int, unit: int, pdu: bytes) -> None:
        transactions.append(transaction)

    async def use(line: ModbusLine) -> float:
        loop = asyncio.get_running_loop()
        begin_s = loop.time()
        with pytest.raises(DriverError):
            await line.read(1, 10, 2, Patience(timeout_s=0.1, retries=2))
        took_s = loop.time() - begin_s
        with pytest.raises(DriverError):
            await line.read(1, 10, 2, Patience(timeout_s=0.1, retries=2))
        return took_s

    took_s = run(lambda: against(answer, use))
    assert took_s == pytest.approx(0.3, abs=0.1)
    # Three attempts, and one more: a failing unit is not asked thrice again.
    assert transactions == [1, 2, 3, 4]


def test_nobody_listening_is_unavailable(run: Run) -> None:
    async def main() -> list[Any]:
        server = await asyncio.start_server(lambda _r, _w: None, "127.0.0.1", 0)
        port = server.sockets[0].getsockname()[1]
        server.close()
        line = join_line(ModbusTcpLink("127.0.0.1", port, 1))
        seen = await outcomes(line, 10)
        await line.leave()
        return seen

    assert run(main) == ["unavailable"]


def test_one_bus_has_one_speed_and_one_connection(run: Run) -> None:
    async def main() -> str:
        emulator = pv(RTU)
        await emulator.start()
        link = emulator.endpoint_link
        assert isinstance(link, ModbusRtuLink)
        line = join_line(link)
        assert join_line(ModbusRtuLink(link.path, link.baudrate, 2)) is line
        with pytest.raises(DriverError) as caught:
            join_line(ModbusRtuLink(link.path, 9600, 3))
        await line.leave()
        await line.leave()
        assert join_line(link) is not line
        await emulator.stop()
        return caught.value.code

    assert run(main) == "modbus.baudrate"


def test_a_caller_that_gives_up_leaves_no_answer_for_the_next_one(run: Run) -> None:
    async def main() -> list[list[int]]:
        emulator = pv(RTU, generation="ieee-1547")
        await emulator.start()
        line = join_line(emulator.endpoint_link)
        seen = []
        for address in (40000, 40002, 40070, 40072):
            emulator.arm("late_reply", delay_s=0.2)
            with pytest.raises(TimeoutError):
                async with asyncio.timeout(0.05):
                    await line.read(1, 40004, 2, ONCE)
            try:
                seen.append(await line.read(1, address, 2, Patience(0.5, 3)))
            except DriverError:
                seen.append([])
        await line.leave()
        await emulator.stop()
        return seen

    good = [[0x5375, 0x6E53], [1, 66], [701, 153], [2, 1]]
    seen = run(main)
    assert all(found in ([], expected) for found, expected in zip(seen, good, strict=True))
    assert any(seen)
