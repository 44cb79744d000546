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
    grid_v_v : sequence of complex, one a phase, or None
        At the switch, on the side of the source; None where that is the bus. [V]
    grid_f_hz : float
        Its frequency. [Hz]
    """

    v_v: Sequence[complex]
    i_a: Sequence[Sequence[complex]]
    f_hz: float
    trigger: bool
    contact: bool
    grid_v_v: Sequence[complex] | None = None
    grid_f_hz: float = 0.0


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
        self._grid_v = np.zeros((ROWS_MAX, phases), dtype=np.complex128)
        self._grid_f = np.zeros(ROWS_MAX)
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
        apart = row.grid_v_v is not None
        self._grid_v[at] = row.grid_v_v if apart else row.v_v
        self._grid_f[at] = row.grid_f_hz if apart else row.f_hz
        self._trigger[at] = row.trigger
        self._contact[at] = row.contact
        self._rows += 1
        self.end_ms += duration_ms

    def add_steps(
        self,
        v_v: Complex,
        i_a: Complex,
        f_hz: Float,
        row: Row,
        grid_v_v: Complex | None = None,
        grid_f_hz: float = 0.0,
    ) -> None:
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
        grid_v_v : array of complex128, shape (steps, phases), or None
            At the switch, on the side of the source; None where that is the bus. [V]
        grid_f_hz : float
            Its frequency. [Hz]
        """
        steps = len(f_hz)
        while self._rows + steps > ROWS_MAX:
            self._forget()
        at = slice(self._rows, self._rows + steps)
        self._start_ms[at] = self.end_ms + np.arange(steps)
        self._v[at], self._i[at], self._f[at] = v_v, i_a, f_hz
        self._grid_v[at] = v_v if grid_v_v is None else grid_v_v
        self._grid_f[at] = f_hz if grid_v_v is None else grid_f_hz
        self._trigger[at] = False
        self._trigger[self._rows] = row.trigger
        self._contact[at] = row.contact
        self._rows += steps
        self.end_ms += steps

    def oldest_s(self) -> float:
        """Return the beginning of the oldest row. [s]"""
        return float(self._start_ms[0]) / STEPS_PER_S

    def samples(self, place: int, t_s: Float, *, grid_side: bool = False) -> Samples:
        """Return what flowed at stated times, with the bus's voltage or the grid's.

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
        v, f = (self._grid_v, self._grid_f) if grid_side else (self._v, self._f)
        since_s = t_s - self._start_ms[at] / STEPS_PER_S
        turn = np.exp(2j * np.pi * f[at] * since_s)[:, None]
        return Samples(
            t_s,
            v[at] * turn,
            self._i[at, place] * turn,
            f[at],
            self._trigger[at],
            self._contact[at],
        )

    def _forget(self) -> None:
        kept = self._rows // 2
        columns = (self._start_ms, self._v, self._i, self._f, self._grid_v, self._grid_f)
        for column in (*columns, self._trigger, self._contact):
            column[:kept] = column[self._rows - kept : self._rows].copy()
        self._rows = kept
