"""What flowed in the circuit, one row a millisecond, for as long as instruments look back.

A row holds what is true from its time to the next: phasors turn on at the row's frequency, so a
sample inside a row is the row's phasor turned by the time since. Rows stand on whole milliseconds.

Limits
    `ROWS_MAX` rows; the oldest go first.
"""

from dataclasses import dataclass

import numpy as np

from gridrig.devices.emulators.bench_terminal import Complex, Float, Samples

STEPS_PER_S = 1000
ROWS_MAX = 1 << 18  # 262 s; pages never written cost no memory
_SLACK = 1e-6  # of a row: a time that means its very beginning


@dataclass(frozen=True)
class Row:
    """One moment of the circuit.

    Parameters
    ----------
    v_v : array of complex128, shape (phases,)
        At the bus. [V]
    i_a : array of complex128, shape (places, phases)
        Into the grid, at each place. [A]
    f_hz : float
        0 where there is no voltage. [Hz]
    trigger, contact : bool
        The source's trigger output and the switch's status contact.
    """

    v_v: Complex
    i_a: Complex
    f_hz: float
    trigger: bool
    contact: bool


class History:
    """A ring of rows.

    Parameters
    ----------
    places, phases : int
        How many currents, of how many phases.
    """

    def __init__(self, places: int, phases: int) -> None:
        self._v = np.zeros((ROWS_MAX, phases), dtype=np.complex128)
        self._i = np.zeros((ROWS_MAX, places, phases), dtype=np.complex128)
        self._f = np.zeros(ROWS_MAX)
        self._trigger = np.zeros(ROWS_MAX, dtype=np.bool_)
        self._contact = np.zeros(ROWS_MAX, dtype=np.bool_)
        self.count = 0  # rows so far; the last is for time (count - 1) / STEPS_PER_S

    def add(self, row: Row, times: int) -> None:
        """Add a row that holds for a number of milliseconds; its phasors turn on."""
        turn = np.exp(2j * np.pi * row.f_hz / STEPS_PER_S * np.arange(times))
        at = np.arange(self.count, self.count + times) % ROWS_MAX
        self._v[at] = row.v_v[None, :] * turn[:, None]
        self._i[at] = row.i_a[None, :, :] * turn[:, None, None]
        self._f[at] = row.f_hz
        self._trigger[at] = False
        self._trigger[at[0]] = row.trigger
        self._contact[at] = row.contact
        self.count += times

    def oldest_s(self) -> float:
        """Return the time of the oldest row. [s]"""
        return max(0, self.count - ROWS_MAX) / STEPS_PER_S

    def samples(self, place: int, t_s: Float) -> Samples:
        """Return what flowed at stated times.

        Raises
        ------
        LookupError
            For a time that is not here.
        """
        rows = np.floor(t_s * STEPS_PER_S + _SLACK).astype(np.int64)
        if len(rows) and not (self.count - ROWS_MAX <= rows.min() and rows.min() >= 0):
            raise LookupError(f"{t_s.min():g} s is no longer known")
        if len(rows) and rows.max() >= self.count:
            raise LookupError(f"{t_s.max():g} s is not yet known")
        at = rows % ROWS_MAX
        turn = np.exp(2j * np.pi * self._f[at] * (t_s - rows / STEPS_PER_S))
        return Samples(
            t_s,
            self._v[at] * turn[:, None],
            self._i[at, place] * turn[:, None],
            self._f[at],
            self._trigger[at],
            self._contact[at],
        )
