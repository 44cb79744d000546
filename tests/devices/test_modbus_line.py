"""The shared client line against servers that misbehave in ways no emulator does on purpose."""

import asyncio
import struct
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest
from modbus_bench import RTU, TCP, Registers, Run, mbap, pv

from gridrig.devices.drivers.modbus_line import ModbusLine, Patience, join_line
from gridrig.devices.drivers.modbus_wire import DEAF_MAX
from gridrig.devices.emulators.fault import no_log
from gridrig.devices.emulators.modbus_face import ModbusEmulator, ModbusFaceParameters
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


class Counted(Registers):
    """Registers that tell how often they were read."""

    reads = 0

    def read(self, address: int, count: int) -> list[int]:
        self.reads += 1
        return [1000 * self.reads + address] * count


async def _under_fault(kind: str, fault: str, **said: Any) -> list[Any]:
    """Read alike thrice, the fault armed after the first; return what was read."""
    link = RTU if kind == "rtu" else ModbusTcpLink("127.0.0.1", 0, 1)
    emulator = ModbusEmulator("dut", link, ModbusFaceParameters(), Counted(), no_log)
    await emulator.start()
    line = join_line(emulator.endpoint_link)
    line.probe_at(1, range(100, 164))
    seen: list[Any] = []
    for number in range(3):
        if number == 1:
            emulator.arm(fault, **said)
        try:
            seen.append((await line.read(1, 10 * number, 2, ONCE))[0] % 1000)
        except DriverError as error:
            seen.append(error.kind)
    await line.leave()
    await emulator.stop()
    return seen


@pytest.mark.parametrize(
    ("fault", "said"), [("stale_reply", {"address": 10}), ("duplicate", {"gap_s": 0.05})]
)
def test_a_reply_that_comes_again_is_not_taken_for_the_next_of_its_length(
    run_fast: Run, fault: str, said: dict[str, Any]
) -> None:
    seen = run_fast(lambda: _under_fault("rtu", fault, **said))
    assert seen[0] == 0
    assert seen[1] in (10, "framing", "timeout")
    assert seen[2] in (20, "framing", "timeout")


def test_a_half_open_connection_is_given_up_after_a_bounded_number_of_requests(
    run_fast: Run,
) -> None:
    async def main() -> list[Any]:
        emulator = pv()
        await emulator.start()
        line = join_line(emulator.endpoint_link)
        emulator.arm("half_open")
        seen = await outcomes(line, *[40000] * (DEAF_MAX + 1))
        await line.leave()
        await emulator.stop()
        return seen

    assert run_fast(main) == ["timeout"] * DEAF_MAX + [0x5375]


@pytest.mark.parametrize("kind", ["tcp", "rtu"])
def test_a_wire_that_went_down_is_used_again_under_its_name(run: Run, kind: str) -> None:
    async def main() -> list[Any]:
        emulator = pv(RTU if kind == "rtu" else TCP)
        await emulator.start()
        where = emulator.endpoint_link
        line = join_line(where)
        seen = await outcomes(line, 40000)
        emulator.arm("outage", down_s=0.15)
        if isinstance(where, ModbusRtuLink):
            assert not Path(where.path).is_symlink()
        seen += await outcomes(line, 40000)
        await asyncio.sleep(0.3)
        seen += await outcomes(line, 40000, 40000)
        assert emulator.endpoint_link == where
        await line.leave()
        await emulator.stop()
        return seen

    seen = run(main)
    assert seen[0] == 0x5375
    assert seen[1] == "unavailable"
    assert seen[3] == 0x5375


def test_a_wire_that_cannot_be_opened_is_left_alone_for_a_bounded_time(run_fast: Run) -> None:
    async def main() -> list[str]:
        line = join_line(ModbusRtuLink("/nonexistent", 9600, 1))
        codes = []
        for _ in range(8):
            try:
                await line.read(1, 0, 1, Patience(timeout_s=0.5, retries=0))
            except DriverError as error:
                codes.append(error.code)
        await asyncio.sleep(2.0)
        try:
            await line.read(1, 0, 1, Patience(timeout_s=0.5, retries=0))
        except DriverError as error:
            codes.append(error.code)
        await line.leave()
        return codes

    codes = run_fast(main)
    assert codes[0] == "modbus.no_connection"
    assert "modbus.left_alone" in codes
    assert codes[-1] == "modbus.no_connection"
