"""What is wanted of a heat pump again after a failed order is told again, and kept."""

from heating_bench import bench

from gridrig.campaign.wishes import Wishes
from gridrig.clock import Clock, run_virtual
from gridrig.events import EventLog


def test_what_a_pump_had_before_an_order_that_failed_is_told_anew() -> None:
    async def main(clock: Clock) -> tuple[int, list[float | None]]:
        events = EventLog(clock, ["pump"])
        async with bench() as one:
            wishes = Wishes(lambda driver, p_w: driver.set_power_w(p_w))
            for wanted_w in (-1000.0, -2000.0, -1000.0):
                if wanted_w == -2000.0:
                    one.emulator.arm("no_reply", for_s=10)
                wishes.wanted["pump"] = wanted_w
                await wishes.send({"pump": one.driver}, events)
                await clock.sleep(20)
            told_w = []
            for _ in range(10):
                await clock.sleep(60)
                told_w.append((await one.driver.read()).told_w)
            return sum(event.kind == "write_failed" for event in events.ordered()), told_w

    failed, told_w = run_virtual(main, start_utc_s=0)
    assert failed == 1
    assert told_w == [-1000.0] * 10
