"""Promises that certification found broken: what is made safe stays, set-points do not mix."""

import asyncio

import pytest
from bms_bench import KINDS
from modbus_bench import Run, Terminal, pv

from gridrig.devices.drivers.sunspec import SunSpecInverter
from gridrig.devices.drivers.sunspec_parameters import SunSpecParameters


@pytest.mark.parametrize("name", ["jbd", "daly"])
def test_restoring_does_not_close_the_switches_that_were_made_safe(
    name: str, run_fast: Run
) -> None:
    async def main() -> None:
        async with KINDS[name].bench() as bench:
            bench.pack.change(i_a=0.0)
            await bench.driver.make_safe({"discharge": False})
            await bench.driver.set_fets(False, False)
            await bench.driver.restore()
            state = bench.pack.pack()
            assert (state.charge_fet, state.discharge_fet) == (True, False)

    run_fast(main)


def test_two_limits_at_once_are_each_read_back_as_their_own(run_fast: Run) -> None:
    async def main() -> None:
        terminal = Terminal()
        emulator = pv(terminal=terminal, generation="ieee-1547")
        await emulator.start()
        driver = SunSpecInverter("dut", emulator.endpoint_link, SunSpecParameters())
        try:
            await driver.open()
            for _ in range(5):
                await asyncio.gather(driver.set_limit_w(3_300.0), driver.set_limit_w(6_600.0))
        finally:
            await driver.close()
            await emulator.stop()
        assert terminal.commands[-1] in [("limit_w", 3_300.0), ("limit_w", 6_600.0)]

    run_fast(main)
