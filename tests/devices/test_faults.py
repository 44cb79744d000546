"""The fault board, the plan of a reply, the lies of a register map, and what a UART mishears."""

import asyncio
from pathlib import Path
from typing import Any

import pytest
from modbus_bench import Registers, mbap, pv, raw_tcp, read_pdu

from gridrig.campaign.faults_page import catalogue, page
from gridrig.campaign.scenario_events import read_fault
from gridrig.clock import Clock, run_virtual, stream
from gridrig.devices.emulators.fault import Asked, FaultBoard, no_log
from gridrig.devices.emulators.fault_spec import OCCASION, FaultSpec
from gridrig.devices.emulators.modbus_face import ModbusEmulator, ModbusFaceParameters
from gridrig.devices.emulators.modbus_faults import MODBUS_FAULTS, MODBUS_RTU_FAULTS
from gridrig.devices.emulators.wire_faults import LINE_FAULTS, WireFaults
from gridrig.devices.links import ModbusTcpLink
from gridrig.devices.wire.steps import Step
from gridrig.devices.wire.uart import misheard
from gridrig.errors import DriverError
from gridrig.rig.issues import Issues
from gridrig.rig.toml_file import parse_toml

PAGE = Path(__file__).parents[2] / "docs" / "faults.md"
REQUEST, REPLY = b"request", b"reply!"


def board(**known: Any) -> tuple[FaultBoard, list[tuple[str, dict[str, Any]]]]:
    told: list[tuple[str, dict[str, Any]]] = []
    faults = known or LINE_FAULTS
    return FaultBoard("dut", faults, lambda kind, **data: told.append((kind, data))), told


def planned(*armed: tuple[str, dict[str, Any]], times: int = 1, **asked: Any) -> list[list[Step]]:
    """Return the plans of replies under faults."""
    faults, _ = board()
    for name, said in armed:
        faults.arm(name, **said)
    wire = WireFaults(faults, stream(1, "wire"), spoil=lambda f: f[:-1] + b"?", baudrate=9600)
    return [
        wire.plan(REQUEST, REPLY + bytes((k,)), now_s=float(k), asked=Asked(**asked))
        for k in range(times)
    ]


def sent(plan: list[Step]) -> bytes:
    return b"".join(step.data for step in plan)


def test_a_fault_fires_once_by_default_and_is_told() -> None:
    faults, told = board()
    assert faults.quiet
    faults.arm("late_reply", delay_s=0.5)
    assert [faults.fire("late_reply") for _ in range(2)] == [{"delay_s": 0.5}, None]
    assert faults.quiet
    assert [kind for kind, _ in told] == ["fault_armed", "fault_fired"]


def test_a_fault_chooses_by_function_and_by_any_register_of_a_range() -> None:
    faults, _ = board(**MODBUS_FAULTS)
    faults.arm("exception", code=2, function=3, address=100, address_to=109, count=9)

    def fires(function: int, address: int, count: int) -> bool:
        return faults.fire("exception", Asked(function, None, address, count)) is not None

    assert not fires(4, 100, 1)
    assert not fires(3, 90, 10)
    assert fires(3, 90, 11)
    assert fires(3, 109, 5)
    assert not fires(3, 110, 1)
    assert not fires(3, 100, 0)


def test_the_nth_request_is_hit_and_the_same_share_for_the_same_seed() -> None:
    faults, _ = board()
    faults.arm("no_reply", nth=3, count=2)
    assert [faults.fire("no_reply") is not None for _ in range(6)] == [0, 0, 1, 1, 0, 0]
    shares = []
    for seed in (1, 1, 2):
        seeded = FaultBoard("dut", LINE_FAULTS, seed=seed)
        seeded.arm("no_reply", probability=0.3, count=1000)
        shares.append([seeded.fire("no_reply") is not None for _ in range(1000)])
    assert shares[0] == shares[1] != shares[2]
    assert 250 < sum(shares[0]) < 350


def test_a_fault_for_a_time_fires_as_often_as_it_can_and_expires() -> None:
    async def main(clock: Clock) -> list[bool]:
        faults, told = board()
        faults.arm("no_reply", for_s=1.0)
        fired = []
        for _ in range(5):
            fired.append(faults.fire("no_reply") is not None)
            await clock.sleep(0.3)
        assert told[0] == ("fault_armed", {"fault": "no_reply", "for_s": 1.0})
        assert told[-1][0] == "fault_expired"
        return fired

    assert run_virtual(main, start_utc_s=0) == [True, True, True, True, False]


WRONG: list[tuple[str, dict[str, Any], str]] = [
    ("late_reply", {}, "delay_s is nothing, expected a number from 0 to 86400"),
    ("late_reply", {"delay_s": -1}, "delay_s is -1, expected a number from 0 to 86400"),
    ("late_reply", {"delay_s": "1"}, "delay_s is '1', expected a number from 0"),
    ("noise", {"n_bytes": 2.5}, "n_bytes is 2.5, expected an integer from 1 to 4096"),
    ("no_reply", {"count": 0}, "count is 0, expected an integer from 1 to"),
    ("no_reply", {"count": True}, "count is True, expected an integer"),
    ("no_reply", {"probability": 1.5}, "probability is 1.5, expected a number from 0 to 1"),
    ("no_reply", {"delay": 1}, "delay is 1, expected one of"),
    ("no_reply", {"address_to": 5}, "address is nothing, expected the first register"),
    ("late_reply", {"delay_s": float("nan")}, "delay_s is nan, expected a number"),
]


@pytest.mark.parametrize(("fault", "said", "text"), WRONG)
def test_a_wrong_parameter_is_refused_with_what_was_expected(
    fault: str, said: dict[str, Any], text: str
) -> None:
    faults, _ = board()
    with pytest.raises(DriverError) as caught:
        faults.arm(fault, **said)
    assert caught.value.code == "emulator.fault_parameter"
    assert text in str(caught.value)
    assert faults.quiet


def test_every_wire_fault_does_to_a_reply_what_it_says() -> None:
    reply = REPLY + b"\x00"
    assert planned() == [[Step(reply, 0.0)]]
    assert planned(("late_reply", {"delay_s": 1.5})) == [[Step(reply, 1.5)]]
    assert planned(("no_reply", {})) == [[]]
    assert planned(("echo", {})) == [[Step(REQUEST), Step(reply)]]
    assert planned(("echo_part", {"n_bytes": 3})) == [[Step(b"req"), Step(reply)]]
    assert planned(("corrupt", {})) == [[Step(REPLY + b"?")]]
    assert planned(("truncate", {"keep_bytes": 2})) == [[Step(b"re")]]
    assert planned(("line_feed", {})) == [[Step(reply + b"\n")]]
    assert planned(("duplicate", {"gap_s": 0.2})) == [[Step(reply), Step(reply, 0.2)]]
    assert planned(("gap", {"gap_s": 0.1, "at_byte": 3})) == [
        [Step(reply[:3]), Step(reply[3:], 0.1)]
    ]
    (pieces,) = planned(("split", {"gap_s": 0.01}))
    assert [len(piece.data) for piece in pieces] == [1] * len(reply)
    assert (sent(pieces), pieces[0].wait_s, pieces[1].wait_s) == (reply, 0.0, 0.01)
    (noisy,) = planned(("noise", {"n_bytes": 5}), ("noise_after", {"n_bytes": 4}))
    assert len(sent(noisy)) == 5 + len(reply) + 4
    assert sent(noisy)[5:-4] == reply
    (jittered,) = planned(("jitter", {"jitter_s": 0.5}))
    assert 0 < jittered[0].wait_s < 0.5


def test_replies_are_held_repeated_and_withheld_across_requests() -> None:
    first, second, third = (REPLY + bytes((k,)) for k in range(3))
    held = planned(("coalesce", {}), times=2)
    assert [sent(plan) for plan in held] == [b"", first + second]
    stale = planned(("stale_reply", {"nth": 2}), times=3)
    assert [sent(plan) for plan in stale] == [first, first, third]
    burst = planned(("burst_only", {"within_s": 0.5, "count": 2}), times=3)
    assert [sent(plan) for plan in burst] == [b"", b"", third]


def test_a_receiver_at_another_speed_hears_what_a_uart_would() -> None:
    data = bytes(range(256))
    assert misheard(data, 9600, 9600) == data
    # A zero byte is low for 9 bits, at half the speed 4.5: samples at 1.5, 2.5 and 3.5 are low.
    assert misheard(b"\x00", 9600, 4800) == b"\xf8"
    # At double speed each bit is two; a zero byte is low for 18 bits: a framing error, one NUL.
    assert misheard(b"\x00", 9600, 19200) == b"\x00"
    assert misheard(b"\xff", 9600, 19200) == b"\xfe"
    assert misheard(b"\xff\xff", 9600, 115200) == b"\x00\x00"
    for baudrate in (300, 4800, 11_000, 115_200, 250_000):
        heard = misheard(data, 9600, baudrate)
        assert heard != data
        assert len(heard) <= len(data) * (1 + baudrate // 9600)
    # A few percent apart is what real lines bear.
    assert misheard(data, 9600, 9800) == data


def test_speeds_a_few_percent_apart_are_borne_and_others_are_not() -> None:
    data = bytes(range(256))
    assert all(
        misheard(bytes((b,)), 10_000, s) == bytes((b,)) for b in data for s in (9_650, 10_400)
    )
    assert misheard(data, 10_000, 11_500) != data


async def _answers(arm: tuple[str, dict[str, Any]], *frames: bytes) -> bytes:
    link = ModbusTcpLink("127.0.0.1", 0, 1)
    emulator = ModbusEmulator("dut", link, ModbusFaceParameters(), Registers(), no_log)
    await emulator.start()
    emulator.arm(arm[0], **arm[1])
    where = emulator.endpoint_link
    assert isinstance(where, ModbusTcpLink)
    reader, writer = await raw_tcp(where.port)
    heard = b""
    for frame in frames:
        writer.write(frame)
        try:
            async with asyncio.timeout(0.2):
                heard += await reader.read(1000)
        except (TimeoutError, ConnectionError):
            break
    writer.close()
    await emulator.stop()
    return heard


READ = read_pdu(10, 2)
MODBUS: list[tuple[str, dict[str, Any], bytes, bytes]] = [
    ("exception", {"code": 4}, READ, mbap(1, 1, b"\x83\x04")),
    ("busy", {"for_s": 9.0}, READ, mbap(1, 1, b"\x83\x06")),
    ("function_missing", {"function": 3}, READ, mbap(1, 1, b"\x83\x01")),
    ("function_missing", {"function": 6}, READ, mbap(1, 1, b"\x03\x04\x00\x0a\x00\x0b")),
    ("register_max", {"registers": 1}, READ, mbap(1, 1, b"\x83\x03")),
    ("read_hole", {"register": 11}, READ, mbap(1, 1, b"\x83\x02")),
    ("read_hole", {"register": 12}, READ, mbap(1, 1, b"\x03\x04\x00\x0a\x00\x0b")),
    ("short_read", {}, READ, mbap(1, 1, b"\x03\x02\x00\x0a")),
    ("word_swap", {}, READ, mbap(1, 1, b"\x03\x04\x00\x0b\x00\x0a")),
    (
        "register_value",
        {"register": 11, "value": 0x8000},
        READ,
        mbap(1, 1, b"\x03\x04\x00\x0a\x80\x00"),
    ),
    ("wrong_unit", {"unit": 9}, READ, mbap(1, 9, b"\x03\x04\x00\x0a\x00\x0b")),
    ("wrong_function", {"becomes": 4}, READ, mbap(1, 1, b"\x04\x04\x00\x0a\x00\x0b")),
    ("wrong_transaction", {"off_by": 2}, READ, mbap(3, 1, b"\x03\x04\x00\x0a\x00\x0b")),
    (
        "wrong_address",
        {},
        b"\x10\x00\x05\x00\x01\x02\x00\x07",
        mbap(1, 1, b"\x10\x00\x06\x00\x01"),
    ),
    ("half_open", {}, READ, b""),
    ("reset", {"n_bytes": 4}, READ, mbap(1, 1, b"\x03\x04\x00\x0a\x00\x0b")[:4]),
]


@pytest.mark.parametrize(("fault", "said", "pdu", "expected"), MODBUS)
def test_a_modbus_fault_does_to_an_answer_what_it_says(
    fault: str, said: dict[str, Any], pdu: bytes, expected: bytes
) -> None:
    async def main(_: Clock) -> bytes:
        return await _answers((fault, said), mbap(1, 1, pdu))

    heard = run_virtual(main, start_utc_s=0)
    # A reset may overtake what was sent before it, as on a real wire.
    assert heard == expected or (fault == "reset" and expected.startswith(heard))


def test_a_foreign_unit_is_answered_for_and_no_longer() -> None:
    async def main(_: Clock) -> bytes:
        asked = mbap(1, 9, READ)
        return await _answers(("foreign_unit", {"unit": 9}), asked, asked)

    assert run_virtual(main, start_utc_s=0) == mbap(1, 9, b"\x03\x04\x00\x0a\x00\x0b")


def test_a_missing_unit_is_answered_for_by_an_exception_when_told() -> None:
    async def main(_: Clock) -> bytes:
        asked = mbap(1, 9, READ)
        return await _answers(("missing_unit", {}), asked, asked)

    assert run_virtual(main, start_utc_s=0) == mbap(1, 9, b"\x83\x0b")


def test_max_clients_and_close_idle_end_connections() -> None:
    async def main(clock: Clock) -> tuple[bytes, float]:
        emulator = pv()
        await emulator.start()
        where = emulator.endpoint_link
        assert isinstance(where, ModbusTcpLink)
        first, first_writer = await raw_tcp(where.port)
        await clock.sleep(0.1)
        emulator.arm("max_clients", clients=1)
        second, second_writer = await raw_tcp(where.port)
        try:
            refused = await second.read(10)
        except ConnectionError:
            refused = b""
        emulator.arm("close_idle", idle_s=3.0)
        began_s = clock.now_s()
        await first.read(10)
        took_s = clock.now_s() - began_s
        for writer in (first_writer, second_writer):
            writer.close()
        await emulator.stop()
        return refused, took_s

    assert run_virtual(main, start_utc_s=0) == (b"", pytest.approx(3.0))


def test_the_page_is_printed_from_the_catalogue() -> None:
    assert PAGE.read_text(encoding="utf-8") == "\n".join(page()) + "\n", (
        "run: gridrig faults --markdown > docs/faults.md"
    )


def every_spec() -> list[FaultSpec]:
    """Return every fault that is specified; a plain tuple of parameter names says nothing."""
    offered = [one for family in catalogue().values() for one in family.values()]
    found = [spec for spec, _ in offered if spec.meaning]
    assert len(found) >= 40
    return found


def test_every_fault_of_ours_has_a_meaning_and_an_example_that_holds() -> None:
    for spec in every_spec():
        assert spec.example.startswith(f'name = "{spec.name}"'), spec.name
        text = f'[[fault]]\ndevice = "x"\nat_s = 1\n{spec.example.replace(", ", chr(10))}\n'
        file = parse_toml(text.encode(), "example.toml")
        issues = Issues("example.toml")
        at = file.top.key("fault").item(0)
        fault = read_fault(file.table["fault"][0], at, issues).fault()
        assert issues.sorted() == ()
        assert spec.problems(fault.parameters) == [], spec.name
        assert not {one.name for one in spec.parameters} & set(OCCASION), spec.name


def test_a_checksum_fault_is_for_lines_and_a_reset_for_sockets() -> None:
    assert "corrupt" in MODBUS_RTU_FAULTS
    assert "reset" not in MODBUS_RTU_FAULTS
    assert "corrupt" not in ModbusEmulator.faults_on("modbus-tcp")
    assert "reset" in ModbusEmulator.faults_on("modbus-tcp")
