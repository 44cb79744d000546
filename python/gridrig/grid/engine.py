"""What a power-flow engine owes the feeder: voltages and flows, nothing interpreted.

An engine solves; it decides nothing. Which buses are dead, what the head and the former deliver,
what is lost and whether the solution balances is worked out from its flows in one place, the
same for every engine (`feeder.py`).
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

FloatArray = NDArray[np.float64]
ComplexArray = NDArray[np.complex128]
IntArray = NDArray[np.int64]

TOLERANCE_VA = 0.01
"""Mismatch at which an engine may stop. [VA]"""

ITERATIONS_MAX = 100
"""Of OpenDSS's fixed point; Newton takes 2 to 6 and gets a third of it."""

V_MIN_PU, V_MAX_PU = 0.5, 1.5
"""Band in which every load keeps its nature; a solution outside it is refused. [pu]"""


@dataclass(frozen=True)
class Topology:
    """What is connected, and what holds the voltage."""

    out: frozenset[str]
    """Branches out of service, `line:<name>` or `trafo:<name>`, the open PCC among them."""
    sources_on: bool
    """Whether the main grid feeds anything; it does not if it is itself the open PCC."""
    former: int | None
    """Position of the bus whose voltage the grid-former holds."""
    live: frozenset[str]
    """Buses that a source or the former reaches."""
    tap_steps: Mapping[str, float] = field(default_factory=dict)
    """Steps off neutral of the transformers whose tap was moved, by name. [1]"""
    held: frozenset[str] = frozenset()
    """Regulators that do not act, by name."""
    regulated_v: Mapping[str, float] = field(default_factory=dict)
    """Voltages that regulators were told to hold, where the file says otherwise. [V]"""


@dataclass(frozen=True)
class BranchFlows:
    """What the branches carried in one state, lines before transformers.

    Nothing needs it to believe the state, so it is worked out when somebody asks: from arrays that
    no later solve writes into.
    """

    work_out_va: Callable[[], ComplexArray]
    work_out_percent: Callable[["BranchFlows"], FloatArray]
    """May ask these flows for `va`."""

    @cached_property
    def va(self) -> ComplexArray:
        """Power into each branch from its two ends (a transformer's HV first); 0 out of service.

        Shape (branches, 2). [VA]
        """
        return self.work_out_va()

    @property
    def percent(self) -> FloatArray:
        """Current of the worst end over the rating, by branch. [%]

        Where phases differ, of the worst phase, in OpenDSS of the first end.
        """
        return self.work_out_percent(self)


@dataclass(frozen=True)
class EngineState:
    """One solved or failed state, by the network's positions."""

    converged: bool
    """What the engine itself says."""
    iterations: int
    v_pu: ComplexArray
    """By point: over nominal, of all phases of a bus the positive sequence; whatever the engine
    has for a dead bus. [pu]"""
    leaving_va: ComplexArray
    """By bus: what leaves it through branches and shunts, all phases together. [VA]"""
    branches: BranchFlows
    v_low_pu: FloatArray | None = None
    v_high_pu: FloatArray | None = None
    """By point: of the worst phases; None if phases do not differ. [pu]"""
    taken_va: ComplexArray | None = None
    """By point: what counted, if loads do not draw what was asked; into the grid. [VA]"""


class Engine(Protocol):
    """A power-flow engine holding one network."""

    name: str

    def arrange(self, topology: Topology, source_v_pu: float, former_v_pu: float) -> None:
        """Take another topology or source voltage; the next solve starts from flat."""

    def restart(self) -> None:
        """Forget the last solution, so that the next solve starts from flat."""

    def solve(self, injected_va: ComplexArray) -> EngineState:
        """Solve with these injections by point, positive into the grid.

        Starts from the last solution, whatever it was: who does not believe a state restarts.
        """

    def tap_steps(self, transformer: str) -> float:
        """Return where the tap of a transformer stands, in steps off neutral. [1]"""

    def admittances(self) -> ComplexArray:
        """Return the nodal admittances between the buses, positive sequence. [S]

        Of what is arranged, without sources, former and injections; bus by bus, in siemens for
        line-to-neutral voltages, referred to each bus's own nominal voltage.
        """
