"""Voltages of points where phases differ: what a device sees, and the worst of its phases."""

from collections.abc import Sequence
from math import sqrt

import numpy as np

from gridrig.grid.engine import ComplexArray, FloatArray
from gridrig.grid.points import Point

_A = np.exp(2j * np.pi / 3)
TURN = np.array([1.0, _A, _A**2])
"""Turns phases 1, 2 and 3 of a balanced voltage onto phase 1."""


class PhaseVoltages:
    """Works out the voltages of points from those of the phases at their buses.

    Of three phases it is the positive sequence, which a neutral that wanders does not move. Of
    fewer it is the mean of them, each turned onto phase 1. Between phases it is over the nominal
    line-to-line voltage. The lowest and highest phase of a bus that is not earthed (delta) are
    those of its line-to-line voltages: what stands against earth there means nothing.
    """

    def __init__(self, points: Sequence[Point]) -> None:
        count = len(points)
        self._mean = np.zeros((3, count), dtype=complex)
        # Up to three voltages of each point, between a phase and another or earth, which is the
        # place after the last phase.
        earth = 3 * count
        self._one = np.zeros((3, count), dtype=np.int64)
        self._other = np.full((3, count), earth, dtype=np.int64)
        self._over = np.ones(count)
        for index, point in enumerate(points):
            phases = [phase - 1 for phase in point.phases]
            pairs: list[tuple[int, int]] = [(phase, -1) for phase in phases]
            if point.between:
                pairs = [(0, 1), (1, 2), (2, 0)] if len(phases) == 3 else [(phases[0], phases[1])]
                self._over[index] = sqrt(3.0)
            for slot in range(3):
                one, other = pairs[slot % len(pairs)]
                self._one[slot, index] = one * count + index
                self._other[slot, index] = earth if other < 0 else other * count + index
            if point.between and len(phases) == 2:
                self._mean[phases, index] = np.array([1.0, -1.0]) / sqrt(3.0)
            else:
                self._mean[phases, index] = TURN[phases] / len(phases)

    def of(self, volts: ComplexArray) -> tuple[ComplexArray, FloatArray, FloatArray]:
        """Return the voltage of each point and its lowest and highest phase.

        Parameters
        ----------
        volts : array of complex128, shape (3, points)
            Line-to-neutral voltages of the phases at each point's bus. [pu]

        Returns
        -------
        tuple of arrays, shape (points,)
            [pu]
        """
        turned = self._mean * volts
        v_pu: ComplexArray = turned[0] + turned[1] + turned[2]
        flat = np.append(volts.ravel(), 0.0)
        seen = np.abs(flat[self._one] - flat[self._other]) / self._over
        low: FloatArray = np.minimum(np.minimum(seen[0], seen[1]), seen[2])
        high: FloatArray = np.maximum(np.maximum(seen[0], seen[1]), seen[2])
        return v_pu, low, high
