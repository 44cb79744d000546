"""A bench is energised only with its safety loop closed and a way for power to go.

The emulated circuit is the judge: what is refused must not have moved it.
"""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import replace
from typing import Any

import pytest

from gridrig.campaign.assembly import make_bench, make_street
from gridrig.campaign.builtin import RIGS, find
from gridrig.campaign.flow import Coasting
from gridrig.clock import Clock, run_virtual
from gridrig.errors import DriverError
from gridrig.events import EventLog
from gridrig.rig.bench import Bench
from gridrig.rig.description import load_rig

START_UTC_S = 1_466_424_000
WATCHED_S = 10.0


def on_bench(
    body: Callable[[Bench, Any], Awaitable[object]],
    *,
    takes_back_w: float = 12_000.0,
    causes: list[str] | None = None,
) -> list[str]:
    """Do something on the opened emulated bench; return why it was aborted."""
    causes = [] if causes is None else causes

    async def main(clock: Clock) -> None:
        rig = load_rig(find("emulated-bench", RIGS))
        devices = tuple(
            replace(d, limits=replace(d.limits, takes_back_w=takes_back_w))  # type: ignore[type-var]
            if d.capability == "ac_source"
            else d
            for d in rig.devices
        )
        rig = replace(rig, devices=devices, interlock_poll_s=WATCHED_S)
        street = make_street(rig, None, seed=1)
        bench = make_bench(rig, street, clock, EventLog(clock, [d.name for d in devices]))
        bench.on_abort = causes.append
        coasting = Coasting(street.world, clock, street.circuit)
        coasting.start()
        try:
            async with bench:
                await body(bench, street.circuit)
        finally:
            await coasting.stop()

    run_virtual(main, start_utc_s=START_UTC_S)
    return causes


async def withdraw_and_close(bench: Bench) -> None:
    await bench.devices["pv-1"].set_connect(False)
    await bench.devices["s3"].set_closed(True)


def test_nothing_is_energised_while_the_safety_loop_is_open() -> None:
    async def body(bench: Bench, circuit: Any) -> None:
        bench.emulators["door-1"].arm("open_interlock")
        for device, energise in (
            ("ac-1", "set_output"),
            ("dc-1", "set_output"),
            ("s3", "set_closed"),
            ("pv-1", "set_connect"),
        ):
            with pytest.raises(DriverError, match="while door-1 shows the safety loop open"):
                await getattr(bench.devices[device], energise)(True)
        assert not circuit.source_on
        assert not circuit.main

    assert on_bench(body) == [], "a loop that was never closed has not opened"


def test_a_safety_loop_that_opens_aborts_within_its_poll() -> None:
    async def body(bench: Bench, _: Any) -> None:
        await asyncio.sleep(1.0)
        bench.emulators["door-1"].arm("open_interlock")
        await asyncio.sleep(WATCHED_S)

    assert on_bench(body) == ["door-1 shows the safety loop open"]


def test_a_safety_loop_that_falls_silent_aborts_after_three_looks() -> None:
    async def body(bench: Bench, _: Any) -> None:
        await asyncio.sleep(1.0)
        await bench.emulators["door-1"].stop()
        await asyncio.sleep(2.5 * WATCHED_S)
        assert causes_so_far == []
        await asyncio.sleep(2.5 * WATCHED_S)

    causes_so_far: list[str] = []
    (cause,) = on_bench(body, causes=causes_so_far)
    assert cause.startswith("the safety loop cannot be read")


def test_export_into_a_source_that_takes_nothing_back_needs_a_load_bank_that_takes_it() -> None:
    async def body(bench: Bench, circuit: Any) -> None:
        pv, bank, s3 = (bench.devices[name] for name in ("pv-1", "rlc-1", "s3"))
        with pytest.raises(DriverError, match="10000 W could flow into ac-1, which takes back 0 W"):
            await s3.set_closed(True)  # the inverter was found permitted to connect
        assert not circuit.main
        await withdraw_and_close(bench)
        await pv.set_limit_w(4000.0)
        with pytest.raises(DriverError, match="4000 W could flow into ac-1"):
            await pv.set_connect(True)
        await bank.set_load(3000.0, 0.0, 0.0)
        await bank.set_connected(True)
        with pytest.raises(DriverError, match="and load banks take 3000 W"):
            await pv.set_connect(True)
        await bank.set_load(5000.0, 0.0, 0.0)
        await pv.set_connect(True)
        with pytest.raises(DriverError, match="6000 W could flow"):
            await pv.set_limit_w(6000.0)
        with pytest.raises(DriverError, match="4000 W could flow"):
            await bank.set_load(3000.0, 0.0, 0.0)
        with pytest.raises(DriverError, match="4000 W could flow"):
            await bank.set_connected(False)
        assert circuit.load.r_w == pytest.approx(5000.0)
        await pv.set_connect(False)
        await bank.set_connected(False)

    on_bench(body, takes_back_w=0.0)


def test_a_source_that_takes_back_enough_needs_no_load_bank() -> None:
    async def body(bench: Bench, _: Any) -> None:
        await bench.devices["s3"].set_closed(True)
        await bench.devices["pv-1"].set_connect(True)

    on_bench(body)
