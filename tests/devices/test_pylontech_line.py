"""The Pylontech driver and emulator over real ptys, and a foreign client against the emulator."""

import asyncio

import pytest
from bms_bench import PACK, START, Kind, MemoryPack, load
from bms_bench import VECTORS as DEVICE_VECTORS
from pylontech import Pylontech

from gridrig.clock import Clock, run_virtual, run_wall
from gridrig.clock.ptys import open_pty, open_pty_master, open_serial
from gridrig.devices.capabilities import Bms
from gridrig.devices.drivers.pylontech import PylontechDriver, PylontechParameters
from gridrig.devices.emulators.pylontech import PylontechEmulator, PylontechEmulatorParameters
from gridrig.devices.links import SerialLink
from gridrig.devices.wire import pylontech as wire
from gridrig.devices.wire import pylontech_info as content
from gridrig.errors import DriverError

PYLONTECH = Kind(115200, PylontechEmulator, PylontechDriver, {})  # without alarms
CLOSED = {"charge": True, "discharge": True}


def virtually(main):
    return run_virtual(main, start_utc_s=START)


@pytest.mark.parametrize("run", [run_virtual, run_wall])
def test_reading_has_the_packs_values_in_our_signs(run):
    async def main(clock: Clock):
        async with PYLONTECH.bench() as bench:
            assert isinstance(bench.driver, Bms)
            return await bench.driver.identify(), await bench.driver.read()

    identity, reading = run(main, start_utc_s=START)
    assert (identity.manufacturer, identity.model) == ("Pylon", "US5000")
    assert (identity.serial, identity.firmware) == ("GRIDRIG000000001", "2.8")
    assert (reading.soc, reading.v_v, reading.i_a) == (PACK.soc, PACK.v_v, PACK.i_a)
    assert reading.cells_mv == PACK.cells_mv
    assert reading.temperature_c == PACK.temperature_c
    assert (reading.charge_limit_a, reading.discharge_limit_a) == (90.0, 110.0)
    assert reading.charge_fet
    assert reading.discharge_fet
    assert reading.protections == ()


def test_reading_takes_the_time_of_its_characters_on_the_line():
    async def main(clock: Clock):
        async with PYLONTECH.bench(emulate={"reply_delay_s": 0.0}) as bench:
            before_s = clock.now_s()
            await bench.driver.read()
            return clock.now_s() - before_s

    # 18 characters a frame plus INFO: module number; 16 cells, 5 sensors, 24-bit capacity; limits.
    info = 1 + (2 + 1 + 32 + 1 + 10 + 2 + 2 + 2 + 1 + 2 + 2 + 6) + 1 + 10
    assert virtually(main) == pytest.approx((4 * 18 + 2 * info) * 10 / 115200, abs=1e-9)


def test_foreign_client_reads_the_emulator():
    async def main(clock: Clock):
        async with PYLONTECH.bench(opened=False) as bench:

            def ask():
                client = Pylontech(serial_port=bench.emulator.endpoint["port"], baudrate=115200)
                # The client waits for a line feed that never comes; its own two seconds are idle.
                client.s.timeout = 0.6
                try:
                    wide = client.get_values_single(2)
                    bench.pack.change(capacity_ah=50.0)
                    return (
                        wide,
                        client.get_values_single(2),
                        client.get_values(),
                        client.get_system_parameters(2),
                        client.get_manufacturer_info(),
                        client.get_module_serial_number(2),
                        client.get_protocol_version(),
                    )
                finally:
                    client.s.close()

            return await asyncio.to_thread(ask)

    wide, single, every, system, maker, serial, version = run_wall(main, start_utc_s=START)
    assert wide.TotalCapacity == PACK.capacity_ah
    assert wide.StateOfCharge == pytest.approx(PACK.soc)
    assert single.NumberOfModule == 2
    assert list(single.CellVoltages) == [mv / 1000 for mv in PACK.cells_mv]
    assert (single.Voltage, single.Current) == (PACK.v_v, -PACK.i_a)
    assert single.StateOfCharge == pytest.approx(PACK.soc)
    assert single.TotalCapacity == 50.0
    assert single.AverageBMSTemperature == PACK.temperature_c
    assert single.CycleNumber == PACK.cycles
    assert every.NumberOfModules == 1
    assert every.StateOfCharge == pytest.approx(PACK.soc)
    assert system.CellHighVoltageLimit == 3.55
    assert (system.ChargeCurrentLimit, system.DischargeCurrentLimit) == (90.0, -110.0)
    assert maker.DeviceName.decode().rstrip("\0") == "US5000"
    assert maker.ManufacturerName.decode().rstrip("\0") == "Pylon"
    assert serial.ModuleSerialNumber == b"GRIDRIG000000001"
    assert version.ver == b"\x20"


def test_foreign_client_reads_the_limits():
    async def main(clock: Clock):
        async with PYLONTECH.bench(opened=False) as bench:

            def ask():
                client = Pylontech(serial_port=bench.emulator.endpoint["port"], baudrate=115200)
                try:
                    return client.get_management_info(2)  # with its own time-out, as it is
                finally:
                    client.s.close()

            return await asyncio.to_thread(ask)

    limits = run_wall(main, start_utc_s=START)
    assert (limits.ChargeCurrentLimit, limits.DischargeCurrentLimit) == (90.0, -110.0)
    assert (limits.ChargeVoltageLimit, limits.DischargeVoltageLimit) == (56.8, 46.4)
    assert limits.status.ChargeEnable
    assert limits.status.DischargeEnable
    assert not limits.status.ShouldCharge


class CapturedModule(asyncio.Protocol):
    """A module that answers as a real one was captured; its serial number was not."""

    ADDRESS = 2

    def connection_made(self, transport):
        self.transport = transport

    def data_received(self, data):
        (request,) = wire.Decoder().feed(data)
        match request.code:
            case wire.CID2_ANALOG:
                name = "pylontech_analog_one_module"
            case wire.CID2_MANAGEMENT:
                name = "pylontech_management"
            case _:
                info = content.encode_serial(content.Serial(2, "NOT-CAPTURED-000"))
                self.transport.write(wire.encode(wire.Frame(2, 0, info)))
                return
        self.transport.write(load(DEVICE_VECTORS / name)[1].encode() + b"\r")


def test_driver_reads_a_captured_module():
    async def main(clock: Clock):
        pair = open_pty()
        transport, _ = open_pty_master(asyncio.get_running_loop(), CapturedModule, pair)
        driver = PylontechDriver("real", SerialLink(pair.slave_path, 115200), PylontechParameters())
        await driver.open()
        try:
            return await driver.read()
        finally:
            await driver.close()
            transport.close()

    reading = virtually(main)
    assert (reading.v_v, reading.i_a) == (26.638, 0.6)
    assert reading.soc == pytest.approx(0.86)
    assert (reading.charge_limit_a, reading.discharge_limit_a) == (55.5, 55.5)
    assert reading.temperature_c == pytest.approx(21.0)


def test_lower_limit_and_disabled_direction_show_in_the_next_reading():
    async def main(clock: Clock):
        async with PYLONTECH.bench() as bench:
            bench.pack.change(charge_limit_a=12.34)
            lower = await bench.driver.read()
            bench.pack.change(discharge_fet=False)
            return lower, await bench.driver.read()

    lower, disabled = virtually(main)
    assert lower.charge_limit_a == 12.3
    assert (disabled.discharge_limit_a, disabled.discharge_fet) == (0.0, False)
    assert disabled.protections == ("discharge_disabled",)


def test_switching_fails_closed_and_safe_is_to_see_that_the_pack_answers():
    async def main(clock: Clock):
        async with PYLONTECH.bench() as bench:
            for impossible in (
                lambda: bench.driver.set_fets(charge=True, discharge=True),
                lambda: bench.driver.make_safe({"charge": False, "discharge": True}),
                lambda: bench.driver.make_safe({"chrge": True}),
            ):
                with pytest.raises(DriverError, match=r"driver\.unsupported"):
                    await impossible()
            await bench.driver.make_safe(CLOSED)
            await bench.driver.restore()
            bench.emulator.unplug()
            with pytest.raises(DriverError) as caught:
                await bench.driver.make_safe(CLOSED)
            return caught.value.kind, bench.pack.state

    kind, state = virtually(main)
    assert kind == "unavailable"
    assert state == PACK


@pytest.mark.parametrize(
    ("request_", "reply"),
    [
        (wire.Frame(2, 0x99, b""), wire.Frame(2, 0x04)),
        (wire.Frame(2, wire.CID2_ANALOG, b""), wire.Frame(2, 0x06)),
        (wire.Frame(2, wire.CID2_ANALOG, b"\x03"), wire.Frame(2, 0x06)),
        (wire.Frame(2, wire.CID2_MANAGEMENT, b"\xff"), wire.Frame(2, 0x06)),
        (wire.Frame(2, wire.CID2_VERSION), wire.Frame(2, 0x00)),
        (wire.Frame(0, wire.CID2_VERSION), wire.Frame(0, 0x00)),
        (wire.Frame(0, wire.CID2_ANALOG, b"\xff"), None),
        (wire.Frame(3, wire.CID2_ANALOG, b"\x03"), None),
        (wire.Frame(2, wire.CID2_VERSION, kind=0x4A), None),
    ],
)
def test_emulator_answers_its_own_address_and_is_silent_for_others(request_, reply):
    async def main(clock: Clock):
        async with PYLONTECH.bench(opened=False) as bench:
            reader, writer = await open_serial(bench.emulator.endpoint["port"], 115200)
            writer.write(b"\xff~20" + wire.encode(request_))
            try:
                async with asyncio.timeout(1.0):
                    raw = await reader.readuntil(b"\r")
            except TimeoutError:
                return None
            finally:
                writer.close()
            (frame,) = wire.Decoder().feed(raw)
            return frame

    assert virtually(main) == reply


def test_refusal_is_named_with_its_return_code():
    async def main(clock: Clock):
        async with PYLONTECH.bench() as bench:
            bench.emulator.arm("exception", code=0x05)
            with pytest.raises(DriverError) as caught:
                await bench.driver.read()
            return caught.value, await bench.driver.read()

    error, reading = virtually(main)
    assert (error.kind, error.return_code, error.reason) == ("refused", 5, "format")
    assert reading.v_v == PACK.v_v


@pytest.mark.parametrize(("client", "kinds"), [(9600, []), (115200, ["wrong_baudrate"])])
def test_older_module_at_9600_baud_is_understood_only_at_its_speed(client, kinds):
    older = Kind(9600, PylontechEmulator, PylontechDriver, {})

    async def main(clock: Clock):
        async with older.bench(baudrate=client, opened=False) as bench:
            try:
                await bench.driver.open()
                reading = await bench.driver.read()
            except DriverError as error:
                return error.code, bench.kinds()
            return reading.v_v, bench.kinds()

    expected = "driver.timeout" if kinds else PACK.v_v
    assert virtually(main) == (expected, kinds)


def test_echo_without_an_answer_is_named():
    async def main(clock: Clock):
        async with PYLONTECH.bench(parameters={"retries": 0}) as bench:
            bench.emulator.arm("echo")
            bench.emulator.arm("no_reply")
            with pytest.raises(DriverError, match="only: echo"):
                await bench.driver.read()

    virtually(main)


def test_another_module_on_the_line_is_noticed():
    async def main(clock: Clock):
        async with PYLONTECH.bench(parameters={"retries": 0}) as bench:
            object.__setattr__(bench.emulator._parameters, "serial", "OTHER")
            bench.emulator.arm("no_reply")
            for expected in ("driver.timeout", "driver.device_changed"):
                with pytest.raises(DriverError, match=expected):
                    await bench.driver.read()

    virtually(main)


def test_pack_beyond_the_protocols_range_does_not_start():
    pack = MemoryPack()
    pack.change(cells_mv=(3300,) * 19)
    parameters = PylontechEmulatorParameters()
    emulator = PylontechEmulator("big", SerialLink("auto", 115200), parameters, pack)
    with pytest.raises(DriverError) as caught:
        asyncio.run(emulator.start())
    assert (caught.value.code, caught.value.key) == ("emulator.out_of_range", "cells")


@pytest.mark.parametrize(
    "wrong", [{"sensors": 1}, {"serial": "x" * 17}, {"cell_low_mv": 2600}, {"telemetry": "fozen"}]
)
def test_emulator_parameters_that_the_wire_cannot_carry_are_refused(wrong):
    with pytest.raises(DriverError, match=r"emulator\.parameter"):
        PylontechEmulatorParameters(**wrong)


def test_foreign_client_reads_all_modules_of_a_bus_from_the_first():
    async def main(clock: Clock):
        async with (
            PYLONTECH.bench(port="auto:rack", address=2, opened=False) as first,
            PYLONTECH.bench(port="auto:rack", address=3, opened=False) as second,
        ):
            second.pack.change(v_v=51.5, i_a=-4.0)

            def ask():
                client = Pylontech(serial_port=first.emulator.endpoint["port"], baudrate=115200)
                client.s.timeout = 0.4
                try:
                    return client.get_values(), client.get_values_single(3)
                finally:
                    client.s.close()

            return await asyncio.to_thread(ask)

    every, single = run_wall(main, start_utc_s=START)
    assert every.NumberOfModules == 2
    assert [module.Voltage for module in every.Module] == [52.8, 51.5]
    assert [module.Current for module in every.Module] == [-12.3, 4.0]
    assert (single.NumberOfModule, single.Voltage) == (3, 51.5)


def test_alarms_tell_the_switches_and_the_protections_that_act():
    async def main(clock: Clock):
        async with PYLONTECH.bench(parameters={"alarms": True}) as bench:
            bench.pack.change(
                protections=("charge_over_current", "pack_under_voltage"), charge_fet=False
            )
            return await bench.driver.read()

    reading = virtually(main)
    assert (reading.charge_fet, reading.discharge_fet) == (False, True)
    assert reading.protections == ("charge_disabled", "charge_over_current", "pack_under_voltage")
