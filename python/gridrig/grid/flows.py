"""Which end of which branch is at which bus, so that balanced flows can be summed and rated."""

from math import sqrt

import numpy as np

from gridrig.grid.engine import ComplexArray, FloatArray
from gridrig.grid.network import Network

_DEAD_PU = 1e-6
"""A bus below this has no source, and nothing flows there; it keeps 0 from being divided by."""


class Flows:
    """The branches of a network, lines before transformers, seen from its buses."""

    def __init__(self, network: Network) -> None:
        place = {bus: index for index, bus in enumerate(network.buses)}
        ends = [(place[x.from_bus], place[x.to_bus]) for x in network.lines]
        ends += [(place[x.hv_bus], place[x.lv_bus]) for x in network.transformers]
        rated_a = [(x.max_i_a, x.max_i_a) for x in network.lines]
        rated_a += [
            (
                x.s_va * x.derating / (sqrt(3.0) * x.v_hv_v),
                x.s_va * x.derating / (sqrt(3.0) * x.v_lv_v),
            )
            for x in network.transformers
        ]
        self.lines = len(network.lines)
        self._at = np.array(ends, dtype=np.int64).reshape(-1, 2)
        self._buses = len(network.buses)
        volt = np.array(network.v_nominal_v)[self._at]
        self.rated_a: FloatArray = np.array(rated_a, dtype=float).reshape(-1, 2)
        """Rated current of the ends of each branch. [A]"""
        self._percent_per_va = 100.0 / (sqrt(3.0) * volt * self.rated_a)

    def leaving(self, branch_va: ComplexArray) -> ComplexArray:
        """Return the power that leaves each bus through its branches. [VA]"""
        total: ComplexArray = np.zeros(self._buses, dtype=complex)
        np.add.at(total, self._at.ravel(), branch_va.ravel())
        return total

    def loading(self, branch_va: ComplexArray, v_pu: ComplexArray) -> FloatArray:
        """Return the current of the worse end over its rating, by branch; 0 at a dead bus. [%]"""
        volts = np.maximum(np.abs(v_pu), _DEAD_PU)
        percent: FloatArray = np.abs(branch_va)
        percent *= self._percent_per_va
        percent /= volts[self._at]
        worse: FloatArray = np.maximum(percent[:, 0], percent[:, 1])
        return worse
