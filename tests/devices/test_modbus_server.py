"""The Modbus server is right where servers are known to be wrong, on real sockets and ptys."""

import asyncio
from dataclasses import dataclass
from typing import Any

import pytest
from modbus_bench import (
    Registers,
    Run,
    listen,
    mbap,
    raw_rtu,
    raw_tcp,
    read_pdu,
    with_crc,
)

from gridrig.clock import Clock, run_virtual
from gridrig.devices.wire import modbus_pdu
from gridrig.devices.wire.modbus_server import (
    WAITING_MAX,
    ModbusRtuServer,
    ModbusTcpServer,
    RegisterUnit,
    Reply,
)
from gridrig.errors import DriverError


@dataclass
class SlowUnit:
    """Answers each request after the next delay of a list."""

    registers: Registers
    delays_s: list[float]
    wire: None = None

    def reply(self, pdu: bytes) -> Reply:
        return Reply(modbus_pdu.answer(self.registers, pdu), self.delays_s.pop(0))

    def answers_for(self, unit: int) -> bool:
        return False


def answer_to(transaction: int, unit: int, *registers: int) -> bytes:
    data = b"".join(value.to_bytes(2, "big") for value in registers)
    return mbap(transaction, unit, bytes((3, len(data))) + data)


async def tcp_exchange(*chunks: bytes, for_s: float = 0.3, **units: Any) -> tuple[bytes, Any]:
    """Send chunks to a server with unit 1 and return all that comes back."""
    server = ModbusTcpServer("127.0.0.1", 0, missing_unit=units.pop("missing_unit", "silent"))
    server.units[1] = units.pop("unit", None) or RegisterUnit(Registers())
    await server.start()
    reader, writer = await raw_tcp(server.port)
    for chunk in chunks:
        writer.write(chunk)
        await asyncio.sleep(0.02)
    heard = await listen(reader, for_s)
    writer.close()
    await server.stop()
    return heard, server


async def rtu_exchange(*chunks: bytes, units: Any, baudrate: int = 19200) -> bytes:
    """Send chunks to a bus and return all that comes back."""
    server = ModbusRtuServer(19200)
    server.units.update(units)
    await server.start()
    reader, writer = await raw_rtu(server.path, baudrate)
    for chunk in chunks:
        writer.write(chunk)
        await asyncio.sleep(0.001)
    heard = await listen(reader)
    writer.close()
    await server.stop()
    return heard


def test_two_requests_in_one_segment_are_both_answered(run: Run) -> None:
    frames = mbap(1, 1, read_pdu(10, 1)) + mbap(2, 1, read_pdu(20, 2))
    heard, _ = run(lambda: tcp_exchange(frames))
    assert heard == answer_to(1, 1, 10) + answer_to(2, 1, 20, 21)


def test_a_slow_answer_keeps_its_own_transaction_id_and_order(run: Run) -> None:
    unit = SlowUnit(Registers(), [0.1, 0.0])
    requests = mbap(1, 1, read_pdu(10, 1)), mbap(2, 1, read_pdu(20, 1))
    heard, _ = run(lambda: tcp_exchange(*requests, unit=unit))
    assert heard == answer_to(1, 1, 10) + answer_to(2, 1, 20)


def test_half_a_frame_behind_a_slow_request_does_not_lose_it(run: Run) -> None:
    unit = SlowUnit(Registers(), [0.1, 0.0])
    second = mbap(2, 1, read_pdu(20, 1))
    heard, _ = run(
        lambda: tcp_exchange(mbap(1, 1, read_pdu(10, 1)) + second[:5], second[5:], unit=unit)
    )
    assert heard == answer_to(1, 1, 10) + answer_to(2, 1, 20)


def test_a_frame_split_at_every_byte_is_answered(run: Run) -> None:
    frame = mbap(7, 1, read_pdu(10, 2))
    heard, _ = run(lambda: tcp_exchange(*(frame[at : at + 1] for at in range(len(frame)))))
    assert heard == answer_to(7, 1, 10, 11)


def test_a_foreign_protocol_id_does_not_wedge_the_connection(run: Run) -> None:
    foreign = b"\x00\x01\x00\x05" + mbap(1, 1, read_pdu(10, 1))[4:]
    heard, _ = run(lambda: tcp_exchange(foreign, mbap(2, 1, read_pdu(20, 1))))
    assert heard == answer_to(2, 1, 20)


def test_an_impossible_length_closes_the_connection(run: Run) -> None:
    async def main() -> bytes:
        server = ModbusTcpServer("127.0.0.1", 0)
        await server.start()
        reader, writer = await raw_tcp(server.port)
        writer.write(b"\x00\x01\x00\x00\xff\xff\x01\x03")
        heard = await asyncio.wait_for(reader.read(), 1)
        writer.close()
        await server.stop()
        return heard

    assert run(main) == b""


def test_a_missing_tcp_unit_is_silent_and_the_next_one_answers(run: Run) -> None:
    heard, server = run(
        lambda: tcp_exchange(mbap(1, 9, read_pdu(10, 1)), mbap(2, 1, read_pdu(20, 1)))
    )
    assert heard == answer_to(2, 1, 20)
    assert server.requests == 2


def test_a_gateway_tells_that_a_unit_is_missing(run: Run) -> None:
    heard, _ = run(lambda: tcp_exchange(mbap(1, 9, read_pdu(10, 1)), missing_unit="gateway"))
    assert heard == mbap(1, 9, b"\x83\x0b")


@pytest.mark.parametrize(
    ("pdu", "expected"),
    [
        (read_pdu(0, 0), b"\x83\x03"),
        (read_pdu(0, 126), b"\x83\x03"),
        (b"\x03\x00\x00", b"\x83\x03"),
        (b"\x55\x00", b"\xd5\x01"),
        (b"\x06\x00\x01", b"\x86\x03"),
        (b"\x10\x00\x00\x00\x02\x02\x00\x07", b"\x90\x03"),
        (b"\x10\x00\x00\x00\x02\x04\x00\x07", b"\x90\x03"),
        (b"\x10\x00\x05\x00\x02\x04\x00\x07\x00\x08", b"\x10\x00\x05\x00\x02"),
        (b"\x06\x00\x05\x12\x34", b"\x06\x00\x05\x12\x34"),
        (b"\x04\x00\x05\x00\x01", b"\x04\x02\x00\x05"),
    ],
)
def test_each_request_gets_the_reply_or_exception_of_the_standard(
    pdu: bytes, expected: bytes
) -> None:
    assert modbus_pdu.answer(Registers(), pdu) == expected


def test_too_many_waiting_requests_are_answered_busy() -> None:
    async def main(_: Clock) -> bytes:
        unit = SlowUnit(Registers(), [1.0] * 100)
        requests = b"".join(mbap(n, 1, read_pdu(10, 1)) for n in range(WAITING_MAX + 2))
        return (await tcp_exchange(requests, unit=unit))[0]

    # One is being answered and WAITING_MAX wait: only the last one is refused.
    assert run_virtual(main, start_utc_s=0) == mbap(WAITING_MAX + 1, 1, b"\x83\x06")


def test_a_busy_port_is_a_named_error(run: Run) -> None:
    async def main() -> str:
        first = ModbusTcpServer("127.0.0.1", 0)
        await first.start()
        with pytest.raises(DriverError) as caught:
            await ModbusTcpServer("127.0.0.1", first.port).start()
        await first.stop()
        return caught.value.code

    assert run(main) == "emulator.port_busy"


def test_a_bus_frame_for_another_unit_is_never_answered(run: Run) -> None:
    units = {1: RegisterUnit(Registers())}
    other, own = with_crc(b"\x02" + read_pdu(10, 1)), with_crc(b"\x01" + read_pdu(10, 1))
    heard = run(lambda: rtu_exchange(other, own, units=units))
    assert heard == with_crc(b"\x01\x03\x02\x00\x0a")


def test_a_broadcast_write_reaches_every_unit_in_silence(run: Run) -> None:
    maps = Registers(), Registers()
    units = {1: RegisterUnit(maps[0]), 2: RegisterUnit(maps[1])}
    heard = run(lambda: rtu_exchange(with_crc(b"\x00\x06\x00\x05\x12\x34"), units=units))
    assert heard == b""
    assert [m.writes for m in maps] == [[(5, (0x1234,))]] * 2


@pytest.mark.parametrize(
    "noise", [b"\x00", b"\xff", b"\x01\x10", b"\x01\x03\x00\x01\x00\x01\x00\x00"]
)
def test_noise_directly_before_a_good_frame_does_not_lose_it(run: Run, noise: bytes) -> None:
    units = {1: RegisterUnit(Registers())}
    heard = run(lambda: rtu_exchange(noise + with_crc(b"\x01" + read_pdu(10, 1)), units=units))
    assert heard == with_crc(b"\x01\x03\x02\x00\x0a")


def test_an_unknown_function_on_the_bus_is_refused_after_the_silence(run: Run) -> None:
    units = {1: RegisterUnit(Registers())}
    heard = run(lambda: rtu_exchange(with_crc(b"\x01\x55\x01\x02\x03"), units=units))
    assert heard == with_crc(b"\x01\xd5\x01")


def test_a_wrong_crc_is_not_answered_and_not_carried_out(run: Run) -> None:
    registers = Registers()
    frame = bytearray(with_crc(b"\x01\x06\x00\x05\x12\x34"))
    frame[-1] ^= 1
    assert run(lambda: rtu_exchange(bytes(frame), units={1: RegisterUnit(registers)})) == b""
    assert registers.writes == []


def test_a_client_at_another_speed_is_not_understood(run: Run) -> None:
    units = {1: RegisterUnit(Registers())}
    frame = with_crc(b"\x01" + read_pdu(10, 1))
    assert run(lambda: rtu_exchange(frame, units=units, baudrate=9600)) == b""


def test_a_reply_takes_the_time_of_its_characters() -> None:
    async def main(clock: Clock) -> float:
        server = ModbusRtuServer(9600)
        server.units[1] = RegisterUnit(Registers())
        await server.start()
        reader, writer = await raw_rtu(server.path, 9600)
        begin_s = clock.now_s()
        writer.write(with_crc(b"\x01" + read_pdu(0, 60)))
        await reader.readexactly(125)
        took_s = clock.now_s() - begin_s
        writer.close()
        await server.stop()
        return took_s

    # 8 characters out, 3.5 of silence, 125 back, 10 bits each.
    assert run_virtual(main, start_utc_s=0) == pytest.approx((8 + 3.5 + 125) * 10 / 9600)


def test_pulling_the_plug_ends_tcp_and_hangs_up_the_pty(run: Run) -> None:
    async def main() -> tuple[bytes, bytes]:
        tcp, rtu = ModbusTcpServer("127.0.0.1", 0), ModbusRtuServer(19200)
        await tcp.start()
        await rtu.start()
        tcp_reader, tcp_writer = await raw_tcp(tcp.port)
        rtu_reader, rtu_writer = await raw_rtu(rtu.path)
        await asyncio.sleep(0.05)
        tcp.unplug()
        rtu.unplug()
        heard = [await asyncio.wait_for(r.read(), 2) for r in (tcp_reader, rtu_reader)]
        tcp_writer.close()
        rtu_writer.close()
        return heard[0], heard[1]

    assert run(main) == (b"", b"")
