"""Who is asked again when a run ends is asked no more, even if that is not heard at once."""

import asyncio
from collections.abc import Collection
from types import SimpleNamespace

from gridrig.campaign.lost_devices import LostDevices
from gridrig.clock import Clock, run_virtual
from gridrig.errors import DriverError
from gridrig.events import EventLog

SILENT = DriverError("driver.timeout", "no answer", kind="timeout")


def test_a_question_that_loses_its_cancellation_does_not_keep_the_bench_from_its_end() -> None:
    async def main(clock: Clock) -> tuple[float, int]:
        asked = 0

        async def deaf_once(_: str) -> Collection[str]:
            nonlocal asked
            asked += 1
            try:
                await asyncio.sleep(1e6)
            except asyncio.CancelledError:
                if asked > 1:
                    raise
            raise SILENT  # as `asyncio.wait_for` of Python 3.11, if it is cancelled as it ends

        inverter = SimpleNamespace(capability="inverter", lost=False, answers=False, ended=0)
        inverter.end = lambda: setattr(inverter, "ended", asked)
        lost = LostDevices({"pv": inverter}, deaf_once, EventLog(clock, ["pv"]), 3_600.0)
        lost.lose("pv", SILENT, 3, ())
        await clock.sleep(10.0)
        begin_s = clock.now_s()
        async with asyncio.timeout(600.0):
            await lost.end()
        assert inverter.ended == 1, "nothing but its safe state is written any more"
        return clock.now_s() - begin_s, asked

    took_s, asked = run_virtual(main, start_utc_s=0)
    assert took_s <= 10.0
    assert asked == 1
