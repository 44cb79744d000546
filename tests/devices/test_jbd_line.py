"""The JBD driver and emulator over real ptys: right value or named error, never a wrong value."""

import asyncio

import pytest
from bms_bench import JBD, PACK, START, MemoryPack, load
from bms_bench import VECTORS as DEVICE_VECTORS

from gridrig.clock import Clock, run_virtual, run_wall
from gridrig.clock.ptys import open_pty, open_pty_master, open_serial
from gridrig.devices.capabilities import Bms
from gridrig.devices.drivers.jbd import JbdDriver, JbdParameters
from gridrig.devices.emulators.jbd import JbdEmulator, JbdEmulatorParameters
from gridrig.devices.links import SerialLink
from gridrig.devices.wire import jbd
from gridrig.errors import DriverError

QUICK = {"timeout_s": 0.15, "gap_s": 0.05, "quiet_s": 0.05, "drain_s_max": 0.5}
SAFE = {"charge": False, "discharge": False}


def virtually(main):
    return run_virtual(main, start_utc_s=START)


@pytest.mark.parametrize("run", [run_virtual, run_wall])
def test_reading_has_the_packs_values_in_our_signs(run):
    async def main(clock: Clock):
        async with JBD.bench() as bench:
            assert isinstance(bench.driver, Bms)
            return await bench.driver.identify(), await bench.driver.read()

    identity, reading = run(main, start_utc_s=START)
    assert (identity.manufacturer, identity.model) == ("JBD", "JBD-SP16S020-L16S-200A-B-U")
    assert identity.firmware == "8.0"
    assert (reading.soc, reading.v_v, reading.i_a) == (PACK.soc, PACK.v_v, PACK.i_a)
    assert reading.cells_mv == PACK.cells_mv
    assert reading.temperature_c == PACK.temperature_c
    assert (reading.charge_limit_a, reading.discharge_limit_a) == (100.0, 120.0)
    assert reading.charge_fet
    assert reading.discharge_fet
    assert reading.protections == ()


def test_reading_takes_the_time_of_its_bits_on_the_line():
    async def main(clock: Clock):
        async with JBD.bench(emulate={"reply_delay_s": 0.0}) as bench:
            await bench.driver.read()
            before_s = clock.now_s()
            await bench.driver.read()
            return clock.now_s() - before_s

    # Two requests of 7 characters, replies of 34 (two sensors) and 39, 10 bits each at 9600 Bd.
    assert virtually(main) == pytest.approx((7 + 34 + 7 + 39) * 10 / 9600, abs=1e-9)


class CapturedBoard(asyncio.Protocol):
    """A board that answers as a real one was captured."""

    REPLIES = {  # noqa: RUF012
        bytes.fromhex("dda50300fffd77"): "jbd_basic_discharging",
        bytes.fromhex("dda50500fffb77"): "jbd_hardware",
        bytes.fromhex("dda50400fffc77"): "jbd_cells_4",
    }

    def connection_made(self, transport):
        self.transport = transport

    def data_received(self, data):
        self.transport.write(bytes.fromhex(load(DEVICE_VECTORS / self.REPLIES[data])[1]))


def test_driver_reads_a_captured_board():
    async def main(clock: Clock):
        pair = open_pty()
        transport, _ = open_pty_master(asyncio.get_running_loop(), CapturedBoard, pair)
        driver = JbdDriver(
            "real", SerialLink(pair.slave_path, 9600), JbdParameters(**JBD.driver_parameters)
        )
        await driver.open()
        try:
            return await driver.identify(), await driver.read()
        finally:
            await driver.close()
            transport.close()

    identity, reading = virtually(main)
    assert identity.model == "JBD-SP04S034-L4S-200A-B-U"
    assert (reading.v_v, reading.i_a, reading.soc) == (15.6, 2.87, 0.996)
    assert reading.cells_mv == (3909, 3901, 3895, 3901)
    assert reading.temperature_c == pytest.approx(22.4)
    assert reading.charge_limit_a == 0.0  # 3.9 V is beyond charge_stop_mv


@pytest.mark.parametrize(
    ("frame", "charge", "discharge"),
    [
        ("jbd_request_charge_off", False, True),
        ("jbd_request_discharge_off", True, False),
    ],
)
def test_emulator_obeys_a_captured_switch_command_and_acknowledges_as_captured(
    frame, charge, discharge
):
    async def main(clock: Clock):
        async with JBD.bench(opened=False) as bench:
            reader, writer = await open_serial(bench.emulator.endpoint["port"], 9600)
            writer.write(bytes.fromhex(load(DEVICE_VECTORS / frame)[1]))
            ack = await reader.readexactly(7)
            writer.close()
            return ack, bench.pack.state

    ack, state = virtually(main)
    assert ack.hex() == load(DEVICE_VECTORS / "jbd_fet_acknowledged")[1]
    assert (state.charge_fet, state.discharge_fet) == (charge, discharge)


def test_emulator_forgets_half_a_request_after_silence():
    async def main(clock: Clock):
        async with JBD.bench(opened=False) as bench:
            reader, writer = await open_serial(bench.emulator.endpoint["port"], 9600)
            writer.write(bytes.fromhex("dda503"))
            await clock.sleep(1.0)
            writer.write(bytes.fromhex("dda50400fffc77"))
            async with asyncio.timeout(1.0):
                reply = await reader.readexactly(4)
            writer.close()
            return reply

    assert virtually(main) == bytes.fromhex("dd040020")


def test_full_pack_lowers_the_charge_limit_in_the_next_reading():
    async def main(clock: Clock):
        async with JBD.bench() as bench:
            bench.pack.change(cells_mv=(3300,) * 15 + (3570,))
            tapered = await bench.driver.read()
            bench.pack.change(protections=("cell_over_voltage",))
            return tapered, await bench.driver.read()

    tapered, stopped = virtually(main)
    assert tapered.charge_limit_a == pytest.approx(20.0)
    assert stopped.charge_limit_a == 0.0
    assert stopped.protections == ("cell_over_voltage",)
    assert stopped.discharge_limit_a == 120.0


def test_rejected_command_is_refused_and_the_next_read_is_right():
    async def main(clock: Clock):
        async with JBD.bench() as bench:
            bench.emulator.arm("exception", code=jbd.STATUS_REJECTED)
            with pytest.raises(DriverError) as caught:
                await bench.driver.read()
            return caught.value, await bench.driver.read()

    error, reading = virtually(main)
    assert (error.kind, error.status) == ("refused", 0x80)
    assert reading.v_v == PACK.v_v


def test_false_start_before_the_reply_costs_a_gap_and_no_try():
    class Noisy(CapturedBoard):
        def data_received(self, data):
            self.transport.write(b"\xdd\x03\x00\xff")
            super().data_received(data)

    async def main(clock: Clock):
        pair = open_pty()
        transport, _ = open_pty_master(asyncio.get_running_loop(), Noisy, pair)
        parameters = JbdParameters(**JBD.driver_parameters, retries=0)
        driver = JbdDriver("noisy", SerialLink(pair.slave_path, 9600), parameters)
        try:
            await driver.open()
            return (await driver.read()).v_v, clock.now_s()
        finally:
            await driver.close()
            transport.close()

    v_v, t_s = virtually(main)
    assert v_v == 15.6
    # Marker, basic, and again because basic was asked last, then cells.
    assert t_s == pytest.approx(5 * 0.1)


def test_frame_that_came_unasked_is_not_the_answer():
    async def main(clock: Clock):
        async with JBD.bench() as bench:
            unasked = bench.emulator.answer(jbd.encode_request(jbd.Request(3, False, b"")))
            bench.emulator._face._line._pty.write(unasked)
            await clock.sleep(1.0)
            bench.pack.change(v_v=50.0)
            return (await bench.driver.read()).v_v

    assert virtually(main) == 50.0


def test_client_at_the_wrong_speed_is_not_understood():
    async def main(clock: Clock):
        async with JBD.bench(baudrate=19200, opened=False) as bench:
            with pytest.raises(DriverError) as caught:
                await bench.driver.open()
            return caught.value, bench.kinds()

    error, kinds = virtually(main)
    assert error.kind == "timeout"
    assert kinds == ["wrong_baudrate"]


def test_adapter_that_comes_back_on_its_port_is_read_again(tmp_path):
    port = tmp_path / "usb-adapter"

    async def main(clock: Clock):
        async with JBD.bench(opened=False) as first, JBD.bench(opened=False) as second:
            port.symlink_to(first.emulator.endpoint_link.path)
            parameters = JbdParameters(**JBD.driver_parameters)
            driver = JbdDriver("pack-1", SerialLink(str(port), 9600), parameters)
            await driver.open()
            try:
                first.emulator.unplug()
                await clock.sleep(0.1)
                port.unlink()
                with pytest.raises(DriverError) as caught:
                    await driver.read()
                port.symlink_to(second.emulator.endpoint_link.path)
                return caught.value.kind, (await driver.read()).v_v
            finally:
                await driver.close()

    assert run_wall(main, start_utc_s=START) == ("unavailable", PACK.v_v)


def test_port_that_somebody_holds_is_not_opened_twice():
    async def main(clock: Clock):
        async with JBD.bench() as bench:
            parameters = JbdParameters(**JBD.driver_parameters)
            other = JbdDriver("other", bench.emulator.endpoint_link, parameters)
            with pytest.raises(DriverError) as caught:
                await other.open()
            return caught.value.kind, (await bench.driver.read()).v_v

    assert run_wall(main, start_utc_s=START) == ("unavailable", PACK.v_v)


def test_port_that_is_not_there_is_unavailable():
    driver = JbdDriver(
        "none", SerialLink("/dev/ttyNONE", 9600), JbdParameters(**JBD.driver_parameters)
    )
    with pytest.raises(DriverError) as caught:
        asyncio.run(driver.open())
    assert caught.value.kind == "unavailable"


def test_another_board_on_the_line_is_noticed():
    async def main(clock: Clock):
        async with JBD.bench(parameters={"retries": 0}) as bench:
            object.__setattr__(bench.emulator._parameters, "hardware", "JBD-OTHER")
            bench.emulator.arm("no_reply")
            for expected in ("driver.timeout", "driver.device_changed"):
                with pytest.raises(DriverError, match=expected):
                    await bench.driver.read()

    virtually(main)


def test_inconsistent_cell_count_is_an_error():
    async def main(clock: Clock):
        async with JBD.bench() as bench:
            answer = bench.emulator.answer

            def fewer(request):
                reply = answer(request)
                if reply[1] == jbd.REG_CELLS:
                    return jbd.encode_reply(jbd.Reply(jbd.REG_CELLS, 0, reply[4:-5]))
                return reply

            bench.emulator.answer = fewer
            with pytest.raises(DriverError, match=r"bms\.inconsistent"):
                await bench.driver.read()

    virtually(main)


def test_pack_beyond_the_protocols_range_does_not_start():
    pack = MemoryPack()
    pack.change(discharge_limit_a=327.68)
    emulator = JbdEmulator("big", SerialLink("auto", 9600), JbdEmulatorParameters(), pack)
    with pytest.raises(DriverError) as caught:
        asyncio.run(emulator.start())
    assert (caught.value.code, caught.value.key) == ("emulator.out_of_range", "discharge_a_max")


def test_current_beyond_the_range_is_told_as_its_end_and_logged():
    async def main(clock: Clock):
        async with JBD.bench() as bench:
            bench.pack.change(i_a=400.0)
            reading = await bench.driver.read()
            return reading.i_a, bench.kinds()

    i_a, kinds = virtually(main)
    assert i_a == 327.67
    assert "saturated" in kinds


@pytest.mark.parametrize(
    "wrong",
    [
        {"charge_a_max": -1.0},
        {"charge_stop_mv": 3400},
        {"timeout_s": 0.05},
        {"retries": -1},
        {"poll_s": 0.0},
        {"fet_open_a_max": -1.0},
    ],
)
def test_parameters_that_cannot_be_meant_are_refused(wrong):
    with pytest.raises(DriverError, match=r"device\.parameter"):
        JbdParameters(**(JBD.driver_parameters | wrong))
