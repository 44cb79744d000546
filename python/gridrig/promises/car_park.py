"""What a run with cars came to: who got what, whether more was possible, who was told.

Judged by the terminals' power in the trace, as an instrument measured it, by stays and by events;
never by what chargers tell or what the coordinator planned. What all cars together could have had
is a maximum flow from cars over ticks to what the transformer left.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_matrix
from scipy.sparse.csgraph import maximum_flow

from gridrig.campaign.charging_rules import ChargingRules, Stay
from gridrig.campaign.loop import Loop

SHORT_SHARE, SHORT_WH = 0.01, 50.0  # a car that misses no more is ready
NOTICE_S = 3_600.0  # so long before it leaves its driver has to know
REACTION_TICKS = 2  # a car is seen in one tick, and what it is told acts in the next

BoolArray = NDArray[np.bool_]
Columns = Mapping[str, Sequence[float]]


@dataclass(frozen=True)
class Served:
    """A stay and what came of it. [Wh]"""

    stay: Stay
    had_wh: float
    could_wh: float  # alone on the feeder
    named_s: float  # when it was first said to be infeasible; infinite if never

    @property
    def is_short(self) -> bool:
        """Whether the car left without what it needed."""
        return self.had_wh < self.stay.energy_wh * (1 - SHORT_SHARE) - SHORT_WH

    @property
    def is_told(self) -> bool:
        """Whether its driver was told in time."""
        return self.named_s <= self.stay.departs_s - NOTICE_S


def served(loop: Loop, columns: Columns) -> list[Served]:
    """Return what each car had, and what it could have had alone."""
    found = []
    for stay in _rules(loop).stays:
        taken_w = -np.array(columns[f"device.{stay.charger}.p_w"])
        there, acts = _ticks_of(stay, columns)
        hours = np.array(columns["dt_s"]) / 3600
        could_wh = _most_w(loop, stay.charger) * float(hours[acts].sum())
        had_wh = float((taken_w * hours)[there].sum())
        found.append(Served(stay, had_wh, could_wh, named_s(loop, stay)))
    return found


def named_s(loop: Loop, stay: Stay) -> float:
    """Return when a car was first said to be infeasible, infinite if it never was. [s]"""
    return min(
        (
            event.t_s
            for event in loop.events.ordered()
            if event.kind == "car_infeasible"
            and event.device == stay.charger
            and stay.arrives_s <= event.t_s < stay.departs_s
        ),
        default=math.inf,
    )


def short_untold(found: Sequence[Served]) -> int:
    """Count the cars that left short and whose drivers were not told in time."""
    return sum(one.is_short and not one.is_told for one in found)


def named_although_possible(found: Sequence[Served]) -> int:
    """Count the cars that were said to be infeasible although they could have had their energy."""
    return sum(math.isfinite(one.named_s) and one.could_wh >= one.stay.energy_wh for one in found)


def percent_of_deliverable(
    loop: Loop, columns: Columns, found: Sequence[Served], rating_va: float
) -> float | None:
    """Return what cars had of their needs, of what they could have had at most. [%]

    A maximum flow in whole watt-hours: a car takes at most what it needs, in a tick at most its
    power, all cars in a tick at most what the rating less the margin leaves beside the other loads.
    """
    rules = _rules(loop)
    hours = np.array(columns["dt_s"]) / 3600
    cars_w = sum(-np.array(columns[f"device.{name}.p_w"]) for name in _chargers(loop))
    others_w = np.array(columns["feeder.head_p_w"]) - cars_w
    loading = rules.limits.transformer_loading_percent_max - rules.margin_percent
    left_wh = np.maximum(0.0, rating_va * loading / 100 - others_w) * hours
    cars, ticks = len(found), len(hours)
    sink = 1 + cars + ticks
    edges: list[tuple[int, int, int]] = []
    for k, one in enumerate(found):
        edges.append((0, 1 + k, one.stay.energy_wh))
        most_wh = _most_w(loop, one.stay.charger) * hours
        acts = np.flatnonzero(_ticks_of(one.stay, columns)[1])
        edges += [(1 + k, 1 + cars + int(tick), int(most_wh[tick])) for tick in acts]
    edges += [(1 + cars + tick, sink, int(left_wh[tick])) for tick in range(ticks)]
    start, end, most = (np.array(column, np.int32) for column in zip(*edges, strict=True))
    flow = maximum_flow(csr_matrix((most, (start, end)), (sink + 1, sink + 1)), 0, sink)
    had_wh = sum(min(one.had_wh, one.stay.energy_wh) for one in found)
    return 100.0 * had_wh / flow.flow_value if flow.flow_value else None


def over_allowed_w(loop: Loop, columns: Columns) -> float:
    """Return the most that a charger took beyond what it had been allowed. [W]"""
    t_s = columns["t_s"]
    worst_w = -math.inf
    for name in _chargers(loop):
        decided = [
            (event.t_s, -float(event.data["p_w"]))
            for event in loop.events.ordered()
            if event.kind == "charging_decided" and event.device == name
        ]
        for at_s, p_w in zip(t_s, columns[f"device.{name}.p_w"], strict=True):
            before = [allowed for when, allowed in decided if when < at_s]
            if before:
                worst_w = max(worst_w, -p_w - max(0.0, before[-1]))
    return worst_w


def least_car_w(loop: Loop, columns: Columns, from_s: float) -> float:
    """Return the least that any car which is there takes from a time on. [W]"""
    later = np.array(columns["t_s"]) >= from_s
    least_w = math.inf
    for stay in _rules(loop).stays:
        seen = later & _ticks_of(stay, columns)[0]
        taken_w = -np.array(columns[f"device.{stay.charger}.p_w"])[seen]
        least_w = min(least_w, float(taken_w.min(initial=math.inf)))
    return least_w


def told_unlike_taken_percent(loop: Loop, columns: Columns) -> float:
    """Return by how much what a charger told of a tick is off what was measured, at worst. [%]

    A charger tells at a tick's beginning what flowed in the one before.
    """
    worst = 0.0
    hours = np.array(columns["dt_s"])[:-1] / 3600
    for name in _chargers(loop):
        taken_wh = np.array(columns[f"device.{name}.p_w"])[:-1] * hours
        told_wh = np.array(columns[f"device.{name}.telemetry_p_w"])[1:] * hours
        size_wh = float(np.abs(taken_wh).sum())
        if size_wh > 0:
            worst = max(worst, 100 * float(np.nansum(np.abs(told_wh - taken_wh))) / size_wh)
    return worst


def _rules(loop: Loop) -> ChargingRules:
    assert loop.scenario.charging is not None, "the scenario has cars"
    return loop.scenario.charging


def _chargers(loop: Loop) -> list[str]:
    return list(dict.fromkeys(stay.charger for stay in _rules(loop).stays))


def _most_w(loop: Loop, charger: str) -> float:
    return float(loop.physics.street.rig.device(charger).limits.p_w_max)  # type: ignore[union-attr]


def _ticks_of(stay: Stay, columns: Columns) -> tuple[BoolArray, BoolArray]:
    """Return in which ticks a car is there, and in which something can have been done for it."""
    t_s = np.array(columns["t_s"])
    there = (t_s >= stay.arrives_s) & (t_s < stay.departs_s)
    acts = there.copy()
    acts[np.flatnonzero(there)[:REACTION_TICKS]] = False
    return there, acts
