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
        self._mean = np.zeros((count, 3), dtype=complex)
        # Up to three voltages of each point: phases against earth, or between two phases.
        self._seen = np.zeros((count, 3, 3), dtype=complex)
        for index, point in enumerate(points):
            phases = [phase - 1 for phase in point.phases]
            if point.between:
                pairs = [(0, 1), (1, 2), (2, 0)] if len(phases) == 3 else [(phases[0], phases[1])]
                rows = [_between(one, other) for one, other in pairs]
            else:
                rows = [np.eye(3)[phase] for phase in phases]
            for slot in range(3):
                self._seen[index, slot] = rows[slot % len(rows)]
            if point.between and len(phases) == 2:
                self._mean[index] = rows[0]
            else:
                self._mean[index, phases] = TURN[phases] / len(phases)

    def of(self, volts: ComplexArray) -> tuple[ComplexArray, FloatArray, FloatArray]:
        """Return the voltage of each point and its lowest and highest phase.

        Parameters
        ----------
        volts : array of complex128, shape (points, 3)
            Line-to-neutral voltages of the phases at each point's bus. [pu]

        Returns
        -------
        tuple of arrays, shape (points,)
            [pu]
        """
        v_pu: ComplexArray = (self._mean * volts).sum(axis=1)
        seen = np.abs(np.einsum("psk,pk->ps", self._seen, volts))
        return v_pu, seen.min(axis=1), seen.max(axis=1)


def _between(one: int, other: int) -> ComplexArray:
    row: ComplexArray = (np.eye(3)[one] - np.eye(3)[other]).astype(complex) / sqrt(3.0)
    return row
