"""What is expected behind one meter, and how much of it to order."""

from dataclasses import dataclass

import numpy as np

from gridrig.market.agents import View
from gridrig.minds.forecasting import QUANTILES, Forecast
from gridrig.minds.series import FloatArray, Series


@dataclass(frozen=True)
class Expected:
    """What is behind one meter in the periods from the one that is traded on. [W]"""

    mean_w: FloatArray
    quantiles_w: FloatArray  # of the period that is traded


def as_yesterday(seen: Series) -> Forecast:
    """Return a day as the last one was, or nothing, where there is too little to train on."""
    day, found = seen.steps_a_day, np.zeros(seen.steps_a_day)
    last = seen.values[-day:]
    found[: len(last)] = np.nan_to_num(last)
    flags = [f"{len(seen.values) / day:.1f} days of history, too few to train on: as yesterday"]
    if len(last) < day or not np.isfinite(last).all():
        flags.append("yesterday is not known whole: nothing expected where it is not")
    return Forecast(found, np.repeat(found[:, None], len(QUANTILES), axis=1), tuple(flags))


def between(part: float, whole: float) -> float:
    """Return a share as far as it lies between the outer quantiles: none beyond is forecast."""
    return min(max(part / whole, QUANTILES[0]), QUANTILES[-1]) if whole > 0 else 0.5


def energy_wh(expected: Expected, share: float, view: View) -> float:
    """Return a quantile of the period's energy. [Wh]"""
    return float(np.interp(share, QUANTILES, expected.quantiles_w)) * view.period.hours


def said(expected: Expected, view: View) -> str:
    """Return what is expected of a period, as part of a reason."""
    low, middle, high = expected.quantiles_w * view.period.hours
    return f"{middle:.0f} Wh ({low:.0f} to {high:.0f} in 8 of 10 cases) will be"
