"""What a solved state is worth, and what it says in the terms of a feeder.

A state is believed if the engine says it converged, every live voltage is between 0.5 and 1.5 pu,
what flows off at each bus is what went in there (within 1 VA, or 1e-6 of all that was asked for),
and no bus without a source has a voltage.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial

import numpy as np
from numpy.typing import NDArray

from gridrig.errors import GridError
from gridrig.grid.engine import V_MAX_PU, V_MIN_PU, ComplexArray, EngineState, FloatArray, IntArray
from gridrig.grid.network import Network, line_key
from gridrig.grid.pcc import Cut, Pcc
from gridrig.grid.solution import Exchange, Solution

MISMATCH_MAX_VA = 1.0
MISMATCH_MAX_RATIO = 1e-6


@dataclass(frozen=True)
class Situation:
    """What is connected when a state is judged."""

    alive: NDArray[np.bool_]
    """By point of the feeder: whether a source reaches it."""
    all_alive: bool
    """Whether that is every point."""
    live: NDArray[np.bool_]
    """The same by bus of the network."""
    held: IntArray
    """Buses of the network whose voltage a source or the former holds."""
    bound: IntArray
    """Buses of the network where what flows off is what went in: not held, dead or outside."""
    pcc_closed: bool
    former: int | None
    """Position of the former among the points of the feeder."""


@dataclass(frozen=True, slots=True)
class Weighed:
    """What a state says at the points and buses of one feeder, for what was asked of it."""

    taken: ComplexArray
    """By point: what counted, which is what was asked for unless a load has its own nature. [VA]"""
    surplus: ComplexArray
    """By bus of the network: what flows off less what goes in there. [VA]"""
    mismatch: FloatArray
    """Its size at those buses where it has to be nothing. [VA]"""
    mismatch_va: float
    """The highest of them; not a number if one is. [VA]"""
    v_pu: ComplexArray
    """By point, and its size, and that of the lowest and highest phase. [pu]"""
    size: FloatArray
    low: FloatArray
    high: FloatArray


class Balance:
    """Judges and explains the states of one feeder.

    Parameters
    ----------
    engine : str
        Its name, for messages.
    network : Network
    pcc : Pcc
    cut : Cut
        Where it is.
    """

    def __init__(self, engine: str, network: Network, pcc: Pcc, cut: Cut) -> None:
        self._engine = engine
        self._network = network
        self._pcc = pcc
        self._cut = cut
        place = {bus: index for index, bus in enumerate(network.buses)}
        rows = [k for k, x in enumerate(network.points) if x.bus in cut.inside]
        points = [network.points[row] for row in rows]
        self._rows = _picks(rows, len(network.points))
        self.buses = tuple(point.name for point in points)
        self._home = np.array([place[point.bus] for point in points])
        self._names = np.array(self.buses)
        self.inner = np.array([bus in cut.inside for bus in network.buses])
        """By bus of the network: whether the feeder has it."""
        self._inside = _picks(np.flatnonzero(self.inner), len(network.buses))
        lines = [
            k
            for k, x in enumerate(network.lines)
            if x.from_bus in cut.inside or cut.key == line_key(x.name)
        ]
        self._line_rows = _picks(lines, len(network.lines))
        self.lines = tuple(network.lines[k].name for k in lines)
        self.transformers = tuple(x.name for x in network.transformers)
        self._generated = np.zeros(len(network.buses))
        self._free_var = np.zeros(len(network.buses), dtype=bool)
        self._machines = bool(network.generators)
        for machine in network.generators:
            self._generated[place[machine.bus]] += machine.p_w
            self._free_var[place[machine.bus]] = True

    def by_network(self, asked: ComplexArray) -> ComplexArray:
        """Return power by point of the feeder as power by point of the network. [VA]"""
        full: ComplexArray = np.zeros(len(self._network.points), dtype=complex)
        full[self._rows] = asked
        return full

    def weigh(self, state: EngineState, asked: ComplexArray, now: Situation) -> Weighed:
        """Return what a state is judged and explained by."""
        taken = asked if state.taken_va is None else state.taken_va[self._rows]
        surplus = state.leaving_va - self._generated
        np.subtract.at(surplus, self._home, taken)
        mismatch = np.abs(surplus[now.bound])
        if self._machines:
            free_var = self._free_var[now.bound]
            mismatch[free_var] = np.abs(surplus.real[now.bound][free_var])
        v_pu = state.v_pu[self._rows]
        size = np.abs(v_pu)
        return Weighed(
            taken=taken,
            surplus=surplus,
            mismatch=mismatch,
            mismatch_va=float(mismatch.max(initial=0.0)),
            v_pu=v_pu,
            size=size,
            low=size if state.v_low_pu is None else state.v_low_pu[self._rows],
            high=size if state.v_high_pu is None else state.v_high_pu[self._rows],
        )

    def judge(
        self, state: EngineState, weighed: Weighed, asked: ComplexArray, now: Situation
    ) -> GridError | None:
        """Return what is wrong with a state, None if it may be believed."""
        if not state.converged:
            return self._off("grid.not_converged", "did not converge", state, weighed, now)
        # Written so that what is not a number is wrong.
        if not (now.all_alive and weighed.low.min() >= V_MIN_PU and weighed.high.max() <= V_MAX_PU):
            out = ~((weighed.low >= V_MIN_PU) & (weighed.high <= V_MAX_PU)) & now.alive
            if out.any():
                return self._out_of_range(int(np.argmax(out)), weighed, now)
        # The first is nearly always true, and the second costs a sum over all points.
        if not (
            weighed.mismatch_va <= MISMATCH_MAX_VA
            or weighed.mismatch_va <= MISMATCH_MAX_RATIO * float(np.abs(asked).sum())
        ):
            words = "says it converged but is not balanced"
            return self._off("grid.unbalanced", words, state, weighed, now)
        if now.all_alive:
            return None
        ghosts = ~now.alive & (weighed.size > 1e-6)
        if ghosts.any():
            return GridError(
                "grid.dead_bus",
                "{engine} has a voltage at bus {bus!r}, which no source reaches",
                engine=self._engine,
                bus=self.buses[int(np.argmax(ghosts))],
            )
        return None

    def _out_of_range(self, bus: int, weighed: Weighed, now: Situation) -> GridError:
        low, high = float(weighed.low[bus]), float(weighed.high[bus])
        return GridError(
            "grid.voltage_range",
            "{engine} found {v_pu:.4g} pu at bus {bus!r} {where}: loads keep their power only "
            "between {v_min_pu} and {v_max_pu} pu",
            engine=self._engine,
            where=_where(now),
            bus=self.buses[bus],
            v_pu=high if high > V_MAX_PU else low,
            v_min_pu=V_MIN_PU,
            v_max_pu=V_MAX_PU,
        )

    def _off(
        self, code: str, words: str, state: EngineState, weighed: Weighed, now: Situation
    ) -> GridError:
        """Return the error of a state that does not balance, with the bus where it is worst."""
        bus, mismatch_va = self._cut.bus, 0.0  # with every bus held there is no worst one
        if len(weighed.mismatch):
            worst = int(np.argmax(np.nan_to_num(weighed.mismatch, nan=np.inf)))
            bus, mismatch_va = self._network.buses[now.bound[worst]], weighed.mismatch[worst]
        return GridError(
            code,
            "{engine} " + words + " {where}: worst mismatch {mismatch_va:.4g} VA at bus {bus!r} "
            "after {iterations} iterations",
            engine=self._engine,
            where=_where(now),
            mismatch_va=float(mismatch_va),
            bus=bus,
            iterations=state.iterations,
        )

    def explain(self, state: EngineState, weighed: Weighed, now: Situation) -> Solution:
        """Turn voltages and flows into the terms of the feeder."""
        phasor_pu, v_pu, low, high = weighed.v_pu, weighed.size, weighed.low, weighed.high
        dead: tuple[str, ...] = ()
        if not now.all_alive:
            alive = now.alive
            phasor_pu = np.where(alive, phasor_pu, 0.0)
            v_pu, low, high = (np.where(alive, x, 0.0) for x in (v_pu, low, high))
            dead = tuple(self._names[~alive].tolist())
        return Solution(
            buses=self.buses,
            v_pu=v_pu,
            phasor_pu=phasor_pu,
            v_low_pu=low,
            v_high_pu=high,
            dead=dead,
            taken_va=weighed.taken,
            former_bus=None if now.former is None else self.buses[now.former],
            lines=self.lines,
            transformers=self.transformers,
            mismatch_va=weighed.mismatch_va,
            iterations=state.iterations,
            exchange_of=partial(self._exchange, state, weighed.surplus, now),
            loadings_of=partial(self._loadings, state),
        )

    def _exchange(self, state: EngineState, surplus: ComplexArray, now: Situation) -> Exchange:
        """Work out what comes from the main grid and the former, and what is lost."""
        cut = self._cut
        lost = complex(state.leaving_va[self._inside].sum())
        head = 0j
        if now.pcc_closed and cut.key:
            first = len(self._network.lines) if self._pcc.kind == "trafo" else 0
            flow = state.branches.va[first + cut.position]
            lost -= complex(flow[cut.far_end])
            head = -complex(flow[cut.far_end])
            if self._pcc.side == "hv":
                head = complex(flow[0])
                lost += complex(flow.sum())
        elif now.pcc_closed:
            head = complex(surplus[now.held].sum())
        former = 0j
        if now.former is not None:
            former = complex(surplus[self._home[now.former]])
        return Exchange(head, former, lost)

    def _loadings(self, state: EngineState) -> tuple[FloatArray, FloatArray]:
        percent, lines = state.branches.percent, len(self._network.lines)
        return percent[:lines][self._line_rows], percent[lines:]

    def dead(self) -> Solution:
        """Return the solution of a feeder that nothing feeds."""
        nothing = np.zeros(len(self.buses))
        return Solution(
            buses=self.buses,
            v_pu=nothing,
            phasor_pu=nothing.astype(complex),
            v_low_pu=nothing.copy(),
            v_high_pu=nothing.copy(),
            dead=self.buses,
            taken_va=nothing.astype(complex),
            former_bus=None,
            lines=self.lines,
            transformers=self.transformers,
            mismatch_va=0.0,
            iterations=0,
            exchange_of=Exchange,
            loadings_of=lambda: (np.zeros(len(self.lines)), np.zeros(len(self.transformers))),
        )


def _picks(rows: Sequence[int] | IntArray, count: int) -> IntArray | slice:
    """Return what picks rows out of so many: all of them, the usual case, without a copy."""
    return slice(None) if len(rows) == count else np.array(rows, dtype=np.int64)


def _where(now: Situation) -> str:
    return "with the PCC closed" if now.pcc_closed else "in the island"
