"""The aggregator: many devices made to follow one order, like a power plant.

An order is power beside what the fleet would have taken without it, positive into the grid: less
load is more of it. What the fleet would have taken is a straight line in the outdoor temperature
for each device, fitted to the days before; the order is spread over the devices that answer, each
by how much it can give, so that those at the edge of their comfort give nothing. Who does not
answer is reckoned to give nothing.

References
----------
.. [1] D. Callaway and I. Hiskens, "Achieving controllability of electric loads," Proceedings of the
   IEEE, vol. 99, no. 1, 2011.
.. [2] ASHRAE, "Guideline 14-2014, Measurement of Energy, Demand, and Water Savings," the
   change-point models of which this is the one without change points.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from gridrig.minds.series import FloatArray


@dataclass(frozen=True)
class Order:
    """One order.

    Parameters
    ----------
    from_s, to_s : float
        When it holds, since the run began. [s]
    p_w : float
        Power beside what there would have been, + is into the grid. [W]
    ramp_s : float
        How long it takes from the order before to this one. [s]
    order_id : str
        By which it can be changed or taken back; empty if it has none.
    """

    from_s: float
    to_s: float
    p_w: float
    ramp_s: float = 0.0
    order_id: str = ""


def ordered_w(orders: Sequence[Order], t_s: float) -> float:
    """Return what is ordered at a time; a later order takes the place of an earlier one. [W]

    >>> orders = [Order(0, 100, 50e3), Order(60, 200, 100e3, ramp_s=20)]
    >>> [ordered_w(orders, t) for t in (0, 59, 70, 80, 200)]
    [50000.0, 50000.0, 75000.0, 100000.0, 0.0]
    """
    now_w = 0.0
    for place, order in enumerate(orders):
        if order.from_s <= t_s < order.to_s:
            before_w = ordered_w(orders[:place], order.from_s)
            share = min((t_s - order.from_s) / order.ramp_s, 1.0) if order.ramp_s else 1.0
            now_w = before_w + share * (order.p_w - before_w)
    return now_w


class Baseline:
    """What each device takes without an order, by the outdoor temperature.

    Parameters
    ----------
    p_w : array of float64, shape (n_times, n_devices)
        What each took in the days before. [W]
    outdoor_c : array of float64, shape (n_times,)
        How warm it was. [deg C]
    """

    def __init__(self, p_w: FloatArray, outdoor_c: FloatArray) -> None:
        of_temperature = np.column_stack([np.ones_like(outdoor_c), outdoor_c])
        self._line, *_ = np.linalg.lstsq(of_temperature, p_w, rcond=None)

    def at(self, outdoor_c: float) -> FloatArray:
        """Return what each device would take. [W]"""
        expected: FloatArray = np.maximum(self._line[0] + self._line[1] * outdoor_c, 0.0)
        return expected


@dataclass(frozen=True)
class Dispatch:
    """What devices are told.

    Parameters
    ----------
    p_w : array of float64
        What each is to take; NaN leaves it alone. [W]
    given_w : float
        What that gives of the order, by the baseline. [W]
    missing_w : float
        What the devices cannot give; negative if they give too much. [W]
    """

    p_w: FloatArray
    given_w: float
    missing_w: float


def dispatch(order_w: float, base_w: FloatArray, low_w: FloatArray, high_w: FloatArray) -> Dispatch:
    """Spread an order over devices by what each can give.

    Parameters
    ----------
    order_w : float
        Power beside the baseline, + is into the grid. [W]
    base_w : array of float64
        What each would take. [W]
    low_w, high_w : array of float64
        Between which each can take; NaN for who does not answer. [W]

    Examples
    --------
    Who is nearly cold gives less, who does not answer is left alone:

    >>> dispatch(600.0, np.full(3, 500.0), np.array([0.0, 250.0, np.nan]), np.full(3, 1000.0))
    Dispatch(p_w=array([100., 300.,  nan]), given_w=600.0, missing_w=0.0)
    """
    nearest_w = np.clip(base_w, low_w, high_w)  # a cold one takes more whatever is ordered
    starts_w = float(np.nansum(base_w - nearest_w))
    room_w = nearest_w - low_w if order_w > starts_w else nearest_w - high_w
    whole_w = float(np.nansum(room_w))
    share = min((order_w - starts_w) / whole_w, 1.0) if whole_w else 0.0
    p_w = nearest_w - share * room_w
    given_w = float(np.nansum(base_w - p_w))
    return Dispatch(p_w, given_w, order_w - given_w)
