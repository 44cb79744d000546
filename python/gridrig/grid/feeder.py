"""The feeder behind one interface: injections in, voltages, head, losses and loadings out.

Signs: every power is positive from the device into the grid, and the main grid and the
grid-former count as devices: a positive head means that the main grid delivers into the feeder.

The buses of a feeder are the points (`points.py`) behind the PCC (`pcc.py`). Opening the PCC
switches it off at both sides. Losses are those between the meters: lines, transformers and
shunts, and the PCC transformer only if it is metered at its HV side. Thus, within the mismatch,
`losses = head + former + generators + sum of injections`.

In an island the former's bus holds a given voltage; what the former delivers is the residual.
Injections at that bus are those of its other devices. Without a former all is dead: 0 V, no
power, and nothing is solved.

Branches and taps can be switched; a bus that nothing reaches any more is dead: 0 V, and what was
asked for there does not count.

Limits: loads are constant P and Q, whatever the voltage, between 0.5 and 1.5 pu; those of an
OpenDSS file keep their model there, and `Solution.p_w` says what they took. What a solution must
be to be believed is in `balance.py`. A failed solve is tried once more from flat; a failure
after that is an error, and the next solve starts from flat. The same injections twice in a row,
with nothing rearranged between, return the same solution unsolved.
"""

from collections.abc import Iterable
from math import nan

import numpy as np

from gridrig.errors import GridError
from gridrig.grid.balance import Balance, Situation, Weighed
from gridrig.grid.engine import V_MAX_PU, V_MIN_PU, ComplexArray, Engine, EngineState, Topology
from gridrig.grid.injections import Injections, by_point
from gridrig.grid.network import Network, regulator_key, unknown_bus
from gridrig.grid.pcc import Pcc, find_cut
from gridrig.grid.solution import Solution
from gridrig.grid.switching import (
    regulators_of,
    require_branch,
    require_regulator,
    require_tap,
)


class Feeder:
    """A network behind its PCC, solved by one engine.

    Parameters
    ----------
    engine : Engine
    network : Network
    pcc : Pcc
    """

    def __init__(self, engine: Engine, network: Network, pcc: Pcc) -> None:
        self.network = network
        self.pcc = pcc
        self.engine_name = engine.name
        self._engine = engine
        self._cut = cut = find_cut(network, pcc)
        self._balance = Balance(engine.name, network, pcc, cut)
        self.buses = self._balance.buses
        self.lines = self._balance.lines
        self.transformers = self._balance.transformers
        bus_of = {point.name: point.bus for point in network.points}
        self.home = tuple(bus_of[name] for name in self.buses)
        self.pcc_closed = True
        self.former_bus: str | None = None
        self._source_v_pu = network.source.v_pu
        self._former_v_pu = 1.0
        self._out = set(network.out_of_service)
        self._taps: dict[str, float] = {}
        self._held: set[str] = set()
        self._regulated_v: dict[str, float] = {}
        self._last: Solution | None = None
        self._told = b""
        self._now = self._arrange()

    @property
    def link_va(self) -> float:
        """Rating of the connection to the main grid. [VA]"""
        return self._cut.rating_va

    @property
    def pcc_branch(self) -> str:
        """The branch that the PCC opens, as `out` names it; empty for a source."""
        return self._cut.key

    @property
    def pcc_bus(self) -> str:
        """The bus of the network behind the PCC; of a source, the source's."""
        return self._cut.bus

    @property
    def dead_buses(self) -> tuple[str, ...]:
        """Buses of the network inside that nothing reaches as things are."""
        inside = set(self.home)
        buses = zip(self.network.buses, self._now.live, strict=True)
        return tuple(bus for bus, live in buses if not live and bus in inside)

    def homes(self) -> Iterable[tuple[str, str]]:
        """Return each point of `buses` with the bus of the network that it is at."""
        return zip(self.buses, self.home, strict=True)

    def pcc_loading_percent(self, solution: Solution) -> float:
        """Return the loading of the PCC in a solution; a source has none and gives NaN. [%]"""
        if self.pcc.kind == "source":
            return nan
        name = self._cut.key.partition(":")[2]
        if self.pcc.kind == "trafo":
            return float(solution.trafo_loading_percent[self.transformers.index(name)])
        return float(solution.line_loading_percent[self.lines.index(name)])

    @property
    def out(self) -> frozenset[str]:
        """Branches that are switched off, apart from the PCC."""
        return frozenset(self._out)

    def open_pcc(self, former_bus: str | None = None, *, former_v_pu: float = 1.0) -> None:
        """Separate the feeder from the main grid.

        Parameters
        ----------
        former_bus : str, optional
            Bus whose voltage a grid-former holds; without one the feeder is dead.
        former_v_pu : float
            The voltage it holds. [pu]
        """
        if former_bus is not None and former_bus not in self.buses:
            raise unknown_bus(former_bus, self.buses)
        self.pcc_closed = False
        self.former_bus = former_bus
        self._former_v_pu = _voltage(former_v_pu)
        self._now = self._arrange()

    def close_pcc(self) -> None:
        """Join the feeder to the main grid; a grid-former no longer holds the voltage."""
        self.pcc_closed = True
        self.former_bus = None
        self._now = self._arrange()

    def switch(self, branch: str, *, closed: bool) -> None:
        """Put a line or a transformer into service or out of it.

        Parameters
        ----------
        branch : str
            `line:<name>` or `trafo:<name>`.
        closed : bool

        Raises
        ------
        GridError
            `grid.branch_unknown`, also for the PCC, which `open_pcc` and `close_pcc` switch.
        """
        require_branch(self.network, branch)
        if branch == self._cut.key:
            raise GridError(
                "grid.branch_unknown", "{branch!r} is the PCC: it opens as pcc", branch=branch
            )
        (self._out.discard if closed else self._out.add)(branch)
        self._now = self._arrange()

    def set_tap(self, transformer: str, steps: float) -> None:
        """Move the tap of a transformer.

        Parameters
        ----------
        transformer : str
            Its name.
        steps : float
            Steps off neutral. [1]

        Raises
        ------
        GridError
            `grid.branch_unknown`, `grid.tap_fixed` if it has no taps, or `grid.tap_regulated` if a
            regulator acts that would move it back.
        """
        require_tap(self.network, transformer, steps)
        for regulator in regulators_of(self.network, transformer):
            if regulator not in self._held:
                raise GridError(
                    "grid.tap_regulated",
                    "{regulator} moves the tap of transformer {transformer!r}: expected it to be "
                    "held first",
                    regulator=regulator_key(regulator),
                    transformer=transformer,
                )
        self._taps[transformer] = steps
        self._now = self._arrange()

    def tap_steps(self, transformer: str) -> float:
        """Return where the tap of a transformer stands, moved by hand or by its regulator. [1]

        Raises
        ------
        GridError
            `grid.branch_unknown`, or `grid.tap_fixed` if it has no taps.
        """
        require_tap(self.network, transformer, 0.0)
        return self._engine.tap_steps(transformer)

    def set_regulator(
        self, name: str, *, acts: bool | None = None, vreg_v: float | None = None
    ) -> None:
        """Hold a regulator of an OpenDSS file, let it act, or change the voltage it regulates to.

        Parameters
        ----------
        name : str
            Its name in the file.
        acts : bool or None
            False leaves the tap where it stands; None changes nothing.
        vreg_v : float or None
            OpenDSS's `vreg`: what it holds, over its `ptratio`; None changes nothing. [V]

        Raises
        ------
        GridError
            `grid.branch_unknown`.
        """
        regulator = require_regulator(self.network, name)
        if acts is False and name not in self._held:
            self._taps[regulator.transformer] = self._engine.tap_steps(regulator.transformer)
            self._held.add(name)
        elif acts and name in self._held:
            self._held.remove(name)
            self._taps.pop(regulator.transformer, None)
        if vreg_v is not None:
            self._regulated_v[name] = vreg_v
        self._now = self._arrange()

    def as_loaded(self) -> None:
        """Close the PCC and undo every switching: as the network was loaded."""
        self._out = set(self.network.out_of_service)
        self._taps, self._held, self._regulated_v = {}, set(), {}
        self._source_v_pu = self.network.source.v_pu
        self._engine.restart()
        self.close_pcc()

    def same_state_as(self, other: "Feeder") -> None:
        """Take the switches, taps, regulators and voltages of another feeder of one network."""
        switched = other._switched()
        same = self._switched() == switched
        self._out, self._taps = set(other._out), dict(other._taps)
        self._held, self._regulated_v = set(other._held), dict(other._regulated_v)
        if not same:
            self._now = self._arrange()
        self.source_v_pu = other.source_v_pu
        if self.pcc_closed != other.pcc_closed or self.former_bus != other.former_bus:
            if other.pcc_closed:
                self.close_pcc()
            else:
                self.open_pcc(other.former_bus, former_v_pu=other.former_v_pu)
        self.former_v_pu = other.former_v_pu

    def admittances(self) -> ComplexArray:
        """Return the nodal admittances between the buses inside, positive sequence, as they are.

        Returns
        -------
        array of complex128, shape (buses inside, buses inside)
            In the network's order of buses, each bus referred to its own nominal voltage, for
            power in W of all phases: `Y (v_pu) = conj(S / v_pu)`. [W]
        """
        whole = self._engine.admittances()
        inner = [index for index, bus in enumerate(self.network.buses) if bus in self._cut.inside]
        return whole[np.ix_(inner, inner)]

    @property
    def source_v_pu(self) -> float:
        """Voltage of the main grid; settable. [pu]"""
        return self._source_v_pu

    @source_v_pu.setter
    def source_v_pu(self, v_pu: float) -> None:
        if v_pu != self._source_v_pu:
            self._source_v_pu = _voltage(v_pu)
            self._now = self._arrange()

    @property
    def former_v_pu(self) -> float:
        """Voltage that the grid-former holds; settable. [pu]"""
        return self._former_v_pu

    @former_v_pu.setter
    def former_v_pu(self, v_pu: float) -> None:
        if v_pu != self._former_v_pu:
            self._former_v_pu = _voltage(v_pu)
            self._now = self._arrange()

    def solve(self, p_w: Injections, q_var: Injections) -> Solution:
        """Solve the feeder for one set of injections.

        Parameters
        ----------
        p_w, q_var : mapping by bus name, or one value for each of `buses`
            Sums at each bus, positive into the grid; a bus left out of a mapping has 0.
            [W], [var]

        Returns
        -------
        Solution

        Raises
        ------
        GridError
            `grid.injection` for a value that is not finite or a bus that is not here;
            `grid.not_converged`, `grid.unbalanced` and `grid.voltage_range` with the engine and
            the worst bus.
        """
        asked = by_point(p_w, q_var, self.buses)
        now = self._now
        if not now.all_alive:
            asked[~now.alive] = 0.0
            if not now.alive.any():
                return self._balance.dead()
        last = self._last
        told = asked.tobytes()
        if last is not None and told == self._told:
            return last
        full = self._balance.by_network(asked)
        state, weighed, trouble = self._try(full, asked)
        if trouble is not None:
            self._engine.restart()
            state, weighed, trouble = self._try(full, asked)
        if trouble is not None:
            self._engine.restart()
            self._last = None
            raise trouble
        self._told = told
        self._last = self._balance.explain(state, weighed, now)
        return self._last

    def _try(
        self, full: ComplexArray, asked: ComplexArray
    ) -> tuple[EngineState, Weighed, GridError | None]:
        """Solve once, and say what is wrong with what was found."""
        state = self._engine.solve(full)
        # What ran away may overflow, and is judged all the same.
        with np.errstate(all="ignore"):
            weighed = self._balance.weigh(state, asked, self._now)
        return state, weighed, self._balance.judge(state, weighed, asked, self._now)

    def _switched(self) -> tuple[object, ...]:
        return self._out, self._taps, self._held, self._regulated_v

    def _arrange(self) -> Situation:
        """Put the topology to the engine and return what it amounts to."""
        network, cut = self.network, self._cut
        sources = [source.bus for source in network.sources]
        sources_on = self.pcc_closed or bool(cut.key)
        held = list(sources) if sources_on else []
        out = self._out | ({cut.key} if cut.key and not self.pcc_closed else set())
        at = None
        if self.former_bus is not None:
            at = self.buses.index(self.former_bus)
            held.append(self.home[at])
        live = network.reachable(held, out)
        topology = Topology(
            out=frozenset(out),
            sources_on=sources_on,
            former=None if at is None else network.bus_index(self.home[at]),
            live=live,
            tap_steps=dict(self._taps),
            held=frozenset(self._held),
            regulated_v=dict(self._regulated_v),
        )
        self._engine.arrange(topology, self._source_v_pu, self._former_v_pu)
        self._last = None
        alive = np.array([bus in live for bus in self.home])
        reached = np.array([bus in live for bus in network.buses])
        holds = np.array([bus in held for bus in network.buses])
        return Situation(
            alive=alive,
            all_alive=bool(alive.all()),
            held=np.flatnonzero(holds),
            live=reached,
            bound=np.flatnonzero(~holds & reached & self._balance.inner),
            pcc_closed=self.pcc_closed,
            former=at,
        )


def _voltage(v_pu: float) -> float:
    if not V_MIN_PU <= v_pu <= V_MAX_PU:
        raise GridError(
            "grid.voltage_range",
            "a source at {v_pu!r} pu: expected {v_min_pu} to {v_max_pu} pu",
            v_pu=v_pu,
            v_min_pu=V_MIN_PU,
            v_max_pu=V_MAX_PU,
        )
    return float(v_pu)
