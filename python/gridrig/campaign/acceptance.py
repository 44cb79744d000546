"""What a measured value may be: the acceptance band of IEEE 1547.1-2020, and what lies outside it.

A characteristic says what y should be at x. What was measured at a measured x is accepted between
the least and the greatest y that the characteristic has within x +/- 1.5 of the accuracy required
of x, widened by 1.5 of the accuracy required of y. The accuracy of the device is thereby in the
band; the uncertainty of the instrument is not, and comes beside it.

References
----------
.. [1] IEEE, "IEEE Std 1547.1-2020," 2020, clause 4.2: test result accuracy. Not read; restated by
   the open scripts of Sandia (svp_1547.1) and by pyUL1741SB, which agree.
"""

import math
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Protocol

WIDENING = 1.5  # of a required accuracy
RESPONDED = 0.9  # of a step, after the response time
LN_REST = math.log(1.0 - RESPONDED)


class Expected(Protocol):
    """What y should be, over x."""

    def at(self, x: float) -> float:
        """Return y at x."""

    def extremes(self, low: float, high: float) -> tuple[float, float]:
        """Return the least and the greatest y from `low` to `high`."""


@dataclass(frozen=True)
class Characteristic:
    """Straight lines between points, level beyond the first and the last.

    Parameters
    ----------
    points : tuple of (float, float)
        x and y, rising in x; two points of one x are a jump.

    Examples
    --------
    >>> volt_var = Characteristic(((0.92, 0.44), (0.98, 0.0), (1.02, 0.0), (1.08, -0.44)))
    >>> round(volt_var.at(1.05), 3)
    -0.22
    >>> low, high = volt_var.extremes(1.035, 1.065)
    >>> round(low, 3), round(high, 3)
    (-0.33, -0.11)
    """

    points: tuple[tuple[float, float], ...]

    def at(self, x: float) -> float:
        """Return y at x; in the middle of a jump its later value."""
        first, *_, last = self.points
        if x < first[0]:
            return first[1]
        if x >= last[0]:
            return last[1]
        k = max(k for k, point in enumerate(self.points) if point[0] <= x)
        (x0, y0), (x1, y1) = self.points[k], self.points[k + 1]
        return y0 + (y1 - y0) * (x - x0) / (x1 - x0)

    def extremes(self, low: float, high: float) -> tuple[float, float]:
        """Return the least and the greatest y from `low` to `high`."""
        inside = [y for x, y in self.points if low <= x <= high]
        found = [self.at(low), self.at(high), *inside]
        return min(found), max(found)

    def capped(self, y_max: float) -> "Characteristic":
        """Return the lower of these lines and a level.

        >>> Characteristic(((1.06, 1.0), (1.10, 0.2))).capped(0.6).points
        ((1.06, 0.6), (1.08, 0.6), (1.1, 0.2))
        """
        found: list[tuple[float, float]] = []
        for k, (x, y) in enumerate(self.points):
            if k:
                x0, y0 = self.points[k - 1]
                if (y0 - y_max) * (y - y_max) < 0:
                    found.append((round(x0 + (x - x0) * (y_max - y0) / (y - y0), 9), y_max))
            found.append((x, min(y, y_max)))
        return Characteristic(tuple(found))

    def shifted(self, dx: float) -> "Characteristic":
        """Return the same lines, moved along x."""
        return Characteristic(tuple((x + dx, y) for x, y in self.points))


@dataclass(frozen=True)
class OpenLoop:
    """The response to a step, of a first order: 90 % of it after the response time.

    Parameters
    ----------
    begin, settled : float
        Before the step and long after it, both as measured.
    response_s : float
        [s]

    Examples
    --------
    >>> round(OpenLoop(0.0, -0.44, 5.0).at(5.0), 6)
    -0.396
    """

    begin: float
    settled: float
    response_s: float

    def at(self, x: float) -> float:
        """Return y at a time after the step. [s]"""
        rest = math.exp(LN_REST * max(0.0, x) / self.response_s)
        return self.settled + (self.begin - self.settled) * rest

    def extremes(self, low: float, high: float) -> tuple[float, float]:
        """Return the least and the greatest y of a span of time: it only goes one way."""
        ends = self.at(low), self.at(high)
        return min(ends), max(ends)


@dataclass(frozen=True)
class Required:
    """The accuracy required of what stands on each axis.

    Parameters
    ----------
    x, y : float
        In the axis' unit; 0 for an x that is known exactly.
    """

    x: float
    y: float


@dataclass(frozen=True)
class Band:
    """What is accepted."""

    low: float
    high: float

    def outside(self, y: float) -> float:
        """Return how far y is outside; inside it is the negative distance to the nearer edge.

        >>> Band(-0.3, -0.1).outside(-0.15), round(Band(-0.3, -0.1).outside(0.0), 3)
        (-0.04999999999999999, 0.1)
        """
        return max(self.low - y, y - self.high)


def acceptance_band(expected: Expected, x: float, required: Required) -> Band:
    """Return what is accepted of y measured at x.

    Parameters
    ----------
    expected : Expected
        What y should be.
    x : float
        As measured.
    required : Required
        Accuracies of x and y.

    Examples
    --------
    Volt-var of category B at 1.05 pu, voltage to 1 % and reactive power to 5 %: the curve falls by
    0.44 in 0.06 pu, so 0.015 pu of voltage are 0.11, and 0.075 come on top.

    >>> curve = Characteristic(((0.92, 0.44), (0.98, 0.0), (1.02, 0.0), (1.08, -0.44)))
    >>> band = acceptance_band(curve, 1.05, Required(0.01, 0.05))
    >>> round(band.low, 3), round(band.high, 3)
    (-0.405, -0.035)
    """
    reach = WIDENING * required.x
    low, high = expected.extremes(x - reach, x + reach)
    return Band(low - WIDENING * required.y, high + WIDENING * required.y)


@dataclass(frozen=True)
class Judged:
    """One measured point beside what is accepted.

    Parameters
    ----------
    name : str
        Of the step.
    x, y : float
        As measured.
    band : Band
        What is accepted.
    uncertainty : float
        Of `outside`: the instrument's of y, and what that of x makes of the band.
    """

    name: str
    x: float
    y: float
    band: Band
    uncertainty: float

    @property
    def outside(self) -> float:
        """How far y is outside the band, negative inside."""
        return self.band.outside(self.y)

    @property
    def failed(self) -> bool:
        """Whether it is outside whatever the instrument's errors were."""
        return self.outside - self.uncertainty > 0.0


def judge_point(
    name: str,
    expected: Expected,
    measured: tuple[float, float],
    required: Required,
    uncertainty: tuple[float, float],
) -> Judged:
    """Judge a measured point.

    Parameters
    ----------
    name : str
        Of the step.
    expected : Expected
        What y should be.
    measured, uncertainty : (float, float)
        x and y, and the instrument's expanded uncertainty of each (k = 2).
    required : Required
        Accuracies of x and y.
    """
    (x, y), (u_x, u_y) = measured, uncertainty
    band = acceptance_band(expected, x, required)
    moved = (acceptance_band(expected, x + du, required).outside(y) for du in (-u_x, u_x))
    shift = max(abs(outside - band.outside(y)) for outside in moved)
    return Judged(name, x, y, band, math.hypot(u_y, shift))


def worst(judged: Iterable[Judged]) -> Judged | None:
    """Return the point that decides: one that has failed, else the nearest to failing."""
    return max(judged, key=lambda j: (j.failed, j.outside + j.uncertainty), default=None)
