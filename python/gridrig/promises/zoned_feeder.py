"""Three low-voltage networks behind their stations, solved by pandapower: what crosses each border.

Which connection is in which network is found in the wires, by walking them, and in no list of
anybody's. Every station hangs on one medium-voltage bus; with the stations taken out, what is still
joined is a network.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandapower as pp
from pandapower import topology

from gridrig.promises.zoned_street import BUSES, ZONES, Home

STATION, CABLE, CABLE_KM = "0.63 MVA 20/0.4 kV", "NAYY 4x150 SE", 0.03
BRANCHES = 3
W_PER_MW = 1e6
ONLY_POWERS_CHANGE = {"trafo": False, "gen": False, "bus_pq": True}


@dataclass(frozen=True)
class Border:
    """What a network takes from outside, and what is lost in it, its station included. [W]"""

    import_w: float
    losses_w: float


class ZonedFeeder:
    """The networks of a street.

    Parameters
    ----------
    homes : tuple of Home
        Each is connected at its own point of its own network.
    """

    def __init__(self, homes: tuple[Home, ...]) -> None:
        self._net: Any = pp.create_empty_network()
        grid = pp.create_bus(self._net, vn_kv=20.0)
        pp.create_ext_grid(self._net, grid)
        points: dict[tuple[str, int], int] = {}
        for zone in ZONES:
            station = pp.create_bus(self._net, vn_kv=0.4)
            pp.create_transformer(self._net, grid, station, std_type=STATION, name=zone)
            buses = [int(bus) for bus in pp.create_buses(self._net, BUSES, vn_kv=0.4)]
            nearer = [station] * BRANCHES + buses[:-BRANCHES]
            pp.create_lines(self._net, nearer, buses, length_km=CABLE_KM, std_type=CABLE)
            pp.create_sgens(self._net, buses, p_mw=0.0)
            points |= {(zone, number): bus for number, bus in enumerate(buses)}
        self._place = {bus: place for place, bus in enumerate(self._net.sgen.bus)}
        self._bus = {home.name: points[home.zone, home.bus] for home in homes}
        self._station_of, self._lines_of = self._walked()

    def _walked(self) -> tuple[dict[int, int], dict[int, list[int]]]:
        """Return by bus the station that feeds it, and by station its lines."""
        graph = topology.create_nxgraph(self._net, include_trafos=False)
        stations = {bus: trafo for trafo, bus in self._net.trafo.lv_bus.items()}
        station_of: dict[int, int] = {}
        for station, trafo in stations.items():
            station_of |= dict.fromkeys(topology.connected_component(graph, station), trafo)
        lines: dict[int, list[int]] = {trafo: [] for trafo in self._net.trafo.index}
        for line, bus in self._net.line.from_bus.items():
            lines[station_of[bus]].append(line)
        return station_of, lines

    def zone_of(self, home: str) -> str:
        """Return the network in which the wires say that a home is."""
        return str(self._net.trafo.name[self._station_of[self._bus[home]]])

    def borders(self, powers_w: Mapping[str, float]) -> dict[str, Border]:
        """Solve the networks, and return what crosses the border of each.

        Parameters
        ----------
        powers_w : mapping of home to float
            Given less taken. [W]
        """
        at_bus = np.zeros(len(self._place))
        for home, power_w in powers_w.items():
            at_bus[self._place[self._bus[home]]] += power_w / W_PER_MW
        self._net.sgen["p_mw"] = at_bus
        pp.runpp(self._net, numba=False, recycle=ONLY_POWERS_CHANGE)
        found = {}
        for trafo, name in self._net.trafo.name.items():
            inside = float(self._net.res_line.pl_mw[self._lines_of[trafo]].sum())
            losses = inside + float(self._net.res_trafo.pl_mw[trafo])
            taken = float(self._net.res_trafo.p_hv_mw[trafo])
            found[str(name)] = Border(taken * W_PER_MW, losses * W_PER_MW)
        return found
