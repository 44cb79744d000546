"""Enter-service settings over model 703: written, read back, in the plant, restored."""

from modbus_bench import Run, Terminal, pv
from test_sunspec_driver import using

from gridrig.devices.drivers.sunspec import SunSpecInverter
from gridrig.devices.drivers.sunspec_parameters import SunSpecParameters
from gridrig.devices.grid_support import EnterService, EnterServiceSettings

QUICK = SunSpecParameters(timeout_s=0.2, retries=1)
SETTINGS = EnterServiceSettings(0.95, 1.06, 49.5, 50.2, 600.0, 10.0, 1000.0)


def test_enter_service_settings_are_written_read_back_and_restored(run_fast: Run) -> None:
    terminal = Terminal()

    async def use(driver: SunSpecInverter) -> list[EnterServiceSettings]:
        assert isinstance(driver, EnterService)
        found = [await driver.read_enter_service()]
        await driver.write_enter_service(SETTINGS)
        found.append(await driver.read_enter_service())
        await driver.restore()
        return [*found, await driver.read_enter_service()]

    first, written, restored = run_fast(lambda: using(pv(terminal=terminal), use, QUICK))
    assert (first.delay_s, first.ramp_s, first.v_low_pu) == (300.0, 300.0, 0.917)
    assert written == SETTINGS
    assert restored == first
