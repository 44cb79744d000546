"""A street's shared peak: what it should be today, and what stored energy is worth meanwhile.

The grid asks a price for energy and a charge for the greatest import of each day, of the street as
a whole. From a forecast of the street, how full its batteries are together and what the day has
reached so far, all of which everybody there can read, a linear programme over the days ahead finds
the peak that today is worth and the worth of what is stored. Whoever reckons comes to the same.

As an offer it is peak-load pricing: up to the planned peak energy costs its price; beyond it, the
charge as well, because a quarter-hour there is a new peak. So a market that clears period by period
keeps to a peak that is paid by the day.

References
----------
M. Boiteux, "Peak-load pricing", The Journal of Business 33 (2), University of Chicago Press, 1960.
"""

from dataclasses import dataclass

import numpy as np

from gridrig.minds.horizon import means, steps_s
from gridrig.minds.schedule import DemandCharge, Supply, plan
from gridrig.minds.series import FloatArray
from gridrig.minds.stores import Store
from gridrig.quantity import DAY_S, SECONDS_PER_HOUR

LEFT_WORTH = 3.0  # times what storing costs: of what is left at the end of a plan
NO_LIMIT_W = 1e9


@dataclass(frozen=True)
class PeakTariff:
    """What the grid asks of a street.

    Parameters
    ----------
    energy_micro, feed_in_micro : int
        For energy taken, and paid for what is given back, which is less. [millionths/kWh]
    peak_micro : int
        For the greatest import of each day. [millionths/kW]
    """

    energy_micro: int
    feed_in_micro: int
    peak_micro: int

    def beyond_micro(self, period_s: int) -> int:
        """Return what energy beyond the day's peak costs with the charge. [s] [millionths/kWh]"""
        return self.energy_micro + self.peak_micro * SECONDS_PER_HOUR // period_s


@dataclass(frozen=True)
class Batteries:
    """Those of a street, taken as one.

    Parameters
    ----------
    stored_wh, size_wh : float
        What is in them, and fits in. [Wh]
    power_w : float
        What they take and give at most. [W]
    efficiency : float
        Of one way. [1]
    """

    stored_wh: float
    size_wh: float
    power_w: float
    efficiency: float


@dataclass(frozen=True)
class PeakPlan:
    """What a plan of the shared peak says.

    Parameters
    ----------
    peak_w : float
        The greatest import of today, of what has been and what is planned. [W]
    worth_micro_per_kwh : array of float64, shape (steps,)
        Of stored energy at the beginning of each step; periods first, then hours.
        [millionths/kWh]
    """

    peak_w: float
    worth_micro_per_kwh: FloatArray


def plan_peak(
    needed_w: FloatArray,
    batteries: Batteries,
    tariff: PeakTariff,
    *,
    period_s: int,
    begun_s: int,
    reached_w: float,
) -> PeakPlan:
    """Plan the batteries of a street against its daily peaks.

    Parameters
    ----------
    needed_w : array of float64, shape (periods,)
        What the street is expected to need without them, from now on. [W]
    batteries : Batteries
    tariff : PeakTariff
    period_s : int
        Length of a delivery period. [s]
    begun_s : int
        How much of the charged day is over. [s]
    reached_w : float
        The greatest import of the day so far, 0 if none. [W]

    Raises
    ------
    MindError
        As `plan`.
    """
    lengths = steps_s(len(needed_w), period_s)
    steps = len(lengths)
    starts_s = begun_s + np.cumsum(lengths) - lengths
    day = (starts_s // DAY_S).astype(int)
    reached = np.zeros(int(day[-1]) + 1)
    reached[0] = reached_w
    power_w = np.full(steps, batteries.power_w)
    store = Store(
        "batteries",
        batteries.stored_wh,
        power_w,
        power_w,
        np.zeros(steps),
        batteries.size_wh,
        batteries.efficiency,
    )
    supply = Supply(
        np.full((steps, 1), NO_LIMIT_W),
        np.full((steps, 1), float(tariff.energy_micro)),
        np.full(steps, float(tariff.feed_in_micro)),
        # Above what storing costs, for the days beyond the horizon have peaks as well.
        leftover_micro_per_kwh=LEFT_WORTH * tariff.energy_micro / batteries.efficiency,
    )
    found = plan(
        means(needed_w, lengths, period_s),
        [store],
        supply,
        step_s=lengths,
        demand=DemandCharge(day, reached, float(tariff.peak_micro)),
    )
    planned_w = float(found.import_w[day == 0].max(initial=0.0))
    return PeakPlan(max(reached_w, planned_w), found.value_micro_per_kwh[0])
