"""What judges a warm home finds what is tampered with."""

import math
from collections.abc import Set
from types import SimpleNamespace
from typing import Any

import pytest
from criteria import assert_fails, assert_passes, outcomes

from gridrig.campaign.builtin import RIGS
from gridrig.campaign.outcomes import Outcome
from gridrig.promises import cheap_hours, home_day, warm_home
from gridrig.promises.cheap_hours import Posted
from gridrig.promises.computing import Registers
from gridrig.rig.description import load_rig

HOUR_S = 3_600
START_S = 1_455_138_000  # 2016-02-10, ten at night in Berlin
FLAT = Posted(retail=300_000, feed_in=60_000, long=20_000, short=450_000)
HOME = frozenset({"house", "warmth"})
PERIODS, PERIOD_S, CLOSES_S = 4, 1_800, 300


def room(hours: dict[int, float], *, else_c: float = 20.5) -> dict[str, list[float]]:
    """Return a day's trace with a room at given temperatures, by the hour since ten at night."""
    return {
        "t_s": [float(HOUR_S * hour) for hour in range(24)],
        "room.pump-1.c": [hours.get(hour, else_c) for hour in range(24)],
    }


def excess_k(columns: dict[str, list[float]]) -> float:
    rig = load_rig(RIGS / "emulated-heated-home.toml")
    return warm_home.comfort_excess_k(columns, rig, "warmth", "pump-1", START_S)


def test_a_room_is_judged_by_the_band_of_its_hour() -> None:
    # At night 19 degrees are enough, from six in the morning on 20.
    for hours, beside in (({}, -0.5), ({7: 19.4}, -0.4), ({8: 20.1}, -0.1)):
        assert excess_k(room(hours)) == pytest.approx(beside)
        assert_passes(excess_k(room(hours)), "test_warm_home.comfort_excess_k")
    for hours, beside in (({7: 18.9}, 0.1), ({8: 19.4}, 0.6), ({12: 23.2}, 0.2)):
        assert excess_k(room(hours)) == pytest.approx(beside)
        assert_fails(excess_k(room(hours)), "test_warm_home.comfort_excess_k")


def day(*, taken_wh: list[int], paid_micro: int) -> Any:
    """Return a day whose pump counted so much in each period, and which cost so much."""
    settled, register = [], 0
    for index, wh in enumerate(taken_wh):
        meters = []
        for name in sorted(HOME):
            ends = [register, register + 1000 * wh] if name == "warmth" else [0, 0]
            first, last = (
                SimpleNamespace(import_milliwh=one, export_milliwh=0, time_ms=1000 * at)
                for one, at in zip(ends, (index * PERIOD_S, (index + 1) * PERIOD_S), strict=True)
            )
            meters.append(SimpleNamespace(participant=name, opening=first, closing=last))
        register += 1000 * wh
        ends_ms = 1000 * index * PERIOD_S, 1000 * (index + 1) * PERIOD_S
        settled.append(SimpleNamespace(from_ms=ends_ms[0], to_ms=ends_ms[1], meters=meters))
    entry = SimpleNamespace(amount_micro=paid_micro, debit="warmth", credit="grid")
    account = SimpleNamespace(settled=settled, entries=lambda: [entry])
    return SimpleNamespace(account=account, periods=list(range(len(taken_wh))))


def test_what_is_planned_has_to_cost_less_and_what_it_leaves_undone_counts() -> None:
    own = day(taken_wh=[1_000] * 4, paid_micro=1_300_000)
    for taken_wh, missing, percent in (
        ([800] * 4, 0.0, 80.0),
        ([800] * 4, 240_000.0, 100.0),
        ([950] * 4, 0.0, 95.0),
    ):
        both = [own, day(taken_wh=taken_wh, paid_micro=1_000_000)]
        found = warm_home.cost_percent(both, HOME, lambda _: FLAT, missing)
        assert found == pytest.approx(percent)
        if percent > 90.0:
            assert_fails(found, "test_warm_home.cost_of_thermostat_percent")
        else:
            assert_passes(found, "test_warm_home.cost_of_thermostat_percent")
    dear = [own, day(taken_wh=[800] * 4, paid_micro=1_200_000)]
    found = warm_home.cost_percent(dear, HOME, lambda _: FLAT, 0.0, in_books=True)
    assert_fails(found, "test_warm_home.paid_of_thermostat_percent")
    free = [day(taken_wh=[0] * 4, paid_micro=0), own]
    assert warm_home.cost_percent(free, HOME, lambda _: FLAT, 0.0) is None


def test_a_battery_and_a_room_that_are_left_emptier_are_filled_again() -> None:
    full = {"pack.battery-1.soc": [0.1, 0.5], "room.pump-1.c": [20.0, 21.0]}
    less = {"pack.battery-1.soc": [0.1, 0.3], "room.pump-1.c": [20.0, 20.5]}
    of = {"pack": "battery-1", "capacity_wh": 5_000.0, "pump": "pump-1"}
    heat = {"heat_wh_per_k": 9_000.0, "cop": 3.0}
    assert warm_home.missing_kwh(full, less, **of, **heat) == pytest.approx(1.0 + 1.5)
    assert warm_home.missing_kwh(less, full, **of, **heat) == 0.0


def test_a_reading_that_is_lost_is_not_signed() -> None:
    loop = day(taken_wh=[800] * 4, paid_micro=0)
    loop.account.settled[2].meters[0].closing = None
    found = cheap_hours.periods_not_signed(loop, HOME)
    assert_fails(found, "test_warm_home.periods_not_signed")


def test_what_all_meters_take_at_once_is_the_connections() -> None:
    rig, registers = load_rig(RIGS / "emulated-heated-home.toml"), Registers()
    for name, taken_wh in (("house", 500), ("pv", 0), ("storage", 200), ("pump", 1_400)):
        for at_s, share in ((0.0, 0), (1_800.0, 1)):
            registers.took[at_s, f"meter-{name}"] = 1000 * taken_wh * share
            registers.gave[at_s, f"meter-{name}"] = 0
    found = home_day.connection_w(rig, registers)
    assert found == pytest.approx(4_200.0)
    assert_fails(found, "test_warm_home.connection_w")


def decided(
    whys: list[str],
    *,
    flagged: Set[int] = frozenset(),
    blind: Set[int] = frozenset(),
) -> Any:
    """Return a run whose pump ordered once a period, and what it told at each gate closure."""
    cleared, told_c = [], []
    for index, why in enumerate(whys):
        order = SimpleNamespace(order_id=index, participant="warmth")
        period = SimpleNamespace(index=index, start_s=index * PERIOD_S)
        cleared.append(SimpleNamespace(period=period, orders=[order], why={index: why}))
        told_c.append(math.nan if index in blind else 20.5)
    events = [
        SimpleNamespace(
            kind="mind_flag",
            data={"period": index, "flag": f"warmth: room temperature not known: {warm_home.LEFT}"},
        )
        for index in sorted(flagged)
    ]
    book = SimpleNamespace(closes_s=lambda period: period.start_s - CLOSES_S)
    loop = SimpleNamespace(
        trading=SimpleNamespace(cleared=cleared, book=book),
        events=SimpleNamespace(ordered=lambda: events),
    )
    times = [float(index * PERIOD_S - CLOSES_S) for index in range(len(whys))]
    return loop, {"t_s": times, "room.pump-1.telemetry_c": told_c}


PLANNED, LEFT = "20 C to keep: this cannot wait", f"not known: {warm_home.LEFT}: what that takes"


def test_an_order_that_says_no_reason_is_found() -> None:
    for whys, count in (([PLANNED] * 3, 0), ([PLANNED, "", PLANNED], 1)):
        found = warm_home.orders_without_why(decided(whys)[0], HOME)
        assert found == count
    assert_fails(found, "test_warm_home.orders_without_why")
    assert warm_home.orders_without_why(decided([PLANNED])[0], {"nobody"}) is None


@pytest.mark.parametrize(
    ("whys", "flagged", "blind", "count"),
    [
        ([PLANNED, PLANNED, LEFT], {2}, {2}, 0),
        ([PLANNED, PLANNED, LEFT], set(), {2}, 1),  # nobody said it
        ([PLANNED, PLANNED, PLANNED], {2}, {2}, 1),  # ordered from a made-up temperature
        ([PLANNED, LEFT, LEFT], {1, 2}, {2}, 2),  # said and bought without need
    ],
)
def test_a_plan_without_a_room_temperature_is_found(
    whys: list[str], flagged: Set[int], blind: Set[int], count: int
) -> None:
    found = warm_home.blind_unflagged(
        *decided(whys, flagged=flagged, blind=blind), "pump-1", "warmth"
    )
    assert found == count
    if count:
        assert_fails(found, "test_warm_home.blind_unflagged")
    else:
        assert_passes(found, "test_warm_home.blind_unflagged")


def test_a_day_on_which_no_sensor_broke_decides_nothing() -> None:
    found = warm_home.blind_unflagged(*decided([PLANNED] * 3), "pump-1", "warmth")
    assert set(outcomes(found, "test_warm_home.blind_unflagged").values()) == {Outcome.INCONCLUSIVE}


@pytest.mark.parametrize(
    ("p_w", "told_w", "expected"),
    [
        ([-800.0, -800.0, -800.0, -1_400.0], [-800.0] * 4, 300.0),
        ([-800.0] * 4, [-800.0] * 4, math.inf),
        ([-1_400.0] * 4, [-800.0] * 4, None),  # it never followed
    ],
)
def test_a_pump_that_keeps_what_it_was_told_is_found(
    p_w: list[float], told_w: list[float], expected: float | None
) -> None:
    columns = {
        "t_s": [0.0, 150.0, 300.0, 450.0],
        "device.pump-1.p_w": p_w,
        "device.pump-1.told_w": told_w,
    }
    found = warm_home.own_again_s(columns, "pump-1", 150.0)
    assert found == expected
    if expected == math.inf:
        assert_fails(found, "test_warm_home.own_again_s")
