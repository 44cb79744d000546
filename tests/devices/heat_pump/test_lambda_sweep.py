"""Under every fault of its wire the driver of a heat pump is right, or says by name why not."""

from collections import Counter
from typing import Any

import pytest
from driver_sweep import NAMED
from fault_sweep import some_parameters
from heating_bench import Bench, bench

from gridrig.clock import Clock, run_virtual, stream
from gridrig.devices.emulators.lambda_heat_pump import HeatPumpEmulator
from gridrig.devices.emulators.modbus_faults import MODBUS_FAULTS
from gridrig.errors import DriverError

CALLS = 10
SEEDS = 20
KINDS = {"tcp": "modbus-tcp", "rtu": "modbus-rtu"}
CASES = [
    (link, name)
    for link, kind in KINDS.items()
    for name, spec in HeatPumpEmulator.faults_on(kind).items()
    if name in MODBUS_FAULTS and (not getattr(spec, "deceives", False) or name == "write_ignored")
]


async def one_call(one: Bench, draw: Any, call: int) -> str:
    """Do one thing with the driver, and check what came of it."""
    if draw.random() < 0.6:
        reading, now = await one.driver.read(), one.room.now
        assert abs(reading.p_w + now.p_w) <= 0.5
        assert reading.room_c == pytest.approx(now.room_c, abs=0.051)
        assert reading.outdoor_c == pytest.approx(now.outdoor_c, abs=0.051)
        assert reading.set_point_c == pytest.approx(now.set_point_c, abs=0.051)
        last = one.room.told[-1] if one.room.told else None
        assert reading.told_w == (None if last is None else -last)
        return "right"
    asked_w = draw.choice([None, -float(draw.randrange(0, 3001))])
    await one.driver.set_power_w(asked_w)
    told = one.room.told[-1] if one.room.told else None
    assert told == (None if asked_w is None else -asked_w)
    return "written"


def swept(link: str, name: str, seed: int) -> Counter[str]:
    spec: Any = HeatPumpEmulator.faults_on(KINDS[link])[name]

    async def main(clock: Clock) -> Counter[str]:
        draw = stream(seed, f"heat-pump/{link}/{name}")
        outcomes: Counter[str] = Counter()
        async with bench(link, {"timeout_s": 0.4}) as one:
            for call in range(CALLS):
                if call == 2:
                    one.emulator.arm(name, **some_parameters(spec, draw))
                one.room.place(
                    p_w=1000.0 + 7 * call,
                    room_c=18.0 + call / 10,
                    outdoor_c=-3.0 - call / 10,
                    set_point_c=20.0 + call / 5,
                )
                await clock.sleep(draw.choice([0.0, 0.1, 1.0]))
                try:
                    outcomes[await one_call(one, draw, call)] += 1
                except DriverError as error:
                    assert error.kind in NAMED, error  # noqa: PT017
                    outcomes[error.code] += 1
        return outcomes

    return run_virtual(main, start_utc_s=0)


def test_the_catalogue_is_swept_on_both_wires() -> None:
    assert len(CASES) >= 57


@pytest.mark.parametrize(("link", "name"), CASES)
def test_it_is_right_or_names_its_error_under(link: str, name: str) -> None:
    outcomes = swept(link, name, 1)
    assert sum(outcomes.values()) == CALLS
    assert outcomes["right"] > 0


@pytest.mark.soak
@pytest.mark.parametrize(("link", "name"), CASES)
def test_many_seeds_under(link: str, name: str) -> None:
    for seed in range(100, 100 + SEEDS):
        assert sum(swept(link, name, seed).values()) == CALLS
