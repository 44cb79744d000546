"""Inverters that speak only the models before 701, and float models: driven as any other."""

import asyncio
from typing import Any

import pytest
from modbus_bench import Pack, Run, Terminal, pv, storage
from test_sunspec_driver import failure, using

from gridrig.devices.drivers.sunspec import (
    SunSpecInverter,
    SunSpecParameters,
    SunSpecStorageInverter,
)

QUICK = SunSpecParameters(timeout_s=0.2, retries=1)


@pytest.mark.parametrize(
    ("phases", "v_nominal_v", "v_v"), [(3, 400.0, 408.0), (2, 240.0, 244.8), (1, 230.0, 234.6)]
)
@pytest.mark.parametrize("numbers", ["scaled", "float"])
def test_a_reading_is_what_the_terminal_does(
    run: Run, phases: int, v_nominal_v: float, v_v: float, numbers: str
) -> None:
    emulator = pv(generation="legacy", phases=phases, v_nominal_v=v_nominal_v, numbers=numbers)

    async def use(driver: SunSpecInverter) -> Any:
        return await driver.read()

    reading = run(lambda: using(emulator, use))
    assert (reading.p_w, reading.q_var) == (pytest.approx(4321.0), pytest.approx(-120.0))
    assert reading.v_v == pytest.approx(v_v, abs=0.3)
    assert reading.f_hz == pytest.approx(50.01)
    assert (reading.connected, reading.state, reading.limit_w) == (True, "running", None)
    assert (reading.w_max, reading.soc) == (11_000.0, None)


def test_limit_reactive_power_and_connection_reach_the_terminal_and_go_back(run: Run) -> None:
    terminal = Terminal()
    emulator = pv(terminal=terminal, generation="legacy")
    block = emulator.legacy.block
    for name in ("WMaxLimPct_WinTms", "Conn_RvrtTms"):
        block.set_raw(name, 30)  # somebody's window and timer, which would defeat what is read back

    async def use(driver: SunSpecInverter) -> Any:
        await driver.set_limit_w(3333.3)
        limited = (await driver.read()).limit_w
        await driver.set_q_var(-1000.0)
        await driver.set_connect(False)
        during = list(terminal.commands)
        await driver.set_limit_w(None)
        unlimited = (await driver.read()).limit_w
        await driver.restore()
        return limited, unlimited, during

    limited, unlimited, during = run(lambda: using(emulator, use))
    assert limited == pytest.approx(3333.0, abs=1.2)
    assert limited <= 3333.3
    assert unlimited is None
    assert [what for what, _ in during] == ["limit_w", "q_var", "connect"]
    assert during[1] == ("q_var", pytest.approx(-1000.0, abs=1.2))
    assert during[1][1] >= -1000.0
    assert during[2] == ("connect", False)
    assert terminal.commands[-1][0] == "connect" or ("connect", True) in terminal.commands
    assert (block.raw("WMaxLimPct_WinTms"), block.raw("Conn_RvrtTms")) == (30, 30)


def test_a_storages_window_is_closed_to_one_power(run: Run) -> None:
    terminal = Terminal()
    emulator = storage(terminal=terminal, generation="legacy")

    async def use(driver: SunSpecStorageInverter) -> Any:
        powers = []
        for p_w in (-2500.4, 1200.0, 3333.3, 0.0):
            await driver.set_power_w(p_w)
            await asyncio.sleep(0.01)
            powers.append(terminal.commands[-1])
        refused = await failure(driver.set_power_w(4000.5))
        return powers, refused.kind, (await driver.read()).soc

    powers, refused, soc = run(lambda: using(emulator, use))
    assert [what for what, _ in powers] == ["power_w"] * 4
    for (_, found), asked in zip(powers, (-2500.4, 1200.0, 3333.3, 0.0), strict=True):
        assert found == pytest.approx(asked, abs=0.6)
        assert abs(found) <= abs(asked) + 1e-6  # never more than was asked
    assert refused == "limit"  # a window has what both ways have: 4 kW
    assert soc == pytest.approx(Pack.soc)


def test_a_safe_state_is_reached_and_stays(run: Run) -> None:
    terminal = Terminal()

    async def use(driver: SunSpecStorageInverter) -> None:
        await driver.set_power_w(-2000.0)
        await driver.make_safe({"power_w": 0.0, "limit_w": 1000.0, "connect": False})
        await driver.restore()

    run(lambda: using(storage(terminal=terminal, generation="legacy"), use))
    last = dict(terminal.commands)
    assert last["connect"] is False
    assert last["limit_w"] == pytest.approx(1000.0, abs=1.0)
    assert last["power_w"] == 0.0


def test_timers_that_only_end_a_limit_are_refused_where_one_must_fall(run: Run) -> None:
    async def use(driver: SunSpecInverter) -> Any:
        used = await driver.use_control_period(10.0)
        return used["set_points"], (await failure(driver.set_limit_w(3000.0))).code

    held = SunSpecParameters(timeout_s=0.2, retries=1, revert_s=30)
    found = run(lambda: using(pv(generation="legacy"), use, held))
    assert found == ([], "driver.no_reversion")


def test_a_device_with_both_generations_is_driven_by_the_newer(run: Run) -> None:
    emulator = pv()

    async def use(driver: SunSpecInverter) -> Any:
        await driver.set_limit_w(3000.0)
        return emulator.legacy.block.raw("WMaxLim_Ena"), emulator.controls.block.raw(
            "WMaxLimPctEna"
        )

    assert run(lambda: using(emulator, use)) == (0, 1)
