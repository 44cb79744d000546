"""Who charges when: many cars behind one feeder, planned together over the hours until they leave.

The linear programme of `schedule.py` with one store a car: each must have its energy when it
leaves, all together fit through the feeder, and what cannot be is missing at a named car. Energy
comes as early as it can, because a driver may come back before the hour that was said. While the
grid calls for power, charging is shifted and cars that can give deliver, never below the reserve of
their driver. Only the first step is ever acted on; the next plan is made anew (a receding horizon).

A charger offers nothing below its least current: a share below it is raised to it where the feeder
bears that, and otherwise waits.

Known gaps: cars that have not come are not foreseen; whom a shortage hits is the programme's choice
and not a matter of rank; a car is taken to draw what it is offered.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from gridrig.minds.schedule import Schedule, Shared, Supply, plan
from gridrig.minds.series import FloatArray
from gridrig.minds.stores import Store
from gridrig.quantity import SECONDS_PER_HOUR

FINE_STEPS, COARSE_SLOTS = 8, 4  # a plan's first steps are slots, those after four slots each
EFFICIENCY = 0.95  # of one way of a car that can give
ENERGY_MICRO_PER_KWH = 100_000.0
LATER_MICRO_PER_KWH = 1_000.0  # a step later costs so much more: earlier is better
CALL_MICRO_PER_KWH = 1_000_000.0  # while the grid calls: dearer than any step to shift to
SECONDS_PER_MINUTE = 60
SHORT_WH = 10.0  # less is rounding
OVER_TOLERATED = 1e-6  # of an element's room: rounding of the programme


@dataclass(frozen=True)
class Car:
    """A car that is plugged in.

    Parameters
    ----------
    name : str
        Of its charger.
    needs_wh : float
        What it still has to have, at the charger's meter; of a car that gives, what it may give
        back again is negative. [Wh]
    leaves_s : float
        From now until it leaves. [s]
    most_w, least_w : float
        The most it may take, and the least that flows if anything does. [W]
    gives_w : float
        The most it gives; 0 for a car that only charges. [W]
    stored_wh, reserve_wh, capacity_wh : float
        Of a car that gives: in its battery, never below, and at most. [Wh]
    fixed_w : float or None
        Of a charger that follows no order now: what it is taken to draw until it leaves, negative
        while it gives. [W]
    """

    name: str
    needs_wh: float
    leaves_s: float
    most_w: float
    least_w: float = 0.0
    gives_w: float = 0.0
    stored_wh: float = 0.0
    reserve_wh: float = 0.0
    capacity_wh: float = 0.0
    fixed_w: float | None = None


@dataclass(frozen=True)
class FeederRoom:
    """What a feeder leaves to cars.

    Parameters
    ----------
    elements : sequence of str
        Lines, transformers and buses that could be the limit.
    per_w : array of float64, shape (elements, cars)
        What a watt taken by each car adds. [unit/W]
    most : array of float64, shape (elements, steps)
        What all cars may add in each step; nothing where it is negative. [unit]
    """

    elements: Sequence[str]
    per_w: FloatArray
    most: FloatArray


@dataclass(frozen=True)
class Decision:
    """What one car may do until the next plan.

    Parameters
    ----------
    p_w : int
        Positive into the grid: what it may take is negative. [W]
    why : str
        The reason.
    short_wh : int
        What it will miss when it leaves. [Wh]
    """

    p_w: int
    why: str
    short_wh: int = 0


def steps_until(last_s: float, slot_s: float, *, from_s: float = 0.0) -> FloatArray:
    """Return the lengths of a plan's steps, until a last moment is covered. [s]

    The first ends where the present slot does, of which `from_s` has passed.

    >>> steps_until(10_000, 900, from_s=300).tolist()
    [600.0, 900.0, 900.0, 900.0, 900.0, 900.0, 900.0, 900.0, 3600.0]
    """
    first_s = slot_s - from_s
    fine = min(FINE_STEPS - 1, max(0, int(np.ceil((last_s - first_s) / slot_s))))
    coarse_s = COARSE_SLOTS * slot_s
    coarse = int(np.ceil(max(0.0, last_s - first_s - fine * slot_s) / coarse_s))
    return np.array([first_s] + [slot_s] * fine + [coarse_s] * coarse)


def coordinate(
    cars: Sequence[Car], room: FeederRoom, step_s: FloatArray, *, called_w: FloatArray
) -> Mapping[str, Decision]:
    """Decide for every car.

    Parameters
    ----------
    cars : sequence of Car
    room : FeederRoom
        Over the same cars and steps.
    step_s : array of float64, shape (steps,)
        Lengths of the steps, to the last departure (`steps_until`). [s]
    called_w : array of float64, shape (steps,)
        What the grid calls for in each step. [W]

    Returns
    -------
    mapping of name to Decision
        Of every car that follows orders.

    Raises
    ------
    MindError
        As `plan`.
    """
    fixed = np.array([car.fixed_w or 0.0 for car in cars])
    most = np.maximum(0.0, room.most - (room.per_w @ np.maximum(0.0, fixed))[:, None])
    called_w = np.maximum(0.0, called_w + np.minimum(0.0, fixed).sum())
    free = [k for k, car in enumerate(cars) if car.fixed_w is None]
    shared = Shared(room.per_w[:, free], most)
    stores = [store_of(cars[k], step_s) for k in free]
    schedule = plan(called_w, stores, _supply(called_w), step_s=step_s, shared=shared)
    taken_w = np.maximum(0.0, -schedule.power_w[:, 0])
    _raise_to_least([cars[k] for k in free], taken_w, shared)
    left = most[:, 0] - shared.per_w @ taken_w
    full = [name for name, rest in zip(room.elements, left, strict=True) if rest < 1e-3]
    full_text = " and ".join(full)
    decisions = {}
    for row, k in enumerate(free):
        car = cars[k]
        gives_w = max(0.0, float(schedule.power_w[row, 0]))
        p_w = int(gives_w) if gives_w > 0 else -int(taken_w[row] + 1e-6)
        short_wh = missed_wh(schedule, car, step_s)
        why = _why(car, p_w, schedule.power_w[row], step_s, full_text)
        decisions[car.name] = Decision(p_w, why, short_wh)
    return decisions


def store_of(car: Car, step_s: FloatArray) -> Store:
    """Return a car as the store of a plan over steps of these lengths. [s]"""
    ends = np.cumsum(step_s)
    there = np.clip((car.leaves_s - (ends - step_s)) / step_s, 0.0, 1.0)
    last = min(int(np.searchsorted(ends, car.leaves_s)), len(ends) - 1)
    gives = car.gives_w > 0
    efficiency = EFFICIENCY if gives else 1.0
    stored_wh, top_wh = (car.stored_wh, car.capacity_wh) if gives else (0.0, car.needs_wh)
    least = np.where(there > 0, min(car.reserve_wh, top_wh) if gives else 0.0, 0.0)
    through = efficiency if car.needs_wh > 0 else 1 / efficiency
    least[last] = max(least[last], stored_wh + through * car.needs_wh)
    return Store(
        car.name,
        stored_wh,
        there * car.most_w,
        there * car.gives_w,
        least,
        max(top_wh, stored_wh),
        efficiency,
    )


def _supply(called_w: FloatArray) -> Supply:
    steps = len(called_w)
    price: FloatArray = ENERGY_MICRO_PER_KWH + LATER_MICRO_PER_KWH * np.arange(steps, dtype=float)
    price[called_w > 0] += CALL_MICRO_PER_KWH - 2 * (price[called_w > 0] - ENERGY_MICRO_PER_KWH)
    return Supply(np.full((steps, 1), 1e9), price[:, None], np.zeros(steps))


def _raise_to_least(cars: Sequence[Car], taken_w: FloatArray, shared: Shared) -> None:
    """Let no car have less than its charger can offer, other than nothing.

    What a car is raised by, those that leave later give up as far as the feeder wants it.
    """
    later_first = sorted(range(len(cars)), key=lambda k: -cars[k].leaves_s)
    for row, car in enumerate(cars):
        if not 1.0 <= taken_w[row] < car.least_w:
            taken_w[row] = 0.0 if taken_w[row] < 1.0 else taken_w[row]
            continue
        raised = taken_w.copy()
        raised[row] = car.least_w
        for other in later_first:
            over = shared.per_w @ raised - shared.most[:, 0]
            if over.max(initial=0.0) <= OVER_TOLERATED:
                break
            spare_w = raised[other] - cars[other].least_w
            if other != row and spare_w > 0:
                per_w = shared.per_w[:, other]
                needed = over[per_w > 0] / per_w[per_w > 0]
                raised[other] -= min(spare_w, max(0.0, needed.max(initial=0.0)))
        fits = (shared.per_w @ raised <= shared.most[:, 0] + OVER_TOLERATED).all()
        if fits and car.least_w <= car.most_w:
            taken_w[:] = raised
        else:
            taken_w[row] = 0.0


def missed_wh(schedule: Schedule, car: Car, step_s: FloatArray) -> int:
    """Return what a car will miss by a schedule when it leaves, 0 if it is rounding. [Wh]"""
    last = min(int(np.searchsorted(np.cumsum(step_s), car.leaves_s)), len(step_s) - 1)
    missed = [s.energy_wh for s in schedule.shortfalls if s.store == car.name and s.step == last]
    return round(missed[0]) if missed and missed[0] > SHORT_WH else 0


def _why(car: Car, p_w: int, power_w: FloatArray, step_s: FloatArray, full: str) -> str:
    kwh, hours = max(0.0, car.needs_wh) / 1000, car.leaves_s / SECONDS_PER_HOUR
    needs = f"{kwh:.1f} kWh to have in {hours:.1f} h"
    if p_w > 0:
        above_wh = car.stored_wh - car.reserve_wh
        return f"the grid calls; {above_wh:.0f} Wh above the driver's reserve; {needs}"
    if car.needs_wh <= SHORT_WH and p_w < 0:
        return "stores for the grid's next call"
    if car.needs_wh <= SHORT_WH:
        return "has what it needs"
    if -p_w >= int(car.most_w):
        return f"{needs}: all it can take"
    if p_w < 0 and full:
        return f"{needs}: what {full} leaves"
    if p_w < 0:
        return f"{needs}: no more is needed"
    later = np.flatnonzero(power_w < -1.0)
    if not len(later):
        return f"{needs}: {full or 'nothing'} leaves nothing"
    wait_s = float(np.sum(step_s[: later[0]]))
    return f"{needs}: planned in {wait_s / SECONDS_PER_MINUTE:.0f} min, waits for {full or 'that'}"
