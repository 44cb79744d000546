"""An island on the bench, with trips opened over the wire, ends by its limits if by nothing else.

The inverter has no detection and the load bank takes what it gives, so the emulated circuit's
island lives for ever; whether it still does is what the circuit says.
"""

import asyncio
from dataclasses import replace
from typing import Any

from gridrig.campaign.assembly import make_bench, make_street
from gridrig.campaign.builtin import RIGS, find
from gridrig.campaign.flow import Coasting
from gridrig.clock import Clock, run_virtual
from gridrig.devices.grid_support import TripSettings
from gridrig.events import EventLog
from gridrig.rig.bench import Bench
from gridrig.rig.description import describe, load_rig, override_emulate
from gridrig.rig.island_guard import OpenedProtection
from gridrig.rig.toml_file import parse_toml

START_UTC_S = 1_466_424_000
POWER_W = 5000.0


async def feed(bench: Bench, r_w: float) -> None:
    """Bring the inverter to power beside a resonant load."""
    ac, dc, switch, pv, bank = (bench.devices[n] for n in ("ac-1", "dc-1", "s3", "pv-1", "rlc-1"))
    await ac.set_voltage_v((230.94, 230.94, 230.94))
    await ac.set_frequency_hz(50.0)
    await ac.set_output(True)
    await switch.set_closed(True)
    await dc.set_supply(760.0, 14.0)
    await dc.set_output(True)
    await pv.set_limit_w(POWER_W)
    await pv.set_connect(True)
    await bank.set_load(r_w, POWER_W, POWER_W)
    await bank.set_connected(True)
    for _ in range(700):
        await asyncio.sleep(1.0)
        if (await pv.read()).p_w > 0.99 * POWER_W:
            return
    raise AssertionError("the inverter does not feed in")


def island(
    limits: OpenedProtection, *, r_w: float = POWER_W, opened: bool = True, watched_s: float = 20.0
) -> tuple[list[str], float, bool]:
    """Make an island; return why it was aborted, when, and whether it lives to the end. [s]"""
    causes: list[str] = []
    ended_s: list[float] = []
    alive: list[bool] = []

    async def main(clock: Clock) -> None:
        rig = load_rig(find("emulated-bench", RIGS))
        rig = override_emulate(rig, "pv-1", {"detector": "none", "category": "III"})
        rig = replace(rig, opened_protection=limits)
        street = make_street(rig, None, seed=1)
        bench = make_bench(rig, street, clock, EventLog(clock, [d.name for d in rig.devices]))

        def abort(cause: str) -> None:
            causes.append(cause)
            ended_s.append(clock.now_s())

        bench.on_abort = abort
        coasting = Coasting(street.world, clock, street.circuit)
        coasting.start()
        try:
            async with bench:
                await feed(bench, r_w)
                if opened:
                    await open_trips(bench.devices["pv-1"])
                begin_s = clock.now_s()
                await bench.devices["s3"].set_closed(False)
                await asyncio.sleep(watched_s)
                alive.append(max((await bench.devices["pa-1"].read()).v_v) > 50.0)
                ended_s.append(begin_s)
        finally:
            await coasting.stop()

    run_virtual(main, start_utc_s=START_UTC_S)
    return causes, ended_s[0] - ended_s[-1], alive[0]


async def open_trips(pv: Any) -> None:
    for name, settings in (
        ("high_voltage_trip", TripSettings(must_trip=((1.2, 13.0), (1.6, 5.0)))),
        ("low_voltage_trip", TripSettings(must_trip=((0.0, 50.0), (0.0, 21.0)))),
    ):
        await pv.write_function(name, settings, on=True)


def test_an_island_that_nothing_else_ends_lives_no_longer_than_allowed() -> None:
    causes, after_s, alive = island(OpenedProtection())
    assert causes == ["an island with protection opened lives longer than 15 s"]
    assert 15.0 < after_s < 17.0
    assert not alive


def test_an_island_beyond_its_voltage_is_ended_at_once() -> None:
    causes, after_s, alive = island(OpenedProtection(v_pu_max=1.01), r_w=0.95 * POWER_W)
    assert len(causes) == 1
    assert "pu, more than 1.01 pu" in causes[0]
    assert after_s < 2.0
    assert not alive


def test_an_island_beyond_its_frequency_is_ended_at_once() -> None:
    causes, after_s, alive = island(OpenedProtection(f_pu_min=1.02, f_pu_max=1.12))
    assert len(causes) == 1
    assert "Hz, not 51 to 56 Hz" in causes[0]
    assert after_s < 2.0
    assert not alive


def test_without_opened_protection_the_device_has_the_last_word() -> None:
    assert island(OpenedProtection(), opened=False)[0] == []


def test_the_limits_are_read_from_the_rig_file() -> None:
    text = find("emulated-bench", RIGS).read_text()
    line = "[rig]\nopened_protection = { island_s_max = 3 }"
    rig = describe(parse_toml(text.replace("[rig]", line, 1).encode(), "bench.toml"))
    assert rig.opened_protection == OpenedProtection(island_s_max=3)
    assert load_rig(find("emulated-bench", RIGS)).opened_protection == OpenedProtection()
