"""What a power-flow engine owes the feeder: voltages and terminal flows, nothing interpreted.

An engine solves; it decides nothing. Which buses are dead, what the head and the former deliver,
what is lost and whether the solution balances is worked out from its flows in one place, the
same for every engine (`feeder.py`).
"""

from dataclasses import dataclass
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
"""Band in which every load keeps its P and Q; a solution outside it is refused. [pu]"""


@dataclass(frozen=True)
class Topology:
    """What is connected, and what holds the voltage."""

    pcc: int
    """Position of the transformer that is the PCC."""
    closed: bool
    former: int | None
    """Position of the bus whose voltage the grid-former holds; only with the PCC open."""


@dataclass(frozen=True)
class EngineState:
    """One solved or failed state, by the network's positions."""

    converged: bool
    """What the engine itself says."""
    iterations: int
    v_pu: ComplexArray
    """By bus, line-to-neutral over nominal; whatever the engine has for a dead bus. [pu]"""
    line_va: ComplexArray
    """Power into each line from its two ends, shape (lines, 2); 0 out of service. [VA]"""
    trafo_va: ComplexArray
    """Power into each transformer from HV and LV, shape (transformers, 2). [VA]"""


class Engine(Protocol):
    """A power-flow engine holding one network."""

    name: str

    def arrange(self, topology: Topology, source_v_pu: float, former_v_pu: float) -> None:
        """Take another topology or source voltage; the next solve starts from flat."""

    def restart(self) -> None:
        """Forget the last solution, so that the next solve starts from flat."""

    def solve(self, p_w: FloatArray, q_var: FloatArray) -> EngineState:
        """Solve with these injections by bus, positive into the grid, constant P and Q.

        Starts from the last solution, whatever it was: who does not believe a state restarts.
        """
