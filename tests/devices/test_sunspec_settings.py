"""What a SunSpec driver leaves behind, and what it makes of points a real device need not have."""

from typing import Any

import pytest
from modbus_bench import Run, Terminal, pv, storage
from test_sunspec_driver import QUICK, failure, using

from gridrig.devices.drivers.sunspec import SunSpecInverter, SunSpecStorageInverter
from gridrig.devices.emulators.inverter import StorageInverterEmulator, StorageParameters
from gridrig.devices.emulators.register_image import SunSpecImage
from gridrig.errors import DriverError


def test_a_setting_found_by_a_later_write_only_goes_back_as_well(run: Run) -> None:
    terminal = Terminal()
    emulator = pv(terminal=terminal)
    emulator.controls.block.set_raw("WMaxLimPctEna", 1)  # found: limited to 100 %

    async def use(driver: SunSpecInverter) -> list[Any]:
        await driver.set_limit_w(None)  # writes the enable alone
        await driver.set_limit_w(0.0)  # writes enable and share
        await driver.restore()
        return [emulator.controls.block.raw(name) for name in ("WMaxLimPctEna", "WMaxLimPct")]

    assert run(lambda: using(emulator, use)) == [1, 10_000]
    assert terminal.commands[-1] == ("limit_w", 11_000.0)


def test_a_setting_that_does_not_go_back_keeps_none_of_the_others(run: Run) -> None:
    terminal = Terminal()
    emulator = storage(terminal=terminal)

    async def use(driver: SunSpecStorageInverter) -> str:
        await driver.set_limit_w(2000.0)
        await driver.set_power_w(900.0)
        await driver.set_connect(False)
        emulator.arm("exception", code=4)  # for the write that comes first: the permit
        return (await failure(driver.restore())).kind

    assert run(lambda: using(emulator, use)) == "refused"
    assert terminal.commands[-2:] == [("power_w", 0.0), ("limit_w", None)]


def test_restoring_never_undoes_the_safe_state(run: Run) -> None:
    terminal = Terminal()

    async def use(driver: SunSpecStorageInverter) -> None:
        await driver.set_limit_w(0.0)
        await driver.make_safe({"connect": False, "power_w": 0.0})
        terminal.commands.clear()
        await driver.restore()

    run(lambda: using(storage(terminal=terminal), use))
    assert terminal.commands == [("limit_w", None)]


def test_a_safe_step_that_failed_is_not_undone_either(run: Run) -> None:
    terminal = Terminal()
    emulator = pv(terminal=terminal)

    async def use(driver: SunSpecInverter) -> str:
        await driver.set_connect(True)
        emulator.arm("no_reply", count=2)  # the acknowledgement is lost, twice
        kind = (await failure(driver.make_safe({"connect": False}))).kind
        terminal.commands.clear()
        await driver.restore()
        return kind

    assert run(lambda: using(emulator, use)) == "timeout"
    assert ("connect", True) not in terminal.commands


@pytest.mark.parametrize(
    ("state", "expected"),
    [(3, (True, "running")), (6, (False, "tripped")), (None, "driver.unsupported")],
)
def test_a_device_without_a_connection_state_is_not_called_disconnected(
    run: Run, state: int | None, expected: object
) -> None:
    emulator = pv()
    measured = emulator.block(701)
    refresh = measured.refresh

    def without(block: Any) -> None:
        refresh(block)
        block.set_raw("ConnSt", None)
        block.set_raw("InvSt", state)

    measured.refresh = without

    async def use(driver: SunSpecInverter) -> object:
        try:
            reading = await driver.read()
        except DriverError as error:
            return error.code
        return reading.connected, reading.state

    assert run(lambda: using(emulator, use)) == expected


def test_a_charging_rate_of_zero_is_no_rate_at_all(run: Run) -> None:
    terminal = Terminal()
    parameters = StorageParameters(s_va=5_000.0, p_charge_max_w=0.0)
    emulator = StorageInverterEmulator("battery-1", storage().link, parameters, terminal)

    async def use(driver: SunSpecStorageInverter) -> str:
        return (await failure(driver.set_power_w(-1000.0))).code

    assert run(lambda: using(emulator, use)) == "driver.limit"
    assert terminal.commands == []


@pytest.mark.parametrize(
    ("generation", "lacking"),
    [*(("ieee-1547", model) for model in (701, 702, 703, 704)), ("legacy", 103), ("legacy", 123)],
)
def test_a_device_that_could_not_be_made_safe_does_not_open(
    run: Run, generation: str, lacking: int
) -> None:
    emulator = pv(generation=generation)
    image: Any = emulator._registers
    blocks = [block for block in image._blocks if block.model.id != lacking]
    emulator._registers = SunSpecImage(blocks, image.base)

    async def main() -> DriverError:
        await emulator.start()
        driver = SunSpecInverter("pv-1", emulator.endpoint_link, QUICK)
        try:
            return await failure(driver.open())
        finally:
            await driver.close()
            await emulator.stop()

    error = run(main)
    assert error.code == "driver.unsupported"
    assert f"no SunSpec model {max(lacking, 701)}" in error.message
