"""What emulated instruments may see and command of the bench's circuit: each its own part only.

The circuit offers these; an instrument owns no physics. Voltages are phase to neutral, RMS; angles
are those of the phasors at the bench's own time; positive power flows from the device into the
grid. All times are the bench's, in seconds; an instrument turns them into its own clock's.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

Complex = NDArray[np.complex128]
Float = NDArray[np.float64]


@dataclass(frozen=True)
class Setting:
    """What an AC source puts out at one moment.

    Parameters
    ----------
    v_v : tuple of float
        Of each channel, phase to neutral, RMS. [V]
    phase_deg : tuple of float
        Of each channel, added to its place in the phase sequence (0, -120, +120). [deg]
    f_hz : float
        Of all channels. [Hz]
    """

    v_v: tuple[float, ...]
    phase_deg: tuple[float, ...]
    f_hz: float


@dataclass(frozen=True)
class Step:
    """One step of a loaded sequence.

    Parameters
    ----------
    setting : Setting
        In force at the end of the step; from its beginning unless it ramps.
    dwell_s : float
        Length of the step. [s]
    ramp : bool
        Whether voltage, angle and frequency move linearly over the step.
    """

    setting: Setting
    dwell_s: float
    ramp: bool = False


@dataclass(frozen=True)
class Samples:
    """What flowed at one place of the circuit, one row a sample.

    Parameters
    ----------
    t_s : array of float64, shape (n,)
        Times of the samples. [s]
    v_v, i_a : array of complex128, shape (n, phases)
        Phasors of voltage (phase to neutral) and of current into the grid, RMS, their angle the
        instantaneous one: sqrt(2) times the real part is the wave. [V, A]
    f_hz : array of float64, shape (n,)
        Frequency of the voltage; 0 where there is none. [Hz]
    trigger, contact : array of bool, shape (n,)
        The source's trigger output and the switch's status contact (closed).
    """

    t_s: Float
    v_v: Complex
    i_a: Complex
    f_hz: Float
    trigger: NDArray[np.bool_]
    contact: NDArray[np.bool_]


class BenchTime(Protocol):
    """The bench's time, which every part shares."""

    def now_s(self) -> float:
        """Bring the circuit up to now and return the time. [s]"""


class SourceTerminal(BenchTime, Protocol):
    """The output of the AC source."""

    def set_output(self, on: bool) -> float:
        """Close or open the output relay; return when. [s]"""

    def apply(self, setting: Setting) -> float:
        """Put out a setting from the next step on; return when. [s]"""

    def play(self, steps: Sequence[Step]) -> float:
        """Begin a sequence with the next step, mark the trigger output, return when. [s]"""

    def stop_playing(self) -> None:
        """Hold what is put out now."""

    def playing(self) -> bool:
        """Return whether a sequence runs."""

    def setting(self) -> Setting:
        """Return what is put out now, or would be with the output on."""

    def interlock_closed(self) -> bool:
        """Return whether the bench's safety loop is closed."""


class DcTerminal(BenchTime, Protocol):
    """The DC input of a device that a DC source feeds."""

    def offer(self, p_w: float) -> float:
        """Offer power; return since when. [W, s]"""

    def drawn_w(self) -> float:
        """Return the power the device draws. [W]"""

    def interlock_closed(self) -> bool:
        """Return whether the bench's safety loop is closed."""


class LoadTerminal(BenchTime, Protocol):
    """The load bank's connection."""

    def connect(self, r_w: float, l_var: float, c_var: float) -> float:
        """Connect resistance, inductance and capacitance by their nominal power; return when."""

    def drawn(self) -> tuple[float, float]:
        """Return the active and reactive power it takes. [W, var]"""


class SwitchTerminal(BenchTime, Protocol):
    """The contactor's main contacts and its status contact."""

    def operate(
        self, moves: Sequence[tuple[float, bool, bool]], closes_within: Mapping[str, float]
    ) -> float:
        """Let the contacts move: (after [s], main closed, status closed) each; return the first.

        `closes_within` has the differences to a live bus within which they close; empty for any.
        """

    def contacts(self) -> tuple[bool, bool]:
        """Return whether the main and the status contacts are closed."""


class InterlockTerminal(BenchTime, Protocol):
    """The safety loop, as an input sees it."""

    def interlock_closed(self) -> bool:
        """Return whether the loop is closed."""

    def set_interlock(self, closed: bool) -> None:
        """Close or break the loop: what a person at the bench does."""


class AnalyserTerminal(BenchTime, Protocol):
    """Where an analyser's leads are clipped on."""

    places: int
    phases: int

    def watch(self, until_s: float) -> None:
        """Have the circuit go in its finest steps until a time, for a capture. [s]"""

    def samples(self, place: int, t_s: Float) -> Samples:
        """Return what flows at one of its places at stated times.

        Raises
        ------
        LookupError
            If a time is not yet, or no longer, known.
        """

    def oldest_s(self) -> float:
        """Return the earliest time that `samples` knows. [s]"""
