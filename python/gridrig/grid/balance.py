"""What a solved state is worth, and what it says in the terms of a feeder.

A state is believed if the engine says it converged, every live voltage is between 0.5 and 1.5 pu,
what flows off at each bus is what went in there (within 1 VA, or 1e-6 of all that was asked for),
and no bus without a source has a voltage.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from gridrig.errors import GridError
from gridrig.grid.engine import V_MAX_PU, V_MIN_PU, ComplexArray, EngineState, FloatArray
from gridrig.grid.network import Network, line_key
from gridrig.grid.pcc import Cut, Pcc
from gridrig.grid.solution import Solution

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
    held: NDArray[np.bool_]
    """By bus of the network: whether a source or the former holds its voltage."""
    free: NDArray[np.bool_]
    """By bus of the network: held, dead or outside, where any power may flow off."""
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
    """The same where it has to be nothing, and 0 where it is free. [VA]"""
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
        self._rows = np.array([k for k, x in enumerate(network.points) if x.bus in cut.inside])
        points = [network.points[row] for row in self._rows]
        self.buses = tuple(point.name for point in points)
        self._home = np.array([place[point.bus] for point in points])
        self._names = np.array(self.buses)
        self.inner = np.array([bus in cut.inside for bus in network.buses])
        """By bus of the network: whether the feeder has it."""
        self._line_rows = np.array(
            [
                k
                for k, x in enumerate(network.lines)
                if x.from_bus in cut.inside or cut.key == line_key(x.name)
            ],
            dtype=np.int64,
        )
        self.lines = tuple(network.lines[k].name for k in self._line_rows)
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
        mismatch = np.abs(surplus)
        if self._machines:
            mismatch[self._free_var] = np.abs(surplus.real[self._free_var])
        mismatch[now.free] = 0.0
        v_pu = state.v_pu[self._rows]
        size = np.abs(v_pu)
        return Weighed(
            taken=taken,
            surplus=surplus,
            mismatch=mismatch,
            mismatch_va=float(mismatch.max()),
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
        out = ~((weighed.low >= V_MIN_PU) & (weighed.high <= V_MAX_PU)) & now.alive
        if out.any():
            bus = int(np.argmax(out))
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

    def _off(
        self, code: str, words: str, state: EngineState, weighed: Weighed, now: Situation
    ) -> GridError:
        """Return the error of a state that does not balance, with the bus where it is worst."""
        worst = int(np.argmax(np.nan_to_num(weighed.mismatch, nan=np.inf)))
        return GridError(
            code,
            "{engine} " + words + " {where}: worst mismatch {mismatch_va:.4g} VA at bus {bus!r} "
            "after {iterations} iterations",
            engine=self._engine,
            where=_where(now),
            mismatch_va=float(weighed.mismatch[worst]),
            bus=self._network.buses[worst],
            iterations=state.iterations,
        )

    def explain(self, state: EngineState, weighed: Weighed, now: Situation) -> Solution:
        """Turn voltages and flows into the terms of the feeder."""
        cut, surplus = self._cut, weighed.surplus
        lost = complex(state.leaving_va[self.inner].sum())
        head = 0j
        if now.pcc_closed and cut.key:
            flow = (state.trafo_va if self._pcc.kind == "trafo" else state.line_va)[cut.position]
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
            p_w=weighed.taken.real.copy(),
            q_var=weighed.taken.imag.copy(),
            head_p_w=head.real,
            head_q_var=head.imag,
            former_bus=None if now.former is None else self.buses[now.former],
            former_p_w=former.real,
            former_q_var=former.imag,
            losses_w=lost.real,
            lines=self.lines,
            line_loading_percent=state.line_percent[self._line_rows],
            transformers=self.transformers,
            trafo_loading_percent=state.trafo_percent,
            mismatch_va=weighed.mismatch_va,
            iterations=state.iterations,
        )

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
            p_w=nothing.copy(),
            q_var=nothing.copy(),
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


def _where(now: Situation) -> str:
    return "with the PCC closed" if now.pcc_closed else "in the island"
