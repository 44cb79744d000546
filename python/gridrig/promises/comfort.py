"""What moving load did to rooms: comfort, what was moved and came back, where the heat went.

Two runs of the same weather differ by an order alone. What the pumps did not deliver is missing in
the rooms or was not lost to the outside; this balance of two runs shares no code with the rooms'
own step, which is exact over a step and knows no sums.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from gridrig.circuit.heated_homes import HeatedHomes
from gridrig.minds.series import FloatArray


@dataclass(frozen=True)
class Moved:
    """What an event moved.

    Parameters
    ----------
    held_back_wh, came_back_wh : float
        Electricity not taken during the event, and taken beyond the other run after it. [Wh]
    peak_back_w : float
        The most that was taken beyond the other run after it. [W]
    of_load_percent : float
        What was held back, of what the other run took. [%]
    unbalanced_percent : float
        Heat that is missing neither in the rooms nor in the losses, of that held back. [%]
    """

    held_back_wh: float
    came_back_wh: float
    peak_back_w: float
    of_load_percent: float
    unbalanced_percent: float


def comfort_excess_k(
    columns: Mapping[str, list[float]], fleets: Mapping[str, HeatedHomes]
) -> float:
    """Return by how much any room ever was beside its comfort band, negative if within. [K]"""
    worst = -math.inf
    for name, homes in fleets.items():
        coldest, warmest = (columns[f"fleet.{name}.{end}_c"] for end in ("coldest", "warmest"))
        worst = max(worst, homes.low_c - min(coldest), max(warmest) - homes.high_c)
    return worst


def moved(
    reference: Mapping[str, list[float]],
    columns: Mapping[str, list[float]],
    fleets: Mapping[str, HeatedHomes],
    *,
    from_s: float,
    to_s: float,
) -> Moved:
    """Compare a run with one without the event that lasted from `from_s` to `to_s`. [s]"""
    t_s, dt_s = np.array(columns["t_s"]), np.array(columns["dt_s"])
    inside, after = (t_s >= from_s) & (t_s < to_s), t_s >= to_s

    def beyond(column: str) -> FloatArray:
        """Return by how much the run is above the other one, over all fleets."""
        parts = [
            np.array(columns[f"fleet.{f}.{column}"]) - np.array(reference[f"fleet.{f}.{column}"])
            for f in fleets
        ]
        total: FloatArray = np.sum(parts, axis=0)
        return total

    hours = dt_s / 3600
    saved_w = beyond("p_w")  # into the grid, so what is not taken is positive
    taken_w = -np.sum([reference[f"fleet.{f}.p_w"] for f in fleets], axis=0)
    held_back_wh = float(np.sum((saved_w * hours)[inside]))
    (cop,) = {homes.cop for homes in fleets.values()}
    missing_wh = cop * float(np.sum((saved_w * hours)[:-1]))
    stored_wh, lost_w = beyond("stored_wh"), beyond("lost_w")
    not_lost_wh = -float(np.sum((lost_w[1:] + lost_w[:-1]) / 2 * hours[:-1]))
    unbalanced_wh = missing_wh - not_lost_wh + float(stored_wh[-1])
    return Moved(
        held_back_wh,
        float(np.sum((-saved_w * hours)[after])),
        float((-saved_w[after]).max()),
        100 * held_back_wh / float(np.sum((taken_w * hours)[inside])),
        100 * abs(unbalanced_wh) / (cop * held_back_wh) if held_back_wh else float("inf"),
    )
