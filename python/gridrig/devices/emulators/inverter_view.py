"""What an emulated inverter reports of its terminal: the truth, or what its mutant makes of it."""

import math
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Protocol

from gridrig.devices.emulators.terminal import TerminalState


class Mutant(Protocol):
    """The part of the `emulate` table that says how a device misreports."""

    @property
    def telemetry(self) -> str:
        """Live or frozen."""

    @property
    def sign(self) -> int:
        """Sign put on the reported active power."""

    @property
    def scale(self) -> float:
        """Factor put on the reported active power."""

    @property
    def q_scale(self) -> float:
        """Factor put on the reported reactive power."""

    @property
    def v_scale(self) -> float:
        """Factor put on the reported voltage."""

    @property
    def f_scale(self) -> float:
        """Factor put on the reported frequency."""

    @property
    def says_connected(self) -> bool:
        """Whether it reports to be connected whatever it is."""

    @property
    def v_nominal_v(self) -> float:
        """Nominal voltage. [V]"""


@dataclass(frozen=True)
class View:
    """One reported moment.

    Parameters
    ----------
    state : TerminalState
        Its terminal, with the reported active power.
    s_va : float
        Apparent power. [VA]
    v_v : float
        Line-to-line voltage, or line to neutral on a single phase. [V]
    pf : float
        Power factor, of active power's sign; 1 at rest.
    """

    state: TerminalState
    s_va: float
    v_v: float
    pf: float


class Reporter:
    """Makes a view of the terminal each time it is asked.

    Parameters
    ----------
    state : callable
        Returns the terminal as it is now.
    mutant : Mutant
        How it misreports.
    """

    def __init__(self, state: Callable[[], TerminalState], mutant: Mutant) -> None:
        self._state = state
        self._mutant = mutant
        self._frozen: TerminalState | None = None

    def view(self) -> View:
        """Return what is reported now."""
        state = self._state()
        if self._mutant.telemetry == "frozen":
            state = self._frozen = self._frozen or state
        if self._mutant.says_connected:
            state = replace(state, connected=True)
        p_w = state.p_w * self._mutant.sign * self._mutant.scale
        q_var = state.q_var * self._mutant.q_scale
        s_va = math.hypot(p_w, q_var)
        return View(
            replace(state, p_w=p_w, q_var=q_var, f_hz=state.f_hz * self._mutant.f_scale),
            s_va,
            state.v_pu * self._mutant.v_scale * self._mutant.v_nominal_v,
            p_w / s_va if s_va else 1.0,
        )
