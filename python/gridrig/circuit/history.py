"""What flowed in the circuit, one row a step, for as long as instruments look back.

A row holds what is true from its time to the next row's: phasors turn on at the row's frequency,
so a sample inside a row is its phasor turned by the time since. Rows begin on whole milliseconds.

Limits
    `ROWS_MAX` rows: 131 s of steps of a millisecond, hours of steady state. When they are full the
    older half goes.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from gridrig.devices.emulators.bench_terminal import Complex, Float, Samples

STEPS_PER_S = 1000
ROWS_MAX = 1 << 17
_SLACK = 1e-6  # of a millisecond: a time that means its very beginning


@dataclass(frozen=True)
class Row:
    """What is true from a moment on.

    Parameters
    ----------
    v_v : sequence of complex, one a phase
        At the bus. [V]
    i_a : sequence of sequence of complex, by place and phase
        Into the grid. [A]
    f_hz : float
        0 where there is no voltage. [Hz]
    trigger, contact : bool
        The source's trigger output and the switch's status contact.
    """

    v_v: Sequence[complex]
    i_a: Sequence[Sequence[complex]]
    f_hz: float
    trigger: bool
    contact: bool


class History:
    """Rows in order of time.

    Parameters
    ----------
    places, phases : int
        How many currents, of how many phases.
    """

    def __init__(self, places: int, phases: int) -> None:
        # Pages that are never written cost no memory.
        self._start_ms = np.zeros(ROWS_MAX, dtype=np.int64)
        self._v = np.zeros((ROWS_MAX, phases), dtype=np.complex128)
        self._i = np.zeros((ROWS_MAX, places, phases), dtype=np.complex128)
        self._f = np.zeros(ROWS_MAX)
        self._trigger = np.zeros(ROWS_MAX, dtype=np.bool_)
        self._contact = np.zeros(ROWS_MAX, dtype=np.bool_)
        self._rows = 0
        self.end_ms = 0

    def add(self, row: Row, duration_ms: int) -> None:
        """Add a row that holds for a time. [ms]"""
        if self._rows == ROWS_MAX:
            self._forget()
        at = self._rows
        self._start_ms[at] = self.end_ms
        self._v[at] = row.v_v
        self._i[at] = row.i_a
        self._f[at] = row.f_hz
        self._trigger[at] = row.trigger
        self._contact[at] = row.contact
        self._rows += 1
        self.end_ms += duration_ms

    def add_steps(self, v_v: Complex, i_a: Complex, f_hz: Float, row: Row) -> None:
        """Add steps of a millisecond each.

        Parameters
        ----------
        v_v : array of complex128, shape (steps, phases)
            At the bus. [V]
        i_a : array of complex128, shape (steps, places, phases)
            Into the grid. [A]
        f_hz : array of float64, shape (steps,)
            [Hz]
        row : Row
            Its trigger holds for the first step, its contact for all.
        """
        steps = len(f_hz)
        while self._rows + steps > ROWS_MAX:
            self._forget()
        at = slice(self._rows, self._rows + steps)
        self._start_ms[at] = self.end_ms + np.arange(steps)
        self._v[at], self._i[at], self._f[at] = v_v, i_a, f_hz
        self._trigger[at] = False
        self._trigger[self._rows] = row.trigger
        self._contact[at] = row.contact
        self._rows += steps
        self.end_ms += steps

    def oldest_s(self) -> float:
        """Return the beginning of the oldest row. [s]"""
        return float(self._start_ms[0]) / STEPS_PER_S

    def samples(self, place: int, t_s: Float) -> Samples:
        """Return what flowed at stated times.

        Raises
        ------
        LookupError
            For a time that is not here.
        """
        t_ms = np.floor(t_s * STEPS_PER_S + _SLACK)
        if len(t_ms) and t_ms.min() < self._start_ms[0]:
            raise LookupError(f"{t_s.min():g} s is no longer known")
        if len(t_ms) and t_ms.max() >= self.end_ms:
            raise LookupError(f"{t_s.max():g} s is not yet known")
        at = np.searchsorted(self._start_ms[: self._rows], t_ms, side="right") - 1
        turn = np.exp(2j * np.pi * self._f[at] * (t_s - self._start_ms[at] / STEPS_PER_S))
        return Samples(
            t_s,
            self._v[at] * turn[:, None],
            self._i[at, place] * turn[:, None],
            self._f[at],
            self._trigger[at],
            self._contact[at],
        )

    def _forget(self) -> None:
        kept = self._rows // 2
        for column in (self._start_ms, self._v, self._i, self._f, self._trigger, self._contact):
            column[:kept] = column[self._rows - kept : self._rows].copy()
        self._rows = kept
