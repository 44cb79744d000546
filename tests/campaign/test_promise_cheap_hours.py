"""What judges the cheap hours finds what is tampered with, mutants of devices aside."""

import json
import math
from dataclasses import replace
from types import SimpleNamespace
from typing import Any

import pytest
from criteria import Unpassed, assert_fails, assert_fails_alone, not_passed, procedure_of

from gridrig.campaign.outcomes import Outcome
from gridrig.promises import cheap_hours
from gridrig.promises.cheap_hours import Posted

DAY = Posted(retail=350_000, feed_in=60_000, long=20_000, short=450_000)
NIGHT = Posted(retail=150_000, feed_in=60_000, long=20_000, short=250_000)
PERIOD_S, KWH = 900, 1_000_000


def posted_at(utc_s: int) -> Posted:
    return NIGHT if utc_s < PERIOD_S else DAY


def meter(participant: str, taken: int, given: int, ends_ms: tuple[int, int]) -> Any:
    registers = [
        SimpleNamespace(import_milliwh=7 + one, export_milliwh=9 + other, time_ms=time_ms)
        for (one, other), time_ms in zip(((0, 0), (taken, given)), ends_ms, strict=True)
    ]
    return SimpleNamespace(participant=participant, opening=registers[0], closing=registers[1])


def order(participant: str, side: str, price: int) -> Any:
    return SimpleNamespace(participant=participant, side=side, price_micro_per_kwh=price)


def entry(period: int, kind: str, price: int, debit: str, credit: str, amount: int) -> Any:
    return SimpleNamespace(
        period=period,
        kind=kind,
        price_micro_per_kwh=price,
        debit=debit,
        credit=credit,
        amount_micro=amount,
    )


def loop_of(*, taken: tuple[int, int] = (KWH, 0), given: tuple[int, int] = (0, KWH)) -> Any:
    """Return two periods: the battery takes in the cheap one and gives in the dear one."""
    prices = (NIGHT, DAY)
    cleared, settled, kept, told, entries = [], [], [], [], []
    for k, must in enumerate(prices):
        orders = [order("grid", "bid", must.feed_in), order("grid", "offer", must.retail)]
        cleared.append(
            SimpleNamespace(
                period=SimpleNamespace(index=k, start_s=k * PERIOD_S),
                orders=[*orders, order("house", "bid", must.short)],
                trades=[SimpleNamespace(price_micro_per_kwh=must.retail)],
            )
        )
        ends_ms = (k * PERIOD_S * 1000, (k + 1) * PERIOD_S * 1000)
        meters = [
            meter("battery", taken[k], given[k], ends_ms),
            meter("house", 2 * KWH, 0, ends_ms),
        ]
        settled.append(SimpleNamespace(from_ms=ends_ms[0], to_ms=ends_ms[1], meters=meters))
        rules = {"long_price_micro_per_kwh": must.long, "short_price_micro_per_kwh": must.short}
        kept.append((k, *[None] * 8, json.dumps(rules)))
        data = {
            "period": k,
            "retail_micro_per_kwh": must.retail,
            "feed_in_micro_per_kwh": must.feed_in,
            **rules,
        }
        told.append(SimpleNamespace(kind="tariff_posted", data=data))
        entries += [
            entry(k, "taken", must.retail, "house", "clearing", 2 * must.retail),
            entry(k, "excess", must.short, "house", "clearing", 5),
            entry(k, "surplus", must.long, "clearing", "battery", 3),
        ]
    return SimpleNamespace(
        trading=SimpleNamespace(cleared=cleared),
        account=SimpleNamespace(
            settled=settled,
            entries=lambda: entries,
            head="grid",
            start_utc_s=0,
            journal=SimpleNamespace(settlements=lambda: kept),
        ),
        events=SimpleNamespace(ordered=lambda: told),
        periods=[0, 1],
        scenario=SimpleNamespace(period_s=PERIOD_S),
    )


def test_what_is_charged_in_dear_hours_counts_against_it() -> None:
    assert cheap_hours.charged(loop_of(), "battery", posted_at).cheap_percent == 100
    late = cheap_hours.charged(loop_of(taken=(KWH, KWH)), "battery", posted_at)
    assert (late.cheap_milliwh, late.dear_milliwh, late.cheap_percent) == (KWH, KWH, 50)
    assert cheap_hours.charged(loop_of(taken=(0, 0)), "battery", posted_at).cheap_percent is None


def test_a_home_is_billed_net_by_the_hour_and_by_every_entry() -> None:
    home = {"house", "battery"}
    # 3 kWh at 0.15, then 1 kWh at 0.35; without the battery 2 kWh of each.
    assert cheap_hours.cost_micro(loop_of(), home, posted_at) == pytest.approx(800_000)
    held = loop_of(taken=(0, 0), given=(0, 0))
    assert cheap_hours.cost_micro(held, home, posted_at) == pytest.approx(1_000_000)
    fed_in = loop_of(given=(0, 3 * KWH))
    assert cheap_hours.cost_micro(fed_in, home, posted_at) == pytest.approx(450_000 - 60_000)
    assert cheap_hours.paid_micro(loop_of(), home) == 2 * 500_000 + 2 * 5 - 2 * 3


def test_a_price_of_another_hour_is_found_wherever_it_is() -> None:
    assert cheap_hours.periods_priced_otherwise(loop_of(), posted_at) == 0

    def wrong(loop: Any) -> int:
        found = cheap_hours.periods_priced_otherwise(loop, posted_at)
        assert_fails(found, "test_cheap_hours.periods_priced_otherwise")
        return found

    loop = loop_of()
    loop.trading.cleared[0].orders[1] = order("grid", "offer", DAY.retail)
    assert wrong(loop) == 1
    loop = loop_of()
    loop.trading.cleared[0].trades.append(SimpleNamespace(price_micro_per_kwh=DAY.retail))
    assert wrong(loop) == 1
    loop = loop_of()
    loop.account.entries()[1].price_micro_per_kwh = DAY.short
    assert wrong(loop) == 1
    loop = loop_of()
    kept = list(loop.account.journal.settlements())
    kept[0] = (0, *[None] * 8, kept[1][9])
    loop.account.journal.settlements = lambda: kept
    assert wrong(loop) == 1
    loop = loop_of()
    loop.events.ordered()[1].data["feed_in_micro_per_kwh"] += 1_000
    assert wrong(loop) == 1
    loop = loop_of()
    loop.periods.append(2)  # one that was never cleared
    assert wrong(loop) == 1
    assert cheap_hours.periods_priced_otherwise(loop_of(), lambda _: replace(DAY)) == 1


LIMITS = [60.0, 60.0, 60.0, 0.0, 0.0, 0.0]


def columns_of(i_a: list[float]) -> dict[str, list[float]]:
    return {
        "t_s": [300.0 * k for k in range(6)],
        "dt_s": [300.0] * 6,
        "pack.p.i_a": [-one for one in i_a],
        "pack.p.charge_limit_a": LIMITS,
    }


@pytest.mark.parametrize(
    ("i_a", "over"),
    [
        ([0, 60, 60, 60, 60, 0], 0.0),  # the current of a set-point sent before the limit fell
        ([0, 60, 60, 60, 60, 1], 1.0),
        ([0, 60, 61, 60, 0, 0], 1.0),
        ([0, 0, math.nan, 0, 0, 0], 0.0),
    ],
)
def test_a_current_above_the_limit_told_before_is_found(i_a: list[float], over: float) -> None:
    assert cheap_hours.current_over_limit_a(columns_of(i_a), "p") == pytest.approx(over)


def test_energy_beyond_the_limit_is_found_by_the_meter_whatever_the_manager_reads() -> None:
    # A quarter of an hour at 60 A and 16 x 3.65 V is 876 Wh; in the second, 300 s of it are left.
    full, part = 876_000, 292_000
    for taken, beyond in (
        ((full, part), 0.0),
        ((full + 1_000, 0), 1.0),
        ((0, part + 2_000), 2.0),
    ):
        loop = loop_of(taken=taken)
        found = cheap_hours.charged_beyond_limit_wh(loop, columns_of([0.0] * 6), "battery", "p", 16)
        assert found == pytest.approx(beyond)


def test_polls_are_counted_from_the_one_that_tells() -> None:
    t_s = [0.0, 5.0, 10.0, 15.0]
    assert cheap_hours.polls_until_still(t_s, [-3_000.0, 0.0, 0.0, 0.0], 5.0) == 1
    assert cheap_hours.polls_until_still(t_s, [-3_000.0, -3_000.0, 0.0, 0.0], 5.0) == 2
    assert cheap_hours.polls_until_still(t_s, [-3_000.0] * 4, 5.0) == math.inf
    # Who did not charge before shows nothing.
    assert cheap_hours.polls_until_still(t_s, [0.0] * 4, 5.0) is None


NAME, FULL = "test_cheap_hours", 876_000
BY_CATALOGUE = {"ledger_sum_micro", "losses_difference_of_allowed"}
STOPS_W = [-3_000.0, -3_000.0, -3_000.0, 0.0, 0.0, 0.0]
SOC = [0.5, 0.9, 0.95, 0.5, 0.5, 0.5]


@pytest.fixture(name="judged")
def a_day_that_is_judged(monkeypatch: pytest.MonkeyPatch) -> Any:
    """Return what lets the procedure's own body judge two periods: what does not pass."""
    judging = procedure_of(NAME).body.__globals__
    monkeypatch.setitem(judging, "posted_at", posted_at)
    monkeypatch.setitem(judging, "NOTHING_AT_S", 900.0)
    monkeypatch.setitem(judging, "measure", lambda _: [])  # of a solved feeder; there is none

    def judge(loop: Any = None, *, paid: int = 180_000, **changed: list[float]) -> Unpassed:
        held = ran(loop_of(taken=(0, 0), given=(0, 0)), paid=0)
        loop = ran(loop or loop_of(taken=(FULL, 0), given=(0, FULL)), paid=paid, **changed)
        found = not_passed(NAME, held, loop)
        # A battery of two periods does not charge the eight kWh of a day.
        small = {"charged_kwh": Outcome.FAIL} | dict.fromkeys(BY_CATALOGUE, Outcome.INCONCLUSIVE)
        assert small.items() <= found.items()
        for name in small:
            del found[name]
        return found

    return judge


def ran(loop: Any, *, paid: int, **changed: list[float]) -> Any:
    """Return a run with a trace, whose battery was paid for what it gave."""
    seen = {"soc": SOC, "setpoint_w": STOPS_W, "p_w": STOPS_W} | changed
    columns = {name.replace(".p.", ".battery-1."): row for name, row in columns_of([0] * 6).items()}
    columns |= {"pack.battery-1.soc": seen["soc"]}
    columns |= {f"device.storage-1.{name}": seen[name] for name in ("setpoint_w", "p_w")}
    loop.trace = SimpleNamespace(columns=lambda: columns)
    loop.observed = lambda _: None
    loop.physics, loop.clock = SimpleNamespace(street=SimpleNamespace(rig=None)), None
    loop.account.entries().append(entry(1, "delivered", DAY.retail, "clearing", "battery", paid))
    return loop


def test_a_right_day_passes_by_the_procedures_own_body(judged: Any) -> None:
    assert judged() == {}


def test_a_battery_that_gives_nothing_back_saved_nothing_whatever_was_paid(judged: Any) -> None:
    lost = judged(loop_of(taken=(FULL, 0), given=(0, 0)))
    assert_fails_alone(lost, "test_cheap_hours.saved_percent")


def test_a_battery_that_ends_with_less_pays_for_what_is_missing(judged: Any) -> None:
    lent = judged(soc=[0.95, 0.95, 0.95, 0.5, 0.5, 0.5])
    assert lent == {"saved_percent": Outcome.FAIL, "saved_in_books_percent": Outcome.FAIL}


def test_books_that_pay_nothing_for_what_a_battery_gave_are_found(judged: Any) -> None:
    assert_fails_alone(judged(paid=0), "test_cheap_hours.saved_in_books_percent")
    assert_fails_alone(judged(paid=90_000), "test_cheap_hours.saved_in_books_percent")


def test_a_battery_that_is_emptied_beyond_its_reserve_is_found(judged: Any) -> None:
    empty = judged(soc=[0.5, 0.9, 0.95, 0.08, 0.3, 0.5])
    assert_fails_alone(empty, "test_cheap_hours.soc_least")


def test_a_set_point_that_follows_its_limit_a_poll_late_is_found(judged: Any) -> None:
    late = judged(setpoint_w=[*[-3_000.0] * 4, 0.0, 0.0])
    assert_fails_alone(late, "test_cheap_hours.polls_until_set_to_nothing")
    # What flows may do so, as a set-point acts from the next poll on.
    assert judged(p_w=[*[-3_000.0] * 4, 0.0, 0.0]) == {}
    slow = judged(p_w=[*[-3_000.0] * 5, 0.0])
    assert_fails_alone(slow, "test_cheap_hours.polls_until_still")


def test_a_watt_hour_beyond_the_limit_is_found(judged: Any) -> None:
    beyond = judged(loop_of(taken=(FULL + 1_000, 0), given=(0, FULL)))
    assert_fails_alone(beyond, "test_cheap_hours.charged_beyond_limit_wh")


def test_a_tariff_that_is_told_otherwise_is_found(judged: Any) -> None:
    loop = loop_of(taken=(FULL, 0), given=(0, FULL))
    loop.events.ordered()[1].data["feed_in_micro_per_kwh"] += 1_000
    assert_fails_alone(judged(loop), "test_cheap_hours.periods_priced_otherwise")
