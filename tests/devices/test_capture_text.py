"""Captures in words: frames of real packs, instruments and chargers, both ways, and damage."""

import asyncio
import random
from pathlib import Path
from typing import Any

import pytest
from bms_bench import VECTORS
from instruments.instrument_bench import instruments
from test_ev_charger import charger
from websockets.asyncio.client import connect
from websockets.asyncio.server import serve

from gridrig.cli import main as cli
from gridrig.clock import Clock, run_virtual, run_wall
from gridrig.devices.capture.decoders import DECODERS, LiveText, lines_of
from gridrig.devices.capture.proxy import TcpProxy
from gridrig.devices.capture.reader import Piece, read_capture
from gridrig.devices.capture.recorder import recording
from gridrig.devices.capture.replay import Replay
from gridrig.devices.drivers.ac_source import ScpiAcSource
from gridrig.devices.links import SerialLink, SocketLink
from gridrig.devices.wire import pylontech
from gridrig.errors import DriverError


def told(kind: str, *pieces: tuple[str, bytes]) -> list[str]:
    decoder = DECODERS[kind]()
    lines = [
        line
        for n, (way, data) in enumerate(pieces)
        for line in decoder.feed(Piece(n * 0.01, "w", way, data))  # type: ignore[arg-type]
    ]
    return lines + decoder.end()


def said(line: str) -> str:
    """Return what stands behind the time and the wire."""
    return line[14:].split("  ", 1)[1]


def frame(case: str) -> bytes:
    (path,) = (VECTORS / case).glob("input.*")
    text = path.read_text().strip()
    return bytes.fromhex(text) if path.suffix == ".hex" else text.encode() + b"\r"


# What the frames say was read off the protocols' documents, beside each vector's expected.json.
OF_REAL_PACKS = {
    "jbd_request_basic": ("out", "read basic information (03)"),
    "jbd_request_charge_off": ("out", "write switches (e1): closed: discharge"),
    "jbd_fet_acknowledged": ("in", "switches (e1): done"),
    "jbd_hardware": ("in", "hardware (05): JBD-SP04S034-L4S-200A-B-U"),
    "jbd_cells_4": ("in", "cell voltages (04): 3909 3901 3895 3901 mV"),
    "jbd_basic_discharging": (
        "in",
        "basic information (03): 15.60 V, -2.87 A (+ charges), 100 %, 4.98 of 5.00 Ah, 4 cells, "
        "22.4 22.3 21.7 deg C, closed: charge and discharge, protections: none",
    ),
    "daly_request_setup": ("out", "pack 1  ask setup (94)"),
    "daly_setup": ("in", "pack 1  setup (94): 3 cells, 1 sensors, 0 cycles"),
    "daly_pack_idle": ("in", "pack 1  pack (90): 11.4 V, 0.0 A (+ discharges), 49.5 %"),
    "daly_cell_range": (
        "in",
        "pack 1  cell range (91): 3809 mV (cell 1) to 3841 mV (cell 2)",
    ),
    "daly_temperature_range": ("in", "pack 1  temperature range (92): 24 to 24 deg C"),
    "daly_switches": (
        "in",
        "pack 1  switches (93): idle, closed: charge and discharge, 14850 mAh left",
    ),
    "pylontech_request_analog": ("out", "module 1  ask analog values (42): 01"),
}


@pytest.mark.parametrize("case", OF_REAL_PACKS)
def test_a_captured_frame_of_a_real_pack_is_told_in_words(case: str) -> None:
    way, text = OF_REAL_PACKS[case]
    assert told(case.split("_", maxsplit=1)[0], (way, frame(case))) == [text]


def test_a_pylontech_reply_is_told_by_the_request_before_it() -> None:
    ask_limits = pylontech.encode(pylontech.Frame(2, pylontech.CID2_MANAGEMENT, b"\x02"))
    ask_all = pylontech.encode(pylontech.Frame(1, pylontech.CID2_ANALOG, b"\xff"))
    limits, modules = frame("pylontech_management"), frame("pylontech_analog_three_modules")
    lines = told(
        "pylontech", ("out", ask_limits), ("in", limits), ("out", ask_all), ("in", modules)
    )
    assert lines[:3] == [
        "module 2  ask charge and discharge limits (92): 02",
        # 5AA0, 6EF0 mV; FDD5, 022B of 0.1 A; C0
        "module 2  charge and discharge limits: 23.200 to 28.400 V, -55.5 to 55.5 A (+ charges), "
        "allowed: charge, discharge",
        "module 1  ask analog values (42): ff",
    ]
    assert lines[3].count("mAh, cells") == 3
    assert lines[3].startswith("module 2  analog values: 49.545 V, -2.6 A (+ charges), ")
    # Without its request nobody can tell what it is.
    assert told("pylontech", ("in", limits))[0].startswith("module 2  answers: 02 6e f0")


DAMAGED = {
    "jbd": ("in", bytes.fromhex("dde10000000177")),
    "daly": ("in", bytes.fromhex("a501900800720000753001ef46")),
    "pylontech": ("in", b"~20024600B014026EF05AA0022BFDD5C0F916\r"),
}


@pytest.mark.parametrize("kind", DAMAGED)
def test_a_damaged_frame_is_one_line_of_noise_with_its_reason(kind: str) -> None:
    way, data = DAMAGED[kind]
    (line,) = told(kind, (way, data))
    assert line.startswith("noise (checksum): ")
    (cut,) = told(kind, (way, data[:5]))
    assert cut.startswith("noise (truncated): ")


def test_an_echo_is_called_one() -> None:
    request = frame("jbd_request_basic")
    assert told("jbd", ("in", request)) == ["echo of a request of basic information (03)"]
    request = frame("daly_request_setup")
    assert told("daly", ("in", request)) == ["echo of pack 1  ask setup (94)"]
    request = frame("pylontech_request_analog")
    lines = told("pylontech", ("out", request), ("in", request))
    assert lines[1] == "module 1  echo of the request"


@pytest.mark.parametrize("kind", DECODERS)
def test_no_bytes_make_a_text_fail_however_they_are_cut(kind: str) -> None:
    source = random.Random(5)
    seeds = [frame(case) for case in OF_REAL_PACKS] + [
        b'[2,"1","Heartbeat",{}]',
        b"GET /CP-1 HTTP/1.1\r\n\r\n\x81\x85\0\0\0\0[2,1]",
        b"*ESE 1;:FETC? #15\0\1\2\3\4;\n",
        bytes.fromhex("000100000006010300140001"),
    ]
    for _ in range(300):
        data = bytearray(source.choice(seeds) + source.choice(seeds))
        for _ in range(source.randrange(3)):
            data[source.randrange(len(data))] = source.randrange(256)
        cut = source.randrange(len(data))
        way = source.choice(["out", "in"])
        lines = told(kind, (way, bytes(data[:cut])), (way, bytes(data[cut:])))
        assert all("\n" not in line for line in lines)


def test_an_instruments_messages_are_recorded_and_told(tmp_path: Path) -> None:
    path = tmp_path / "c"

    async def main(clock: Clock) -> None:
        async with instruments(clock) as bench:
            with recording(path, clock.now_s, start_utc_s=0, clock=clock.kind) as tape:
                tape.begin()
                ac = await bench.driver("ac")
                await ac.set_frequency_hz(50.0)
                with pytest.raises(DriverError):
                    await ac._line.command(":VOLTS 7")

    run_virtual(main, start_utc_s=0)
    lines = [said(line) for line in lines_of(read_capture(path), "ac")]
    assert lines[:2] == [
        "->  *ESE 1;*ESE?;*CLS;*ESE?;:SYST:ERR?",
        '<-  1;1;0,"No error"',
    ]
    assert any(":FREQ" in line and line.startswith("->") for line in lines)
    assert any("-113" in line and line.startswith("<-") for line in lines)


@pytest.mark.parametrize("kind", ["socket", "serial"])
def test_a_captured_instrument_is_read_again_by_its_driver(tmp_path: Path, kind: str) -> None:
    path = tmp_path / "c"

    async def taken(clock: Clock) -> Any:
        async with instruments(clock, kind=kind) as bench:
            with recording(path, clock.now_s, start_utc_s=0, clock=clock.kind) as tape:
                tape.begin()
                return await (await bench.driver("ac")).read()

    async def again(_: Clock) -> Any:
        replay = Replay(read_capture(path), "ac")
        host, _, port = (await replay.start()).partition(":")
        link = SocketLink(host, int(port)) if port else SerialLink(host, 115200)
        driver = ScpiAcSource("ac", link)
        await driver.open()
        reading = await driver.read()
        await driver.close()
        await replay.stop()
        return reading

    first = run_virtual(taken, start_utc_s=0)
    assert run_virtual(again, start_utc_s=0) == first


def test_scpi_blocks_are_told_by_their_size_and_what_cannot_be_printed_is_escaped() -> None:
    assert told("scpi", ("out", b"DATA? 'a'\n*IDN?\r\n")) == ["DATA? 'a'", "*IDN?"]
    assert told("scpi", ("in", b"7;#15\n\0\1;;;7;\x1b\n")) == ["7;<block of 5 bytes>;7;\\x1b"]
    assert told("scpi", ("in", b"2.3E")) == ["without an end: 2.3E"]


@pytest.mark.parametrize("version", ["1.6", "2.0.1"])
def test_a_chargers_messages_are_recorded_and_told(tmp_path: Path, version: str) -> None:
    path = tmp_path / "c"

    async def main(clock: Clock) -> None:
        with recording(path, clock.now_s, start_utc_s=0, clock=clock.kind) as tape:
            tape.begin()
            async with charger(clock, version) as bench:
                await bench.driver.set_limit_w(4000.0)

    run_virtual(main, start_utc_s=0)
    with pytest.raises(DriverError, match="calls by itself"):
        Replay(read_capture(path), "cp")
    lines = [said(line) for line in lines_of(read_capture(path))]
    assert any("<-  call BootNotification {" in line for line in lines)
    assert any("->  result of BootNotification {" in line for line in lines)
    assert any("->  call SetChargingProfile {" in line for line in lines)
    assert any('<-  result of SetChargingProfile {"status":"Accepted"}' in line for line in lines)


def test_ocpp_is_told_through_a_websocket_too_and_its_end() -> None:
    lines: list[str] = []

    async def main(clock: Clock) -> None:
        live = LiveText("ocpp", clock.now_s, raw=False)

        def on_piece(wire: str, way: Any, data: bytes) -> None:
            lines.extend(map(said, live.feed(wire, way, data)))

        async def answer(socket: Any) -> None:
            async for _ in socket:
                await socket.send('[3,"1",{"currentTime":"2016-06-20T12:00:00Z"}]')
                await socket.send('[4,"2","NotSupported","no",{}]')

        async with serve(answer, "127.0.0.1", 0, compression=None) as server:
            proxy = TcpProxy("127.0.0.1", server.sockets[0].getsockname()[1], on_piece)
            at = await proxy.start()
            async with connect(f"ws://{at}/CP-1", compression=None) as client:
                await client.send('[2,"1","Heartbeat",{}]')
                await client.recv()
                await client.recv()
            await asyncio.sleep(0.05)
            await proxy.stop()

    run_wall(main, start_utc_s=0)
    out = [line.removeprefix("->").strip() for line in lines if line.startswith("->")]
    back = [line.removeprefix("<-").strip() for line in lines if line.startswith("<-")]
    assert out == ["websocket: GET /CP-1 HTTP/1.1", "call Heartbeat {}", "websocket close"]
    assert back == [
        "websocket: HTTP/1.1 101 Switching Protocols",
        'result of Heartbeat {"currentTime":"2016-06-20T12:00:00Z"}',
        "error of call 2: NotSupported, 'no' {}",
        "websocket close",
    ]


def test_an_unknown_kind_is_refused_with_the_near_miss(capsys: pytest.CaptureFixture[str]) -> None:
    assert cli(["sniff", "--tcp", "127.0.0.1:1", "--kind", "scppi"]) == 2
    error = capsys.readouterr().err
    assert "capture.kind_unknown: found kind 'scppi'" in error
    assert "near miss: scpi" in error


@pytest.mark.parametrize(("apart_s", "lines"), [(0.6, 1), (1.5, 2)])
def test_a_frame_may_come_in_pieces_that_a_slow_line_sets_apart(apart_s: float, lines: int) -> None:
    decoder, data = DECODERS["jbd"](), frame("jbd_cells_4")
    found = [
        line
        for t_s, part in ((0.0, data[:9]), (apart_s, data[9:]))
        for line in decoder.feed(Piece(t_s, "w", "in", part))
    ]
    assert len(found) == lines
