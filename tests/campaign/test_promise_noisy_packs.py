"""What judges row M31 finds readings that are not the pack's, and a driver that repeats its own."""

from dataclasses import replace
from typing import Any

from gridrig.campaign.builtin import RIGS
from gridrig.campaign.lab import open_lab
from gridrig.clock import Clock, run_virtual
from gridrig.devices.capabilities import BmsReading
from gridrig.errors import DriverError
from gridrig.promises.noisy_packs import Found, is_wrong, noisy_hours
from gridrig.rig.description import load_rig

START = 1_466_424_000
PACKS = ("pack-jbd", "pack-daly", "pack-pylontech")


class KeepsTheLast:
    """A driver that answers with its last reading when it has none."""

    def __init__(self, driver: Any) -> None:
        self._driver = driver
        self._last: BmsReading | None = None

    def __getattr__(self, name: str) -> Any:
        return getattr(self._driver, name)

    async def read(self) -> BmsReading:
        try:
            self._last = await self._driver.read()
        except DriverError:
            if self._last is None:
                raise
        assert self._last is not None
        return self._last


def test_each_value_that_is_not_the_packs_is_found() -> None:
    async def main(clock: Clock) -> None:
        async with open_lab(load_rig(RIGS / "driver-bench.toml"), clock, [], []) as lab:
            await lab.pass_time(120.0, step_s=1.0)
            await lab.driver("storage").set_power_w(4_000.0)
            await lab.pass_time(20.0, step_s=1.0)
            told = await lab.driver("pack-jbd").read()
            pack = lab.world.pack(lab.street.pack_index("pack-jbd"))
            assert abs(told.i_a) > 10
            assert not is_wrong(told, pack)
            for changed in (
                {"v_v": told.v_v + 1},
                {"i_a": -told.i_a},
                {"i_a": told.i_a + 1},
                {"soc": told.soc + 0.02},
                {"temperature_c": told.temperature_c + 2},
                {"cells_mv": (told.cells_mv[0] + 8, *told.cells_mv[1:])},
                {"cells_mv": told.cells_mv[1:]},
                {"charge_fet": not told.charge_fet},
            ):
                assert is_wrong(replace(told, **changed), pack), changed

    run_virtual(main, start_utc_s=START)


def test_a_driver_that_hands_out_its_last_reading_is_found() -> None:
    async def main(clock: Clock) -> Found:
        async with open_lab(load_rig(RIGS / "driver-bench.toml"), clock, [], []) as lab:
            for name in PACKS:
                guarded = lab.bench.devices[name]
                guarded.driver = KeepsTheLast(guarded.driver)
            await lab.pass_time(120.0, step_s=1.0)
            return await noisy_hours(lab)

    found = run_virtual(main, start_utc_s=START)
    assert found.silences == 0
    assert found.wrong > 0
