"""A home's own car: an exhaustive search agrees, it is in time or named, the limit is kept."""

import itertools
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gridrig.market.agents import BatteryView, CarView, Tariff, View
from gridrig.minds.home import Connection, Decision, HomeMind
from gridrig.minds.home_car import CarPlan, car_orders, car_store
from gridrig.minds.schedule import Shared, Supply, plan
from gridrig.minds.series import Series
from gridrig.quantity import DAY_S, DeliveryPeriod

HOUR_S, PERIOD_S, DAYS = 3_600, 1_800, 22
START_S = 1_465_776_000  # 2016-06-13
LONG, SHORT = 20_000, 400_000
TARIFF = Tariff(80_000, 300_000, 1_000, 1_000, LONG, SHORT)
HOUSE_W, MOST_W, CONNECTION_W = 1_000.0, 7_000.0, 6_000.0


def car(needs_wh: float, leaves_s: float, **changes: float) -> CarView:
    return replace(CarView(0.0, needs_wh, MOST_W, 0.0, needs_wh, leaves_s), **changes)


def cost_by_search(
    prices: tuple[float, ...], needs_wh: float, *, house_w: float, left_w: float, step_w: int
) -> float:
    """Try every way to charge in whole steps of power; hours, no losses. [millionths]"""
    best = float("inf")
    for powers in itertools.product(range(0, int(MOST_W) + 1, step_w), repeat=len(prices)):
        if sum(powers) >= needs_wh and max(powers) <= left_w:
            cost = sum(p * max(w + house_w, 0) - 50_000 * max(-w - house_w, 0)
                       for p, w in zip(prices, powers, strict=True)) / 1000  # fmt: skip
            best = min(best, cost)
    return best


@settings(max_examples=25, deadline=None)
@given(
    st.tuples(*[st.integers(60, 400)] * 3),
    st.integers(1, 12),
    st.sampled_from([-3_000.0, 0.0, 1_500.0]),
)
def test_prop_the_plan_of_a_car_costs_what_an_exhaustive_search_finds(
    kprices: tuple[int, ...], needs_kwh: int, house_w: float
) -> None:
    prices, needs_wh, left_w = tuple(1_000.0 * p for p in kprices), 1_000.0 * needs_kwh, 5_000.0
    hours = np.full(3, float(HOUR_S))
    store = car_store("car", car(needs_wh, 3.0 * HOUR_S), hours)
    supply = Supply(np.full((3, 1), 1e5), np.array(prices)[:, None], np.full(3, 50_000.0))
    shared = Shared(np.ones((1, 1)), np.full((1, 3), left_w))
    found = plan(np.full(3, house_w), [store], supply, step_s=HOUR_S, shared=shared)
    assert found.shortfalls == ()
    bought, given = np.maximum(found.import_w, 0.0), np.maximum(-found.import_w, 0.0)
    cost = float(bought @ np.array(prices) - 50_000 * given.sum()) / 1000
    searched = cost_by_search(prices, needs_wh, house_w=house_w, left_w=left_w, step_w=500)
    assert cost == pytest.approx(searched)


@settings(max_examples=200, deadline=None)
@given(
    st.builds(
        CarView,
        stored_wh=st.floats(0, 20_000),
        room_wh=st.floats(0, 40_000),
        charge_w=st.just(MOST_W),
        discharge_w=st.sampled_from([0.0, 3_000.0]),
        needs_wh=st.floats(-5_000, 30_000),
        leaves_s=st.floats(60, 40_000),
        least_w=st.just(1_380.0),
    ),
    st.floats(-MOST_W, 3_000),
    st.floats(0, 600_000),
    st.floats(0, MOST_W),
    st.floats(0, 40_000),
)
def test_prop_orders_of_a_car_stay_within_what_it_and_the_connection_can(
    seen: CarView, now_w: float, value: float, most_w: float, later_wh: float
) -> None:
    found = CarPlan(now_w, value, most_w, later_wh, 0)
    orders = car_orders(seen, found, view(0), expected_micro=250_000, must_buy_micro=SHORT)
    bids = [order for order in orders if order.side == "bid"]
    priced = [one.why for one in orders if "worth" in one.why or "pays below" in one.why]
    assert all("micro/kWh" in why for why in priced)
    offers = [order for order in orders if order.side == "offer"]
    bid_wh = sum(order.energy_milliwh for order in bids) / 1000
    hours = PERIOD_S / 3600
    eff = 0.95 if seen.discharge_w else 1.0
    lots = 4 * 0.001 * TARIFF.lot_milliwh  # each of four orders is rounded to one
    assert bid_wh <= min(most_w * hours, seen.charge_w * hours, seen.room_wh / eff) + lots
    # What cannot wait is bid for at any price, as far as it can be had.
    urgent_wh = max(0.0, seen.needs_wh - later_wh)
    at_any = sum(order.energy_milliwh for order in bids if order.price_micro_per_kwh == SHORT)
    there_h = min(hours, seen.leaves_s / 3600)
    can_wh = min(min(most_w, seen.charge_w) * there_h, seen.room_wh / eff)
    assert at_any / 1000 >= min(urgent_wh, can_wh) - lots
    given_wh = sum(order.energy_milliwh for order in offers) / 1000
    assert given_wh <= max(0.0, min(seen.stored_wh, later_wh - seen.needs_wh)) + lots
    assert not offers or not bids or max(
        order.price_micro_per_kwh for order in bids
    ) < min(order.price_micro_per_kwh for order in offers)  # fmt: skip
    assert all(order.why and order.price_micro_per_kwh <= SHORT for order in orders)


def view(period: int, **changes: object) -> View:
    shown = View(DeliveryPeriod(period, period * PERIOD_S, PERIOD_S), TARIFF, link_wh=40_000.0)
    return replace(shown, **changes)


def home(connection_w: float | None = CONNECTION_W) -> HomeMind:
    steps = DAYS * DAY_S // PERIOD_S
    use = Series("past", START_S - DAYS * DAY_S, PERIOD_S, np.full(steps, HOUSE_W))
    parts = [
        Connection("house", "use", use),
        Connection("battery", "store", power_w=4_000.0),
        Connection("car", "car", charger="charger-1"),
    ]
    return HomeMind("home", parts, connection_w=connection_w)


def decide(
    mind: HomeMind, period: int, seen: CarView | None, battery: BatteryView, **changes: object
) -> Decision:
    counted_wh = (-HOUSE_W * PERIOD_S / 3600,) * period
    views = {
        "house": view(period, counted_wh=counted_wh),
        "battery": view(period, battery=battery),
        "car": view(period, battery=seen, **changes),
    }
    return mind.decide(views)


BATTERY = BatteryView(3_000.0, 5_000.0, 4_000.0, 4_000.0)


@pytest.mark.parametrize("filled", ["only at any price", "everything"])
@pytest.mark.parametrize(("needs_wh", "periods"), [(9_000.0, 6), (15_000.0, 6), (4_000.0, 9)])
def test_a_car_is_ready_by_departure_whatever_the_market_fills(
    filled: str, needs_wh: float, periods: int
) -> None:
    mind, had_wh = home(), 0.0
    for period in range(40, 40 + periods):
        seen = car(needs_wh - had_wh, float((40 + periods - period) * PERIOD_S))
        decision = decide(mind, period, seen, BATTERY)
        assert decision.news == ()
        bids = [one for one in decision.orders["car"] if one.side == "bid"]
        if filled == "only at any price":
            bids = [one for one in bids if one.price_micro_per_kwh == SHORT]
        taken = [*bids, *(one for one in decision.orders["battery"] if one.side == "bid")]
        power_w = sum(one.energy_milliwh for one in taken) / 1000 / (PERIOD_S / 3600)
        assert power_w <= CONNECTION_W - HOUSE_W + 1.0
        had_wh += sum(one.energy_milliwh for one in bids) / 1000
    # Each order is rounded down to its lot of a watt-hour.
    assert had_wh == pytest.approx(needs_wh, abs=2.0 * periods)


def test_a_car_that_cannot_be_ready_is_named_once_with_what_the_connection_withholds() -> None:
    mind = home()
    # Two hours at 6 kW less what the house uses: 10 of 12 kWh.
    first = decide(mind, 40, car(12_000.0, 2.0 * HOUR_S), BATTERY)
    ((kind, facts),) = first.news
    assert kind == "car_infeasible"
    assert facts["device"] == "charger-1"
    assert facts["short_wh"] == pytest.approx(2_000, abs=20)
    assert facts["departs_s"] == 40 * PERIOD_S + 2 * HOUR_S
    again = decide(mind, 41, car(12_000.0 - 2_500.0, 1.5 * HOUR_S), BATTERY)
    assert again.news == ()
    free = decide(home(None), 40, car(12_000.0, 2.0 * HOUR_S), BATTERY)
    assert free.news == ()


def test_a_battery_says_what_the_car_takes_and_a_held_car_orders_nothing() -> None:
    urgent = decide(home(), 40, car(9_900.0, 2.0 * HOUR_S), BATTERY)
    assert any("this cannot wait" in order.why for order in urgent.orders["car"])
    said = [order.why for order in urgent.orders["battery"]]
    assert said
    assert all(why.endswith("Wh besides") for why in said)
    held = decide(home(), 40, None, BATTERY, missing="under manual control")
    assert held.orders["car"] == []
    assert held.flags == ("car: car under manual control: no orders",)
    assert not any("besides" in order.why for order in held.orders["battery"])
    assert decide(home(), 40, None, BATTERY).flags == ()  # nobody is there
