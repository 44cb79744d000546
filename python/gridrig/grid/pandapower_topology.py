"""A topology put into a pandapower net: branches, taps, and what holds the voltage."""

from typing import Any

from gridrig.grid.engine import Topology
from gridrig.grid.network import Network, line_key, trafo_key


class NetSwitches:
    """Switches, taps and sources of one pandapower net.

    Parameters
    ----------
    net : pandapower net
        Changed in place; only external grids in service are left in it.
    network : Network
        Its description, in the net's order.
    """

    def __init__(self, net: Any, network: Network) -> None:
        self._net = net
        self._lines = [line_key(x.name) for x in network.lines]
        self._trafos = [trafo_key(x.name) for x in network.transformers]
        self._names = [x.name for x in network.transformers]
        self._tap_pos = net.trafo["tap_pos"].to_numpy(dtype=float).copy()
        self._neutral = net.trafo["tap_neutral"].to_numpy(dtype=float).copy()
        # A former takes the place of the first source, which is then the only one.
        self._first = net.ext_grid.index[0]
        self._source_bus = net.ext_grid.at[self._first, "bus"]
        self._source_angle = net.ext_grid.at[self._first, "va_degree"]

    def tap_steps(self, transformer: str) -> float:
        """Return where the tap of a transformer stands, in steps off neutral. [1]"""
        at = self._names.index(transformer)
        return float(self._net.trafo["tap_pos"].iloc[at] - self._neutral[at])

    def set_voltage(self, topology: Topology, source_v_pu: float, former_v_pu: float) -> None:
        """Set the voltage that the first source or the former holds."""
        held = source_v_pu if topology.former is None else former_v_pu
        self._net.ext_grid.loc[self._first, "vm_pu"] = held

    def set_topology(self, topology: Topology) -> None:
        """Switch branches, move taps, and put the source or the former in its place."""
        net, islanded = self._net, topology.former is not None
        net.line["in_service"] = [key not in topology.out for key in self._lines]
        net.trafo["in_service"] = [key not in topology.out for key in self._trafos]
        tap_pos = self._tap_pos.copy()
        for name, steps in topology.tap_steps.items():
            at = self._names.index(name)
            tap_pos[at] = self._neutral[at] + steps
        net.trafo["tap_pos"] = tap_pos
        net.ext_grid["in_service"] = [
            (topology.sources_on and not islanded) or index == self._first
            for index in net.ext_grid.index
        ]
        bus = net.bus.index[topology.former] if islanded else self._source_bus
        net.ext_grid.loc[self._first, "bus"] = bus
        net.ext_grid.loc[self._first, "va_degree"] = 0.0 if islanded else self._source_angle
