"""A network whose phases differ, solved by pandapower in sequence frames (`runpp_3ph`).

It needs the zero-sequence data of every line, transformer and external grid, knows neither taps of
a single phase nor laterals of fewer than three, and takes 0.05 to 0.6 s a solve. Its results come
from pandapower's own tables; what is not a number there, at a dead bus, is left 0 here.

Every solve starts afresh: after a failure a warm start would keep failing, and after a switch it
would be answered from what was.
"""

from copy import deepcopy
from typing import Any

import numpy as np

from gridrig.errors import GridError
from gridrig.grid.engine import (
    ITERATIONS_MAX,
    TOLERANCE_VA,
    BranchFlows,
    ComplexArray,
    EngineState,
    FloatArray,
    Topology,
)
from gridrig.grid.flows import Flows
from gridrig.grid.network import Network
from gridrig.grid.pandapower_topology import NetSwitches
from gridrig.grid.phases import PhaseVoltages

_EMPTIED = ("load", "sgen", "storage", "asymmetric_load", "asymmetric_sgen")
_LETTERS = "abc"


class PandapowerPhasesEngine:
    """One network in pandapower, phase by phase, with one injection at each bus."""

    name = "pandapower"

    def __init__(self, network: Network) -> None:
        import pandapower

        self._pandapower = pandapower
        self._net = net = deepcopy(network.net)
        for kind in _EMPTIED:
            net[kind] = net[kind].iloc[:0]
        for bus in net.bus.index:
            pandapower.create_asymmetric_sgen(net, bus)
        net.ext_grid = net.ext_grid[net.ext_grid.in_service]
        for std in {x for x in net.trafo.get("vector_group", []) if isinstance(x, str)}:
            if std not in ("Dyn", "Yzn", "YNyn", "Dyn1", "Dyn5", "Dyn11"):
                raise GridError(
                    "grid.engine_refused", "pandapower: vector group {group!r}", group=std
                )
        self._switches = NetSwitches(net, network)
        self._flows = Flows(network)
        place = {bus: index for index, bus in enumerate(network.buses)}
        at = np.array([place[point.bus] for point in network.points])
        # The voltages of one phase after the other, and earth's.
        self._voltages = PhaseVoltages(
            network.points,
            at + len(network.buses) * np.arange(3).reshape(3, 1),
            np.ones(3 * len(network.buses) + 1),
        )
        # Which share of a point's power goes into which phase of which bus.
        self._share = np.zeros((3, len(network.buses), len(network.points)))
        for index, point in enumerate(network.points):
            for phase in point.phases:
                self._share[phase - 1, place[point.bus], index] = 1.0 / len(point.phases)

    def arrange(self, topology: Topology, source_v_pu: float, former_v_pu: float) -> None:
        """Take another topology or source voltage."""
        self._switches.set_voltage(topology, source_v_pu, former_v_pu)
        self._switches.set_topology(topology)

    def restart(self) -> None:
        """Forget nothing: every solve starts from flat."""

    def solve(self, injected_va: ComplexArray) -> EngineState:
        """Solve with these injections by point, positive into the grid, constant P and Q."""
        net = self._net
        for letter, share in zip(_LETTERS, self._share, strict=True):
            net.asymmetric_sgen[f"p_{letter}_mw"] = share @ injected_va.real / 1e6
            net.asymmetric_sgen[f"q_{letter}_mvar"] = share @ injected_va.imag / 1e6
        try:
            with np.errstate(all="ignore"):
                self._pandapower.runpp_3ph(
                    net,
                    max_iteration=ITERATIONS_MAX,
                    tolerance_mva=TOLERANCE_VA / 1e6,
                    numba=False,
                )
        except self._pandapower.LoadflowNotConverged:
            converged = False
        except (UserWarning, ValueError, KeyError, FloatingPointError, RuntimeError) as error:
            raise GridError(
                "grid.engine_refused", "pandapower: {reason}", reason=str(error)
            ) from error
        else:
            converged = bool(net.converged)
        return self._read(converged)

    def tap_steps(self, transformer: str) -> float:
        """Return where the tap of a transformer stands, in steps off neutral. [1]"""
        return self._switches.tap_steps(transformer)

    def admittances(self) -> ComplexArray:
        """Refuse: sequence frames are put together anew for every solve, and then forgotten."""
        raise GridError(
            "grid.engine_unfit", "pandapower gives no admittances of a network whose phases differ"
        )

    def _read(self, converged: bool) -> EngineState:
        net = self._net
        volts = [_phasor(net.res_bus_3ph, letter) for letter in _LETTERS]
        branch_va = np.concatenate(
            [
                _ends(net.res_line_3ph, ("from", "to"), len(net.line)),
                _ends(net.res_trafo_3ph, ("hv", "lv"), len(net.trafo)),
            ]
        )
        percent = np.append(_loading(net.res_line_3ph), _loading(net.res_trafo_3ph))
        v_pu, low, high = self._voltages.of(np.append(volts, 0.0))
        return EngineState(
            converged=converged,
            iterations=0,  # pandapower does not tell those of its three sequences
            v_pu=v_pu,
            leaving_va=self._flows.leaving(branch_va),
            branches=BranchFlows(lambda: branch_va, lambda _: percent),
            v_low_pu=low,
            v_high_pu=high,
        )


def _phasor(table: Any, letter: str) -> ComplexArray:
    size = np.nan_to_num(table[f"vm_{letter}_pu"].to_numpy(dtype=float))
    angle = np.nan_to_num(table[f"va_{letter}_degree"].to_numpy(dtype=float))
    phasor: ComplexArray = size * np.exp(1j * np.radians(angle))
    return phasor


def _ends(table: Any, ends: tuple[str, str], count: int) -> ComplexArray:
    flows: ComplexArray = np.zeros((count, 2), dtype=complex)
    for column, end in enumerate(ends):
        for letter in _LETTERS:
            p = np.nan_to_num(table[f"p_{letter}_{end}_mw"].to_numpy(dtype=float))
            q = np.nan_to_num(table[f"q_{letter}_{end}_mvar"].to_numpy(dtype=float))
            flows[:, column] += (p + 1j * q) * 1e6
    return flows


def _loading(table: Any) -> FloatArray:
    loading: FloatArray = np.nan_to_num(table["loading_percent"].to_numpy(dtype=float))
    return loading
