"""A bench is safe by what its analyser reads, not by what the device under test says of itself.

The emulated bench is energised: source on, contactor closed, the inverter feeding in. Then
something goes wrong, and the bench is left. What the circuit came to judges how each device was
reported.
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
from gridrig.devices.grid_support import TripSettings
from gridrig.errors import RigError
from gridrig.events import EventLog
from gridrig.rig.bench import Bench
from gridrig.rig.description import describe, load_rig
from gridrig.rig.safe_end import SafeReport
from gridrig.rig.safe_order import DEFAULT_SAFE_ORDER
from gridrig.rig.safe_proof import SAFE
from gridrig.rig.toml_file import parse_toml

START_UTC_S = 1_466_424_000
Wrong = Callable[[Bench], Awaitable[object]]


async def feed(bench: Bench) -> None:
    """Bring the bench to full power."""
    ac, dc, switch, pv = (bench.devices[name] for name in ("ac-1", "dc-1", "s3", "pv-1"))
    await ac.set_voltage_v((230.0, 230.0, 230.0))
    await ac.set_frequency_hz(50.0)
    await switch.set_closed(True)
    await ac.set_output(True)
    await dc.set_array(800.0, 16.0, 660.0, 15.0)
    await dc.set_irradiance(1000.0)
    await dc.set_output(True)
    await pv.set_limit_w(5000.0)
    await pv.set_connect(True)
    for _ in range(600):
        await asyncio.sleep(1.0)
        if (await pv.read()).p_w > 4000:
            return
    raise AssertionError("the inverter does not feed in")


def left(wrong: Wrong, *, without: str = "") -> tuple[SafeReport, Any, EventLog]:
    """Return how the bench was left, its circuit, and what happened."""

    async def body(clock: Clock) -> Any:
        steps = tuple(step for step in DEFAULT_SAFE_ORDER if step.do != without)
        rig = replace(load_rig(find("emulated-bench", RIGS)), safe_order=steps)
        events = EventLog(clock, [device.name for device in rig.devices])
        street = make_street(rig, None, seed=1)
        bench = make_bench(rig, street, clock, events)
        coasting = Coasting(street.world, clock, street.circuit)
        coasting.start()
        try:
            async with bench:
                await feed(bench)
                await wrong(bench)
        finally:
            await coasting.stop()
        assert bench.safe_report is not None
        return bench.safe_report, street.circuit, events

    found: tuple[SafeReport, Any, EventLog] = run_virtual(body, start_utc_s=START_UTC_S)
    return found


async def nothing(bench: Bench) -> None:
    """Let it be."""


async def hang(bench: Bench) -> None:
    bench.emulators["pv-1"].arm("no_reply", for_s=3600)


async def hang_on_a_source_that_stays_on(bench: Bench) -> None:
    await hang(bench)
    bench.emulators["ac-1"].arm("output_stuck", for_s=3600)
    bench.emulators["s3"].arm("weld")


async def pull_the_analyser(bench: Bench) -> None:
    await bench.emulators["pa-1"].stop()


async def open_trip_limits_and_hang(bench: Bench) -> None:
    wide = TripSettings(must_trip=((1.2, 13.0), (1.3, 0.16)))
    await bench.devices["pv-1"].write_function("high_voltage_trip", wide, on=True)
    await hang(bench)


def test_a_bench_in_order_is_safe_and_the_analyser_has_said_so() -> None:
    report, circuit, events = left(nothing)
    assert set(report.devices.values()) == {SAFE}
    assert not circuit.source_on
    steps = [e.data["step"] for e in events.ordered() if e.kind == "safe_step"]
    assert steps[-1] == "prove"


def test_a_device_that_hangs_is_safe_once_it_has_no_power() -> None:
    report, circuit, _ = left(hang)
    assert report.left_unsafe == ()
    end = report.devices["pv-1"]
    assert end.startswith("safe: without power, pa-1 reads ")
    assert "by its own word unreachable" in end
    assert not circuit.source_on
    assert not circuit.main
    # Without the proof nobody could tell.
    report, _, _ = left(hang, without="prove")
    assert report.left_unsafe == ("pv-1",)


def test_a_device_that_still_has_power_is_unsafe_whatever_it_says() -> None:
    # Restoring would take the voltage away, for the source was found at 0 V.
    report, circuit, _ = left(hang_on_a_source_that_stays_on, without="restore")
    assert circuit.source_on
    assert "pv-1" in report.left_unsafe
    assert "pa-1 reads 230 V" in report.devices["pv-1"]


def test_without_its_analyser_nothing_is_proved() -> None:
    report, _, _ = left(pull_the_analyser)
    assert report.left_unsafe == ("pv-1",)
    assert report.devices["pv-1"].startswith("unsafe: not proved by pa-1")
    assert report.devices["pv-1"].endswith("by its own word safe")


def test_trip_limits_that_stay_open_are_unsafe_even_without_power() -> None:
    report, circuit, _ = left(open_trip_limits_and_hang)
    assert not circuit.source_on
    assert report.left_unsafe == ("pv-1",)
    assert report.devices["pv-1"] == "unsafe: high_voltage_trip not restored as found"


@pytest.mark.parametrize("key", ["proved_v", "proved_a"])
def test_a_threshold_of_the_proof_belongs_to_its_step(key: str) -> None:
    text = find("emulated-bench", RIGS).read_text() + f'\n[[safe]]\ndo = "cease"\n{key} = 5\n'
    with pytest.raises(RigError, match='only do = "prove" heeds it'):
        describe(parse_toml(text.encode(), "bench.toml"))


async def switch_anti_islanding_off(bench: Bench) -> None:
    """Be a device whose detection is off, whoever did it."""
    bench.emulators["pv-1"].controls.block.set_raw("AntiIslEna", 0)


async def narrow_a_trip_behind_the_bench(bench: Bench) -> None:
    """Change a curve as a device does that adopts one by itself."""
    (trips,) = [c.block for c in bench.emulators["pv-1"].curves if c.block.model.id == 707]
    point = "Crv[1].MustTrip.Pt[1].V"
    trips.set_raw(point, trips.raw(point) + 100)


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        (switch_anti_islanding_off, "anti-islanding is off"),
        (narrow_a_trip_behind_the_bench, "low_voltage_trip is not as it was found"),
    ],
)
def test_protection_that_nobody_here_changed_is_looked_at_too(wrong: Wrong, said: str) -> None:
    report, _, _ = left(wrong)
    assert report.left_unsafe == ("pv-1",)
    assert report.devices["pv-1"] == f"unsafe: {said}"
