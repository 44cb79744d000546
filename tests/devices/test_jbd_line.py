"""The JBD driver and emulator over real ptys: right value or named error, never a wrong value."""

import asyncio
import hashlib

import pytest
from bms_bench import PACK, START, Kind, MemoryPack, fault_run, load
from bms_bench import VECTORS as DEVICE_VECTORS

from gridrig.clock import Clock, run_virtual, run_wall, stream
from gridrig.clock.ptys import open_pty, open_pty_master, open_serial
from gridrig.devices.capabilities import Bms
from gridrig.devices.drivers.jbd import JbdDriver, JbdParameters
from gridrig.devices.emulators.jbd import JbdEmulator, JbdEmulatorParameters
from gridrig.devices.links import SerialLink
from gridrig.devices.wire import jbd
from gridrig.errors import DriverError

JBD = Kind(9600, JbdEmulator, JbdDriver, {"charge_a_max": 100.0, "discharge_a_max": 120.0})
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


def test_switches_are_set_seen_and_restored_as_found():
    async def main(clock: Clock):
        async with JBD.bench() as bench:
            bench.pack.change(i_a=0.5, discharge_fet=False)
            await bench.driver.set_fets(charge=False, discharge=True)
            between = bench.pack.state
            await bench.driver.set_fets(charge=False, discharge=False)
            await bench.driver.restore()
            return between, bench.pack.state

    between, after = virtually(main)
    assert (between.charge_fet, between.discharge_fet) == (False, True)
    assert (after.charge_fet, after.discharge_fet) == (True, False)


def test_restore_writes_nothing_when_nothing_was_set():
    async def main(clock: Clock):
        async with JBD.bench() as bench:
            await bench.driver.read()
            await bench.driver.restore()
            return bench.kinds()

    assert "fets" not in virtually(main)


def test_switch_is_not_opened_under_load():
    async def main(clock: Clock):
        async with JBD.bench() as bench:
            with pytest.raises(DriverError) as caught:
                await bench.driver.set_fets(**SAFE)
            return caught.value, bench.kinds()

    error, kinds = virtually(main)
    assert (error.code, error.kind, error.i_a) == ("bms.fet_under_load", "limit", 12.3)
    assert "fets" not in kinds


def test_make_safe_waits_for_the_current_to_fall():
    async def main(clock: Clock):
        async with JBD.bench() as bench:
            loop = asyncio.get_running_loop()
            loop.call_later(3.0, lambda: bench.pack.change(i_a=0.0))
            await bench.driver.make_safe(SAFE)
            return clock.now_s(), bench.pack.state

    t_s, state = virtually(main)
    assert 3.0 < t_s < 4.0
    assert (state.charge_fet, state.discharge_fet) == (False, False)


def test_make_safe_ends_in_a_named_error_when_the_current_does_not_fall():
    async def main(clock: Clock):
        async with JBD.bench() as bench:
            with pytest.raises(DriverError, match=r"bms\.fet_under_load"):
                await bench.driver.make_safe(SAFE)
            return clock.now_s()

    assert 4.5 < virtually(main) < 6.0


def test_make_safe_refuses_what_it_cannot_mean():
    async def main(clock: Clock):
        async with JBD.bench() as bench:
            for wrong in ({"chrge": False}, {"charge": 0}):
                with pytest.raises(DriverError, match=r"driver\.unsupported"):
                    await bench.driver.make_safe(wrong)

    virtually(main)


def test_switch_that_does_not_move_is_a_readback_error():
    async def main(clock: Clock):
        async with JBD.bench() as bench:
            bench.pack.change(i_a=0.0)
            bench.emulator.arm("fet_refused")
            with pytest.raises(DriverError) as caught:
                await bench.driver.set_fets(**SAFE)
            return caught.value

    error = virtually(main)
    assert error.kind == "readback"
    assert error.seen == (True, True)


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


@pytest.mark.parametrize(
    ("fault", "params", "kind"),
    [
        ("corrupt", {}, "framing"),
        ("truncate", {}, "framing"),
        ("no_reply", {}, "timeout"),
        ("late_reply", {"delay_s": 30.0}, "timeout"),
    ],
)
def test_fault_that_lasts_ends_in_its_named_error_within_the_stated_time(fault, params, kind):
    async def main(clock: Clock):
        async with JBD.bench() as bench:
            bench.emulator.arm(fault, count=50, **params)
            before_s = clock.now_s()
            with pytest.raises(DriverError) as caught:
                await bench.driver.read()
            return caught.value, clock.now_s() - before_s

    error, took_s = virtually(main)
    assert error.kind == kind
    assert took_s <= 3 * (2 * 1.0 + 2.0)


@pytest.mark.parametrize(
    ("fault", "params"),
    [("noise", {"n_bytes": 40}), ("echo", {}), ("corrupt", {}), ("truncate", {}), ("no_reply", {})],
)
def test_fault_that_passes_is_survived_with_the_right_value(fault, params):
    async def main(clock: Clock):
        async with JBD.bench() as bench:
            bench.emulator.arm(fault, **params)
            reading = await bench.driver.read()
            assert ("fault_fired", {"fault": fault, **params}) in bench.events
            return reading

    assert virtually(main).cells_mv == PACK.cells_mv


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
    assert t_s == pytest.approx(4 * 0.1)  # marker, basic, basic, cells


def test_answer_to_a_cancelled_read_is_not_the_answer_to_the_next():
    async def main(clock: Clock):
        async with JBD.bench() as bench:
            bench.emulator.arm("late_reply", delay_s=0.5)
            with pytest.raises(TimeoutError):
                await asyncio.wait_for(bench.driver.read(), 0.2)
            bench.pack.change(v_v=50.0)
            return (await bench.driver.read()).v_v

    assert virtually(main) == 50.0


@pytest.mark.parametrize("delay_s", [1.1, 1.9, 3.7])
def test_late_reply_is_never_the_answer_to_a_later_read(delay_s):
    async def main(clock: Clock):
        async with JBD.bench(parameters={"retries": 0}) as bench:
            bench.emulator.arm("late_reply", delay_s=delay_s)
            with pytest.raises(DriverError, match=r"driver\.timeout"):
                await bench.driver.read()
            seen = []
            for v_v in (51.0, 52.0, 53.0, 54.0, 55.0):
                bench.pack.change(v_v=v_v)
                try:
                    seen.append((await bench.driver.read()).v_v == v_v)
                except DriverError as error:
                    seen.append(error.code)
            return seen

    seen = virtually(main)
    assert set(seen) <= {True, "driver.timeout"}
    assert seen[-1] is True


def test_frame_that_came_unasked_is_not_the_answer():
    async def main(clock: Clock):
        async with JBD.bench() as bench:
            unasked = bench.emulator.answer(jbd.encode_request(jbd.Request(3, False, b"")))
            bench.emulator._face._transport.write(unasked)
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


@pytest.mark.parametrize("run", [run_virtual, run_wall])
def test_pulled_plug_is_unavailable_at_once(run):
    async def main(clock: Clock):
        async with JBD.bench() as bench:
            before_s = clock.now_s()
            bench.emulator.arm("unplug")
            with pytest.raises(DriverError) as caught:
                await bench.driver.read()
            return caught.value, clock.now_s() - before_s

    error, took_s = run(main, start_utc_s=START)
    assert error.kind == "unavailable"
    assert took_s < 1.0


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


def test_plug_pulled_while_waiting_for_a_reply_ends_the_wait():
    async def main(clock: Clock):
        async with JBD.bench() as bench:
            bench.emulator.arm("no_reply")
            asyncio.get_running_loop().call_later(0.5, bench.emulator.unplug)
            before_s = clock.now_s()
            with pytest.raises(DriverError) as caught:
                await bench.driver.read()
            return caught.value.kind, clock.now_s() - before_s

    assert virtually(main) == ("unavailable", pytest.approx(0.5))


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


@pytest.mark.parametrize(
    ("emulate", "told"),
    [
        ({"sign": -1}, (PACK.v_v, -PACK.i_a)),
        ({"scale": 2.0}, (PACK.v_v, 2 * PACK.i_a)),
        ({"telemetry": "frozen"}, (PACK.v_v, PACK.i_a)),
    ],
)
def test_mutant_tells_another_current_and_leaves_the_pack_alone(emulate, told):
    async def main(clock: Clock):
        async with JBD.bench(emulate=emulate) as bench:
            await bench.driver.read()
            if "telemetry" in emulate:
                bench.pack.change(v_v=40.0, i_a=-5.0)
            reading = await bench.driver.read()
            bench.pack.change(i_a=0.0)
            return (reading.v_v, reading.i_a), bench.pack.state.charge_fet

    assert virtually(main) == (pytest.approx(told), True)


def test_pack_beyond_the_protocols_range_does_not_start():
    pack = MemoryPack()
    pack.change(discharge_limit_a=327.68)
    emulator = JbdEmulator("big", SerialLink("auto", 9600), JbdEmulatorParameters(), pack)
    with pytest.raises(DriverError) as caught:
        asyncio.run(emulator.start())
    assert (caught.value.code, caught.value.key) == ("emulator.out_of_range", "discharge_limit_a")


def test_current_beyond_the_range_is_told_as_its_end_and_logged():
    async def main(clock: Clock):
        async with JBD.bench() as bench:
            bench.pack.change(i_a=400.0)
            reading = await bench.driver.read()
            return reading.i_a, bench.kinds()

    i_a, kinds = virtually(main)
    assert i_a == 327.67
    assert "saturated" in kinds


def test_unknown_fault_names_the_near_miss():
    emulator = JbdEmulator("x", SerialLink("auto", 9600), JbdEmulatorParameters(), MemoryPack())
    with pytest.raises(DriverError) as caught:
        emulator.arm("late_replay", delay_s=1.0)
    assert caught.value.near_miss == "late_reply"


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


def picker(seed: int):
    """Return a seeded choice of faults for each read."""
    random = stream(seed, "faults")

    def pick(number: int):
        return random.choice(
            [
                None,
                ("noise", {"n_bytes": random.randrange(1, 120)}),
                ("truncate", {}),
                ("corrupt", {}),
                ("echo", {}),
                ("no_reply", {}),
                ("exception", {"code": 0x80}),
                ("late_reply", {"delay_s": random.choice([0.3, 0.99, 1.3, 2.2, 4.0])}),
            ]
        )

    return pick


def test_hundreds_of_seeded_faults_give_right_values_or_named_errors_twice_the_same():
    def once(seed: int) -> list[str]:
        return virtually(lambda clock: fault_run(JBD, 300, picker(seed), clock.now_s))

    first = once(1)
    assert sum("BmsReading" in line for line in first) > 150
    assert sum("driver." in line for line in first) > 10
    digest = [hashlib.sha256("\n".join(log).encode()).hexdigest() for log in (first, once(1))]
    assert digest[0] == digest[1]
    assert once(2) != first


def test_seeded_faults_on_the_wall_clock_give_right_values_or_named_errors():
    quick = Kind(115200, JbdEmulator, JbdDriver, JBD.driver_parameters | QUICK)
    random = stream(3, "wall")

    def pick(number: int):
        return random.choice(
            [None, ("noise", {"n_bytes": 30}), ("corrupt", {}), ("late_reply", {"delay_s": 0.2})]
        )

    async def main(clock: Clock):
        return await fault_run(quick, 15, pick, clock.now_s)

    log = run_wall(main, start_utc_s=START)
    assert any("BmsReading" in line for line in log)
