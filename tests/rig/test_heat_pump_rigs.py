"""Heat pumps in rig files and behind the rig's limits: what is refused, by its place."""

import math
from collections.abc import Awaitable, Callable
from typing import Any

import pytest

from gridrig.campaign.assembly import make_bench, make_street
from gridrig.campaign.builtin import SCENARIOS
from gridrig.campaign.renewal_fit import require_renewal
from gridrig.campaign.scenario import load_scenario
from gridrig.clock import Clock, run_virtual
from gridrig.devices.wire.lambda_registers import LAPSES_S
from gridrig.errors import DriverError, RigError
from gridrig.events import EventLog
from gridrig.rig.bench import Bench
from gridrig.rig.description import Rig, describe
from gridrig.rig.toml_file import parse_toml

EMULATED = """\
[rig]
name = "pumps"
clock = "virtual"
nominal = { f_hz = 50, v_ll = 400 }

[[device]]
name = "pump"
capability = "heat_pump"
driver = "lambda-heat-pump"
bus = "A"
link = { kind = "modbus-tcp", host = "127.0.0.1", port = 0, unit = 1 }
terminal = "model"
parameters = { p_w_max = 3000 }
limits = { p_w_max = 3000 }
safe_state = { power = "own" }
emulate = { model = "heat_pump", p_w_max = 3000, seed = 7 }
"""
REAL = (
    EMULATED.replace('"virtual"', '"wall"')
    .replace("port = 0", "port = 502")
    .replace('bus = "A"\n', "")
    .replace('terminal = "model"\n', "")
    .replace('emulate = { model = "heat_pump", p_w_max = 3000, seed = 7 }', "host_dead = HD")
)


def read(text: str) -> Rig:
    return describe(parse_toml(text.encode(), "pumps.toml"))


def test_a_heat_pump_is_read_whole() -> None:
    device = read(EMULATED).device("pump")
    assert (device.bus, device.terminal, device.host_dead) == ("A", "model", "none")
    assert device.safe_settings() == {"power": "own"}
    assert device.emulation is not None
    assert device.emulation.face.lapse_s == 300.0


def test_a_real_one_needs_no_bus_and_lapses_by_itself() -> None:
    device = read(REAL.replace("HD", '"reversion-timer"')).device("pump")
    assert (device.bus, device.terminal, device.host_dead) == (None, None, "reversion-timer")


@pytest.mark.parametrize(
    ("old", "new", "key", "found", "expected"),
    [
        ('terminal = "model"\n', "", "terminal", "nothing", '"model", for an emulated device'),
        ('bus = "A"\n', "", "bus", "nothing", "the name of a bus of the feeder"),
        ('power = "own"', 'power = "off"', "safe_state.power", '"off"', '"own"'),
        ('{ power = "own" }', "{}", "safe_state.power", "nothing", '"own"'),
        ("{ p_w_max = 3000 }\nsafe", "{ p_w_max = 3500 }\nsafe", "limits.p_w_max", "3500", ""),
        ("{ p_w_max = 3000 }\nsafe", "{}\nsafe", "limits.p_w_max", "nothing", "above 0"),
        ("parameters = { p_w_max = 3000 }\n", "", "parameters.p_w_max", "nothing", "number"),
        ("seed = 7", "low_c = 22", "emulate.low_c", "22", "-20 to set_point_c"),
        ("seed = 7", "room = 20", "emulate.room", "an unknown key", "room_c"),
        ("seed = 7", 'manager = "auto"', "emulate.manager", '"auto"', "automatic or manual"),
        ("seed = 7", "p_w_min = 3001", "emulate.p_w_min", "3001", "0 to p_w_max"),
        ('model = "heat_pump"', 'model = "pv"', "emulate.model", '"pv"', '"heat_pump"'),
        ('"lambda-heat-pump"', '"sunspec"', "driver", 'driver "sunspec"', '"heat_pump"'),
    ],
)
def test_what_does_not_fit_is_an_issue_of_its_place(
    old: str, new: str, key: str, found: str, expected: str
) -> None:
    assert old in EMULATED
    with pytest.raises(RigError) as caught:
        read(EMULATED.replace(old, new))
    told = {issue.key.partition("'pump'.")[2]: issue for issue in caught.value.issues}
    assert key in told, caught.value
    assert told[key].found.startswith(found)
    assert expected in told[key].expected


def on_bench(
    body: Callable[[Bench, Clock], Awaitable[None]], text: str = EMULATED, **options: Any
) -> tuple[Any, list[Any]]:
    """Open the rig's bench, and return its safe report and what happened."""
    rig = read(text)

    async def main(clock: Clock) -> tuple[Any, list[Any]]:
        events = EventLog(clock, ["pump"])
        bench = make_bench(rig, make_street(rig, None, seed=1), clock, events, **options)
        async with bench:
            await body(bench, clock)
        return bench.safe_report, events.ordered()

    return run_virtual(main, start_utc_s=1_484_524_800)


@pytest.mark.parametrize("p_w", [1.0, -3001.0, math.nan, True, "all"])
def test_a_power_beyond_the_limit_or_into_the_grid_never_leaves(p_w: Any) -> None:
    async def body(bench: Bench, _: Clock) -> None:
        with pytest.raises(DriverError) as caught:
            await bench.devices["pump"].set_power_w(p_w)  # type: ignore[attr-defined]
        assert (caught.value.code, caught.value.kind) == ("rig.limit", "limit")

    _, happened = on_bench(body)
    assert not any(event.kind == "told" for event in happened)


def test_a_bench_that_ends_leaves_the_pump_to_its_own_thermostat() -> None:
    async def body(bench: Bench, _: Clock) -> None:
        pump: Any = bench.devices["pump"]
        await pump.set_power_w(-1000.0)
        assert (await pump.read()).told_w == -1000.0

    report, happened = on_bench(body)
    assert report.left_unsafe == ()
    kinds = [event.kind for event in happened if event.device == "pump"]
    assert kinds.index("told") < kinds.index("given_back")


def test_a_dry_run_says_what_it_would_tell_and_tells_nothing() -> None:
    async def body(bench: Bench, _: Clock) -> None:
        await bench.devices["pump"].set_power_w(-1000.0)  # type: ignore[attr-defined]

    _, happened = on_bench(body, dry_run=True)
    would = [event.data for event in happened if event.kind == "would_write"]
    assert {"what": "power_w", "value": -1000.0} in would
    assert not any(event.kind == "told" for event in happened)


def test_a_pump_that_keeps_a_power_against_the_safe_end_is_left_unsafe() -> None:
    async def body(bench: Bench, _: Clock) -> None:
        await bench.devices["pump"].set_power_w(-1000.0)  # type: ignore[attr-defined]
        bench.emulators["pump"].arm("write_ignored", function=16, count=50)

    report, _ = on_bench(body)
    assert report.left_unsafe == ("pump",)


def test_a_run_may_have_ticks_as_long_as_a_power_holds() -> None:
    """The driver tells a power again between the readings of a tick, which others do not."""
    scenario = load_scenario(SCENARIOS / "summer-day.toml", {"ledger_sum_micro": "micro"})
    assert scenario.tick_s_max == LAPSES_S
    require_renewal(read(EMULATED), scenario)
