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
    live: NDArray[np.bool_]
    """The same by bus of the network."""
    held: NDArray[np.bool_]
    """By bus of the network: whether a source or the former holds its voltage."""
    pcc_closed: bool
    former: int | None
    """Position of the former among the points of the feeder."""


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
        self._inner = np.array([bus in cut.inside for bus in network.buses])
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
        for machine in network.generators:
            self._generated[place[machine.bus]] += machine.p_w
            self._free_var[place[machine.bus]] = True

    def by_network(self, asked: ComplexArray) -> ComplexArray:
        """Return power by point of the feeder as power by point of the network. [VA]"""
        full: ComplexArray = np.zeros(len(self._network.points), dtype=complex)
        full[self._rows] = asked
        return full

    def judge(self, state: EngineState, asked: ComplexArray, now: Situation) -> GridError | None:
        """Return what is wrong with a state, None if it may be believed."""
        alive = now.alive
        with np.errstate(all="ignore"):
            residual = np.abs(self._residual(state, asked, now))
            v_pu = np.abs(state.v_pu[self._rows])
        residual[~np.isfinite(residual)] = np.inf
        residual[self._home[alive & ~np.isfinite(v_pu)]] = np.inf
        worst = int(np.argmax(residual))
        facts = {
            "engine": self._engine,
            "where": "with the PCC closed" if now.pcc_closed else "in the island",
            "mismatch_va": float(residual[worst]),
            "bus": self._network.buses[worst],
            "iterations": state.iterations,
        }
        tail = (
            "{where}: worst mismatch {mismatch_va:.4g} VA at bus {bus!r} after {iterations} "
            "iterations"
        )
        if not state.converged:
            return GridError("grid.not_converged", "{engine} did not converge " + tail, **facts)
        limit = max(MISMATCH_MAX_VA, MISMATCH_MAX_RATIO * float(np.abs(asked).sum()))
        low, high = self._extremes(state)
        out = alive & ((low < V_MIN_PU) | (high > V_MAX_PU))
        if out.any():
            bus = int(np.argmax(out))
            return GridError(
                "grid.voltage_range",
                "{engine} found {v_pu:.4g} pu at bus {bus!r} {where}: loads keep their power only "
                "between {v_min_pu} and {v_max_pu} pu",
                **(facts | {"bus": self.buses[bus]}),
                v_pu=float(low[bus] if low[bus] < V_MIN_PU else high[bus]),
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
                engine=self._engine,
                bus=self.buses[int(np.argmax(ghosts))],
            )
        return None

    def _taken(self, state: EngineState, asked: ComplexArray) -> ComplexArray:
        """Return by point what counted: what was asked for, unless a load has its own nature."""
        if state.taken_va is None:
            return asked
        taken: ComplexArray = state.taken_va[self._rows]
        return taken

    def _residual(self, state: EngineState, asked: ComplexArray, now: Situation) -> ComplexArray:
        """Return by bus of the network what flows off minus what goes in, 0 where it is free."""
        residual = state.leaving_va - self._generated
        np.subtract.at(residual, self._home, self._taken(state, asked))
        residual.imag[self._free_var] = 0.0
        residual[now.held | ~now.live | ~self._inner] = 0.0
        return residual

    def _extremes(self, state: EngineState) -> tuple[FloatArray, FloatArray]:
        """Return the lowest and highest voltage at each point, of its phases."""
        v_pu = np.abs(state.v_pu)
        low = v_pu if state.v_low_pu is None else state.v_low_pu
        high = v_pu if state.v_high_pu is None else state.v_high_pu
        return low[self._rows], high[self._rows]

    def explain(self, state: EngineState, asked: ComplexArray, now: Situation) -> Solution:
        """Turn voltages and flows into the terms of the feeder."""
        cut, alive = self._cut, now.alive
        taken = self._taken(state, asked)
        surplus = state.leaving_va - self._generated
        np.subtract.at(surplus, self._home, taken)
        lost = complex(state.leaving_va[self._inner].sum())
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
        v_low, v_high = self._extremes(state)
        v_pu = np.where(alive, np.abs(state.v_pu[self._rows]), 0.0)
        return Solution(
            buses=self.buses,
            v_pu=v_pu,
            angle_deg=np.where(alive, np.degrees(np.angle(state.v_pu[self._rows])), 0.0),
            v_low_pu=np.where(alive, v_low, 0.0),
            v_high_pu=np.where(alive, v_high, 0.0),
            dead=tuple(np.array(self.buses)[~alive].tolist()),
            p_w=taken.real.copy(),
            q_var=taken.imag.copy(),
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
            mismatch_va=float(np.abs(self._residual(state, asked, now)).max()),
            iterations=state.iterations,
        )

    def dead(self) -> Solution:
        """Return the solution of a feeder that nothing feeds."""
        nothing = np.zeros(len(self.buses))
        return Solution(
            buses=self.buses,
            v_pu=nothing,
            angle_deg=nothing.copy(),
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
