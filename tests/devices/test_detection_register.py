"""What switches island detection on the wire: a maker's register, or the point of model 704."""

from collections.abc import Awaitable, Callable
from typing import Any

import pytest
from modbus_bench import Run, Terminal, pv

from gridrig.devices.drivers.sunspec import SunSpecInverter
from gridrig.devices.drivers.sunspec_parameters import SunSpecParameters
from gridrig.devices.grid_support import IslandDetection
from gridrig.errors import DriverError

REGISTER = 60_000
BODY = Callable[[SunSpecInverter, Any], Awaitable[None]]


def switched(
    run: Run, body: BODY, register: int | None = REGISTER, has: int | None = REGISTER, **said: bool
) -> None:
    """Open a driver on an emulated inverter that has the register, or none."""

    async def main() -> None:
        terminal = Terminal(functions=frozenset({"island_detection"}))
        emulator = pv(terminal=terminal, detection_register=has)
        await emulator.start()
        parameters = SunSpecParameters(detection_register=register, **said)
        driver = SunSpecInverter("dut", emulator.endpoint_link, parameters)
        try:
            await driver.open()
            await body(driver, terminal)
        finally:
            await driver.close()
            await emulator.stop()

    run(main)


@pytest.mark.parametrize(
    "by",
    [
        {"register": REGISTER},
        {"register": None, "has": None, "anti_isl_ena": True},
    ],
    ids=["register", "AntiIslEna"],
)
def test_detection_is_switched_off_and_put_back_as_found(run_fast: Run, by: Any) -> None:
    async def body(driver: SunSpecInverter, terminal: Any) -> None:
        assert isinstance(driver, IslandDetection)
        assert driver.detection_switchable
        await driver.set_island_detection(False)
        assert terminal.commands[-1] == ("island_detection", {"on": False})
        await driver.restore()
        assert terminal.commands[-1] == ("island_detection", {"on": True})

    switched(run_fast, body, **by)


def test_without_a_register_in_the_rig_it_cannot_be_switched(run_fast: Run) -> None:
    async def body(driver: SunSpecInverter, terminal: Any) -> None:
        assert not driver.detection_switchable
        with pytest.raises(DriverError, match="names no detection_register and no anti_isl_ena"):
            await driver.set_island_detection(False)
        assert terminal.commands == []

    switched(run_fast, body, register=None)


def test_a_register_that_the_device_has_not_is_refused_by_it(run_fast: Run) -> None:
    async def body(driver: SunSpecInverter, terminal: Any) -> None:
        with pytest.raises(DriverError) as caught:
            await driver.set_island_detection(False)
        assert caught.value.kind == "refused"
        assert terminal.commands == []

    switched(run_fast, body, register=REGISTER + 1)


@pytest.mark.parametrize(
    "wrong",
    [
        {"detection_register": 65_536},
        {"detection_on": 70_000},
        {"detection_on": 0, "detection_off": 0},
        {"anti_isl_ena": True, "detection_register": REGISTER},
    ],
)
def test_a_switch_that_could_not_work_is_refused(wrong: dict[str, int]) -> None:
    with pytest.raises(DriverError, match="out of range"):
        SunSpecParameters(**wrong)  # type: ignore[arg-type]
