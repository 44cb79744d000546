"""Which end of which branch is at which bus, so that flows can be summed and rated."""

from math import sqrt

import numpy as np

from gridrig.grid.engine import ComplexArray, EngineState, FloatArray, IntArray
from gridrig.grid.network import Network


class Flows:
    """The branches of a network, seen from the buses of a feeder."""

    def __init__(self, network: Network, buses: tuple[str, ...], lines: tuple[str, ...]) -> None:
        self.rows = np.array([network.bus_index(bus) for bus in buses])
        self.line_rows = np.array(
            [i for i, x in enumerate(network.lines) if x.name in set(lines)], dtype=np.int64
        )
        inside = set(buses)
        self.inner_trafos = np.array(
            [i for i, x in enumerate(network.transformers) if {x.hv_bus, x.lv_bus} <= inside],
            dtype=np.int64,
        )
        self._line_at = np.array(
            [[network.bus_index(x.from_bus), network.bus_index(x.to_bus)] for x in network.lines],
            dtype=np.int64,
        ).reshape(-1, 2)
        self._trafo_at = np.array(
            [
                [network.bus_index(x.hv_bus), network.bus_index(x.lv_bus)]
                for x in network.transformers
            ],
            dtype=np.int64,
        ).reshape(-1, 2)
        self._volt = np.array(network.v_nominal_v)
        self._line_max_a = np.array([x.max_i_a for x in network.lines])
        self._trafo_max_a = np.array(
            [
                [x.s_va * x.derating / (sqrt(3.0) * v) for v in (x.v_hv_v, x.v_lv_v)]
                for x in network.transformers
            ]
        ).reshape(-1, 2)

    def leaving(self, state: EngineState) -> ComplexArray:
        """Return the power that leaves each bus of the feeder through its branches. [VA]"""
        total = np.zeros(len(self._volt), dtype=complex)
        np.add.at(total, self._line_at, state.line_va)
        np.add.at(total, self._trafo_at, state.trafo_va)
        inside: ComplexArray = total[self.rows]
        return inside

    def line_loading(self, state: EngineState) -> FloatArray:
        """Return the current of the worse end over the rating, by line of the feeder. [%]"""
        current = self._current(state.line_va, self._line_at, state)
        loading: FloatArray = 100.0 * current.max(axis=1, initial=0.0) / self._line_max_a
        return loading[self.line_rows]

    def trafo_loading(self, state: EngineState, network: Network) -> FloatArray:
        """Return the current of the worse side over its rating, by transformer. [%]"""
        current = self._current(state.trafo_va, self._trafo_at, state)
        loading: FloatArray = 100.0 * (current / self._trafo_max_a).max(axis=1, initial=0.0)
        return loading

    def _current(self, flow: ComplexArray, at: IntArray, state: EngineState) -> FloatArray:
        volts = sqrt(3.0) * np.abs(state.v_pu[at]) * self._volt[at]
        current: FloatArray = np.abs(flow) / np.where(volts > 0.0, volts, np.inf)
        return current
