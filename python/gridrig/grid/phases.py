"""Voltages of points where phases differ: what a device sees, and the worst of its phases."""

from collections.abc import Sequence
from math import sqrt

import numpy as np

from gridrig.grid.engine import ComplexArray, FloatArray, IntArray
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

    Parameters
    ----------
    points : sequence of Point
    node : array of int64, shape (3, points)
        Where an engine keeps the voltage of each phase at each point's bus. The last of its
        voltages, at -1, is earth's: that of a phase which is not there.
    nominal : array of float64
        Nominal line-to-neutral voltage of each of them, in their unit.
    """

    def __init__(self, points: Sequence[Point], node: IntArray, nominal: FloatArray) -> None:
        count = len(points)
        self._node = node
        mean: ComplexArray = np.zeros((3, count), dtype=complex)
        # What has a size: the voltage of a phase against earth or another phase, each once.
        sights: dict[tuple[int, int, float], int] = {}
        self._sight = np.zeros((3, count), dtype=np.int64)
        for index, point in enumerate(points):
            phases = [phase - 1 for phase in point.phases]
            pairs: list[tuple[int, int]] = [(phase, -1) for phase in phases]
            over = 1.0
            if point.between:
                pairs = [(0, 1), (1, 2), (2, 0)] if len(phases) == 3 else [(phases[0], phases[1])]
                over = sqrt(3.0)
            for slot in range(3):
                first, second = pairs[slot % len(pairs)]
                against = -1 if second < 0 else int(node[second, index])
                sight = int(node[first, index]), against, over
                self._sight[slot, index] = sights.setdefault(sight, len(sights))
            if point.between and len(phases) == 2:
                mean[phases, index] = np.array([1.0, -1.0]) / sqrt(3.0)
            else:
                mean[phases, index] = TURN[phases] / len(phases)
        self._mean = mean / nominal[node]
        self._one = np.array([sight[0] for sight in sights], dtype=np.int64)
        self._other = np.array([sight[1] for sight in sights], dtype=np.int64)
        self._over = np.array([sight[2] for sight in sights]) * nominal[self._one]
        self._earthed = bool((self._other < 0).all())

    def of(self, nodes: ComplexArray) -> tuple[ComplexArray, FloatArray, FloatArray]:
        """Return the voltage of each point and its lowest and highest phase.

        Parameters
        ----------
        nodes : array of complex128
            What `node` has places in.

        Returns
        -------
        tuple of arrays, shape (points,)
            [pu]
        """
        turned = nodes[self._node]
        turned *= self._mean
        v_pu: ComplexArray = turned[0] + turned[1] + turned[2]
        against = nodes[self._one]
        if not self._earthed:
            against -= nodes[self._other]
        seen = (np.abs(against) / self._over)[self._sight]
        low: FloatArray = np.minimum(np.minimum(seen[0], seen[1]), seen[2])
        high: FloatArray = np.maximum(np.maximum(seen[0], seen[1]), seen[2])
        return v_pu, low, high
