"""Captures: recorded at the driver's end, read back, shown, and served again."""

import asyncio
import contextlib
import io
import json
import os
import signal
import socket
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from bms_bench import Bench, Kind
from modbus_bench import RTU, TCP, Registers

from gridrig.cli import main as cli
from gridrig.clock import Clock, run_virtual, run_wall
from gridrig.devices.capture.decoders import LiveText, lines_of
from gridrig.devices.capture.proxy import SerialProxy, TcpProxy
from gridrig.devices.capture.reader import read_capture
from gridrig.devices.capture.recorder import Recorder, recorder, recording
from gridrig.devices.capture.replay import Replay
from gridrig.devices.drivers.jbd import JbdDriver
from gridrig.devices.drivers.modbus_line import Patience, join_line
from gridrig.devices.emulators.fault import no_log
from gridrig.devices.emulators.jbd import JbdEmulator
from gridrig.devices.emulators.modbus_face import ModbusEmulator, ModbusFaceParameters
from gridrig.devices.links import ModbusRtuLink, ModbusTcpLink, SerialLink
from gridrig.errors import DriverError

PATIENCE = Patience(timeout_s=0.5, retries=0)
JBD = Kind(9600, JbdEmulator, JbdDriver, {"charge_a_max": 100.0, "discharge_a_max": 100.0})


def record(path: Path, link: Any = TCP) -> Path:
    """Record three reads, a write and a refusal of one unit on a virtual clock."""

    async def main(clock: Clock) -> None:
        with recording(path, clock.now_s, start_utc_s=7, clock=clock.kind) as tape:
            emulator = ModbusEmulator(
                "pv-1", link, ModbusFaceParameters(reply_delay_s=0.25), Registers(), no_log
            )
            await emulator.start()
            line = join_line(emulator.endpoint_link, "pv-1")
            await line.read(1, 10, 2, PATIENCE)
            clock.restart()
            tape.begin()
            await clock.sleep(1.0)
            await line.read(1, 20, 1, PATIENCE)
            await line.write(1, 20, [99], PATIENCE)
            await line.read(1, 20, 1, PATIENCE)
            emulator.arm("exception", code=4)
            with pytest.raises(DriverError):
                await line.read(1, 50, 1, PATIENCE)
            await line.leave()
            await emulator.stop()

    run_virtual(main, start_utc_s=7)
    return path


TOLD = [
    "   -1.250000  pv-1  ->  unit 1 #1  read holding registers: address 10, count 2",
    "   -1.000000  pv-1  <-  unit 1 #1  read holding registers: values 10 11",
    "    1.000000  pv-1  ->  unit 1 #2  read holding registers: address 20, count 1",
    "    1.250000  pv-1  <-  unit 1 #2  read holding registers: values 20",
    "    1.250000  pv-1  ->  unit 1 #3  write registers: address 20, count 1, values 99",
    "    1.500000  pv-1  <-  unit 1 #3  write registers: address 20, count 1",
    "    1.500000  pv-1  ->  unit 1 #4  read holding registers: address 20, count 1",
    "    1.750000  pv-1  <-  unit 1 #4  read holding registers: values 99",
    "    1.750000  pv-1  ->  unit 1 #5  read holding registers: address 50, count 1",
    "    2.000000  pv-1  <-  unit 1 #5  read holding registers: exception 4, device failure",
]


def test_a_capture_tells_every_frame_both_ways_at_its_time(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = record(tmp_path / "capture.jsonl")
    assert cli(["sniff", str(tmp_path)]) == 0
    assert capsys.readouterr().out.splitlines() == TOLD
    capture = read_capture(path)
    assert capture.facts == {"capture": 1, "start_utc_s": 7, "clock": "virtual"}
    (first, *_) = lines_of(capture, "pv-1", raw=True)
    assert first.endswith("->  00 01 00 00 00 06 01 03 00 0a 00 02")
    assert path.read_bytes() == record(tmp_path / "again.jsonl").read_bytes()


def test_a_serial_bus_is_decoded_as_well(tmp_path: Path) -> None:
    lines = list(lines_of(read_capture(record(tmp_path / "c", RTU))))
    said = [line.split("unit 1  ")[1] for line in lines]
    # The same, without transactions.
    assert [line.split("  ")[-1] for line in TOLD] == said


def test_pieces_of_one_moment_are_joined_and_in_the_order_of_wires() -> None:
    stream, now = io.StringIO(), 0.0
    tape = Recorder(stream, lambda: now, start_utc_s=0, clock="virtual")
    first, second = tape.tap("a", "x"), tape.tap("b", "y")
    tape.begin()
    second("out", b"\x01")
    first("in", b"\x02")
    second("out", b"\x03")
    now = 1.0
    first("out", b"\x04")
    tape.close()
    rows = [json.loads(line) for line in stream.getvalue().splitlines()[3:]]
    assert [(r["t_s"], r["wire"], r["way"], r["data"]) for r in rows] == [
        (0.0, "a", "in", "02"),
        (0.0, "b", "out", "0103"),
        (1.0, "a", "out", "04"),
    ]


def test_nobody_records_unless_asked() -> None:
    async def main(_: Clock) -> bool:
        return recorder() is None

    assert run_wall(main, start_utc_s=0)


DAMAGED = {
    "": ("capture.unreadable", "empty"),
    '{"capture": 2}\n': ("capture.line", "version 2, expected 1"),
    '{"capture": 1}\n{"t_s": 0, "wire": "a", "way": "up", "data": ""}\n': ("capture.line", ":2:"),
    '{"capture": 1}\n{"t_s": 0, "wire": "a", "way": "in", "data": "0"}\n': ("capture.line", ":2:"),
    "no json\n": ("capture.line", ":1:"),
}


@pytest.mark.parametrize("text", DAMAGED)
def test_a_damaged_capture_names_its_line(tmp_path: Path, text: str) -> None:
    path = tmp_path / "c"
    path.write_text(text)
    with pytest.raises(DriverError) as caught:
        read_capture(path)
    code, said = DAMAGED[text]
    assert caught.value.code == code
    assert said in str(caught.value)


def test_a_capture_cut_off_by_a_kill_is_read_up_to_there(tmp_path: Path) -> None:
    path = record(tmp_path / "c")
    whole = read_capture(path)
    path.write_bytes(path.read_bytes()[:-9])
    assert read_capture(path).pieces == whole.pieces[:-1]


def test_an_unknown_wire_names_the_near_miss(tmp_path: Path) -> None:
    with pytest.raises(DriverError) as caught:
        list(lines_of(read_capture(record(tmp_path / "c")), "pv-2"))
    assert (caught.value.code, caught.value.near_miss) == ("capture.wire_unknown", "pv-1")


@pytest.mark.parametrize("link", [TCP, RTU], ids=["tcp", "rtu"])
def test_a_captured_device_answers_the_same_questions_again(tmp_path: Path, link: Any) -> None:
    capture = read_capture(record(tmp_path / "c", link))

    async def main(clock: Clock) -> list[Any]:
        unknown: list[str] = []
        replay = Replay(capture, "pv-1", baudrate=115200, on_unknown=unknown.append)
        where = await replay.start()
        again: Any = ModbusTcpLink("127.0.0.1", 0, 1)
        if link is TCP:
            again = ModbusTcpLink("127.0.0.1", int(where.split(":")[1]), 1)
        else:
            again = ModbusRtuLink(where, 115200, 1)
        line = join_line(again)
        began_s = clock.now_s()
        seen: list[Any] = [await line.read(1, 20, 1, PATIENCE), clock.now_s() - began_s >= 0.25]
        seen.append(await line.read(1, 20, 1, PATIENCE))
        seen.append(await line.read(1, 20, 1, PATIENCE))
        for address in (50, 60):
            with pytest.raises(DriverError) as caught:
                await line.read(1, address, 1, PATIENCE)
            seen.append(caught.value.exception)
        await line.leave()
        await replay.stop()
        return [*seen, unknown]

    seen = run_virtual(main, start_utc_s=0)
    assert seen == [[20], True, [99], [99], 4, 2, ["03 00 3c 00 01"]]


def test_a_captured_battery_is_read_again_by_its_driver(tmp_path: Path) -> None:
    path = tmp_path / "c"

    async def taken(clock: Clock) -> Any:
        with recording(path, clock.now_s, start_utc_s=0, clock=clock.kind) as tape:
            tape.begin()
            async with JBD.bench() as bench:
                assert isinstance(bench, Bench)
                return await bench.driver.read()

    async def again(_: Clock) -> Any:
        replay = Replay(read_capture(path), "pack-1")
        where = await replay.start()
        settings = JbdDriver.PARAMETERS(**JBD.driver_parameters)
        driver = JbdDriver("pack-1", SerialLink(where, 9600), settings)
        await driver.open()
        reading = await driver.read()
        await driver.close()
        await replay.stop()
        return reading

    first = run_virtual(taken, start_utc_s=0)
    assert run_virtual(again, start_utc_s=0) == first


def test_the_command_serves_until_interrupted(tmp_path: Path) -> None:
    path = record(tmp_path / "c")
    code = "import sys; from gridrig.cli import main; sys.exit(main(sys.argv[1:]))"
    command = [sys.executable, "-c", code, "replay", str(path), "--wire", "pv-1"]
    # As a shell starts what it runs in the background.
    ignored = ["sh", "-c", 'trap "" INT; exec "$@"', "sh", *command]
    with subprocess.Popen(ignored, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        row = json.loads(process.stdout.readline())
        assert (row["wire"], row["kind"], row["exchanges"]) == ("pv-1", "modbus-tcp", 5)

        async def main(_: Clock) -> list[int]:
            line = join_line(ModbusTcpLink("127.0.0.1", int(row["at"].split(":")[1]), 1))
            found = await line.read(1, 10, 2, PATIENCE)
            await line.leave()
            return found

        assert run_wall(main, start_utc_s=0) == [10, 11]
        os.kill(process.pid, signal.SIGINT)
        assert process.wait(10) == 0


@pytest.mark.parametrize("kind", ["tcp", "rtu"])
def test_a_proxy_shows_what_passes_and_changes_nothing(kind: str) -> None:
    async def main(clock: Clock) -> tuple[list[int], list[str]]:
        link = TCP if kind == "tcp" else RTU
        emulator = ModbusEmulator("pv-1", link, ModbusFaceParameters(), Registers(), no_log)
        await emulator.start()
        where, told = emulator.endpoint_link, list[str]()
        live = LiveText(f"modbus-{kind}", clock.now_s, raw=False)

        def on_piece(wire: str, way: Any, data: bytes) -> None:
            told.extend(line.split("  ")[-1] for line in live.feed(wire, way, data))

        proxy: Any
        if isinstance(where, ModbusTcpLink):
            proxy = TcpProxy(where.host, where.port, on_piece)
            at = await proxy.start()
            client: Any = ModbusTcpLink("127.0.0.1", int(at.split(":")[1]), 1)
        else:
            proxy = SerialProxy(where.path, where.baudrate, on_piece)
            client = ModbusRtuLink(await proxy.start(), where.baudrate, 1)
        line = join_line(client)
        found = await line.read(1, 10, 2, PATIENCE)
        await line.leave()
        await proxy.stop()
        await emulator.stop()
        return found, told

    found, told = run_wall(main, start_utc_s=0)
    assert found == [10, 11]
    assert told == [
        "read holding registers: address 10, count 2",
        "read holding registers: values 10 11",
    ]


def test_a_proxy_says_why_nothing_passes() -> None:
    async def main(clock: Clock) -> tuple[list[str], str]:
        why: list[str] = []
        with socket.socket() as nobody:
            nobody.bind(("127.0.0.1", 0))
            port = nobody.getsockname()[1]
            proxy = TcpProxy("127.0.0.1", port, lambda *_: None, why.append)
            host, _, at = (await proxy.start()).partition(":")
            reader, writer = await asyncio.open_connection(host, int(at))
            with contextlib.suppress(ConnectionError):
                assert await reader.read() == b""
            writer.close()
            await proxy.stop()
        emulator = ModbusEmulator("pv-1", RTU, ModbusFaceParameters(), Registers(), no_log)
        await emulator.start()
        where = emulator.endpoint_link
        assert isinstance(where, ModbusRtuLink)
        serial = SerialProxy(where.path, where.baudrate, lambda *_: None, why.append)
        await serial.start()
        await emulator.stop()
        await clock.sleep(0.2)
        await serial.stop()
        return why, f"{where.path} hung up"

    (refused, gone), expected = run_wall(main, start_utc_s=0)
    assert refused.startswith("client-1: 127.0.0.1:")
    assert "does not open" in refused
    assert gone == expected
