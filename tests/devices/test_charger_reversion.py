"""A charger whose bench falls silent ends charging by itself, in each version of OCPP."""

from typing import Any

import pytest
from test_ev_charger import VERSIONS, charger, run

from gridrig.clock import Clock
from gridrig.devices.drivers.ev_charger import OcppCharger, OcppParameters
from gridrig.errors import DriverError

PERIOD_S, REVERT_S = 10.0, 30  # three control periods


@pytest.mark.parametrize("version", VERSIONS)
def test_a_limit_lasts_while_readings_renew_it_and_falls_to_nothing_in_silence(
    version: str,
) -> None:
    async def body(clock: Clock) -> Any:
        async with charger(clock, version) as bench:
            driver, vehicle = bench.driver, bench.vehicle
            told = await driver.use_control_period(PERIOD_S)
            await driver.set_limit_w(6000.0)
            await driver.begin_transaction()
            drawn_w = []
            for _ in range(12):
                await clock.sleep(PERIOD_S)
                await driver.read()
                drawn_w.append(vehicle.state().p_w)
            began_s = clock.now_s()
            while vehicle.state().p_w > 10.0:
                await clock.sleep(0.5)
            silent_s = clock.now_s() - began_s
            with pytest.raises(DriverError) as caught:
                await driver.read()
            again = await driver.read()  # told once: what is in force is read from then on
            await driver.set_limit_w(4000.0)
            await clock.sleep(5.0)
            return told, drawn_w, silent_s, caught.value, again, vehicle.state().p_w

    told, drawn_w, silent_s, error, again, after_w = run(body)
    assert (told["revert_s"], told["stated"]) == (REVERT_S, False)
    assert told["set_points"] == (["limit", "power"] if version == "2.1" else ["limit"])
    assert drawn_w == [pytest.approx(6000.0)] * 12
    # The last renewal was at most a control period old; the profile's begin is a whole second.
    assert REVERT_S - PERIOD_S - 1.0 <= silent_s <= REVERT_S + 2.0
    assert (error.code, error.kind) == ("driver.reverted", "readback")
    assert (again.p_w, again.allowed_w) == (pytest.approx(0.0, abs=1.0), 0.0)
    assert after_w == pytest.approx(4000.0)


def test_a_set_point_to_discharge_falls_to_nothing_in_silence() -> None:
    async def body(clock: Clock) -> Any:
        async with charger(clock, "2.1", discharge_w_max=5000) as bench:
            await bench.driver.use_control_period(PERIOD_S)
            await bench.driver.begin_transaction()
            await bench.driver.set_power_w(3000.0)
            for _ in range(5):
                await clock.sleep(PERIOD_S)
                await bench.driver.read()
            held_w = bench.vehicle.state().p_w
            await clock.sleep(REVERT_S + 2.0)
            return held_w, bench.vehicle.state().p_w

    assert run(body) == (pytest.approx(-3000.0), pytest.approx(0.0, abs=1.0))


@pytest.mark.parametrize("version", VERSIONS)
def test_a_safe_state_does_not_end_and_restore_leaves_it(version: str) -> None:
    async def body(clock: Clock) -> Any:
        async with charger(clock, version) as bench:
            await bench.driver.use_control_period(PERIOD_S)
            await bench.driver.set_limit_w(6000.0)
            await bench.driver.make_safe({"charge": False})
            await clock.sleep(10 * REVERT_S)
            safe = await bench.driver.read()
            await bench.driver.restore()
            restored = await bench.driver.read()
            return safe.allowed_w, restored.allowed_w

    assert run(body) == (0.0, 0.0)


@pytest.mark.parametrize("version", VERSIONS)
def test_restore_leaves_no_profile(version: str) -> None:
    async def body(clock: Clock) -> Any:
        async with charger(clock, version) as bench:
            await bench.driver.use_control_period(PERIOD_S)
            await bench.driver.set_limit_w(6000.0)
            limited = await bench.driver.read()
            await bench.driver.restore()
            return limited.allowed_w, (await bench.driver.read()).allowed_w

    assert run(body) == (6_000.0, 11_000.0)


@pytest.mark.parametrize("version", VERSIONS)
def test_without_a_time_nothing_ends(version: str) -> None:
    async def body(clock: Clock) -> Any:
        async with charger(clock, version) as bench:
            link, parameters = bench.emulator.endpoint_link, OcppParameters(revert_s=0)
            await bench.driver.close()
            driver = OcppCharger("cp", link, parameters)
            driver.use_clock(clock.utc_s)
            await driver.open()
            told = await driver.use_control_period(PERIOD_S)
            await driver.set_limit_w(6000.0)
            await clock.sleep(10 * REVERT_S)
            allowed_w = (await driver.read()).allowed_w
            await driver.close()
            return told["revert_s"], told["stated"], allowed_w

    assert run(body) == (0, True, 6000.0)
