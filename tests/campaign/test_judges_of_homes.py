"""What judges homes of promise 3 lets nothing pass that was not measured."""

import math
from types import SimpleNamespace
from typing import Any

import pytest
from criteria import assert_fails, assert_passes, outcomes

from gridrig.campaign.builtin import RIGS
from gridrig.campaign.charging_rules import ChargingRules, Stay
from gridrig.campaign.outcomes import Outcome
from gridrig.promises import cheap_hours
from gridrig.promises.cheap_hours import Posted
from gridrig.promises.computing import Registers
from gridrig.promises.home_day import cost_of_uncontrolled_percent
from gridrig.rig.description import load_rig

HOME = {"house", "battery"}
PERIOD_MS, PERIODS = 900_000, 4
FREE = Posted(retail=350_000, feed_in=0, long=0, short=450_000)


def reading(edge: int, taken: int) -> Any:
    return SimpleNamespace(time_ms=edge * PERIOD_MS, import_milliwh=taken, export_milliwh=0)


def loop_of(*, lost: tuple[str, int] | None = None, again: bool = True) -> Any:
    """Return a run whose meters sign each edge; one reading is `lost`, later ones come `again`."""
    settled = []
    for period in range(PERIODS):
        meters = []
        for name in sorted(HOME):
            ends: list[Any] = [period, period + 1]
            if lost is not None and name == lost[0] and lost[1] in ends:
                # As settlement does it: the readings around the gap, or none.
                ends = [lost[1] - 1, lost[1] + 1] if again else [None, None]
            both = [None if edge is None else reading(edge, 1_000 * edge) for edge in ends]
            meters.append(SimpleNamespace(participant=name, opening=both[0], closing=both[1]))
        begin_ms = period * PERIOD_MS
        settled.append(SimpleNamespace(from_ms=begin_ms, to_ms=begin_ms + PERIOD_MS, meters=meters))
    return SimpleNamespace(
        account=SimpleNamespace(settled=settled, start_utc_s=0),
        periods=list(range(PERIODS)),
        scenario=SimpleNamespace(period_s=PERIOD_MS // 1000),
    )


def test_whoever_signs_every_edge_is_counted_whole() -> None:
    found = cheap_hours.periods_not_signed(loop_of(), HOME)
    assert_passes(found, "test_cheap_hours.periods_not_signed")


@pytest.mark.parametrize("name", sorted(HOME))
@pytest.mark.parametrize("again", [True, False])
def test_a_reading_that_is_lost_fails_whether_or_not_its_neighbours_stand_in(
    name: str, again: bool
) -> None:
    loop = loop_of(lost=(name, 2), again=again)
    found = cheap_hours.periods_not_signed(loop, HOME)
    assert found == 2
    assert_fails(found, "test_cheap_hours.periods_not_signed")


def test_a_period_that_was_never_settled_is_not_signed() -> None:
    loop = loop_of()
    loop.account.settled.pop()
    assert cheap_hours.periods_not_signed(loop, HOME) == 1


def test_a_meter_of_which_nothing_is_believed_is_no_battery_within_its_limit() -> None:
    columns = {"t_s": [0.0], "dt_s": [900.0], "pack.p.charge_limit_a": [60.0]}
    loop = loop_of()
    loop.account.settled.clear()
    beyond = cheap_hours.charged_beyond_limit_wh(loop, columns, "battery", "p", 16)
    assert beyond == math.inf


def test_a_price_of_nothing_is_told_like_any_other() -> None:
    told = SimpleNamespace(
        kind="tariff_posted",
        data={
            "period": 0,
            "retail_micro_per_kwh": 350_000,
            "feed_in_micro_per_kwh": 0,
            "long_price_micro_per_kwh": 0,
            "short_price_micro_per_kwh": 450_000,
        },
    )
    kept = '{"long_price_micro_per_kwh": 0, "short_price_micro_per_kwh": 450000}'
    orders = [
        SimpleNamespace(participant="grid", side=side, price_micro_per_kwh=price)
        for side, price in (("bid", 0), ("offer", 350_000))
    ]
    period = SimpleNamespace(index=0, start_s=0)
    loop: Any = SimpleNamespace(
        trading=SimpleNamespace(cleared=[SimpleNamespace(period=period, orders=orders, trades=[])]),
        account=SimpleNamespace(
            start_utc_s=0,
            head="grid",
            entries=list,
            journal=SimpleNamespace(settlements=lambda: [(0, *[None] * 8, kept)]),
        ),
        events=SimpleNamespace(ordered=lambda: [told]),
        periods=[0],
    )
    assert cheap_hours.periods_priced_otherwise(loop, lambda _: FREE) == 0


def test_a_day_that_earns_less_than_without_a_mind_is_no_share_of_a_cost() -> None:
    # The sun gives 10 kWh; without a mind 4 kWh of it go into the car, with one 8 kWh get lost.
    signed, rig = Registers(), load_rig(RIGS / "emulated-home.toml")
    for name, given in (("house", 0), ("pv", 10_000_000), ("storage", 0), ("car", -8_000_000)):
        for at_s, register in ((0.0, 0), (3_600.0, given)):
            signed.took[at_s, f"meter-{name}"] = max(0, -register)
            signed.gave[at_s, f"meter-{name}"] = max(0, register)
    market = SimpleNamespace(retail_micro_per_kwh=300_000, feed_in_micro_per_kwh=80_000)
    charging = ChargingRules(3600, (Stay("charger-1", 0.0, 3_600.0, 4_000),))
    loop: Any = SimpleNamespace(scenario=SimpleNamespace(market=market, charging=charging))
    found = cost_of_uncontrolled_percent(rig, loop, signed)
    assert math.isnan(found)
    verdicts = outcomes(found, "test_home_day.cost_of_uncontrolled_percent")
    assert Outcome.PASS not in verdicts.values()
