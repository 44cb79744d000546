"""What a day at home came to: what it cost, whether the car was ready, what the connection bore.

Judged by what the meters signed, verified anew, and by what the driver had said; never by a plan, a
trade or an entry. The same day without a mind is reckoned from it: what the house used and the roof
made, a battery that rests, and a car that charges from its arrival on until it has what it needs.
"""

import math
from collections.abc import Mapping, Sequence

import numpy as np

from gridrig.campaign.charging_rules import Stay
from gridrig.campaign.loop import Loop
from gridrig.minds.series import FloatArray
from gridrig.promises.car_park import Served, named_s
from gridrig.promises.computing import Registers
from gridrig.quantity import SECONDS_PER_HOUR
from gridrig.rig.description import Rig
from gridrig.rig.participants import HomeAgent

ONE_WAY = 0.9  # of a battery, at worst: what it holds is reckoned with too little
SEEN_AFTER_PERIODS = 2  # a car that comes is traded for from the next gate closure on


def taken_wh(registers: Registers, meters: Sequence[str]) -> FloatArray:
    """Return what some meters signed together in each period, taken less given. [Wh]"""
    edges = registers.edges()
    totals = [
        sum(registers.took[at_s, meter] - registers.gave[at_s, meter] for meter in meters)
        for at_s in edges
    ]
    taken: FloatArray = np.diff(np.array(totals, float)) / 1000
    return taken


def meters_of_home(rig: Rig) -> Mapping[str, str]:
    """Return the meter of each connection of the rig's homes, by what it measures."""
    homes = [p.meter for p in rig.participants if isinstance(p.agent, HomeAgent)]
    return {str(rig.device(meter).measures): meter for meter in homes}


def cost_micro(
    net_wh: FloatArray, stored_wh: float, *, retail_micro: int, feed_in_micro: int
) -> float:
    """Return what a day costs behind one connection at a posted tariff. [millionths]

    Parameters
    ----------
    net_wh : array of float64, shape (periods,)
        Taken, negative where given. [Wh]
    stored_wh : float
        What is in store at the end beyond the beginning: counted at what feeding in pays, or if
        it is missing at what it costs. [Wh]
    retail_micro, feed_in_micro : int
        [millionths/kWh]
    """
    bought_wh = float(np.maximum(net_wh, 0.0).sum()) + max(0.0, -stored_wh)
    given_wh = float(np.maximum(-net_wh, 0.0).sum()) + max(0.0, stored_wh)
    return (bought_wh * retail_micro - given_wh * feed_in_micro) / 1000


def cost_of_uncontrolled_percent(rig: Rig, loop: Loop, registers: Registers) -> float:
    """Return what the day cost, of what it would have cost without a mind. [%]

    Not a number if that had earned something: then there is no share of a cost.
    """
    market, meters = loop.scenario.market, meters_of_home(rig)
    assert market is not None, "the scenario has a market"
    tariff = {
        "retail_micro": market.retail_micro_per_kwh,
        "feed_in_micro": market.feed_in_micro_per_kwh,
    }
    stores = [device.name for device in rig.of("storage")]
    stored_wh = 0.0
    for name in stores:
        flow = taken_wh(registers, [meters[name]])
        charged_wh, given_wh = np.maximum(flow, 0.0).sum(), np.maximum(-flow, 0.0).sum()
        stored_wh += float(ONE_WAY * charged_wh - given_wh / ONE_WAY)
    cost = cost_micro(taken_wh(registers, list(meters.values())), stored_wh, **tariff)
    chargers = {stay.charger for stay in _stays(loop)}
    others = [meter for name, meter in meters.items() if name not in {*stores, *chargers}]
    at_arrival = taken_wh(registers, others) + sum(
        charged_at_arrival_wh(stay, _most_w(rig, stay), registers.edges()) for stay in _stays(loop)
    )
    without = cost_micro(at_arrival, 0.0, **tariff)
    return 100.0 * cost / without if without > 0 else math.nan


def charged_at_arrival_wh(stay: Stay, most_w: float, edges: Sequence[float]) -> FloatArray:
    """Return what a car takes in each period that charges from its arrival on. [Wh]"""
    had_wh = np.clip((np.array(edges) - stay.arrives_s) / SECONDS_PER_HOUR * most_w, 0.0, None)
    taken: FloatArray = np.diff(np.minimum(had_wh, stay.energy_wh))
    return taken


def served_by_meter(rig: Rig, loop: Loop, registers: Registers) -> list[Served]:
    """Return what each car had by its signed meter, and what it could have had once seen.

    Stays begin and end at period edges, where meters sign.
    """
    meters, found = meters_of_home(rig), []
    for stay in _stays(loop):
        meter = meters[stay.charger]
        at = [
            registers.took[edge_s, meter] - registers.gave[edge_s, meter]
            for edge_s in (stay.arrives_s, stay.departs_s)
        ]
        seen_s = stay.arrives_s + SEEN_AFTER_PERIODS * loop.scenario.period_s
        could_wh = _most_w(rig, stay) * max(0.0, stay.departs_s - seen_s) / SECONDS_PER_HOUR
        found.append(Served(stay, (at[1] - at[0]) / 1000, could_wh, named_s(loop, stay)))
    return found


def connection_w(rig: Rig, registers: Registers) -> float:
    """Return the greatest mean power that a home's meters signed together of one period. [W]"""
    edges = np.array(registers.edges())
    hours = np.diff(edges) / SECONDS_PER_HOUR
    return float((taken_wh(registers, list(meters_of_home(rig).values())) / hours).max())


def _stays(loop: Loop) -> Sequence[Stay]:
    assert loop.scenario.charging is not None, "the scenario has cars"
    return loop.scenario.charging.stays


def _most_w(rig: Rig, stay: Stay) -> float:
    return float(rig.device(stay.charger).limits.p_w_max)  # type: ignore[union-attr]
