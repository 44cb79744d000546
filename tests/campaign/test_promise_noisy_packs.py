"""What judges row M31 finds readings that are not the pack's, and a driver that repeats its own."""

from dataclasses import replace
from typing import Any

import pytest
from criteria import assert_fails

from gridrig.campaign.builtin import RIGS
from gridrig.campaign.control import Control
from gridrig.campaign.dispatch import Bounds
from gridrig.campaign.lab import open_lab
from gridrig.campaign.sensing import Telemetry
from gridrig.clock import Clock, run_virtual
from gridrig.devices.capabilities import BmsReading
from gridrig.errors import DriverError
from gridrig.promises import noisy_packs
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
    assert_fails(found.silences, "test_noisy_packs.periods_without_reading")
    assert found.wrong > 0


class HeedsNothing(Control):
    """Lets storages do what is wanted, whatever their packs tell."""

    def look(self, telemetry: Telemetry) -> None:
        super().look(telemetry)
        self.bounds = dict.fromkeys(self.bounds, Bounds(10_000.0, 10_000.0))


def test_a_control_that_heeds_no_pack_and_a_short_quiet_line_are_found(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(noisy_packs, "Control", HeedsNothing)
    monkeypatch.setattr(noisy_packs, "POLLS", 4)
    monkeypatch.setattr(noisy_packs, "SHARE", 0.0)

    async def main(clock: Clock) -> Found:
        async with open_lab(load_rig(RIGS / "driver-bench.toml"), clock, [], []) as lab:
            await lab.pass_time(120.0, step_s=1.0)
            return await noisy_hours(lab)

    found = run_virtual(main, start_utc_s=START)
    assert_fails(found.damaged, "test_noisy_packs.frames_damaged")
    assert_fails(found.used, "test_noisy_packs.readings_used")
    assert_fails(found.without_reading_w, "test_noisy_packs.power_without_reading_w")
    assert_fails(found.charged_in_alarm_w, "test_noisy_packs.charged_in_alarm_w")
