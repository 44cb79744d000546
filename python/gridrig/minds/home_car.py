"""A home's own car: a battery that leaves, and the orders that get it there.

A car is planned with the home's battery in one linear programme (`schedule.py`). What then is
ordered for the next period has up to four parts: what cannot wait, at any price that is asked for
a shortfall; what is planned now, at the price that was reckoned with or what charging is worth
later, whichever is more; what could be charged besides, at less than that; and what the car may
give back and have again before it leaves, at what its energy is worth.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from gridrig.market.agents import CarView, Intent, Side, View
from gridrig.minds.car_park import EFFICIENCY, SHORT_WH, Car, missed_wh, store_of
from gridrig.minds.orders import UNIT, Battery, one_order
from gridrig.minds.schedule import Schedule
from gridrig.minds.series import FloatArray
from gridrig.minds.stores import Store
from gridrig.quantity import SECONDS_PER_HOUR

News = tuple[str, Mapping[str, Any]]


@dataclass(frozen=True)
class CarPlan:
    """What a home's plan comes to for its car.

    Parameters
    ----------
    now_w : float
        Planned of the next period, negative while it takes. [W]
    value_micro : float
        What a kilowatt-hour more in its battery is worth. [millionths/kWh]
    most_w : float
        What the home's connection leaves to it in the next period. [W]
    later_wh : float
        The most it can still have after the next period. [Wh]
    short_wh : int
        What it will miss when it leaves. [Wh]
    """

    now_w: float
    value_micro: float
    most_w: float
    later_wh: float
    short_wh: int


def car_store(name: str, view: CarView, step_s: FloatArray) -> Store:
    """Return a car as the store of a plan over steps of these lengths. [s]"""
    return store_of(_car(name, view), step_s)


def shared_out(taking_w: FloatArray, left_w: float) -> FloatArray:
    """Return what each store may take at most of what a connection leaves to all of them. [W]

    Each has what is planned of it; what is left besides is the first one's.

    >>> shared_out(np.array([7_000.0, -4_000.0, 2_000.0]), 11_000.0).tolist()
    [9000.0, 0.0, 2000.0]
    """
    most_w = np.maximum(0.0, taking_w)
    most_w[0] += max(0.0, left_w - float(most_w.sum()))
    return most_w


def car_plan(
    name: str,
    view: CarView,
    schedule: Schedule,
    row: int,
    step_s: FloatArray,
    *,
    left_w: FloatArray,
    most_w: float,
) -> CarPlan:
    """Return what a schedule says of a car.

    Parameters
    ----------
    name : str
    view : CarView
    schedule : Schedule
    row : int
        Of the car in it.
    step_s : array of float64, shape (steps,)
        [s]
    left_w : array of float64, shape (steps,)
        What the home's connection leaves to its stores. [W]
    most_w : float
        What of that is the car's in the next period. [W]
    """
    store = car_store(name, view, step_s)
    later_w = np.minimum(store.charge_w, left_w)[1:]
    return CarPlan(
        float(schedule.power_w[row, 0]),
        float(schedule.value_micro_per_kwh[row, 0]),
        most_w,
        float(np.sum(later_w * step_s[1:])) / SECONDS_PER_HOUR,
        missed_wh(schedule, _car(name, view), step_s),
    )


def car_orders(
    car: CarView, found: CarPlan, view: View, *, expected_micro: int, must_buy_micro: int
) -> list[Intent]:
    """Return the orders of a car for one period.

    Parameters
    ----------
    car : CarView
    found : CarPlan
    view : View
        Its period, lot and tick.
    expected_micro : int
        The price that was reckoned with. [millionths/kWh]
    must_buy_micro : int
        Limit price of what cannot wait. [millionths/kWh]
    """
    orders: list[Intent] = []
    for side, energy_wh, price, why in _parts(car, found, view, expected_micro, must_buy_micro):
        orders += one_order(side, energy_wh, price, why, view.tariff)
    return orders


def _parts(
    car: CarView, found: CarPlan, view: View, expected_micro: int, must: int
) -> Iterator[tuple[Side, float, int, str]]:
    hours, tick = min(view.period.hours, car.leaves_s / SECONDS_PER_HOUR), view.tariff.tick
    efficiency = EFFICIENCY if car.discharge_w > 0 else 1.0
    most_wh = min(min(car.charge_w, found.most_w) * hours, car.room_wh / efficiency)
    urgent_wh = min(max(0.0, car.needs_wh - found.later_wh), most_wh)
    planned_wh = min(max(urgent_wh, -found.now_w * view.period.hours), most_wh)
    least_wh = min(car.least_w * hours, most_wh)
    if urgent_wh == 0.0 and planned_wh < least_wh / 2:
        planned_wh = 0.0  # below its least power a charger offers nothing, and this can wait
    elif planned_wh > SHORT_WH:
        planned_wh = max(planned_wh, least_wh)
    needs = _needs(car, found)
    worth = Battery(most_wh, car.stored_wh, found.value_micro, efficiency)
    pays = min(worth.buys_below(tick), must)
    dear = min(max(pays, -(-expected_micro // tick) * tick), must) if planned_wh else pays
    yield "bid", urgent_wh, must, f"{needs}; this cannot wait"
    yield "bid", planned_wh - urgent_wh, dear, f"{needs}; planned for now"
    waits = f"{needs}; charging now pays below {pays} {UNIT}"
    yield "bid", most_wh - planned_wh, pays - tick, waits
    # What is given now has to be had again by departure, through both losses.
    again_wh = max(0.0, found.later_wh - car.needs_wh) * efficiency**2
    given_wh = min(car.discharge_w * hours, car.stored_wh * efficiency, again_wh)
    price = max(worth.sells_above(tick), dear + tick)
    if urgent_wh == 0.0 and price <= must:
        above = f"{car.stored_wh:.0f} Wh above the driver's reserve"
        why = f"{above}; worth {price} {UNIT} when delivered"
        yield "offer", given_wh, price, why


def infeasible(charger: str, car: CarView, found: CarPlan, view: View) -> News:
    """Return the event that names a car which will miss something, and how much."""
    facts = {
        "device": charger,
        "short_wh": found.short_wh,
        "departs_s": view.period.start_s + car.leaves_s,
        "why": _needs(car, found),
    }
    return "car_infeasible", facts


def _needs(car: CarView, found: CarPlan) -> str:
    if car.needs_wh <= SHORT_WH:
        return "has what it needs"
    hours = car.leaves_s / SECONDS_PER_HOUR
    missing = f", {found.short_wh} Wh of it not to be had" if found.short_wh else ""
    return f"{car.needs_wh / 1000:.1f} kWh to have in {hours:.1f} h{missing}"


def _car(name: str, view: CarView) -> Car:
    """Return a car whose charge is counted from its reserve on, or from what it holds below it."""
    return Car(
        name,
        view.needs_wh,
        view.leaves_s,
        view.charge_w,
        view.least_w,
        view.discharge_w,
        view.stored_wh,
        view.below_wh,
        view.stored_wh + view.room_wh,
    )
