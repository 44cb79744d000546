"""The feeder of an OpenDSS file, solved by OpenDSS as the file says.

Traps and what is done about them, beside those of `opendss_engine.py`:
- a load has its file's model (constant power, impedance, current, ...) between 0.5 and 1.5 pu; the
  file's own `vminpu`, 0.95 if it says nothing, would silently make it an impedance below;
- what a load took is read back where its model makes it follow the voltage;
- regulators and capacitor controls act in every solve, so that taps are a state of the feeder; what
  was a solution before need not be one after they moved;
- a section that nothing feeds is taken out with all that hangs there: loads and capacitors left in
  it would float at a voltage of their own or make the matrix singular;
- a daily or yearly mode would replace the loads by shapes: the mode is always snapshot.
"""

from functools import partial
from math import sqrt

import numpy as np

from gridrig.errors import GridError
from gridrig.grid.dss_context import TOLERANCE_PU, positive_sequence
from gridrig.grid.dss_elements import ElementEnds
from gridrig.grid.dss_file import open_file, put_devices_aside
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
from gridrig.grid.network import Network, Transformer, line_key, trafo_key
from gridrig.grid.points import Point

_ADDED = "gridrig_"
_BRANCHES = ("line", "transformer", "capacitor", "reactor")
_CONSTANT_POWER = 1


class OpenDssFileEngine:
    """The circuit of one file in a context of its own."""

    name = "opendss"

    def __init__(self, network: Network) -> None:
        if network.dss_file is None:
            raise GridError("grid.engine_unfit", "{name} is no .dss file", name=network.name)
        self._network = network
        self._file = network.dss_file
        self._place = {bus: index for index, bus in enumerate(network.buses)}
        self._base = np.array(network.v_nominal_v) / sqrt(3.0)
        self._branches = [f"line.{x.name}" for x in network.lines]
        self._branches += [f"transformer.{x.name}" for x in network.transformers]
        self._arranged: tuple[Topology, float, float] | None = None
        self._lost = False
        self._open()

    def _open(self) -> None:
        """Take the circuit as the file has it, without anything of an earlier solution."""
        self._context = context = open_file(self._file)
        put_devices_aside(context)
        self._circuit = context.circuit
        context.command(
            f"set maxiterations={ITERATIONS_MAX} maxcontroliter={ITERATIONS_MAX} "
            f"tolerance={TOLERANCE_PU}"
        )
        self._elements = self._elements_by_bus()
        self._find_loads()
        self._vreg = {
            str(one.Name).lower(): float(one.ForwardVreg) for one in self._circuit.RegControls
        }
        """What each regulator holds by the file, before its ratio. [V]"""
        self._unindex()
        self._lost = False

    def _unindex(self) -> None:
        """Forget where things are: the next solve builds the matrix anew and looks."""
        self._nodes: DssNodes | None = None
        self._ends = ElementEnds.none()
        self._loads: DssLoads | None = None

    def arrange(self, topology: Topology, source_v_pu: float, former_v_pu: float) -> None:
        """Take another topology or source voltage; taps stay where regulators have put them."""
        self._arranged = topology, source_v_pu, former_v_pu
        circuit, network = self._circuit, self._network
        keys = {f"line.{x.name}": line_key(x.name) for x in network.lines}
        keys |= {f"transformer.{x.name}": trafo_key(x.name) for x in network.transformers}
        for name, (buses, enabled) in self._elements.items():
            on = enabled and buses <= topology.live
            if name in keys:
                on = buses <= topology.live and keys[name] not in topology.out
            elif name.startswith("vsource."):
                on = on and topology.sources_on
            (circuit.Enable if on else circuit.Disable)(name)
        self._context.command(f"edit vsource.{network.source.name} pu={source_v_pu!r}")
        self._put_former(topology.former, former_v_pu)
        for name, steps in topology.tap_steps.items():
            trafo = self._transformer(name)
            winding, ratio = _tapped_winding(trafo), trafo.ratio_at(steps)
            self._context.command(f"edit transformer.{name} wdg={winding} tap={ratio!r}")
        self._regulate(topology)
        self._unindex()

    def _regulate(self, topology: Topology) -> None:
        """Let regulators act or rest, and hold what they were told to."""
        for regulator in self._network.regulators:
            name = f"regcontrol.{regulator.name}"
            (self._circuit.Disable if regulator.name in topology.held else self._circuit.Enable)(
                name
            )
            v = topology.regulated_v.get(regulator.name, self._vreg[regulator.name])
            self._context.command(f"edit {name} vreg={v!r}")

    def tap_steps(self, transformer: str) -> float:
        """Return where the tap of a transformer stands, in steps off neutral. [1]"""
        trafo = self._transformer(transformer)
        self._circuit.Transformers.Name = transformer
        self._circuit.Transformers.Wdg = _tapped_winding(trafo)
        ratio = float(self._circuit.Transformers.Tap)
        return (ratio - 1.0) * 100.0 / trafo.tap_step_percent

    def _transformer(self, name: str) -> Transformer:
        return next(x for x in self._network.transformers if x.name == name)

    def restart(self) -> None:
        """Forget the last solution and what regulators did: the next solve reads the file anew.

        OpenDSS starts from the voltages it has, and has no command that makes them flat: after a
        solution that ran away it would run away again.
        """
        self._lost = True

    def solve(self, injected_va: ComplexArray) -> EngineState:
        """Solve with these injections by point, positive into the grid."""
        if self._lost:
            self._open()
            if self._arranged is not None:
                self.arrange(*self._arranged)
        circuit = self._circuit
        if len(self._without) and injected_va[self._without].any():
            for index in self._without[injected_va[self._without] != 0.0].tolist():
                self._add(index)
        if self._loads is None:
            self._loads = DssLoads(self._context)
        drawn: ComplexArray = np.zeros(self._loads.count + 1, dtype=complex)
        drawn[self._load_at] = injected_va  # -1, after the last load, is where nothing goes in
        self._context.call(self._loads.draw, drawn[:-1])
        nodes = self._nodes
        if nodes is None:
            self._context.call(circuit.Solution.BuildYMatrix, 1, 1)
        self._context.call(circuit.Solution.Solve)
        converged = bool(circuit.Solution.Converged)
        if nodes is None:
            nodes = self._nodes = self._index()
        return self._read(converged, injected_va, self._loads, nodes)

    def admittances(self) -> ComplexArray:
        """Return the nodal admittances between the buses, positive sequence. [VA]"""
        circuit = self._circuit
        on = [name for name in circuit.AllElementNames if self._is_on(str(name))]
        nodes = [
            (f"{bus}.{phase}", index, phase, base)
            for bus, index, base in zip(
                self._network.buses, range(len(self._base)), self._base.tolist(), strict=True
            )
            for phase in (1, 2, 3)
        ]
        try:
            return positive_sequence(self._context, nodes, len(self._base))
        finally:
            for name in on:
                circuit.Enable(name)
            self._unindex()

    def _is_on(self, name: str) -> bool:
        self._circuit.SetActiveElement(name)
        return bool(self._circuit.ActiveCktElement.Enabled)

    def _elements_by_bus(self) -> dict[str, tuple[frozenset[str], bool]]:
        """Return the buses of each element of the file, and whether it is in it."""
        found = {}
        for name in map(str, self._circuit.AllElementNames):
            kind = name.split(".", 1)[0].lower()
            if kind in (*_BRANCHES, "vsource", "load"):
                self._circuit.SetActiveElement(name)
                element = self._circuit.ActiveCktElement
                nodes = [int(node) for node in element.NodeOrder]
                width = element.NumConductors
                # A terminal at earth only is no bus that has to be alive.
                homes = frozenset(
                    str(bus).split(".", 1)[0].lower()
                    for end, bus in enumerate(element.BusNames)
                    if any(nodes[end * width : (end + 1) * width])
                )
                found[name.lower()] = (homes, bool(element.Enabled))
        return found

    def _find_loads(self) -> None:
        """Find the load of each point that is one, and widen the band in which it is itself."""
        loads = self._circuit.Loads
        rank = {str(name).lower(): place for place, name in enumerate(loads.AllNames)}
        points = self._network.points
        self._load_at = np.array([rank[x.load] if x.load else -1 for x in points], dtype=np.int64)
        """By point: place of its load in the circuit, -1 before it has one."""
        follows = []
        for index, point in enumerate(points):
            if point.load:
                loads.idx = rank[point.load] + 1
                loads.Vminpu, loads.Vmaxpu = V_MIN_PU, V_MAX_PU
                loads.kW = loads.kvar = 0.0
                if int(loads.Model) != _CONSTANT_POWER:
                    follows.append(index)
        self._follows = np.array(follows, dtype=np.int64)
        self._without = np.flatnonzero(self._load_at < 0)

    def _add(self, index: int) -> None:
        """Put a load element of constant power at a point: what devices give and take there."""
        point = self._network.points[index]
        self._context.command(_element(f"load.{_ADDED}{index}", point, self._volt(point)))
        self._load_at[index] = self._circuit.Loads.Count - 1
        self._without = np.flatnonzero(self._load_at < 0)
        buses = frozenset({point.bus})
        self._elements[f"load.{_ADDED}{index}"] = (buses, True)
        self._unindex()

    def _volt(self, point: Point) -> float:
        return float(self._network.v_nominal_v[self._place[point.bus]])

    def _put_former(self, former: int | None, v_pu: float) -> None:
        """Put the source of a grid-former to its bus, or take it away."""
        name = f"vsource.{_ADDED}former"
        exists = name in (str(one).lower() for one in self._circuit.AllElementNames)
        if former is None:
            if exists:
                self._circuit.Disable(name)
            return
        point = self._network.points[former]
        if point.phases != (1, 2, 3):
            raise GridError(
                "grid.former_phases",
                "bus {bus!r} has phases {phases}: a grid-former needs all three",
                bus=point.bus,
                phases=point.phases,
            )
        self._context.command(
            f"{'edit' if exists else 'new'} {name} bus1={point.bus} phases=3 pu={v_pu!r} angle=0 "
            f"basekv={self._volt(point) / 1e3!r} basefreq={self._network.f_hz} "
            "Z1=[0 1e-6] Z0=[0 1e-6] enabled=yes"
        )

    def _index(self) -> DssNodes:
        """Find where OpenDSS keeps the phases of each point and the flows of each element."""
        self._ends = ElementEnds.of(self._context, self._place, self._branches)
        points = self._network.points
        base_v = dict(zip(self._network.buses, self._base.tolist(), strict=True))
        return DssNodes(self._context, points, [point.bus for point in points], base_v)

    def _read(
        self, converged: bool, asked: ComplexArray, loads: DssLoads, nodes: DssNodes
    ) -> EngineState:
        circuit, ends = self._circuit, self._ends
        volts, amps = nodes.read(), ends.currents(circuit)
        v_pu, low, high = nodes.by_phase()
        powers = ends.powers(volts, amps)
        taken = asked
        if len(self._follows):
            follows = self._follows
            told = loads.taken()[self._load_at[follows]]
            told *= asked[follows] != 0.0  # exactly nothing where nothing was asked for
            taken = asked.copy()
            taken[follows] = told
        return EngineState(
            converged=converged,
            iterations=int(circuit.Solution.Iterations),
            v_pu=v_pu,
            leaving_va=ends.leaving(powers, len(self._base)),
            branches=BranchFlows(partial(ends.branch_va, powers), lambda _: ends.percent(amps)),
            v_low_pu=low,
            v_high_pu=high,
            taken_va=taken,
        )


def _tapped_winding(trafo: Transformer) -> int:
    return 1 if trafo.tap_side == "hv" else 2


def _element(name: str, point: Point, v_nominal_v: float) -> str:
    phases = len(point.phases)
    nodes = "".join(f".{phase}" for phase in point.phases)
    single = phases == 1 or (phases == 2 and point.between)
    kv = v_nominal_v / 1e3 / (sqrt(3.0) if phases == 1 else 1.0)
    return (
        f"new {name} bus1={point.bus}{nodes} phases={1 if single else phases} "
        f"conn={'delta' if point.between else 'wye'} kv={kv!r} kw=0 kvar=0 model=1 "
        f"vminpu={V_MIN_PU} vmaxpu={V_MAX_PU}"
    )
