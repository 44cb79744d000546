"""A home's own warmth: a room that stores heat, and the orders that keep it within its band.

A room is planned with the home's battery and car in one linear programme (`schedule.py`): heat in
it is stored energy that leaks. What then is ordered for the next period has up to three parts: what
must be bought now to hold the band whatever comes, at any price that is asked for a shortfall; what
is heated ahead, at the price that was reckoned with or what the heat is worth, whichever is more;
and what could be heated besides, at less than that. The rest waits, and says how long it can.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from gridrig.market.agents import Intent, View
from gridrig.minds.orders import UNIT, one_order
from gridrig.minds.rooms import Room, RoomAhead, thermostat_w
from gridrig.minds.schedule import Schedule
from gridrig.minds.series import FloatArray
from gridrig.quantity import SECONDS_PER_HOUR

COLD_K = 0.05  # less is no cold room


@dataclass(frozen=True)
class RoomPlan:
    """What a home's plan comes to for its room.

    Parameters
    ----------
    urgent_w, now_w, most_w : float
        What must be heated with in the next period, what is planned, and what is possible. [W]
    value_micro : float
        What a kilowatt-hour of electricity for it is worth now. [millionths/kWh]
    starts_c, outdoor_c, low_c : float
        When the period begins; outside in it; the low end of the band at its end. [deg C]
    warm_h : float or None
        For how long it stays within the band unheated; None while that is seen. [h]
    short_k, short_h : float
        By how much it will be too cold at worst, and how far ahead that begins. [K, h]
    """

    urgent_w: float
    now_w: float
    most_w: float
    value_micro: float
    starts_c: float
    outdoor_c: float
    low_c: float
    warm_h: float | None
    short_k: float = 0.0
    short_h: float = 0.0


def room_plan(
    ahead: RoomAhead,
    schedule: Schedule,
    row: int,
    step_s: FloatArray,
    *,
    left_w: FloatArray,
    most_w: float,
) -> RoomPlan:
    """Return what a schedule says of a room.

    Parameters
    ----------
    ahead : RoomAhead
    schedule : Schedule
    row : int
        Of the room in it.
    step_s : array of float64, shape (steps,)
        [s]
    left_w : array of float64, shape (steps,)
        What the home's connection leaves to its stores. [W]
    most_w : float
        What of that is the room's in the next period. [W]
    """
    store, drift = ahead.store, ahead.store.drift
    assert drift is not None
    unheated = ahead.unheated_wh()
    per_w = store.efficiency * float(ahead.hours[0])  # Wh of heat from a watt in the first step
    need_wh = ahead.needed_wh(np.minimum(store.charge_w, left_w))
    can_w = max(0.0, min(float(store.charge_w[0]), most_w))
    fits_w = max(0.0, (float(drift.most_wh[0]) - float(unheated[0])) / per_w)
    urgent_w = min(max(0.0, (need_wh - float(unheated[0])) / per_w), can_w)
    ends_h = np.cumsum(step_s) / SECONDS_PER_HOUR
    cold = np.flatnonzero(unheated < store.least_wh)
    short_k, short_h = _short(ahead, schedule, row, ends_h)
    return RoomPlan(
        urgent_w,
        min(max(0.0, -float(schedule.power_w[row, 0])), can_w),
        max(urgent_w, min(can_w, fits_w)),
        float(schedule.value_micro_per_kwh[row, 0]) * per_w / float(step_s[0] / SECONDS_PER_HOUR),
        ahead.starts_c,
        float(ahead.outdoor_c[0]),
        float(ahead.low_c[0]),
        float(ends_h[cold[0]] - step_s[cold[0]] / SECONDS_PER_HOUR) if len(cold) else None,
        short_k,
        short_h,
    )


def room_orders(
    found: RoomPlan, view: View, *, expected_micro: int, must_buy_micro: int
) -> list[Intent]:
    """Return the orders for the warmth of one period.

    Parameters
    ----------
    found : RoomPlan
    view : View
        Its period, lot and tick.
    expected_micro : int
        The price that was reckoned with. [millionths/kWh]
    must_buy_micro : int
        Limit price of what cannot wait. [millionths/kWh]
    """
    orders: list[Intent] = []
    for energy_wh, price, why in _parts(found, view, expected_micro, must_buy_micro):
        orders += one_order("bid", energy_wh, price, why, view.tariff)
    return orders


def _parts(
    found: RoomPlan, view: View, expected_micro: int, must: int
) -> Iterator[tuple[float, int, str]]:
    hours, tick = view.period.hours, view.tariff.tick
    pays = min(int(found.value_micro) // tick * tick, must)
    planned_w = min(max(found.urgent_w, found.now_w), found.most_w)
    dear = min(max(pays, -(-expected_micro // tick) * tick), must)
    room = f"room at {found.starts_c:.1f} C, {found.outdoor_c:.1f} C outside"
    keeps = f"{room}; {found.low_c:g} C to keep: this cannot wait"
    yield found.urgent_w * hours, must, keeps
    ahead = f"{room}; heated ahead: worth {pays} {UNIT} now, dearer later"
    yield (planned_w - found.urgent_w) * hours, dear, ahead
    lasts = "in its band unheated as far as is seen"
    if found.warm_h is not None:
        lasts = f"in its band unheated for {found.warm_h:.1f} h"
    if found.warm_h == 0.0:
        lasts = "at the low end of its band"
    waits = f"{room}, {lasts}: the rest waits; heating now pays below {pays} {UNIT}"
    yield (found.most_w - planned_w) * hours, pays - tick, waits


def own_orders(name: str, room: Room, view: View, must_buy_micro: int) -> tuple[list[Intent], str]:
    """Return the orders for a pump that is left to its own thermostat, and why it is.

    Nothing is ordered for one that was not read, or that a person holds.
    """
    seen = view.room
    if seen is None:
        return [], f"{name}: heat pump {view.missing or 'not read'}: no orders"
    own_w = thermostat_w(room, view, 1)
    energy_wh = 0.0 if own_w is None else float(own_w[0]) * view.period.hours
    why = f"{seen.left}: what that is expected to take"
    orders = one_order("bid", energy_wh, must_buy_micro, why, view.tariff)
    return orders, f"{name}: {seen.left}"


def cold_news(room: Room, found: RoomPlan, view: View) -> tuple[str, Mapping[str, Any]]:
    """Return the event that names a room which will be too cold, by how much and when."""
    return "room_cold", {
        "device": room.pump,
        "short_k": found.short_k,
        "from_s": view.period.start_s + round(found.short_h * SECONDS_PER_HOUR),
        "why": f"room at {found.starts_c:.1f} C, {found.outdoor_c:.1f} C outside, "
        f"{found.low_c:g} C to keep",
    }


def _short(
    ahead: RoomAhead, schedule: Schedule, row: int, ends_h: FloatArray
) -> tuple[float, float]:
    """Return by how much the plan leaves a room too cold at worst, and how far ahead. [K, h]"""
    planned_c = schedule.stored_wh[row] / ahead.room.capacity_wh_per_k + ahead.ref_c
    lacks_k = ahead.low_c - planned_c
    cold = np.flatnonzero(lacks_k > COLD_K)
    return (round(float(lacks_k.max()), 1), float(ends_h[cold[0]])) if len(cold) else (0.0, 0.0)
