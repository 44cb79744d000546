"""The feeder behind one interface: injections in, voltages, head, losses and loadings out.

Signs: every power is positive from the device into the grid, and the main grid and the
grid-former count as devices: a positive head means that the main grid delivers into the feeder.

The buses of a feeder are those behind the PCC (`pcc.py`). Opening the PCC switches its transformer
off at both sides. Losses are those between the meters: the lines, and the PCC transformer
only if it is metered at its HV side. Thus, within the mismatch,
`losses = head + former + sum of injections`.

In an island the former's bus holds a given voltage; what the former delivers is the residual.
Injections at that bus are those of its other devices. Without a former all is dead: 0 V, no
power, and nothing is solved.

Limits: loads are constant P and Q, whatever the voltage, between 0.5 and 1.5 pu; outside, or if
flows and injections differ by more than 1 VA at any bus (1e-6 of the total, if that is more),
the solution is refused. A failed warm start is tried once more from flat; a failure after that
is an error, and the next solve starts from flat. The same injections twice in a row, with
nothing rearranged between, return the same solution unsolved.
"""

from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from gridrig.errors import GridError
from gridrig.grid.engine import (
    V_MAX_PU,
    V_MIN_PU,
    ComplexArray,
    Engine,
    EngineState,
    FloatArray,
    Topology,
)
from gridrig.grid.flows import Flows
from gridrig.grid.network import Network, unknown_bus
from gridrig.grid.opendss_engine import OpenDssEngine
from gridrig.grid.pandapower_engine import PandapowerEngine
from gridrig.grid.pcc import Pcc, inside
from gridrig.grid.solution import Solution

Injections = Mapping[str, float] | Sequence[float] | FloatArray

ENGINES: dict[str, type[PandapowerEngine] | type[OpenDssEngine]] = {
    PandapowerEngine.name: PandapowerEngine,
    OpenDssEngine.name: OpenDssEngine,
}

MISMATCH_MAX_VA = 1.0
MISMATCH_MAX_RATIO = 1e-6


def make_feeder(engine: str, network: Network, pcc: str) -> "Feeder":
    """Make a feeder by the names a rig file uses.

    Parameters
    ----------
    engine : {"pandapower", "opendss"}
    network : Network
    pcc : str
        `trafo:<n>` or `trafo:<n>@hv`.

    Raises
    ------
    GridError
        `grid.engine_unknown`, `grid.pcc_unsupported`, `grid.pcc_unknown`,
        `grid.pcc_does_not_island`, `grid.outside_pcc`.
    """
    if engine not in ENGINES:
        raise GridError(
            "grid.engine_unknown",
            "no engine is called {engine!r}: expected {known}",
            engine=engine,
            known=" or ".join(ENGINES),
        )
    return Feeder(ENGINES[engine](network), network, Pcc.parse(pcc))


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
        self._inside = inside(network, pcc)
        self.buses = tuple(bus for bus in network.buses if bus in self._inside)
        self.lines = tuple(x.name for x in network.lines if x.from_bus in self._inside)
        self.transformers = tuple(x.name for x in network.transformers)
        self.pcc_closed = True
        self.former_bus: str | None = None
        self._source_v_pu = network.source.v_pu
        self._former_v_pu = 1.0
        self._live: frozenset[str] = frozenset()
        self._last: Solution | None = None
        self._flows = Flows(network, self.buses, self.lines)
        self._arrange()

    def open_pcc(self, former_bus: str | None = None, *, former_v_pu: float = 1.0) -> None:
        """Separate the feeder from the main grid.

        Parameters
        ----------
        former_bus : str, optional
            Bus whose voltage a grid-former holds; without one the feeder is dead.
        former_v_pu : float
            The voltage it holds. [pu]
        """
        if former_bus is not None and former_bus not in self._inside:
            raise unknown_bus(former_bus, self.buses)
        self.pcc_closed = False
        self.former_bus = former_bus
        self._former_v_pu = _voltage(former_v_pu)
        self._arrange()

    def close_pcc(self) -> None:
        """Join the feeder to the main grid; a grid-former no longer holds the voltage."""
        self.pcc_closed = True
        self.former_bus = None
        self._arrange()

    @property
    def source_v_pu(self) -> float:
        """Voltage of the main grid; settable. [pu]"""
        return self._source_v_pu

    @source_v_pu.setter
    def source_v_pu(self, v_pu: float) -> None:
        if v_pu != self._source_v_pu:
            self._source_v_pu = _voltage(v_pu)
            self._arrange()

    @property
    def former_v_pu(self) -> float:
        """Voltage that the grid-former holds; settable. [pu]"""
        return self._former_v_pu

    @former_v_pu.setter
    def former_v_pu(self, v_pu: float) -> None:
        if v_pu != self._former_v_pu:
            self._former_v_pu = _voltage(v_pu)
            self._arrange()

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
        p, q = self._by_bus(p_w, "p_w"), self._by_bus(q_var, "q_var")
        alive = np.array([bus in self._live for bus in self.buses])
        p[~alive] = 0.0
        q[~alive] = 0.0
        if not alive.any():
            return self._dead(p, q)
        last = self._last
        if last is not None and np.array_equal(last.p_w, p) and np.array_equal(last.q_var, q):
            return last
        full_p, full_q = np.zeros(len(self.network.buses)), np.zeros(len(self.network.buses))
        full_p[self._flows.rows], full_q[self._flows.rows] = p, q
        state = self._engine.solve(full_p, full_q)
        trouble = self._judge(state, p + 1j * q, alive)
        if trouble is not None and last is not None:
            self._engine.restart()
            state = self._engine.solve(full_p, full_q)
            trouble = self._judge(state, p + 1j * q, alive)
        if trouble is not None:
            self._engine.restart()
            self._last = None
            raise trouble
        self._last = self._explain(state, p, q, alive)
        return self._last

    def _arrange(self) -> None:
        pcc = self.network.transformers[self.pcc.index]
        if self.pcc_closed:
            live = self.network.reachable([self.network.source.bus])
        else:
            starts = [self.network.source.bus]
            starts += [self.former_bus] if self.former_bus is not None else []
            live = self.network.reachable(starts, without=pcc.name)
        self._live = live & self._inside
        former = None if self.former_bus is None else self.network.bus_index(self.former_bus)
        topology = Topology(pcc=self.pcc.index, closed=self.pcc_closed, former=former)
        self._engine.arrange(topology, self._source_v_pu, self._former_v_pu)
        self._last = None

    def _by_bus(self, values: Injections, name: str) -> FloatArray:
        if isinstance(values, Mapping):
            for bus in values:
                if bus not in self._inside:
                    raise unknown_bus(bus, self.buses)
            array = np.array([values.get(bus, 0.0) for bus in self.buses], dtype=float)
        else:
            array = np.array(values, dtype=float)
        if array.shape != (len(self.buses),):
            raise GridError(
                "grid.injection",
                "{name} has shape {shape}, expected one value for each of {count} buses",
                name=name,
                shape=array.shape,
                count=len(self.buses),
            )
        if not np.isfinite(array).all():
            bus = self.buses[int(np.argmin(np.isfinite(array)))]
            raise GridError(
                "grid.injection", "{name} at bus {bus!r} is not finite", name=name, bus=bus
            )
        return array

    def _judge(
        self, state: EngineState, asked: ComplexArray, alive: NDArray[np.bool_]
    ) -> GridError | None:
        """Return what is wrong with a state, None if it may be believed."""
        with np.errstate(all="ignore"):
            residual = np.abs(self._residual(state, asked))
            v_pu = np.abs(state.v_pu[self._flows.rows])
        residual[~alive] = 0.0
        residual[~np.isfinite(residual) | (alive & ~np.isfinite(v_pu))] = np.inf
        worst = int(np.argmax(residual))
        facts = {
            "engine": self.engine_name,
            "where": "with the PCC closed" if self.pcc_closed else "in the island",
            "mismatch_va": float(residual[worst]),
            "bus": self.buses[worst],
            "iterations": state.iterations,
        }
        tail = (
            "{where}: worst mismatch {mismatch_va:.4g} VA at bus {bus!r} after {iterations} "
            "iterations"
        )
        if not state.converged:
            return GridError("grid.not_converged", "{engine} did not converge " + tail, **facts)
        limit = max(MISMATCH_MAX_VA, MISMATCH_MAX_RATIO * float(np.abs(asked).sum()))
        out = alive & ((v_pu < V_MIN_PU) | (v_pu > V_MAX_PU))
        if out.any():
            bus = int(np.argmax(out))
            return GridError(
                "grid.voltage_range",
                "{engine} found {v_pu:.4g} pu at bus {bus!r} {where}: loads keep their power only "
                "between {v_min_pu} and {v_max_pu} pu",
                **(facts | {"bus": self.buses[bus]}),
                v_pu=float(v_pu[bus]),
                v_min_pu=V_MIN_PU,
                v_max_pu=V_MAX_PU,
            )
        if residual[worst] > limit:
            return GridError(
                "grid.unbalanced", "{engine} says it converged but is not balanced " + tail, **facts
            )
        ghosts = ~alive & (v_pu > 1e-6)
        if ghosts.any():
            return GridError(
                "grid.dead_bus",
                "{engine} has a voltage at bus {bus!r}, which no source reaches",
                engine=self.engine_name,
                bus=self.buses[int(np.argmax(ghosts))],
            )
        return None

    def _residual(self, state: EngineState, asked: ComplexArray) -> ComplexArray:
        """Return by bus what flows off minus what was asked for, 0 where the slack is."""
        residual = self._flows.leaving(state) - asked
        if self.former_bus is not None:
            residual[self.buses.index(self.former_bus)] = 0.0
        return residual

    def _explain(
        self, state: EngineState, p: FloatArray, q: FloatArray, alive: NDArray[np.bool_]
    ) -> Solution:
        """Turn voltages and flows into the terms of the feeder."""
        flows = self._flows
        pcc = state.trafo_va[self.pcc.index]
        head = 0j
        losses = float(state.line_va[flows.line_rows].sum().real)
        losses += float(state.trafo_va[flows.inner_trafos].sum().real)
        if self.pcc_closed:
            head = complex(pcc[0] if self.pcc.side == "hv" else -pcc[1])
            losses += float(pcc.sum().real) if self.pcc.side == "hv" else 0.0
        former = 0j
        if self.former_bus is not None:
            at = self.buses.index(self.former_bus)
            former = complex(self._flows.leaving(state)[at] - (p[at] + 1j * q[at]))
        v_pu = np.where(alive, np.abs(state.v_pu[flows.rows]), 0.0)
        angle = np.where(alive, np.degrees(np.angle(state.v_pu[flows.rows])), 0.0)
        return Solution(
            buses=self.buses,
            v_pu=v_pu,
            angle_deg=angle,
            dead=tuple(bus for bus in self.buses if bus not in self._live),
            p_w=p,
            q_var=q,
            head_p_w=head.real,
            head_q_var=head.imag,
            former_bus=self.former_bus,
            former_p_w=former.real,
            former_q_var=former.imag,
            losses_w=losses,
            lines=self.lines,
            line_loading_percent=flows.line_loading(state),
            transformers=self.transformers,
            trafo_loading_percent=flows.trafo_loading(state, self.network),
            mismatch_va=float(np.abs(self._residual(state, p + 1j * q)[alive]).max()),
            iterations=state.iterations,
        )

    def _dead(self, p: FloatArray, q: FloatArray) -> Solution:
        nothing = np.zeros(len(self.buses))
        return Solution(
            buses=self.buses,
            v_pu=nothing,
            angle_deg=nothing.copy(),
            dead=self.buses,
            p_w=p,
            q_var=q,
            head_p_w=0.0,
            head_q_var=0.0,
            former_bus=None,
            former_p_w=0.0,
            former_q_var=0.0,
            losses_w=0.0,
            lines=self.lines,
            line_loading_percent=np.zeros(len(self.lines)),
            transformers=self.transformers,
            trafo_loading_percent=np.zeros(len(self.transformers)),
            mismatch_va=0.0,
            iterations=0,
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
