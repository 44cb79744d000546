"""The SunSpec drivers against the emulators, over real TCP and ptys, on both clocks."""

import asyncio
import math
from collections.abc import Awaitable, Callable
from typing import Any

import pytest
from modbus_bench import (
    RTU,
    TCP,
    Pack,
    Run,
    Terminal,
    pv,
    storage,
)
from pymodbus.constants import ExcCodes

from gridrig.clock import Clock, run_virtual
from gridrig.devices.capabilities import Identity, Inverter, InverterReading, StorageInverter
from gridrig.devices.drivers.sunspec import SunSpecInverter, SunSpecStorageInverter
from gridrig.devices.drivers.sunspec_parameters import SunSpecParameters
from gridrig.devices.emulators.inverter import InverterEmulator, InverterParameters
from gridrig.devices.emulators.modbus_face import ModbusEmulator
from gridrig.devices.links import ModbusRtuLink, ModbusTcpLink
from gridrig.devices.wire.modbus_server import ModbusTcpServer, RegisterUnit
from gridrig.errors import DriverError

QUICK = SunSpecParameters(timeout_s=0.2, retries=1)
WIRES = pytest.mark.parametrize("link", [TCP, RTU], ids=["tcp", "rtu"])


async def using(
    emulator: ModbusEmulator,
    use: Callable[[Any], Awaitable[Any]],
    parameters: SunSpecParameters = QUICK,
) -> Any:
    """Open a driver on an emulator, use it, close both."""
    await emulator.start()
    make = SunSpecStorageInverter if emulator.kind == "storage_inverter" else SunSpecInverter
    driver = make(emulator.name, emulator.endpoint_link, parameters)
    try:
        await driver.open()
        return await use(driver)
    finally:
        await driver.close()
        await emulator.stop()


async def failure(doing: Awaitable[Any]) -> DriverError:
    """Return the driver error that must come."""
    with pytest.raises(DriverError) as caught:
        await doing
    return caught.value


@WIRES
def test_a_reading_is_what_the_terminal_does(run: Run, link: Any) -> None:
    async def use(driver: SunSpecInverter) -> tuple[InverterReading, Identity]:
        assert isinstance(driver, Inverter)
        return await driver.read(), await driver.identify()

    reading, identity = run(lambda: using(pv(link), use))
    assert reading == InverterReading(
        p_w=4321.0,
        q_var=-120.0,
        v_v=pytest.approx(408.0),
        f_hz=pytest.approx(50.01),
        connected=True,
        state="running",
        limit_w=None,
        w_max=11_000.0,
        soc=None,
    )
    assert identity == Identity("gridrig", "emulated", "pv-1", "1.0")


@WIRES
def test_a_limit_is_set_never_above_what_was_asked_and_removed(run: Run, link: Any) -> None:
    terminal = Terminal()

    async def use(driver: SunSpecInverter) -> list[float | None]:
        await driver.set_limit_w(3333.3)
        limited = await driver.read()
        await driver.set_limit_w(None)
        return [limited.limit_w, (await driver.read()).limit_w]

    found = run(lambda: using(pv(link, terminal), use))
    assert found == [pytest.approx(3333.0), None]
    assert terminal.commands == [("limit_w", pytest.approx(3333.0)), ("limit_w", None)]


@WIRES
def test_storage_power_is_signed_and_its_charge_is_read(run: Run, link: Any) -> None:
    terminal = Terminal()

    async def use(driver: SunSpecStorageInverter) -> list[float | None]:
        assert isinstance(driver, StorageInverter)
        await driver.set_power_w(-2500.4)
        charging = await driver.read()
        await driver.set_power_w(1200.0)
        return [charging.p_w, charging.soc, (await driver.read()).p_w]

    assert run(lambda: using(storage(link, terminal), use)) == [-2500.0, Pack.soc, 1200.0]
    assert terminal.commands == [("power_w", -2500.0), ("power_w", 1200.0)]


@pytest.mark.parametrize("value", [-1.0, 11_000.1, math.nan, math.inf])
def test_a_limit_beyond_the_nameplate_is_refused_before_a_frame_leaves(
    run: Run,
    value: float,
) -> None:
    emulator = pv()

    async def use(driver: SunSpecInverter) -> tuple[str, int]:
        before = emulator._running().requests
        error = await failure(driver.set_limit_w(value))
        return error.kind, emulator._running().requests - before

    assert run(lambda: using(emulator, use)) == ("limit", 0)


@pytest.mark.parametrize("value", [-4000.5, 5000.5, math.nan])
def test_storage_power_beyond_either_rate_is_refused_before_a_frame_leaves(
    run: Run,
    value: float,
) -> None:
    emulator = storage()

    async def use(driver: SunSpecStorageInverter) -> tuple[str, int]:
        before = emulator._running().requests
        error = await failure(driver.set_power_w(value))
        return error.kind, emulator._running().requests - before

    assert run(lambda: using(emulator, use)) == ("limit", 0)


def test_settings_go_back_as_found_latest_first(run: Run) -> None:
    terminal = Terminal()

    async def use(driver: SunSpecStorageInverter) -> None:
        await driver.set_limit_w(2000.0)
        await driver.set_power_w(900.0)
        await driver.set_power_w(800.0)
        await driver.set_connect(False)
        terminal.commands.clear()
        await driver.restore()
        await driver.restore()  # nothing is left to restore

    run(lambda: using(storage(terminal=terminal), use))
    assert terminal.commands == [("connect", True), ("power_w", 0.0), ("limit_w", None)]


def test_the_safe_state_puts_power_first_and_connection_last(run: Run) -> None:
    terminal = Terminal()

    async def use(driver: SunSpecStorageInverter) -> str:
        await driver.set_power_w(500.0)
        terminal.commands.clear()
        await driver.make_safe({"connect": False, "power_w": 0, "limit_w": 0.0})
        return (await failure(driver.make_safe({"conect": False}))).code

    assert run(lambda: using(storage(terminal=terminal), use)) == "driver.safe_state"
    assert terminal.commands == [("power_w", 0.0), ("limit_w", 0.0), ("connect", False)]


def test_a_step_that_fails_does_not_keep_the_other_steps_from_the_safe_state(run: Run) -> None:
    terminal = Terminal()

    async def use(driver: SunSpecStorageInverter) -> str:
        return (await failure(driver.make_safe({"connect": False, "power_w": 1e9}))).kind

    assert run(lambda: using(storage(terminal=terminal), use)) == "limit"
    assert terminal.commands == [("connect", False)]


class Stubborn:
    """Acknowledges every write and keeps what it had."""

    def __init__(self, emulator: InverterEmulator) -> None:
        self.registers = emulator._registers

    def read(self, address: int, count: int) -> Any:
        return self.registers.read(address, count)

    def write(self, address: int, values: Any) -> None:
        return None


@pytest.mark.parametrize("what", ["limit", "connect"])
def test_a_device_that_acknowledges_but_keeps_its_setting_is_caught(run: Run, what: str) -> None:
    async def main() -> str:
        server = ModbusTcpServer("127.0.0.1", 0)
        server.units[1] = RegisterUnit(Stubborn(pv()))
        await server.start()
        driver = SunSpecInverter("pv-1", ModbusTcpLink("127.0.0.1", server.port, 1), QUICK)
        await driver.open()
        doing = driver.set_limit_w(100.0) if what == "limit" else driver.set_connect(False)
        kind = (await failure(doing)).kind
        await driver.close()
        await server.stop()
        return kind

    assert run(main) == "readback"


async def readings_after_a_late_reply(link: Any, delay_s: float, retries: int) -> list[float]:
    """Return how far each reading is from the power at its own time; errors are left out."""
    terminal = Terminal()
    emulator = pv(link, terminal)

    async def use(driver: SunSpecInverter) -> list[float]:
        await driver.read()
        emulator.arm("late_reply", delay_s=delay_s)
        differences, kinds = [], set()
        for power in range(1000, 1012):
            terminal.change(p_w=float(power))
            try:
                differences.append((await driver.read()).p_w - power)
            except DriverError as error:
                kinds.add(error.kind)
        assert kinds <= {"timeout", "framing"}
        return differences

    parameters = SunSpecParameters(timeout_s=0.2, retries=retries, settings_every=3)
    return list(await using(emulator, use, parameters))


@WIRES
@pytest.mark.parametrize("delay_s", [0.21, 0.25, 0.31, 0.42, 0.5, 0.9])
@pytest.mark.parametrize("retries", [0, 1])
def test_a_late_reply_is_never_the_answer_to_another_question(
    run_fast: Run, link: Any, delay_s: float, retries: int
) -> None:
    differences = run_fast(lambda: readings_after_a_late_reply(link, delay_s, retries))
    assert set(differences) == {0.0}
    assert len(differences) >= 6  # and the line recovers


@WIRES
def test_a_late_reply_is_survived_in_real_time(link: Any) -> None:
    assert set(asyncio.run(readings_after_a_late_reply(link, 0.3, 1))) == {0.0}


def test_a_late_acknowledgement_is_never_taken_for_the_next_one(run_fast: Run) -> None:
    terminal = Terminal()
    emulator = storage(RTU, terminal)

    async def use(driver: SunSpecStorageInverter) -> list[tuple[float, float]]:
        await driver.set_power_w(1.0)
        seen, kinds = [], set()
        reply = emulator.reply

        def late_acknowledgement(pdu: bytes) -> Any:
            if pdu[0] == 16:
                emulator.arm("late_reply", delay_s=0.3)
            return reply(pdu)

        emulator.reply = late_acknowledgement  # type: ignore[method-assign]
        for power in range(100, 108):
            try:
                await driver.set_power_w(float(power))
            except DriverError as error:
                kinds.add(error.kind)
            else:
                seen.append((terminal.now.p_w, float(power)))
            emulator.reply = late_acknowledgement if power % 2 else reply  # type: ignore[method-assign]
        assert kinds <= {"timeout", "framing"}
        return seen

    seen = run_fast(lambda: using(emulator, use))
    assert len(seen) >= 4
    assert all(done == asked for done, asked in seen)


def test_a_damaged_reply_on_the_bus_is_asked_again_and_named_when_it_persists(run: Run) -> None:
    emulator = pv(RTU)

    async def use(driver: SunSpecInverter) -> tuple[float, str]:
        emulator.arm("corrupt")
        once = (await driver.read()).p_w
        emulator.arm("corrupt", count=20)
        return once, (await failure(driver.read())).kind

    assert run(lambda: using(emulator, use)) == (4321.0, "framing")


@WIRES
def test_a_silent_device_is_a_timeout_and_comes_back(run: Run, link: Any) -> None:
    emulator = pv(link)

    async def use(driver: SunSpecInverter) -> tuple[str, float]:
        emulator.arm("no_reply", count=2)
        kind = (await failure(driver.read())).kind
        return kind, (await driver.read()).p_w

    assert run(lambda: using(emulator, use)) == ("timeout", 4321.0)


@pytest.mark.parametrize(
    ("code", "kind"),
    [(1, "refused"), (2, "refused"), (4, "refused"), (6, "busy"), (11, "unavailable")],
)
def test_each_exception_is_a_kind_of_failure(run: Run, code: int, kind: str) -> None:
    emulator = pv()

    async def use(driver: SunSpecInverter) -> str:
        emulator.arm("exception", code=code, count=2)
        return (await failure(driver.read())).kind

    assert run(lambda: using(emulator, use)) == kind


@WIRES
def test_a_pulled_plug_is_unavailable_and_no_hang(run: Run, link: Any) -> None:
    emulator = pv(link)

    async def use(driver: SunSpecInverter) -> list[str]:
        await driver.read()
        pending = asyncio.create_task(failure(driver.read()))
        emulator.arm("late_reply", delay_s=10.0)
        await asyncio.sleep(0.05)
        emulator.arm("unplug")
        kinds = [(await asyncio.wait_for(pending, 5)).kind]
        kinds.append((await asyncio.wait_for(failure(driver.read()), 5)).kind)
        kinds.append((await asyncio.wait_for(failure(driver.set_connect(False)), 5)).kind)
        return kinds

    assert run(lambda: using(emulator, use)) == ["unavailable"] * 3


@WIRES
def test_a_hang_up_ends_a_long_wait_at_once(run: Run, link: Any) -> None:
    emulator = pv(link)

    async def use(driver: SunSpecInverter) -> tuple[str, bool]:
        emulator.arm("no_reply")
        pending = asyncio.create_task(failure(driver.read()))
        await asyncio.sleep(0.1)
        emulator.unplug()
        begin_s = asyncio.get_running_loop().time()
        kind = (await pending).kind
        return kind, asyncio.get_running_loop().time() - begin_s < 10.0

    patient = SunSpecParameters(timeout_s=30.0, retries=0)
    assert run(lambda: using(emulator, use, patient)) == ("unavailable", True)


def test_a_device_that_returns_on_its_port_is_read_again(run: Run) -> None:
    async def main() -> list[float | str]:
        emulator = pv()
        await emulator.start()
        link = emulator.endpoint_link
        driver = SunSpecInverter("pv-1", link, QUICK)
        await driver.open()
        emulator.unplug()
        seen: list[float | str] = [(await failure(driver.read())).kind]
        again = pv(link, Terminal())
        await again.start()
        seen.append((await driver.read()).p_w)
        await driver.close()
        await again.stop()
        return seen

    assert run(main) == ["unavailable", 4321.0]


def test_a_device_that_returns_with_another_map_is_an_error_not_a_value(run: Run) -> None:
    async def main() -> str:
        emulator = pv()
        await emulator.start()
        link = emulator.endpoint_link
        driver = SunSpecInverter("pv-1", link, QUICK)
        await driver.open()
        await emulator.stop()
        again = pv(link, Terminal(), base=0)
        again._registers.base = 39990  # type: ignore[attr-defined]
        again._registers._starts = [s + 39990 for s in again._registers._starts]  # type: ignore[attr-defined]
        again._registers._end += 39990  # type: ignore[attr-defined]
        await again.start()
        code = (await failure(driver.read())).code
        await driver.close()
        await again.stop()
        return code

    assert run(main) == "sunspec.map_changed"


@WIRES
def test_a_dead_unit_does_not_freeze_the_others_on_its_wire(run_fast: Run, link: Any) -> None:
    """Three units on one wire; one falls silent, the others are read between its time-outs."""

    async def main() -> list[int]:
        if isinstance(link, ModbusRtuLink):
            links: list[Any] = [ModbusRtuLink("auto:bus", 19200, unit) for unit in (1, 2, 3)]
        else:
            probe = ModbusTcpServer("127.0.0.1", 0)
            await probe.start()
            await probe.stop()
            links = [ModbusTcpLink("127.0.0.1", probe.port, unit) for unit in (1, 2, 3)]
        emulators = [
            InverterEmulator(f"pv-{n}", one, InverterParameters(s_va=11_000.0), Terminal())
            for n, one in enumerate(links, 1)
        ]
        for emulator in emulators:
            await emulator.start()
        drivers = [SunSpecInverter(e.name, e.endpoint_link, QUICK) for e in emulators]
        for driver in drivers:
            await driver.open()
        emulators[1].unplug()
        good, failed = [0, 0, 0], set()

        async def poll(index: int) -> None:
            loop = asyncio.get_running_loop()
            end_s = loop.time() + 2.0
            while loop.time() < end_s:
                try:
                    await drivers[index].read()
                    good[index] += 1
                except DriverError as error:
                    failed.add((index, error.kind))
                await asyncio.sleep(0.02)

        await asyncio.gather(*(poll(n) for n in range(3)))
        for driver in drivers:
            await driver.close()
        for emulator in emulators:
            await emulator.stop()
        assert failed == {(1, "timeout")}
        return good

    good = run_fast(main)
    assert good[1] == 0
    assert min(good[0], good[2]) >= 3


def test_a_second_unit_of_the_same_number_on_a_line_is_refused(run: Run) -> None:
    async def main() -> str:
        first, second = pv(ModbusRtuLink("auto:b", 9600, 4)), pv(ModbusRtuLink("auto:b", 9600, 4))
        await first.start()
        code = (await failure(second.start())).code
        await first.stop()
        return code

    assert run(main) == "emulator.unit_taken"


@pytest.mark.parametrize("base", [0, 40000, 50000])
def test_the_map_is_found_wherever_it_begins(run: Run, base: int) -> None:
    async def use(driver: SunSpecInverter) -> float:
        return (await driver.read()).p_w

    assert run(lambda: using(pv(base=base), use)) == 4321.0


class NoEndModel:
    """A map that ends with an exception, as some makers' do."""

    def __init__(self, emulator: InverterEmulator) -> None:
        self.registers = emulator._registers

    def read(self, address: int, count: int) -> Any:
        if address + count > self.registers._end - 2:  # type: ignore[attr-defined]
            return ExcCodes.ILLEGAL_ADDRESS
        return self.registers.read(address, count)

    def write(self, address: int, values: Any) -> Any:
        return self.registers.write(address, values)


@pytest.mark.parametrize("registers", [lambda: NoEndModel(pv()), None])
def test_a_map_without_end_model_works_and_no_map_is_named(run: Run, registers: Any) -> None:
    async def main() -> str:
        server = ModbusTcpServer("127.0.0.1", 0)
        server.units[1] = RegisterUnit(registers() if registers else _Empty())
        await server.start()
        driver = SunSpecInverter("pv-1", ModbusTcpLink("127.0.0.1", server.port, 1), QUICK)
        try:
            await driver.open()
            return f"{(await driver.read()).p_w}"
        except DriverError as error:
            return error.code
        finally:
            await driver.close()
            await server.stop()

    assert run(main) == ("4321.0" if registers else "sunspec.no_map")


class _Empty:
    def read(self, address: int, count: int) -> Any:
        return ExcCodes.ILLEGAL_ADDRESS

    def write(self, address: int, values: Any) -> Any:
        return ExcCodes.ILLEGAL_ADDRESS


def test_a_scale_factor_that_changes_at_run_time_changes_no_value(run: Run) -> None:
    terminal = Terminal()
    emulator = pv(terminal=terminal)

    async def use(driver: SunSpecInverter) -> list[float]:
        found = [(await driver.read()).p_w]
        measured = emulator.block(701)
        measured.set_scale("W_SF", 1)
        found.append((await driver.read()).p_w)
        emulator.controls.block.rescale("WMaxLimPct_SF", -1)
        await driver.set_limit_w(5500.0)
        return found

    assert run(lambda: using(emulator, use)) == [4321.0, 4320.0]
    assert terminal.commands == [("limit_w", pytest.approx(5500.0))]


def test_a_scale_factor_that_changes_under_a_write_is_caught(run: Run) -> None:
    emulator = pv()

    async def use(driver: SunSpecInverter) -> str:
        commit = emulator.controls.block.commit
        assert commit is not None

        def shifting(names: frozenset[str]) -> Any:
            emulator.controls.block.set_raw("WMaxLimPct_SF", -1)
            return commit(names)

        emulator.controls.block.commit = shifting
        return (await failure(driver.set_limit_w(500.0))).kind

    assert run(lambda: using(emulator, use)) == "readback"


@pytest.mark.parametrize("count", [40, 125])
def test_a_device_that_gives_few_registers_a_reply_is_read_in_pieces(run: Run, count: int) -> None:
    async def use(driver: SunSpecInverter) -> float:
        return (await driver.read()).f_hz

    parameters = SunSpecParameters(timeout_s=0.5, read_count_max=count)
    assert run(lambda: using(pv(), use, parameters)) == pytest.approx(50.01)


@pytest.mark.parametrize(
    ("mutant", "expected"),
    [
        ({}, [4321.0, 99.0]),
        ({"telemetry": "frozen"}, [4321.0, 4321.0]),
        ({"sign": -1}, [-4321.0, -99.0]),
        ({"scale": 2.0}, [8642.0, 198.0]),
    ],
)
def test_a_mutant_changes_what_is_said_and_not_what_is_done(
    run: Run,
    mutant: dict[str, Any],
    expected: list[float],
) -> None:
    terminal = Terminal()

    async def use(driver: SunSpecInverter) -> list[float]:
        first = (await driver.read()).p_w
        terminal.change(p_w=99.0)
        return [first, (await driver.read()).p_w]

    assert run(lambda: using(pv(terminal=terminal, **mutant), use)) == expected
    assert terminal.now.p_w == 99.0


def test_a_tripped_inverter_says_so(run: Run) -> None:
    terminal = Terminal()
    terminal.change(status="tripped", trip_cause="OF2", connected=False, p_w=0.0)

    async def use(driver: SunSpecInverter) -> tuple[str, bool]:
        reading = await driver.read()
        return reading.state, reading.connected

    assert run(lambda: using(pv(terminal=terminal), use)) == ("tripped", False)


def test_an_unknown_fault_names_the_near_miss() -> None:
    with pytest.raises(DriverError) as caught:
        pv().arm("late_replay", delay_s=1.0)
    assert caught.value.near_miss == "late_reply"


def test_a_tcp_frame_cannot_be_corrupted_because_tcp_would_not_let_it_through() -> None:
    with pytest.raises(DriverError) as caught:
        pv(TCP).arm("corrupt")
    assert caught.value.code == "emulator.fault_unknown"


def test_every_fault_that_fires_is_told(run: Run) -> None:
    told: list[tuple[str, dict[str, Any]]] = []
    emulator = InverterEmulator(
        "pv-1",
        TCP,
        InverterParameters(s_va=11_000.0),
        Terminal(),
        lambda kind, **data: told.append((kind, data)),
    )

    async def use(driver: SunSpecInverter) -> None:
        emulator.arm("exception", code=6)
        await driver.read()
        await driver.set_connect(False)
        emulator.unplug()

    run(lambda: using(emulator, use))
    assert told == [
        ("fault_armed", {"fault": "exception", "count": 1, "code": 6}),
        ("fault_fired", {"fault": "exception", "code": 6}),
        ("set_connect", {"on": False}),
        ("unplugged", {}),
    ]


def test_the_same_seed_gives_the_same_reply_times_and_bytes_twice() -> None:
    async def main(clock: Clock) -> list[tuple[float, float | str]]:
        terminal = Terminal()
        seen: list[tuple[float, float | str]] = []
        for link in (TCP, RTU):
            emulator = pv(link, terminal, reply_delay_s=0.01, reply_jitter_s=0.1, seed=5)

            async def use(driver: SunSpecInverter, emulator: Any = emulator) -> None:
                for power in range(30):
                    terminal.change(p_w=float(power))
                    if power % 7 == 3:
                        emulator.arm("late_reply", delay_s=0.5)
                    try:
                        value: float | str = (await driver.read()).p_w
                    except DriverError as error:
                        value = str(error)
                    seen.append((clock.now_s(), value))

            await using(emulator, use)
        return seen

    def without_addresses(seen: list[tuple[float, float | str]]) -> list[tuple[float, Any]]:
        return [(t_s, "failed" if isinstance(v, str) else v) for t_s, v in seen]

    first = without_addresses(run_virtual(main, start_utc_s=0))
    assert first == without_addresses(run_virtual(main, start_utc_s=0))
    values = [value for _, value in first]
    assert "failed" in values
    assert sum(isinstance(value, float) for value in values) > 30
