"""What rooms and their weather share: the closed form of a step, the outdoors, people's heat.

A room is one heat capacity C behind one conductance G to the outside. With the power of its heating
held over a step its temperature moves exactly as

    T(t + dt) = T_inf + (T(t) - T_inf) exp(-dt G / C),   T_inf = T_out + (cop P + gains) / G

References
----------
.. [1] P. Bacher and H. Madsen, "Identifying suitable models for the heat dynamics of buildings,"
   Energy and Buildings, vol. 43, no. 7, 2011: the model "Ti" is this one.
"""

import math
from dataclasses import dataclass
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from gridrig.quantity import DAY_S

FloatArray = NDArray[np.float64]
Number = TypeVar("Number", float, FloatArray)
GAINS_S = 3600  # how long the heat of people and cooking stays the same
WARMEST_S = 15 * 3600  # of the day


def after_step(
    room_c: Number, ends_c: Number, dt_s: float, g_w_per_k: Number, c_wh_per_k: Number
) -> Number:
    """Return the temperature after a step towards where it would end. [deg C, s, W/K, Wh/K]

    >>> round(float(after_step(20.0, 10.0, 3600.0, 100.0, 1000.0)), 6)
    19.048374
    """
    fades = np.exp(-dt_s / 3600 * g_w_per_k / c_wh_per_k)
    return ends_c + (room_c - ends_c) * fades  # type: ignore[no-any-return]


@dataclass(frozen=True)
class Outdoors:
    """The outdoor temperature: a day's swing about a mean, and each day its own weather.

    Parameters
    ----------
    seed : int
        What the days are drawn from.
    mean_c, swing_k, spread_k : float
        Mean, half the difference of day and night, standard deviation of a day. [deg C, K, K]
    """

    seed: int
    mean_c: float
    swing_k: float
    spread_k: float

    def at(self, utc_s: float) -> float:
        """Return it at a moment. [s since 1970, deg C]"""
        days = utc_s / DAY_S - 0.5  # each day's own weather is that of its noon
        day, part = math.floor(days), days - math.floor(days)
        apart = [np.random.default_rng([self.seed, 1, day + k]).normal() for k in (0, 1)]
        daily = math.cos(2 * math.pi * (utc_s - WARMEST_S) / DAY_S)
        drawn_k = self.spread_k * (apart[0] * (1 - part) + apart[1] * part)
        return float(self.mean_c + self.swing_k * daily + drawn_k)


def gains_w(seed: int, utc_s: float, most_w: float, count: int) -> FloatArray:
    """Return the heat of people and cooking in each of so many rooms, drawn every hour. [W]"""
    hour = int(utc_s // GAINS_S)
    return np.random.default_rng([seed, 2, hour]).uniform(0.0, most_w, count)
