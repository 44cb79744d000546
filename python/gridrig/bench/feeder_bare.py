"""Engines alone, as somebody uses them who trusts what they answer.

Each makes a step: injections by point of the network in, sizes of all voltages out. With
`all_of_it` it also reads what a solution of the feeder tells beside them: loadings, losses, what
comes from the main grid.
"""

from collections.abc import Callable
from copy import deepcopy
from typing import Any

import numpy as np

from gridrig.grid import Network
from gridrig.grid.dss_loads import DssLoads
from gridrig.grid.engine import FloatArray, Topology
from gridrig.grid.engines import ENGINES

Bare = Callable[[FloatArray, FloatArray], FloatArray]
OPENDSS_DEFAULT = 1e-4
"""Change of voltage at which OpenDSS stops if nobody says otherwise. [pu]"""


def _dss_context(network: Network, tolerance: float | None) -> tuple[Any, Any]:
    """Return a context with the circuit that our engine solves, solved once, and the engine."""
    engine: Any = ENGINES["opendss"](network)
    live = frozenset(network.buses)
    engine.arrange(Topology(network.out_of_service, True, None, live), network.source.v_pu, 1.0)
    engine.solve(np.zeros(len(network.points), dtype=complex))
    engine._context.command("calcvoltagebases")  # what "per unit" means to OpenDSS
    if tolerance is not None:
        engine._context.command(f"set tolerance={tolerance}")
    return engine, engine._context


def _places(engine: Any, network: Network) -> tuple[Any, Any]:
    """Return points that have a load in the circuit, and the place of that load."""
    at = getattr(engine, "_load_at", np.arange(len(network.points)))
    points = np.flatnonzero(at >= 0)
    return points, at[points]


def _dss_read(circuit: Any, all_of_it: bool) -> FloatArray:
    if all_of_it:
        # Reading is what costs; who asks for these does something with them.
        _ = circuit.PDElements.AllPctNorm(False), circuit.Losses, circuit.TotalPower
    return np.asarray(circuit.AllBusVmagPu)


def dss_interface(
    network: Network, *, all_of_it: bool = False, tolerance: float | None = None
) -> Bare:
    """Return OpenDSS through the interface of its manual: one load active after the other."""
    engine, context = _dss_context(network, tolerance)
    points, places = _places(engine, network)
    order = [(int(point), int(place) + 1) for point, place in zip(points, places, strict=True)]
    circuit, loads, solution = context.circuit, context.circuit.Loads, context.circuit.Solution

    def step(p_w: FloatArray, q_var: FloatArray) -> FloatArray:
        p, q = (p_w / -1e3).tolist(), (q_var / -1e3).tolist()
        for point, number in order:
            loads.idx = number
            loads.kW = p[point]
            loads.kvar = q[point]
        solution.Solve()
        return _dss_read(circuit, all_of_it)

    return step


def dss_batch(network: Network, *, all_of_it: bool = False) -> Bare:
    """Return OpenDSS with all loads set at once, which its authors give to few."""
    engine, context = _dss_context(network, None)
    points, places = _places(engine, network)
    loads = DssLoads(context)
    drawn = np.zeros(loads.count, dtype=complex)
    circuit, solution = context.circuit, context.circuit.Solution

    def step(p_w: FloatArray, q_var: FloatArray) -> FloatArray:
        drawn[places] = p_w[points] + 1j * q_var[points]
        loads.draw(drawn)
        solution.Solve()
        return _dss_read(circuit, all_of_it)

    return step


def _net(network: Network) -> Any:
    import pandapower

    net = deepcopy(network.net)
    for kind in ("load", "sgen", "storage"):
        net[kind] = net[kind].iloc[:0]
    pandapower.create_sgens(net, net.bus.index, p_mw=0.0, q_mvar=0.0)
    net.ext_grid = net.ext_grid[net.ext_grid.in_service]
    return net


def pandapower_tuned(network: Network, *, all_of_it: bool = False) -> Bare:
    """Return `runpp` with every option that makes it quicker, read where it keeps its voltages.

    Flows are in its result tables, which it then has to write.
    """
    import pandapower

    net = _net(network)
    tuned = {"lightsim2grid": True, "numba": False, "trafo_model": "pi"}
    tuned["only_v_results"] = not all_of_it
    pandapower.runpp(net, init="dc", **tuned)
    keep = {"bus_pq": True, "gen": False, "trafo": False}

    def step(p_w: FloatArray, q_var: FloatArray) -> FloatArray:
        net.sgen["p_mw"] = p_w / 1e6
        net.sgen["q_mvar"] = q_var / 1e6
        pandapower.runpp(net, init="results", tolerance_mva=1e-8, recycle=keep, **tuned)
        if all_of_it:
            _pandapower_read(net)
        return np.asarray(np.abs(net._ppc["internal"]["V"]))

    return step


def _pandapower_read(net: Any) -> None:
    _ = net.res_line.loading_percent.to_numpy(), net.res_trafo.loading_percent.to_numpy()
    _ = net.res_line.pl_mw.sum() + net.res_trafo.pl_mw.sum(), net.res_ext_grid.p_mw.sum()


def pandapower_usual(network: Network) -> Bare:
    """Return `runpp` as its tutorials show it, from the last result, with its result tables."""
    import pandapower

    net = _net(network)
    pandapower.runpp(net, trafo_model="pi", numba=False)

    def step(p_w: FloatArray, q_var: FloatArray) -> FloatArray:
        net.sgen["p_mw"] = p_w / 1e6
        net.sgen["q_mvar"] = q_var / 1e6
        pandapower.runpp(net, init="results", trafo_model="pi", numba=False)
        _pandapower_read(net)
        return np.asarray(net.res_bus.vm_pu)

    return step
