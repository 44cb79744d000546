"""The Daly driver and emulator over real ptys, and a foreign client's command line against it."""

import asyncio
import json
import sys
from pathlib import Path

import pytest
from bms_bench import DALY, PACK, START, MemoryPack

from gridrig.clock import Clock, run_virtual, run_wall
from gridrig.clock.ptys import open_pty, open_pty_master, open_serial
from gridrig.devices.drivers.daly import DalyDriver, DalyParameters
from gridrig.devices.emulators.daly import DalyEmulator, DalyEmulatorParameters
from gridrig.devices.links import SerialLink
from gridrig.devices.wire import daly
from gridrig.devices.wire import daly_data as content
from gridrig.errors import DriverError

CLIENT = Path(sys.executable).parent / "daly-bms-cli"


def virtually(main):
    return run_virtual(main, start_utc_s=START)


@pytest.mark.parametrize("run", [run_virtual, run_wall])
@pytest.mark.parametrize("uart", [False, True])
def test_reading_has_the_packs_values(run, uart):
    async def main(clock: Clock):
        async with DALY.bench(parameters={"uart": uart}) as bench:
            return await bench.driver.identify(), await bench.driver.read()

    identity, reading = run(main, start_utc_s=START)
    assert (identity.manufacturer, identity.model) == ("Daly", "16S")
    assert identity.serial == "GRIDRIG-DALY-0001"
    assert (reading.soc, reading.v_v, reading.i_a) == (PACK.soc, PACK.v_v, PACK.i_a)
    assert reading.cells_mv == PACK.cells_mv
    assert reading.temperature_c == 25.0  # the wire has whole degrees
    assert (reading.charge_limit_a, reading.discharge_limit_a) == (100.0, 120.0)
    assert (reading.charge_fet, reading.discharge_fet, reading.protections) == (True, True, ())


async def foreign(bench, *words: str) -> tuple[int, str, str]:
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        str(CLIENT),
        "-d",
        bench.emulator.endpoint["port"],
        *words,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    out, err = await process.communicate()
    return process.returncode, out.decode(), err.decode()


def test_foreign_client_reads_everything_and_switches():
    async def main(clock: Clock):
        async with DALY.bench(opened=False) as bench:
            bench.pack.change(protections=("charge_over_current", "short_circuit"))
            every = await foreign(bench, "--all")
            bench.pack.change(i_a=0.0)
            await foreign(bench, "--set-charge-mosfet", "off")
            between = bench.pack.state
            await foreign(bench, "--set-soc", "42.5")
            return every, between, bench.pack.state

    (code, out, err), between, after = run_wall(main, start_utc_s=START)
    assert (code, err) == (0, "")
    every = json.loads(out)
    assert every["soc"] == {"total_voltage": 52.8, "current": 12.3, "soc_percent": 55.0}
    assert every["cell_voltage_range"]["highest_voltage"] == 3.301
    assert every["temperature_range"]["highest_temperature"] == 25
    assert every["mosfet_status"]["mode"] == "discharging"
    assert every["mosfet_status"]["charging_mosfet"] is True
    assert every["mosfet_status"]["capacity_ah"] == 110.0
    assert (every["status"]["cells"], every["status"]["cycles"]) == (16, 17)
    assert list(every["cell_voltages"].values()) == [mv / 1000 for mv in PACK.cells_mv]
    assert every["temperatures"] == {"1": 25, "2": 25}
    assert every["errors"] == [
        "Charge over current, level two alarm",
        "Short circuit protection failure",
    ]
    assert (between.charge_fet, between.discharge_fet) == (False, True)
    assert after.soc == 0.425


def test_foreign_client_reads_the_uart():
    """It asks as 80; its own reading of cells there is broken (0.5.0: "unkonwn status_field")."""

    async def main(clock: Clock):
        async with DALY.bench(opened=False) as bench:
            return await foreign(bench, "--soc", "--uart")

    code, out, err = run_wall(main, start_utc_s=START)
    assert (code, err) == (0, "")
    assert json.loads(out) == {"total_voltage": 52.8, "current": 12.3, "soc_percent": 55.0}


class CapturedBoard(asyncio.Protocol):
    """A board of three cells that answers as a real one was captured, the rest encoded here."""

    CAPTURED = {  # noqa: RUF012
        0x90: "a501900800720000753001ef45",
        0x93: "a50193080001012b00003a02aa",
        0x94: "a501940803010000020000024a",
    }

    def connection_made(self, transport):
        self.transport = transport

    def data_received(self, data):
        (request,) = daly.Decoder().feed(data)
        if request.command in self.CAPTURED:
            self.transport.write(bytes.fromhex(self.CAPTURED[request.command]))
            return
        body = {
            0x95: content.encode_cells((3809, 3841, 3820), 1),
            0x96: content.encode_temperatures((24,), 1),
            0x98: [bytes(8)],
        }[request.command]
        frames = [daly.encode(daly.Frame(1, request.command, data)) for data in body]
        self.transport.write(b"".join(frames))


def test_driver_reads_a_captured_board():
    async def main(clock: Clock):
        pair = open_pty()
        transport, _ = open_pty_master(asyncio.get_running_loop(), CapturedBoard, pair)
        link = SerialLink(pair.slave_path, 9600)
        driver = DalyDriver("real", link, DalyParameters(**DALY.driver_parameters))
        await driver.open()
        try:
            return await driver.read()
        finally:
            await driver.close()
            transport.close()

    reading = virtually(main)
    assert (reading.v_v, reading.i_a, reading.soc) == (11.4, 0.0, 0.495)
    assert reading.cells_mv == (3809, 3841, 3820)
    assert reading.temperature_c == 24.0


@pytest.mark.parametrize("fill", [0x00, 0xAA, 0xFF])
def test_emulator_answers_reads_whatever_fills_them(fill):
    async def main(clock: Clock):
        async with DALY.bench(opened=False) as bench:
            reader, writer = await open_serial(bench.emulator.endpoint["port"], 9600)
            writer.write(daly.encode(daly.Frame(0x40, daly.CMD_PACK, bytes([fill] * 8))))
            reply = await reader.readexactly(13)
            writer.close()
            return reply

    (frame,) = daly.Decoder().feed(virtually(main))
    assert frame.address == 1
    assert content.parse_pack(frame.data).v_100mv == 528


def test_emulator_is_silent_to_others_to_damage_and_to_what_it_does_not_know():
    async def main(clock: Clock):
        async with DALY.bench(opened=False, address=2, port="auto:rack") as bench:
            reader, writer = await open_serial(bench.emulator.endpoint["port"], 9600)
            good = daly.encode(daly.Frame(0x41, daly.CMD_PACK))
            for silent in (
                daly.encode(daly.Frame(0x40, daly.CMD_PACK)),  # pack 1
                daly.encode(daly.Frame(0x80, daly.CMD_PACK)),  # the UART of pack 1
                good[:-1] + b"\x00",
                daly.encode(daly.Frame(0x41, 0x59)),
            ):
                writer.write(silent)
                await clock.sleep(1.0)
            writer.write(good)
            reply = await reader.readexactly(13)
            writer.close()
            return reply, bench.kinds()

    reply, kinds = virtually(main)
    assert reply[1:3] == b"\x02\x90"
    assert kinds == ["ignored"]


def test_frames_of_two_answers_never_mix():
    async def main(clock: Clock):
        async with DALY.bench() as bench:
            answer, seen = bench.emulator.answer, []

            def two_halves(request):
                reply = answer(request)
                if request[2] != daly.CMD_CELLS or len(seen) == 2:
                    return reply
                seen.append(request)
                bench.pack.change(cells_mv=(3400,) * 16)
                # The first half of one answer, and the other half of the next.
                return reply[:39] if len(seen) == 1 else reply[39:]

            bench.emulator.answer = two_halves
            return await bench.driver.read()

    assert virtually(main).cells_mv == (3400,) * 16


def test_frame_that_is_missing_is_not_made_up_by_one_that_came_twice():
    async def main(clock: Clock):
        async with DALY.bench() as bench:
            answer, seen = bench.emulator.answer, []

            def odd_once(request):
                reply = answer(request)
                if request[2] != daly.CMD_CELLS or seen:
                    return reply
                seen.append(request)
                return reply[:26] + reply[39:] + reply[-13:]

            bench.emulator.answer = odd_once
            return await bench.driver.read(), len(seen)

    reading, odd = virtually(main)
    assert (reading.cells_mv, odd) == (PACK.cells_mv, 1)


def test_warnings_limit_nothing_and_alarms_do():
    async def main(clock: Clock):
        async with DALY.bench() as bench:
            bench.pack.change(protections=("cell_over_voltage_warning",))
            warned = await bench.driver.read()
            bench.pack.change(protections=("cell_over_voltage",))
            return warned, await bench.driver.read()

    warned, acting = virtually(main)
    assert (warned.protections, warned.charge_limit_a) == ((), 100.0)
    assert (acting.protections, acting.charge_limit_a) == (("cell_over_voltage",), 0.0)


def test_switching_one_does_not_command_the_other():
    """A switch that a protection opened comes back with it, whatever was done to its neighbour."""

    async def main(clock: Clock):
        async with DALY.bench(opened=False) as bench:
            reader, writer = await open_serial(bench.emulator.endpoint["port"], 9600)
            bench.pack.change(charge_fet=False)  # a protection acts
            off = bytes.fromhex("00") + bytes(7)
            writer.write(daly.encode(daly.Frame(0x40, daly.CMD_DISCHARGE_FET, off)))
            await reader.readexactly(13)
            writer.close()
            return bench.events[-1]

    assert virtually(main) == ("fets", {"charge": True, "discharge": False})


def test_board_with_other_cells_on_the_line_is_noticed():
    async def main(clock: Clock):
        async with DALY.bench(parameters={"retries": 0}) as bench:
            bench.pack.change(cells_mv=(3300,) * 8)
            bench.emulator.arm("no_reply")
            for expected in ("driver.timeout", "driver.device_changed"):
                with pytest.raises(DriverError, match=expected):
                    await bench.driver.read()

    virtually(main)


@pytest.mark.parametrize(
    ("change", "key"),
    [
        ({"discharge_a_max": 276.8}, "discharge_a_max"),
        ({"charge_a_max": 3000.1}, "charge_a_max"),
        ({"cells_mv": (3300,) * 49}, "cells"),
    ],
)
def test_pack_beyond_the_protocols_range_does_not_start(change, key):
    pack = MemoryPack()
    pack.change(**change)
    emulator = DalyEmulator("big", SerialLink("auto", 9600), DalyEmulatorParameters(), pack)
    with pytest.raises(DriverError) as caught:
        asyncio.run(emulator.start())
    assert (caught.value.code, caught.value.key) == ("emulator.out_of_range", key)


@pytest.mark.parametrize("wrong", [{"code": "x" * 36}, {"made_on": "2022-13-01"}, {"sensors": 0}])
def test_emulator_parameters_that_the_wire_cannot_carry_are_refused(wrong):
    with pytest.raises(DriverError, match=r"emulator\.parameter"):
        DalyEmulatorParameters(**wrong)
