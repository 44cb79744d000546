"""A room as a store of heat: the closed form, an exhaustive search, and what cannot be kept."""

import itertools
import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gridrig.minds.schedule import DemandCharge, Schedule, Shared, Supply, plan
from gridrig.minds.stores import Drift, Store

HOUR_S = 3_600
CAPACITY, CONDUCTANCE, COP = 8_000.0, 200.0, 3.0  # Wh/K, W/K, 1
MOST_W = 3_000.0
REF_C = -20.0


def room(
    outdoor_c: list[float],
    step_s: list[float],
    *,
    starts_c: float = 20.0,
    low_c: float | list[float] = 20.0,
    high_c: float | list[float] = 23.0,
    gains_w: float = 0.0,
    most_w: float = MOST_W,
) -> Store:
    """Return a room as a store of the heat above `REF_C`, by its definition."""
    steps = len(step_s)
    kept = np.exp(-np.array(step_s) / HOUR_S * CONDUCTANCE / CAPACITY)
    inflow_w = CONDUCTANCE * (np.array(outdoor_c) - REF_C) + gains_w
    low_wh, high_wh = (CAPACITY * (np.full(steps, c) - REF_C) for c in (low_c, high_c))
    return Store(
        "room",
        CAPACITY * (starts_c - REF_C),
        np.full(steps, most_w),
        np.zeros(steps),
        low_wh,
        math.inf,
        COP,
        drift=Drift(kept, inflow_w, high_wh),
    )


def temperatures_c(found: Schedule, row: int = 0) -> np.ndarray:
    return found.stored_wh[row] / CAPACITY + REF_C


def by_hand_c(
    starts_c: float,
    power_w: np.ndarray,
    outdoor_c: list[float],
    step_s: list[float],
    gains_w: float = 0.0,
) -> list[float]:
    """Follow a room by its differential equation, in steps of a second's fraction. [deg C]"""
    at, found = starts_c, []
    for p_w, out_c, length_s in zip(power_w, outdoor_c, step_s, strict=True):
        pieces = 20_000
        dt_h = length_s / HOUR_S / pieces
        for _ in range(pieces):
            # The midpoint rule: its error is of second order, here below a millionth of a kelvin.
            rate = (COP * p_w + gains_w - CONDUCTANCE * (at - out_c)) / CAPACITY
            mid = at + rate * dt_h / 2
            at += (COP * p_w + gains_w - CONDUCTANCE * (mid - out_c)) / CAPACITY * dt_h
        found.append(at)
    return found


def supply(prices: list[float], feed_in: float = 0.0) -> Supply:
    steps = len(prices)
    return Supply(
        np.full((steps, 1), 1e5), np.array(prices, float)[:, None], np.full(steps, feed_in)
    )


def test_a_planned_room_moves_as_its_differential_equation_says() -> None:
    outdoor_c, step_s = [5.0, -3.0, -8.0, 0.0], [1_800.0, 1_800.0, 3_600.0, 7_200.0]
    store = room(outdoor_c, step_s, starts_c=20.5, low_c=[20.0, 20.5, 21.5, 20.0], gains_w=250.0)
    found = plan(np.zeros(4), [store], supply([1e5, 3e5, 2e5, 3e5]), step_s=np.array(step_s))
    assert found.shortfalls == found.excesses == ()
    assert found.power_w.min() < -100
    expected = by_hand_c(20.5, -found.power_w[0], outdoor_c, step_s, 250.0)
    assert temperatures_c(found) == pytest.approx(expected, abs=1e-6)


def test_at_one_price_nothing_is_heated_ahead_and_the_power_is_the_thermostats() -> None:
    # What holds 20 degrees against zero: 200 W/K x 20 K / 3.
    found = plan(np.zeros(6), [room([0.0] * 6, [HOUR_S] * 6)], supply([2e5] * 6), step_s=HOUR_S)
    assert -found.power_w[0] == pytest.approx([4_000 / 3] * 6)
    assert temperatures_c(found) == pytest.approx([20.0] * 6)
    # A unit of heat more at the end of a step need not be bought in it, part of it lost again.
    hours = CAPACITY / CONDUCTANCE * (1 - math.exp(-CONDUCTANCE / CAPACITY))
    assert found.value_micro_per_kwh[0] == pytest.approx([2e5 / COP / hours] * 6)


def test_a_cheap_hour_heats_ahead_as_far_as_the_band_lets_it() -> None:
    prices = [1e5, 4e5, 4e5, 4e5]
    found = plan(np.zeros(4), [room([0.0] * 4, [HOUR_S] * 4)], supply(prices), step_s=HOUR_S)
    assert -found.power_w[0, 0] == pytest.approx(MOST_W)  # 9 kWh of heat: 1.1 K less what is lost
    low = plan(
        np.zeros(4),
        [room([0.0] * 4, [HOUR_S] * 4, high_c=20.3)],
        supply(prices),
        step_s=HOUR_S,
    )
    assert temperatures_c(low)[0] == pytest.approx(20.3)
    flat = plan(np.zeros(4), [room([0.0] * 4, [HOUR_S] * 4)], supply([4e5] * 4), step_s=HOUR_S)
    assert found.import_w @ np.array(prices) < flat.import_w @ np.array(prices)


def test_the_homes_own_sun_goes_into_the_room_before_it_is_given_away() -> None:
    needed_w = np.array([-2_500.0, 500.0, 500.0])
    store = room([0.0] * 3, [HOUR_S] * 3)
    found = plan(needed_w, [store], supply([3e5] * 3, feed_in=8e4), step_s=HOUR_S)
    assert found.import_w[0] == pytest.approx(0.0, abs=1e-6)
    assert -found.power_w[0, 0] == pytest.approx(2_500.0)


def cost_by_search(
    prices: list[float], outdoor_c: list[float], starts_c: float, levels: int
) -> float:
    """Try every way to heat in whole steps of power. [millionths]"""
    best = math.inf
    fade = math.exp(-CONDUCTANCE / CAPACITY)
    for powers in itertools.product(np.linspace(0.0, MOST_W, levels), repeat=len(prices)):
        at, fits = starts_c, True
        for p_w, out_c in zip(powers, outdoor_c, strict=True):
            ends_c = out_c + COP * p_w / CONDUCTANCE
            at = ends_c + (at - ends_c) * fade
            fits = fits and 20.0 <= at <= 21.5
        if fits:
            best = min(best, float(np.dot(powers, prices)) / 1000)
    return best


@settings(max_examples=15, deadline=None)
@given(
    st.lists(st.integers(50, 400), min_size=4, max_size=4),
    st.lists(st.integers(-10, 12), min_size=4, max_size=4),
    st.floats(20.3, 21.2),
)
def test_prop_a_plan_costs_what_an_exhaustive_search_finds(
    kprices: list[int], outdoor_c: list[int], starts_c: float
) -> None:
    prices, levels = [1_000.0 * price for price in kprices], 13
    store = room([float(c) for c in outdoor_c], [HOUR_S] * 4, starts_c=starts_c, high_c=21.5)
    found = plan(np.zeros(4), [store], supply(prices), step_s=HOUR_S)
    assert found.shortfalls == found.excesses == ()
    planned = float(found.import_w @ np.array(prices)) / 1000
    searched = cost_by_search(prices, [float(c) for c in outdoor_c], starts_c, levels)
    assert planned <= searched + 1e-6
    # The search has steps of 250 W: in each hour it may lie one beside what is best.
    assert searched <= planned + sum(prices) / 1000 * MOST_W / (levels - 1)


def test_a_room_that_is_too_warm_by_itself_is_named_and_not_heated() -> None:
    found = plan(
        np.zeros(3),
        [room([24.0] * 3, [HOUR_S] * 3, starts_c=22.9, gains_w=1_500.0)],
        supply([-1e5] * 3),  # not even if heating were paid for
        step_s=HOUR_S,
    )
    assert found.power_w[0] == pytest.approx([0.0] * 3, abs=1e-6)
    assert [(one.store, one.step) for one in found.excesses] == [("room", k) for k in range(3)]
    assert temperatures_c(found) == pytest.approx(
        by_hand_c(22.9, np.zeros(3), [24.0] * 3, [HOUR_S] * 3, 1_500.0), abs=1e-6
    )


def test_a_room_that_cannot_be_warm_is_named_with_the_heat_it_lacks() -> None:
    found = plan(
        np.zeros(2),
        [room([-10.0] * 2, [HOUR_S] * 2, starts_c=19.0, most_w=2_100.0)],
        supply([9e5] * 2),
        step_s=HOUR_S,
    )
    assert -found.power_w[0] == pytest.approx([2_100.0] * 2)
    reached_c = by_hand_c(19.0, np.full(2, 2_100.0), [-10.0] * 2, [HOUR_S] * 2)
    assert [one.step for one in found.shortfalls] == [0, 1]
    assert [one.energy_wh for one in found.shortfalls] == pytest.approx(
        [CAPACITY * (20.0 - c) for c in reached_c], abs=0.1
    )


def test_two_rooms_share_a_connection_with_a_demand_charge_and_a_battery_beside_them() -> None:
    battery = Store("battery", 2_000.0, np.full(4, 3e3), np.full(4, 3e3), np.zeros(4), 5_000.0)
    rooms = [room([0.0] * 4, [HOUR_S] * 4), room([5.0] * 4, [HOUR_S] * 4)]
    found = plan(
        np.full(4, 500.0),
        [battery, *rooms],
        supply([1e5, 4e5, 4e5, 4e5]),
        step_s=HOUR_S,
        shared=Shared(np.ones((1, 3)), np.full((1, 4), 4_000.0)),
        demand=DemandCharge(np.zeros(4, int), np.zeros(1), 1e4),
    )
    assert found.shortfalls == found.excesses == ()
    assert (-found.power_w.sum(axis=0)).max() <= 4_000 + 1e-6
    for row, out_c in ((1, 0.0), (2, 5.0)):
        expected = by_hand_c(20.0, -found.power_w[row], [out_c] * 4, [HOUR_S] * 4)
        assert temperatures_c(found, row) == pytest.approx(expected, abs=1e-6)
