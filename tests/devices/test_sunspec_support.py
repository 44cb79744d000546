"""The SunSpec driver's finer promises: set-points held, curves, scale factors that move."""

import asyncio
from collections.abc import Awaitable, Callable
from importlib import resources
from pathlib import Path
from typing import Any

import pytest
from modbus_bench import Run, Terminal, pv, storage
from pymodbus.server import ModbusTcpServer
from pymodbus.simulator import DataType, SimData, SimDevice
from test_sunspec_driver import failure, using

from gridrig.devices.drivers.sunspec import (
    SunSpecInverter,
    SunSpecParameters,
    SunSpecStorageInverter,
)
from gridrig.devices.grid_support import (
    CurveSettings,
    DroopSettings,
    GridSupport,
    PowerFactorSettings,
    TripSettings,
)
from gridrig.devices.links import ModbusTcpLink

HELD = SunSpecParameters(timeout_s=0.2, retries=1, revert_s=30)
QUICK = SunSpecParameters(timeout_s=0.2, retries=1)
VOLT_VAR = CurveSettings(
    *(((0.9, 0.3), (0.97, 0.0), (1.03, 0.0), (1.09, -0.3)), "var_max", 1.0, "reactive"),
    *(1.02, True, 600.0),
)
FUNCTIONS: dict[str, Any] = {
    "volt_var": VOLT_VAR,
    "volt_watt": CurveSettings(((1.05, 1.0), (1.06, 0.2)), "w_max", 0.5),
    "watt_var": CurveSettings(((0.2, 0.0), (0.5, 0.0), (1.0, -0.44)), "var_max", None, "active"),
    "frequency_droop": DroopSettings(0.017, 0.02, 0.03, 0.04, 1.0),
    "low_voltage_trip": TripSettings(((0.5, 2.0), (0.88, 21.0)), (), ((0.5, 1.0),)),
    "high_voltage_trip": TripSettings(((1.2, 0.16), (1.1, 13.0)), (), ()),
    "low_frequency_trip": TripSettings(((46.5, 0.16), (47.0, 300.0)), (), ()),
    "high_frequency_trip": TripSettings(((52.0, 0.16),), (), ()),
    "power_factor": PowerFactorSettings(0.92, injects=False),
}
IN_PLANT = {name: name for name in FUNCTIONS} | {"power_factor": "power_factor_injecting"}


def test_a_held_set_point_stays_while_the_bench_reads_and_falls_when_it_stops(
    run_fast: Run,
) -> None:
    terminal = Terminal()

    async def use(driver: SunSpecStorageInverter) -> list[Any]:
        await driver.set_power_w(-2000.0)
        for _ in range(30):  # 150 s, five times the reversion time
            await asyncio.sleep(5.0)
            await driver.read()
        while_reading = set(terminal.commands)
        await asyncio.sleep(31.0)
        return [while_reading, terminal.commands[-1]]

    found = run_fast(lambda: using(storage(terminal=terminal), use, HELD))
    assert found == [{("power_w", -2000.0)}, ("power_w", 0.0)]


def test_a_set_point_that_fell_back_is_an_error_at_the_next_reading(run_fast: Run) -> None:
    async def use(driver: SunSpecInverter) -> tuple[str, float | None]:
        await driver.set_limit_w(3000.0)
        await asyncio.sleep(40.0)
        code = (await failure(driver.read())).code
        return code, (await driver.read()).limit_w

    assert run_fast(lambda: using(pv(), use, HELD)) == ("driver.reverted", 0.0)


def test_a_safe_state_does_not_fall_back(run_fast: Run) -> None:
    terminal = Terminal()

    async def use(driver: SunSpecStorageInverter) -> None:
        await driver.set_power_w(-2000.0)
        await driver.set_limit_w(4000.0)
        await driver.make_safe({"power_w": 500.0, "limit_w": 1000.0})
        await asyncio.sleep(100.0)

    run_fast(lambda: using(storage(terminal=terminal), use, HELD))
    last = dict(terminal.commands)
    assert last == {"power_w": 500.0, "limit_w": 1000.0}


def test_a_timer_somebody_left_running_is_stopped_and_put_back(run: Run) -> None:
    emulator = pv()
    emulator.controls.block.set_raw("WMaxLimPctRvrtTms", 77)

    async def use(driver: SunSpecInverter) -> list[Any]:
        await driver.set_limit_w(3000.0)
        found = [emulator.controls.block.raw("WMaxLimPctRvrtTms")]
        await driver.restore()
        return [*found, emulator.controls.block.raw("WMaxLimPctRvrtTms")]

    assert run(lambda: using(emulator, use)) == [0, 77]


def test_a_set_point_that_could_not_fall_back_is_refused_where_it_must(run: Run) -> None:
    emulator = pv()
    emulator.controls.block.set_raw("WMaxLimPctRvrtTms", None)

    async def use(driver: SunSpecInverter) -> Any:
        caught = await failure(driver.set_limit_w(3000.0))
        return caught.code, caught.timer, (await driver.read()).limit_w

    held = run(lambda: using(emulator, use, HELD))
    assert held == ("driver.no_reversion", "WMaxLimPctRvrtTms", None)


@pytest.mark.parametrize(
    ("stated", "period_s", "expected"),
    [
        (QUICK, 10.0, (30, False)),
        (QUICK, 0.05, (1, False)),  # a whole second is the least a timer holds
        (HELD, 2.0, (30, True)),
        (SunSpecParameters(timeout_s=0.2, retries=1, revert_s=0), 10.0, (0, True)),
    ],
)
def test_timers_last_three_control_periods_unless_the_rig_says_how_long(
    run: Run, stated: SunSpecParameters, period_s: float, expected: tuple[int, bool]
) -> None:
    emulator = storage()

    async def use(driver: SunSpecStorageInverter) -> Any:
        used = await driver.use_control_period(period_s)
        await driver.set_power_w(700.0)
        return used, emulator.controls.block.raw("WSetRvrtTms")

    used, timer_s = run(lambda: using(emulator, use, stated))
    assert (used["revert_s"], used["stated"]) == expected
    assert used["set_points"] == ["WMaxLimPct", "WSet", "VarSet"]
    assert timer_s == expected[0]


def test_a_device_without_a_timer_is_used_as_it_is_where_the_rig_states_no_time(run: Run) -> None:
    emulator = pv(reversion=False)

    async def use(driver: SunSpecInverter) -> Any:
        used = await driver.use_control_period(1.0)
        await driver.set_limit_w(3000.0)
        await asyncio.sleep(4.0)
        return used["set_points"], (await driver.read()).limit_w

    assert run(lambda: using(emulator, use)) == ([], pytest.approx(3000.0, abs=1))


def test_the_value_is_there_before_its_enable(run: Run) -> None:
    emulator = storage()
    block = emulator.controls.block
    commit, seen = block.commit, []
    assert commit is not None

    def watched(names: frozenset[str]) -> Any:
        seen.append((block.raw("WSetEna"), block.raw("WSet")))
        return commit(names)

    block.commit = watched

    async def use(driver: SunSpecStorageInverter) -> None:
        await driver.set_power_w(700.0)

    run(lambda: using(emulator, use))
    assert seen == [(0, 700), (1, 700)]


def test_reactive_power_is_set_within_the_rating_and_taken_back(run: Run) -> None:
    terminal = Terminal()

    async def use(driver: SunSpecInverter) -> str:
        await driver.set_q_var(-3000.0)
        await driver.set_q_var(None)
        return (await failure(driver.set_q_var(11_001.0))).kind

    assert run(lambda: using(pv(terminal=terminal), use)) == "limit"
    assert terminal.commands == [("q_var", -3000.0), ("q_var", 0.0)]


@pytest.mark.parametrize("name", FUNCTIONS)
def test_a_function_is_adopted_read_back_and_restored(run: Run, name: str) -> None:
    terminal = Terminal(functions=frozenset(IN_PLANT.values()))
    emulator = pv(terminal=terminal)

    async def use(driver: SunSpecInverter) -> list[Any]:
        assert isinstance(driver, GridSupport)
        before = await driver.read_function(name)
        await driver.write_function(name, FUNCTIONS[name], on=True)
        written = await driver.read_function(name)
        await driver.restore()
        return [before == await driver.read_function(name), written.on, written.settings]

    assert run(lambda: using(emulator, use)) == [True, True, FUNCTIONS[name]]
    assert terminal.commands[0][0] == IN_PLANT[name]
    assert terminal.commands[-1] == (IN_PLANT[name], None)  # restored: not enabled, as found


@pytest.mark.parametrize("factor", [0.0, 1.01, float("nan")])
def test_a_power_factor_that_is_none_is_refused_and_nothing_is_sent(
    run: Run, factor: float
) -> None:
    terminal = Terminal(functions=frozenset(IN_PLANT.values()))

    async def use(driver: SunSpecInverter) -> str:
        settings = PowerFactorSettings(factor)
        return (await failure(driver.write_function("power_factor", settings, on=True))).code

    assert run(lambda: using(pv(terminal=terminal), use)) == "driver.limit"
    assert terminal.commands == []


@pytest.mark.parametrize(
    ("fault", "expected"),
    [
        ("adoption_stuck", ("sunspec.adoption", "timeout")),
        ("adoption_failed", ("sunspec.adoption", "refused")),
    ],
)
def test_an_adoption_that_hangs_or_fails_is_named_and_nothing_is_enabled(
    run_fast: Run, fault: str, expected: tuple[str, str]
) -> None:
    terminal = Terminal(functions=frozenset(IN_PLANT.values()))
    emulator = pv(terminal=terminal)

    async def use(driver: SunSpecInverter) -> tuple[str, str]:
        emulator.arm(fault)
        error = await failure(driver.write_function("volt_var", VOLT_VAR, on=True))
        return error.code, error.kind

    assert run_fast(lambda: using(emulator, use)) == expected
    assert terminal.commands == []


@pytest.mark.parametrize(
    ("name", "settings", "code"),
    [
        ("volt_var", CurveSettings(((0.9, 0.0),) * 5), "driver.limit"),  # it holds four points
        ("volt_var", CurveSettings(((70.0, 0.0), (71.0, 0.0))), "driver.limit"),  # 7000 %
        ("volt_var", DroopSettings(0.1, 0.1, 0.1, 0.1, 1.0), "driver.limit"),
        ("volt_var", TripSettings(), "driver.limit"),
        ("low_voltage_trip", VOLT_VAR, "driver.limit"),
        ("volt_vars", VOLT_VAR, "driver.unsupported"),
    ],
)
def test_what_no_curve_of_the_device_holds_is_refused_before_it_is_written(
    run: Run, name: str, settings: Any, code: str
) -> None:
    emulator = pv()

    async def use(driver: SunSpecInverter) -> tuple[str, bool]:
        before = list(emulator.block(705).registers)
        error = await failure(driver.write_function(name, settings, on=True))
        return error.code, before == emulator.block(705).registers

    assert run(lambda: using(emulator, use)) == (code, True)


def test_a_curve_model_whose_length_its_counts_do_not_explain_is_named(run: Run) -> None:
    emulator = pv()
    emulator.block(705).set_raw("NCrv", 0)

    async def use(driver: SunSpecInverter) -> tuple[str, str]:
        error = await failure(driver.read_function("volt_var"))
        return error.code, error.message

    code, message = run(lambda: using(emulator, use))
    assert code == "sunspec.shape"
    assert "length 67, but NCrv = 0, NPt = 4 makes it 13" in message


class Shifty:
    """Changes the scale factor of model 701's power at chosen reads; the value never changes."""

    def __init__(self, emulator: Any, at_reads: Callable[[int], int]) -> None:
        self._refresh = emulator.block(701).refresh
        self._at_reads = at_reads
        self.reads = 0
        emulator.block(701).refresh = self.refresh

    def refresh(self, block: Any) -> None:
        self.reads += 1
        block.set_scale("W_SF", self._at_reads(self.reads))
        self._refresh(block)


@pytest.mark.parametrize("read_count_max", [8, 40, 64, 125])
@pytest.mark.parametrize("shift_at", range(1, 9))
def test_a_scale_factor_that_changes_between_two_requests_gives_no_wrong_value(
    run_fast: Run, read_count_max: int, shift_at: int
) -> None:
    terminal = Terminal()
    terminal.change(p_w=4300.0)
    emulator = pv(terminal=terminal)

    async def use(driver: SunSpecInverter) -> float:
        Shifty(emulator, lambda read: 0 if read < shift_at else 2)
        return (await driver.read()).p_w

    parameters = SunSpecParameters(timeout_s=0.2, retries=0, read_count_max=read_count_max)
    assert run_fast(lambda: using(emulator, use, parameters)) == 4300.0


def test_a_scale_factor_that_never_holds_still_is_a_named_error(run_fast: Run) -> None:
    emulator = pv()

    async def use(driver: SunSpecInverter) -> str:
        Shifty(emulator, lambda read: read % 3)
        return (await failure(driver.read())).code

    parameters = SunSpecParameters(timeout_s=0.2, retries=0, read_count_max=40)
    assert run_fast(lambda: using(emulator, use, parameters)) == "sunspec.scale_changed"


def fixture() -> tuple[Any, list[int]]:
    """Return pysunspec2's 1547 device from its file, and its whole map as registers."""
    file_client = pytest.importorskip("sunspec2.file.client")
    folder = Path(str(resources.files("sunspec2"))) / "tests" / "test_data"
    device = file_client.FileClientDevice(str(folder / "device_1547.json"))
    device.scan()
    device.models[701][0].ConnSt.value = 1  # it says neither ConnSt nor InvSt, which a device must
    data = b"SunS" + b"".join(model.get_mb() for model in device.model_list) + b"\xff\xff\0\0"
    return device, [int.from_bytes(data[at : at + 2], "big") for at in range(0, len(data), 2)]


async def with_fixture(use: Callable[[SunSpecInverter], Awaitable[Any]]) -> Any:
    """Serve the fixture by pymodbus' own server, and let our driver use it."""
    _, registers = fixture()
    memory = SimData(40000, values=registers, datatype=DataType.REGISTERS)
    server = ModbusTcpServer(SimDevice(1, simdata=[memory]), address=("127.0.0.1", 0))
    await server.serve_forever(background=True)
    port = server.transport.sockets[0].getsockname()[1]
    driver = SunSpecInverter("file-1", ModbusTcpLink("127.0.0.1", port, 1), QUICK)
    try:
        await driver.open()
        return await use(driver)
    finally:
        await driver.close()
        await server.shutdown()


def test_our_driver_reads_pysunspec2s_device_from_a_server_that_is_not_ours() -> None:
    device, _ = fixture()

    async def use(driver: SunSpecInverter) -> list[Any]:
        reading, identity = await driver.read(), await driver.identify()
        curve = await driver.read_function("volt_var")
        return [reading, identity.serial, curve.settings.points, driver.functions]  # type: ignore[union-attr]

    reading, serial, points, functions = asyncio.run(with_fixture(use))
    theirs = device.models[701][0]
    assert (reading.p_w, reading.q_var) == (theirs.W.cvalue, theirs.Var.cvalue)
    assert (reading.v_v, reading.f_hz) == (theirs.LLV.cvalue, pytest.approx(theirs.Hz.cvalue))
    assert serial == device.models[1][0].SN.value
    active = device.models[705][0].Crv[0]
    count = active.ActPt.value
    assert points == tuple(
        (pytest.approx(p.V.cvalue / 100), pytest.approx(p.Var.cvalue / 100))
        for p in active.Pt[:count]
    )
    assert set(functions) == set(FUNCTIONS)


def test_what_the_file_device_cannot_do_fails_closed_by_name() -> None:
    async def use(driver: SunSpecInverter) -> list[str]:
        limit = await failure(driver.set_limit_w(100.0))  # its WMaxLimPct_SF is not implemented
        curve = await failure(driver.write_function("volt_var", VOLT_VAR, on=True))
        return [limit.code, limit.message, curve.kind]

    code, message, kind = asyncio.run(with_fixture(use))
    assert (code, message) == ("driver.unsupported", "file-1 does not implement WMaxLimPct")
    assert kind in {"readback", "refused", "timeout", "limit", "other"}  # memory adopts nothing
