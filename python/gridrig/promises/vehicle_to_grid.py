"""What a run in which cars gave power came to: reserves, the grid's call, and the grid's loss.

Judged by the terminals' power in the trace and by the state of charge that cars tell; the two are
held against each other, for a car that tells too much gives more than it had to spare.
"""

import math

import numpy as np

from gridrig.campaign.charging_rules import Call, Stay
from gridrig.campaign.loop import Loop
from gridrig.grid.engine import FloatArray
from gridrig.promises.car_park import Columns

MET_SHARE = 0.95  # a call is met by so much of it
EXPORTS_W, EXPORTED_W = 10.0, 1_000.0  # what counts as giving; what must have been given before


def givers(loop: Loop) -> list[Stay]:
    """Return the stays of cars that may give."""
    assert loop.scenario.charging is not None, "the scenario has cars"
    return [stay for stay in loop.scenario.charging.stays if stay.gives_w]


def reserve_kept_percent(loop: Loop, columns: Columns) -> float | None:
    """Return how far above its driver's reserve the lowest car was, by what it told. [%]"""
    t_s = np.array(columns["t_s"])
    lowest = math.inf
    for stay in givers(loop):
        there = (t_s > stay.arrives_s) & (t_s < stay.departs_s)
        told = np.array(columns[f"vehicle.{stay.charger}.soc"])[there]
        lowest = min(lowest, 100 * (float(np.nanmin(told)) - stay.reserve_soc))
    return lowest if math.isfinite(lowest) else None


def given_of_spare_percent(loop: Loop, columns: Columns) -> float | None:
    """Return the most that a car had given net, of what was above its reserve as it came. [%]"""
    worst = None
    for stay in givers(loop):
        assert stay.soc is not None
        assert stay.capacity_wh is not None
        spare_wh = (stay.soc - stay.reserve_soc) * stay.capacity_wh
        given_wh = _given_w(stay, columns, both=True) * np.array(columns["dt_s"]) / 3600
        most = 100 * float(np.cumsum(given_wh).max()) / spare_wh
        worst = most if worst is None else max(worst, most)
    return worst


def call_met_after_slots(loop: Loop, columns: Columns, call: Call) -> float:
    """Return after how many slots of a call it was met for good. [1]"""
    assert loop.scenario.charging is not None
    t_s, dt_s = np.array(columns["t_s"]), np.array(columns["dt_s"])
    given_w = np.sum([_given_w(stay, columns) for stay in givers(loop)], axis=0)
    inside = (t_s >= call.from_s) & (t_s < call.to_s)
    missed = np.flatnonzero(inside & (given_w < MET_SHARE * call.p_w))
    if not len(missed):
        return 0.0
    met_s = float(t_s[missed[-1]] + dt_s[missed[-1]])
    return (met_s - call.from_s) / loop.scenario.charging.slot_s


def refused(loop: Loop) -> int:
    """Count the orders that chargers refused."""
    return sum(
        event.kind == "write_failed" and event.data["failure"] == "refused"
        for event in loop.events.ordered()
    )


def export_after_loss_s(loop: Loop, columns: Columns) -> float | None:
    """Return how long cars still gave power after the grid was lost; None if none gave before. [s]

    To the end of the last tick with any, so that a tick is the uncertainty.
    """
    opened_s = loop.islands.records[0].opened_s if loop.islands.records else math.inf
    t_s, dt_s = np.array(columns["t_s"]), np.array(columns["dt_s"])
    given_w = np.sum([_given_w(stay, columns) for stay in givers(loop)], axis=0)
    before = given_w[t_s < opened_s]
    if not math.isfinite(opened_s) or before[-1] < EXPORTED_W:
        return None
    giving = np.flatnonzero((t_s >= opened_s) & (given_w > EXPORTS_W))
    return float(t_s[giving[-1]] + dt_s[giving[-1]] - opened_s) if len(giving) else 0.0


def _given_w(stay: Stay, columns: Columns, *, both: bool = False) -> FloatArray:
    p_w: FloatArray = np.array(columns[f"device.{stay.charger}.p_w"], dtype=float)
    return p_w if both else np.maximum(0.0, p_w)
