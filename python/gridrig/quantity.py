"""Words shared by every room: delivery periods, and how a float becomes an integer of energy."""

import math
from dataclasses import dataclass

MILLIWH_PER_WH = 1_000
SECONDS_PER_HOUR = 3_600
DAY_S = 86_400


@dataclass(frozen=True)
class DeliveryPeriod:
    """The slot that energy is traded for: start <= t < end.

    Parameters
    ----------
    index : int
        Number of the period, from 0 at the start of the run.
    start_s : int
        Start since the run began. [s]
    duration_s : int
        Length. [s]
    """

    index: int
    start_s: int
    duration_s: int

    @property
    def end_s(self) -> int:
        """End since the run began. [s]"""
        return self.start_s + self.duration_s

    @property
    def hours(self) -> float:
        """Length. [h]"""
        return self.duration_s / SECONDS_PER_HOUR


def delivery_periods(duration_s: int, period_s: int) -> list[DeliveryPeriod]:
    """Return the whole delivery periods that fit into a run, in order."""
    return [DeliveryPeriod(k, k * period_s, period_s) for k in range(duration_s // period_s)]


def whole_lots(energy_wh: float, lot_milliwh: int) -> int:
    """Return the energy of an order: the nearest whole number of lots, ties to even. [mWh]

    This and the meter are the only places where a float becomes an integer of energy.
    """
    if not math.isfinite(energy_wh) or energy_wh <= 0:
        return 0
    return round(energy_wh * MILLIWH_PER_WH / lot_milliwh) * lot_milliwh
