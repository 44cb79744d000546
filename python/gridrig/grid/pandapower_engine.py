"""The feeder solved by pandapower: Newton-Raphson, balanced, one process.

Traps and what is done about them:
- `recycle` keeps the admittances of the last full run, so after a topology change its answer is
  stale without a word: `arrange` forces one full run;
- with `recycle` and only voltages read, a run that did not converge raises nothing: the success
  flag is read every time;
- a warm start after a failure keeps failing: `restart` makes the next run a full one from a DC
  start;
- a bus without a source is absent from the solution (NaN in the result tables): it is left 0
  here and the feeder compares it with what the topology says.

Cost: most of a pandapower run is writing result tables. They are not needed: bus voltages and
branch admittances are read where pandapower keeps them for its own time-series runs
(`net._ppc["internal"]`, as in `pandapower.timeseries.read_batch_results`). Most of the rest was its
Jacobian in scipy, 17 ms a solve for 15 buses; with its option `lightsim2grid` a solve takes 1.6 ms.
That solver refuses a second external grid, in service or not: several are solved in scipy.
"""

from copy import deepcopy
from functools import partial
from typing import Any

import numpy as np

from gridrig.errors import GridError
from gridrig.grid.engine import (
    ITERATIONS_MAX,
    TOLERANCE_VA,
    BranchFlows,
    ComplexArray,
    EngineState,
    IntArray,
    Topology,
)
from gridrig.grid.flows import Flows
from gridrig.grid.network import Network
from gridrig.grid.pandapower_topology import NetSwitches

_EMPTIED = ("load", "sgen", "storage")
_RECYCLE = {"bus_pq": True, "gen": False, "trafo": False}
_RECYCLE_SOURCES = _RECYCLE | {"gen": True}  # the voltage that a source holds was changed


class PandapowerEngine:
    """One network in pandapower, with one injection at each bus."""

    name = "pandapower"

    def __init__(self, network: Network) -> None:
        import pandapower
        from pandapower.pypower.idx_brch import F_BUS, T_BUS

        self._run = pandapower.runpp
        self._failed = pandapower.LoadflowNotConverged
        self._net = net = deepcopy(network.net)
        for kind in _EMPTIED:
            net[kind] = net[kind].iloc[:0]
        pandapower.create_sgens(net, net.bus.index, p_mw=0.0, q_mvar=0.0)
        net.ext_grid = net.ext_grid[net.ext_grid.in_service]
        self._switches = NetSwitches(net, network)
        self._quick = len(net.ext_grid) == 1
        self._p_column, self._q_column = (net.sgen.columns.get_loc(x) for x in ("p_mw", "q_mvar"))
        self._ends = (("Yf", F_BUS), ("Yt", T_BUS))
        self._buses = net.bus.index.to_numpy()
        self._elements = {kind: len(net[kind]) for kind in ("line", "trafo")}
        self._flows = Flows(network)
        self._full = True
        self._sources_moved = False
        self._topology: Topology | None = None

    def arrange(self, topology: Topology, source_v_pu: float, former_v_pu: float) -> None:
        """Take another topology or source voltage; another topology starts from flat."""
        self._switches.set_voltage(topology, source_v_pu, former_v_pu)
        if topology == self._topology:
            self._sources_moved = True
            return
        self._topology = topology
        self._switches.set_topology(topology)
        self.restart()

    def restart(self) -> None:
        """Forget the last solution, so that the next solve starts from flat."""
        self._full = True

    def solve(self, injected_va: ComplexArray) -> EngineState:
        """Solve with these injections by bus, positive into the grid, constant P and Q."""
        net = self._net
        generators = net["sgen"]
        generators.isetitem(self._p_column, injected_va.real / 1e6)
        generators.isetitem(self._q_column, injected_va.imag / 1e6)
        recycle = None
        if not self._full:
            recycle = _RECYCLE_SOURCES if self._sources_moved else _RECYCLE
        try:
            # A diverging iteration overflows on its way; the outcome is judged afterwards.
            with np.errstate(all="ignore"):
                self._run(
                    net,
                    calculate_voltage_angles=True,
                    init="auto" if recycle else "dc",
                    max_iteration=ITERATIONS_MAX // 3,
                    tolerance_mva=TOLERANCE_VA / 1e6,
                    trafo_model="pi",
                    numba=False,
                    lightsim2grid=self._quick,
                    only_v_results=True,
                    recycle=recycle,
                )
        except self._failed:
            converged = False
        except (UserWarning, ValueError, FloatingPointError, RuntimeError) as error:
            self._full = True
            raise GridError(
                "grid.engine_refused", "pandapower: {reason}", reason=str(error)
            ) from error
        else:
            converged = bool(net._ppc["success"])
        self._full = False
        self._sources_moved = False
        return self._read(converged)

    def tap_steps(self, transformer: str) -> float:
        """Return where the tap of a transformer stands, in steps off neutral. [1]"""
        return self._switches.tap_steps(transformer)

    def admittances(self) -> ComplexArray:
        """Return the nodal admittances between the buses, positive sequence. [VA]"""
        count = len(self._net.bus)
        # With generators idle the voltages do not matter, only what is connected.
        self._full = True
        self.solve(np.zeros(count, dtype=complex))
        internal = self._net._ppc["internal"]
        row, alive = self._live_rows(len(internal["V"]))
        whole: ComplexArray = np.zeros((count, count), dtype=complex)
        solved = internal["Ybus"].toarray() * internal["baseMVA"] * 1e6
        whole[np.ix_(alive, alive)] = solved[np.ix_(row[alive], row[alive])]
        self._full = True
        return whole

    def _live_rows(self, count: int) -> tuple[Any, Any]:
        """Return where the solver keeps each bus, and whether it has it at all."""
        row = self._net._pd2ppc_lookups["bus"][self._buses]
        return row, row < count

    def _read(self, converged: bool) -> EngineState:
        """Take voltages and branch flows from the solver's own arrays."""
        from pandapower.pypower.idx_bus import VA, VM

        ppc = self._net._ppc
        internal: dict[str, Any] = ppc.get("internal", {})
        v_pu = np.zeros(len(self._buses), dtype=complex)
        leaving_va = np.zeros(len(self._buses), dtype=complex)
        if "V" in internal:
            solved = np.asarray(internal["V"])
            base_va = internal["baseMVA"] * 1e6
            row, alive = self._live_rows(len(solved))
            v_pu[alive] = solved[row[alive]]
            power = solved * np.conj(internal["Ybus"] @ solved) * base_va
            leaving_va[alive] = power[row[alive]]
        else:
            # With nothing live but sources there is nothing to solve, and they hold their voltage.
            held = ppc["bus"][self._net._pd2ppc_lookups["bus"][self._buses]]
            turned = np.exp(1j * np.radians(held[:, VA].real))
            v_pu = np.nan_to_num(held[:, VM].real * turned, nan=0.0)
        rows = np.concatenate([self._rows(kind) for kind in self._elements])
        return EngineState(
            converged=converged,
            iterations=int(ppc["iterations"]),
            v_pu=v_pu,
            leaving_va=leaving_va,
            branches=BranchFlows(
                partial(self._branch_va, len(ppc["branch"]), dict(internal), rows),
                lambda flows: self._flows.loading(flows.va, v_pu),
            ),
        )

    def _branch_va(self, branches: int, solved: dict[str, Any], rows: IntArray) -> ComplexArray:
        """Work out branch flows from what pandapower solved; it replaces those arrays, whole."""
        flows = np.zeros((branches, 2), dtype=complex)
        if "V" in solved:
            volts = np.asarray(solved["V"])
            branch, there = solved["branch"], solved["branch_is"]
            for end, (admittance, column) in enumerate(self._ends):
                at = branch[:, column].real.astype(np.int64)
                current = np.conj(solved[admittance] @ volts)
                flows[there, end] = volts[at] * current * solved["baseMVA"] * 1e6
        picked: ComplexArray = flows[rows]
        return picked

    def _rows(self, kind: str) -> IntArray:
        """Return where the solver has the elements of a kind among its branches."""
        first, last = self._net._pd2ppc_lookups["branch"].get(kind, (0, 0))
        if last - first != self._elements[kind]:
            raise GridError(
                "grid.engine_refused",
                "pandapower solved {found} elements of kind {kind}, expected {count}",
                found=last - first,
                kind=kind,
                count=self._elements[kind],
            )
        return np.arange(first, last)
