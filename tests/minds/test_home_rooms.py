"""A home's warmth: kept in a room that is not as stated, ahead of dear hours, always with why."""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gridrig.market.agents import BatteryView, Intent, RoomView, Tariff, View
from gridrig.minds.home import Connection, Decision, HomeMind
from gridrig.minds.home_room import RoomPlan, room_orders
from gridrig.minds.horizon import steps_s
from gridrig.minds.rooms import Room, room_ahead
from gridrig.minds.series import Series
from gridrig.quantity import DAY_S, DeliveryPeriod

HOUR_S, PERIOD_S, DAYS, CLOSES_S = 3_600, 1_800, 22, 300
STEPS = DAY_S // PERIOD_S
START_S = 1_454_281_200  # 2016-02-01, midnight in Berlin
LONG, SHORT = 20_000, 450_000
NIGHT = Tariff(80_000, 150_000, 1_000, 1_000, LONG, SHORT)
DAY = replace(NIGHT, retail=350_000)
HOUSE_W, MOST_W = 400.0, 3_000.0
LOW_C = [18.0] * 6 + [20.0] * 16 + [18.0] * 2
STATED = Room("pump-1", 6_000.0, 150.0, 3.0, 100.0, LOW_C, [23.0] * 24, START_S, "Europe/Berlin")
OUTDOOR_C = [2.0 + 4.0 * float(np.cos(2 * np.pi * (k / STEPS - 15 / 24))) for k in range(STEPS)]
CHEAP_H = range(0, 6)


def tariff(period: int) -> Tariff:
    return NIGHT if period * PERIOD_S // HOUR_S % 24 in CHEAP_H else DAY


def view(period: int, room: RoomView | None = None, **changes: object) -> View:
    shown = View(
        DeliveryPeriod(period, period * PERIOD_S, PERIOD_S),
        tariff(period),
        link_wh=40_000.0,
        tariff_ahead=tuple(tariff(period + k) for k in range(STEPS)),
        room=room,
    )
    return replace(shown, **changes)


def seen(period: int, room_c: float | None, *, takes_w: float = 0.0, **changes: object) -> RoomView:
    ahead = tuple(OUTDOOR_C[(period + k) % STEPS] for k in range(STEPS))
    shown = RoomView(room_c, float(CLOSES_S), takes_w, MOST_W, ahead, set_point_c=20.5)
    return replace(shown, **changes)


def home(room: Room = STATED, connection_w: float | None = None) -> HomeMind:
    past = np.full(DAYS * STEPS, HOUSE_W)
    parts = [
        Connection("house", "use", Series("past", START_S - DAYS * DAY_S, PERIOD_S, past)),
        Connection("battery", "store", power_w=3_000.0),
        Connection("warmth", "room", room=room),
    ]
    return HomeMind("home", parts, connection_w=connection_w)


EMPTY = BatteryView(0.0, 0.0, 0.0, 0.0)


def decide(mind: HomeMind, shown: View, battery: BatteryView | None = EMPTY) -> Decision:
    period = shown.period.index
    counted_wh = (-HOUSE_W * PERIOD_S / HOUR_S,) * period
    battery_view = replace(view(period), battery=battery)
    views = {"house": view(period, counted_wh=counted_wh), "battery": battery_view}
    return mind.decide({**views, "warmth": shown})


def wh(orders: Sequence[Intent]) -> float:
    return sum(one.energy_milliwh for one in orders) / 1000


def lived(truth: Room, *, filled: str, periods: int = 2 * STEPS) -> tuple[np.ndarray, float]:
    """Live two days in a true room with what the mind of the stated one buys.

    Returns
    -------
    room_c : array of float64, shape (periods + 1,)
        At each edge of a period. [deg C]
    cost : float
        Of the second day. [millionths]
    """
    mind, room_c, takes_w, cost = home(), 20.6, 0.0, 0.0
    edges_c = [room_c]
    read_c = room_c
    for period in range(periods):
        shown = seen(period, round(read_c, 1), takes_w=takes_w)
        orders = decide(mind, view(period, shown)).orders["warmth"]
        assert all(one.side == "bid" and one.why for one in orders)
        posted = tariff(period)
        price = posted.retail if filled == "what it costs" else SHORT
        bought = [one for one in orders if one.price_micro_per_kwh >= price]
        takes_w = min(wh(bought) / (PERIOD_S / HOUR_S), MOST_W)
        out_c = OUTDOOR_C[period % STEPS]
        read_c = truth.after_c(room_c, out_c, takes_w, PERIOD_S - CLOSES_S)
        room_c = truth.after_c(room_c, out_c, takes_w, PERIOD_S)
        edges_c.append(room_c)
        if period >= STEPS:
            cost += takes_w * PERIOD_S / HOUR_S * posted.retail / 1000
    return np.array(edges_c), cost


def low_at_edges(periods: int) -> np.ndarray:
    hours = (np.arange(periods + 1) * PERIOD_S // HOUR_S) % 24
    own = np.array(LOW_C)[hours]
    return np.maximum(own, np.roll(own, 1))


@pytest.mark.parametrize("filled", ["what it costs", "only at any price"])
@pytest.mark.parametrize("conductance", [0.8, 1.0, 1.2])
@pytest.mark.parametrize("capacity", [0.8, 1.0, 1.2])
def test_a_room_that_differs_by_a_fifth_from_what_is_stated_stays_in_its_band(
    conductance: float, capacity: float, filled: str
) -> None:
    truth = replace(
        STATED,
        conductance_w_per_k=conductance * STATED.conductance_w_per_k,
        capacity_wh_per_k=capacity * STATED.capacity_wh_per_k,
    )
    room_c, _ = lived(truth, filled=filled)
    assert (room_c[1:] - low_at_edges(2 * STEPS)[1:]).min() >= 0.0
    assert room_c.max() <= 23.0


@pytest.mark.parametrize("gains", [0.0, 2.0])
@pytest.mark.parametrize("cop", [0.8, 1.2])
def test_a_pump_that_differs_by_a_fifth_in_the_worst_of_rooms_keeps_the_band_too(
    cop: float, gains: float
) -> None:
    # What gives less heat warms the room that loses more of it, and the other way round.
    truth = replace(
        STATED,
        cop=cop * STATED.cop,
        conductance_w_per_k=(2.0 - cop) * STATED.conductance_w_per_k,
        capacity_wh_per_k=0.8 * STATED.capacity_wh_per_k,
        gains_w=gains * STATED.gains_w,
    )
    room_c, _ = lived(truth, filled="what it costs")
    assert (room_c[1:] - low_at_edges(2 * STEPS)[1:]).min() >= 0.0
    assert room_c.max() <= 23.0


def test_the_day_costs_less_than_with_a_thermostat_that_keeps_the_same_band() -> None:
    room_c, cost = lived(STATED, filled="what it costs")
    # A thermostat that knows the hours: it holds the low end, and nothing more.
    thermostat = 0.0
    for period in range(STEPS, 2 * STEPS):
        low_c = LOW_C[period * PERIOD_S // HOUR_S % 24]
        out_c = np.array([OUTDOOR_C[period % STEPS]])
        held_w = float(STATED.holds_w(low_c, out_c, MOST_W)[0])
        thermostat += held_w * PERIOD_S / HOUR_S * tariff(period).retail / 1000
    # Its walls give back in the evening what the morning took; between the days nothing is left.
    stored_k = room_c[STEPS] - room_c[-1]
    spent = cost + STATED.capacity_wh_per_k * stored_k / STATED.cop * DAY.retail / 1000
    assert spent < 0.9 * thermostat
    # It is warmest when the cheap hours end.
    warmest = int(np.argmax(room_c[STEPS:])) * PERIOD_S // HOUR_S
    assert warmest == CHEAP_H.stop


def test_what_cannot_wait_is_told_from_what_is_heated_ahead_and_what_waits() -> None:
    by_why = {}
    for period, room_c in ((8, 18.1), (10, 20.3), (30, 22.0), (40, 20.2)):
        orders = decide(home(), view(period, seen(period, room_c))).orders["warmth"]
        by_why[period] = [(one.why.split(";")[-1].split(":")[0].strip(), one) for one in orders]
        prices = [one.price_micro_per_kwh for one in orders]
        assert prices == sorted(prices, reverse=True)
        assert max(prices) <= SHORT
    urgent, ahead = by_why[8][0], by_why[10][0]
    assert "C to keep" in urgent[0]
    assert urgent[1].price_micro_per_kwh == SHORT
    assert ahead[0] == "heated ahead"
    # In the last cheap hours it heats at what heat is worth in the dear ones, not at any price.
    assert NIGHT.retail < ahead[1].price_micro_per_kwh <= DAY.retail
    (waits,) = by_why[30]
    assert "in its band unheated for" in waits[1].why
    assert "the rest waits" in waits[1].why
    assert waits[1].price_micro_per_kwh < DAY.retail
    worth = waits[1].price_micro_per_kwh + DAY.tick
    assert waits[1].why.endswith(f"heating now pays below {worth} micro/kWh")


def test_a_room_that_was_not_read_is_left_to_its_thermostat_and_bought_as_load() -> None:
    period = 30
    left = "room temperature not known: left to its own thermostat"
    decision = decide(home(), view(period, seen(period, None, left=left)))
    assert decision.flags == (f"warmth: {left}",)
    (bid,) = decision.orders["warmth"]
    # What holds 20.5 degrees against the outdoors of that period, by the closed form.
    held_w = (150.0 * (20.5 - OUTDOOR_C[period]) - 100.0) / 3.0
    assert bid.energy_milliwh == pytest.approx(1000 * held_w / 2, abs=1_000)
    assert bid.price_micro_per_kwh == SHORT
    assert bid.why == f"{left}: what that is expected to take"
    blind = "outdoor temperature not known: left to its own thermostat"
    no_weather = replace(seen(period, 20.5), outdoor_c=(), left=blind)
    counted = view(period, no_weather, counted_wh=(-300.0, float("nan")))
    decision = decide(home(), counted)
    assert decision.flags == (f"warmth: {blind}",)
    assert wh(decision.orders["warmth"]) == pytest.approx(300.0)
    held = decide(home(), view(period, None, missing="under manual control"))
    assert held.flags == ("warmth: heat pump under manual control: no orders",)
    assert held.orders["warmth"] == []
    replaced = replace(seen(period, 20.5), flags=("outdoor temperature not read: as before",))
    flagged = decide(home(), view(period, replaced))
    assert flagged.flags == ("warmth: outdoor temperature not read: as before",)
    assert flagged.orders["warmth"]


def test_a_room_that_cannot_be_warm_in_time_is_named_once() -> None:
    mind = home()
    first = decide(mind, view(10, seen(10, 15.0)))
    ((kind, facts),) = first.news
    assert (kind, facts["device"]) == ("room_cold", "pump-1")
    # All it has until six, a fifth kept back after the first half hour, by the closed form.
    at_c = STATED.after_c(15.0, OUTDOOR_C[10], 0.0, CLOSES_S)
    at_c = STATED.after_c(at_c, OUTDOOR_C[10], MOST_W, PERIOD_S)
    at_c = STATED.after_c(at_c, OUTDOOR_C[11], 0.8 * MOST_W, PERIOD_S)
    assert facts["short_k"] == pytest.approx(20.0 - at_c, abs=0.1)
    assert facts["from_s"] == 11 * PERIOD_S
    assert "15.0 C" in facts["why"]
    assert decide(mind, view(10, seen(10, 15.0))).news == ()
    assert decide(home(), view(10, seen(10, 19.6))).news == ()
    # At any price: everything the pump can.
    urgent = [one for one in first.orders["warmth"] if one.price_micro_per_kwh == SHORT]
    assert wh(urgent) == pytest.approx(MOST_W / 2, abs=1.0)


def test_a_room_that_is_too_warm_by_itself_orders_nothing() -> None:
    warm = replace(seen(24, 23.5), outdoor_c=(25.0,) * STEPS)
    decision = decide(home(), view(24, warm))
    assert decision.orders["warmth"] == []
    assert decision.flags == decision.news == ()


def test_battery_and_pump_share_what_the_connection_leaves() -> None:
    battery = BatteryView(3_000.0, 5_000.0, 3_000.0, 3_000.0)
    decision = decide(home(connection_w=2_500.0), view(8, seen(8, 19.9)), battery)
    bids = [*decision.orders["warmth"], *(o for o in decision.orders["battery"] if o.side == "bid")]
    assert wh(decision.orders["warmth"]) > 0
    assert wh(bids) <= (2_500.0 - HOUSE_W) / 2 + 1.0
    free = decide(home(), view(8, seen(8, 19.9)), battery)
    assert wh([*free.orders["warmth"]]) > wh(decision.orders["warmth"])
    assert all("the heat pump takes" in one.why for one in free.orders["battery"])
    # A battery is planned with what a pump that is left to itself is expected to take.
    alone = decide(home(connection_w=2_500.0), view(8, seen(8, None, left="by hand")), battery)
    held_w = wh(alone.orders["warmth"]) * 2
    charged_w = wh([o for o in alone.orders["battery"] if o.side == "bid"]) * 2
    assert charged_w <= 2_500.0 - HOUSE_W - held_w + 5.0


def test_the_band_holds_from_the_first_to_the_last_moment_of_its_hours() -> None:
    # From three in the morning: steps of half an hour until seven, then whole hours.
    step_s = steps_s(STEPS, PERIOD_S)
    ahead = room_ahead("warmth", STATED, view(6, seen(6, 20.0)), step_s)
    ends_h = 3.0 + np.cumsum(step_s) / HOUR_S
    for end_h, low_c in zip(ends_h, ahead.low_c, strict=True):
        assert low_c == (20.0 if 6.0 <= end_h <= 22.0 or end_h == 27.0 - 24.0 else 18.0), end_h


@settings(max_examples=200, deadline=None)
@given(
    st.floats(0, MOST_W),
    st.floats(0, MOST_W),
    st.floats(0, MOST_W),
    st.floats(-1e9, 1e9),
    st.sampled_from([None, 0.0, 3.5]),
    st.integers(0, 600_000),
)
def test_prop_orders_for_warmth_stay_within_the_pump_and_the_price_of_a_shortfall(
    urgent_w: float, now_w: float, most_w: float, value: float, warm_h: float | None, price: int
) -> None:
    urgent_w = min(urgent_w, most_w)
    found = RoomPlan(urgent_w, now_w, most_w, value, 20.4, -3.0, 20.0, warm_h)
    orders = room_orders(found, view(8), expected_micro=price, must_buy_micro=SHORT)
    assert all(one.side == "bid" and one.why for one in orders)
    prices = [one.price_micro_per_kwh for one in orders]
    assert prices == sorted(prices, reverse=True)
    assert all(one <= SHORT and one % NIGHT.tick == 0 for one in prices)
    lots = 3 * 0.001 * NIGHT.lot_milliwh  # each of three orders is rounded to one
    assert wh(orders) == pytest.approx(most_w / 2, abs=lots)
    at_any = [one for one in orders if "cannot wait" in one.why]
    assert wh(at_any) == pytest.approx(urgent_w / 2, abs=lots)
    assert all(one.price_micro_per_kwh == SHORT for one in at_any)
