"""The feeder solved by OpenDSS: a network that came from elsewhere, written as a circuit.

Traps and what is done about them:
- the in-process engine is one global circuit: each feeder has a context of its own;
- `Solve` raises nothing when it does not converge: `Converged` is read every time;
- a load outside vminpu..vmaxpu silently becomes a constant impedance, and an overload then
  "converges": the band is 0.5 to 1.5 pu, and the feeder compares what flowed with what was asked;
- a bus without a source reads 0.0, not NaN: the feeder compares with the topology;
- the default frequency is 60 Hz, which would be wrong for the charging of a 50 Hz cable;
- the delta-wye transformer lags 30 degrees only: other groups are made by turning the LV phases.

The iron loss and magnetising branch sit at the LV winding, pandapower's half at each side: the
460 W of a 160 kVA transformer lower the voltages behind it by 2e-5 pu more here.

Where phases differ, lines have their zero sequence and single-phase loads hang at their phase; the
zero sequence of a transformer is what its connection makes of its leakage.
"""

from functools import partial
from math import sqrt

import numpy as np

from gridrig.errors import GridError
from gridrig.grid.dss_context import TOLERANCE_PU, DssContext, positive_sequence
from gridrig.grid.dss_elements import ElementEnds
from gridrig.grid.dss_loads import DssLoads
from gridrig.grid.dss_nodes import DssNodes
from gridrig.grid.engine import (
    ITERATIONS_MAX,
    V_MAX_PU,
    V_MIN_PU,
    BranchFlows,
    ComplexArray,
    EngineState,
    Topology,
)
from gridrig.grid.flows import Flows
from gridrig.grid.network import Line, Network, Transformer, line_key, trafo_key
from gridrig.grid.points import Point

_STIFF_OHM = 1e-9
"""Impedance of an ideal source, which OpenDSS cannot have as 0. [ohm]"""

_GROUPS = {
    0: ("wye", "1.2.3"),
    30: ("delta", "1.2.3"),
    120: ("wye", "3.1.2"),
    150: ("delta", "3.1.2"),
    240: ("wye", "2.3.1"),
    270: ("delta", "2.3.1"),
}
"""By lag of the LV side [deg]: connection of the HV winding, LV nodes of its three phases."""


class OpenDssEngine:
    """One network in an OpenDSS context of its own, with one load element at each point."""

    name = "opendss"

    def __init__(self, network: Network) -> None:
        self._network = network
        self._context = DssContext()
        self._circuit = self._context.circuit
        self._topology: Topology | None = None
        self._volts = (1.0, 1.0)
        self._stale = True
        self._base = np.array(network.v_nominal_v) / sqrt(3.0)
        place = {bus: index for index, bus in enumerate(network.buses)}
        self._home = [f"b{place[point.bus]}" for point in network.points]
        self._rated_a = Flows(network).rated_a
        self._branches = [f"line.l{i}" for i in range(len(network.lines))]
        self._branches += [f"transformer.t{i}" for i in range(len(network.transformers))]
        self._loads: DssLoads | None = None
        self._nodes: DssNodes | None = None
        self._ends = ElementEnds.none()

    def arrange(self, topology: Topology, source_v_pu: float, former_v_pu: float) -> None:
        """Take another topology or source voltage; the next solve starts from flat."""
        self._topology = topology
        self._volts = (source_v_pu, former_v_pu)
        self.restart()

    def restart(self) -> None:
        """Forget the last solution, so that the next solve starts from flat."""
        self._stale = True

    def solve(self, injected_va: ComplexArray) -> EngineState:
        """Solve with these injections by point, positive into the grid, constant P and Q."""
        circuit = self._circuit
        if self._stale or self._loads is None:
            self._write()
            self._loads = DssLoads(self._context)
        try:
            # A negative load generates: one element at each point, so no sign is decided twice.
            self._context.call(self._loads.draw, injected_va)
            self._context.call(circuit.Solution.Solve)
        except GridError:
            self._stale = True
            raise
        converged = bool(circuit.Solution.Converged)
        if self._stale or self._nodes is None:
            self._nodes = self._index()
        self._stale = False
        return self._read(converged, self._nodes)

    def tap_steps(self, transformer: str) -> float:
        """Return where the tap of a transformer stands, in steps off neutral. [1]"""
        as_loaded = next(x for x in self._network.transformers if x.name == transformer).tap_steps
        moved = self._topology.tap_steps if self._topology is not None else {}
        return moved.get(transformer, as_loaded)

    def admittances(self) -> ComplexArray:
        """Return the nodal admittances between the buses, positive sequence. [VA]"""
        self._write()
        nodes = [
            (f"b{bus}.{phase}", bus, phase, base)
            for bus, base in enumerate(self._base.tolist())
            for phase in (1, 2, 3)
        ]
        self._stale = True  # the circuit has lost its sources
        return positive_sequence(self._context, nodes, len(self._base))

    def _read(self, converged: bool, nodes: DssNodes) -> EngineState:
        circuit, ends = self._circuit, self._ends
        volts, amps = nodes.read(), ends.currents(circuit)
        powers = ends.powers(volts, amps)
        low = high = None
        if self._network.phases_differ:
            v_pu, low, high = nodes.by_phase()
        else:
            v_pu = nodes.balanced()
        return EngineState(
            converged=converged,
            iterations=int(circuit.Solution.Iterations),
            v_pu=v_pu,
            leaving_va=ends.leaving(powers, len(self._base)),
            branches=BranchFlows(partial(ends.branch_va, powers), lambda _: ends.percent(amps)),
            v_low_pu=low,
            v_high_pu=high,
        )

    def _index(self) -> DssNodes:
        """Find where OpenDSS keeps the phases of each point and the flows of each element."""
        at = {f"b{bus}": bus for bus in range(len(self._base))}
        rated_a = None if self._network.phases_differ else self._rated_a
        self._ends = ElementEnds.of(self._context, at, self._branches, rated_a)
        base_v = dict(zip(at, self._base.tolist(), strict=True))
        return DssNodes(self._context, self._network.points, self._home, base_v)

    def _write(self) -> None:
        """Write the circuit anew: topology changes are rare, and nothing old can linger."""
        network, topology = self._network, self._topology
        if topology is None:
            raise GridError("grid.engine_refused", "opendss: no topology was arranged")
        place = {bus: index for index, bus in enumerate(network.buses)}
        source_v_pu, former_v_pu = self._volts
        first = network.source
        at = place[first.bus]
        away = "" if topology.sources_on else "away"
        script = [
            "clear",
            f"set DefaultBaseFrequency={network.f_hz}",
            f"new circuit.gridrig bus1={away or f'b{at}'} {_ideal(network, at, source_v_pu)} "
            f"angle={first.angle_deg}",
        ]
        for k, source in enumerate(network.sources[1:] if topology.sources_on else ()):
            at = place[source.bus]
            script.append(
                f"new vsource.s{k} bus1=b{at} {_ideal(network, at, source.v_pu)} "
                f"angle={source.angle_deg}"
            )
        script += [
            _line(i, line, place, phases_differ=network.phases_differ)
            for i, line in enumerate(network.lines)
            if line_key(line.name) not in topology.out
        ]
        script += [
            _transformer(i, trafo, place, topology.tap_steps.get(trafo.name, trafo.tap_steps))
            for i, trafo in enumerate(network.transformers)
            if trafo_key(trafo.name) not in topology.out
        ]
        if topology.former is not None:
            script.append(
                f"new vsource.former bus1=b{topology.former} "
                f"{_ideal(network, topology.former, former_v_pu)}"
            )
        script += [
            _load(i, point, place[point.bus], network.v_nominal_v[place[point.bus]])
            for i, point in enumerate(network.points)
        ]
        script += [
            "set voltagebases=[" + " ".join(f"{v / 1e3!r}" for v in set(network.v_nominal_v)) + "]",
            f"set mode=snapshot controlmode=off maxiterations={ITERATIONS_MAX} "
            f"tolerance={TOLERANCE_PU}",
        ]
        for command in script:
            self._context.call(self._context.dss.Text.Commands, command)


def _line(index: int, line: Line, place: dict[str, int], *, phases_differ: bool) -> str:
    length, together = line.length_km / line.parallel, line.length_km * line.parallel
    r, x, c = line.r_ohm_per_km * length, line.x_ohm_per_km * length, line.c_nf_per_km * together
    r0, x0, c0 = r, x, c
    if phases_differ:
        r0, x0 = line.r0_ohm_per_km * length, line.x0_ohm_per_km * length
        c0 = line.c0_nf_per_km * together
    return (
        f"new line.l{index} bus1=b{place[line.from_bus]} bus2=b{place[line.to_bus]} phases=3 "
        f"length=1 units=none normamps={line.max_i_a!r} r1={r!r} x1={x!r} "
        f"r0={r0!r} x0={x0!r} c1={c!r} c0={c0!r}"
    )


def _load(index: int, point: Point, bus: int, v_nominal_v: float) -> str:
    """Write the load element of a point: constant P and Q in the whole band."""
    phases = len(point.phases)
    nodes = "".join(f".{phase}" for phase in point.phases)
    kv = v_nominal_v / 1e3 if phases > 1 else v_nominal_v / 1e3 / sqrt(3.0)
    return (
        f"new load.p{index} bus1=b{bus}{nodes} phases={1 if point.between else phases} "
        f"conn={'delta' if point.between else 'wye'} kv={kv!r} kw=0 kvar=0 model=1 "
        f"vminpu={V_MIN_PU} vmaxpu={V_MAX_PU}"
    )


def _ideal(network: Network, bus: int, v_pu: float) -> str:
    return (
        f"basekv={network.v_nominal_v[bus] / 1e3!r} pu={v_pu!r} phases=3 "
        f"basefreq={network.f_hz} Z1=[0 {_STIFF_OHM}] Z0=[0 {_STIFF_OHM}]"
    )


def _transformer(index: int, trafo: Transformer, place: dict[str, int], steps: float) -> str:
    """Write a transformer with its tap, iron losses and vector group."""
    lag = round(trafo.shift_deg) % 360
    if lag not in _GROUPS or trafo.shift_deg != round(trafo.shift_deg):
        raise GridError(
            "grid.vector_group",
            "transformer {transformer!r} shifts by {shift:g} deg; the OpenDSS engine knows {known}",
            transformer=trafo.name,
            shift=trafo.shift_deg,
            known=", ".join(map(str, _GROUPS)),
        )
    connection, nodes = _GROUPS[lag]
    ratio = trafo.ratio_at(steps)
    taps = (ratio, 1.0) if trafo.tap_side == "hv" else (1.0, ratio)
    x_percent = sqrt(trafo.vk_percent**2 - trafo.vkr_percent**2)
    iron_percent = 100.0 * trafo.iron_loss_w / trafo.s_va
    magnetising_percent = sqrt(max(trafo.i0_percent**2 - iron_percent**2, 0.0))
    kva = trafo.s_va / 1e3
    return (
        f"new transformer.t{index} phases=3 windings=2 "
        f"buses=[b{place[trafo.hv_bus]}.1.2.3 b{place[trafo.lv_bus]}.{nodes}.0] "
        f"conns=[{connection} wye] kvs=[{trafo.v_hv_v / 1e3!r} {trafo.v_lv_v / 1e3!r}] "
        f"kvas=[{kva!r} {kva!r}] taps=[{taps[0]!r} {taps[1]!r}] mintap=0.5 maxtap=1.5 "
        f"%rs=[{trafo.vkr_percent / 2!r} {trafo.vkr_percent / 2!r}] xhl={x_percent!r} "
        f"normhkva={kva * trafo.derating!r} %noloadloss={iron_percent!r} "
        f"%imag={magnetising_percent!r} ppm_antifloat=0"
    )
