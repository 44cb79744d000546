"""Which end of which branch is at which bus, so that balanced flows can be summed and rated."""

from math import sqrt

import numpy as np

from gridrig.grid.engine import ComplexArray, FloatArray, IntArray
from gridrig.grid.network import Network


class Flows:
    """The branches of a network, seen from its buses."""

    def __init__(self, network: Network) -> None:
        place = {bus: index for index, bus in enumerate(network.buses)}
        self._line_at = np.array(
            [[place[x.from_bus], place[x.to_bus]] for x in network.lines], dtype=np.int64
        ).reshape(-1, 2)
        self._trafo_at = np.array(
            [[place[x.hv_bus], place[x.lv_bus]] for x in network.transformers], dtype=np.int64
        ).reshape(-1, 2)
        self._volt = np.array(network.v_nominal_v)
        self._line_max_a = np.array([x.max_i_a for x in network.lines])
        self._trafo_max_a = np.array(
            [
                [x.s_va * x.derating / (sqrt(3.0) * v) for v in (x.v_hv_v, x.v_lv_v)]
                for x in network.transformers
            ]
        ).reshape(-1, 2)

    def leaving(self, line_va: ComplexArray, trafo_va: ComplexArray) -> ComplexArray:
        """Return the power that leaves each bus through lines and transformers. [VA]"""
        total: ComplexArray = np.zeros(len(self._volt), dtype=complex)
        np.add.at(total, self._line_at, line_va)
        np.add.at(total, self._trafo_at, trafo_va)
        return total

    def line_loading(self, line_va: ComplexArray, v_pu: ComplexArray) -> FloatArray:
        """Return the current of the worse end over the rating, by line. [%]"""
        current = self._current(line_va, self._line_at, v_pu)
        loading: FloatArray = 100.0 * current.max(axis=1, initial=0.0) / self._line_max_a
        return loading

    def trafo_loading(self, trafo_va: ComplexArray, v_pu: ComplexArray) -> FloatArray:
        """Return the current of the worse side over its rating, by transformer. [%]"""
        current = self._current(trafo_va, self._trafo_at, v_pu)
        loading: FloatArray = 100.0 * (current / self._trafo_max_a).max(axis=1, initial=0.0)
        return loading

    def _current(self, flow: ComplexArray, at: IntArray, v_pu: ComplexArray) -> FloatArray:
        volts = sqrt(3.0) * np.abs(v_pu[at]) * self._volt[at]
        current: FloatArray = np.abs(flow) / np.where(volts > 0.0, volts, np.inf)
        return current
