"""One solved state of the feeder, in the terms of the people who read it.

Voltages are there at once. What few read at every step (losses, head, loadings) is worked out when
it is first asked for, from arrays that belong to this solution alone: it cannot go stale.
"""

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

FloatArray = NDArray[np.float64]
ComplexArray = NDArray[np.complex128]


class Exchange(NamedTuple):
    """What a feeder takes and loses as a whole; nothing, unless said otherwise. [VA]"""

    head: complex = 0j
    """From the main grid."""
    former: complex = 0j
    """From the grid-former."""
    lost: complex = 0j
    """Between the meters."""


@dataclass(frozen=True)
class Solution:
    """Voltages, flows and losses inside the PCC at one moment.

    Every power is positive into the grid: `head_p_w` > 0 means the main grid delivers into the
    feeder, `former_p_w` > 0 means the grid-former generates. With the PCC open the head is
    exactly 0; without a former every bus is dead, at exactly 0 V, and takes no power.
    """

    buses: tuple[str, ...]
    v_pu: FloatArray
    """Voltage by point, of all phases together the positive sequence; exactly 0 at a dead bus.
    [pu]"""
    phasor_pu: ComplexArray
    """The same with its angle against the main grid or the former. [pu]"""
    v_low_pu: FloatArray
    """As `v_pu`, of the lowest phase. [pu]"""
    v_high_pu: FloatArray
    """As `v_pu`, of the highest phase. [pu]"""
    dead: tuple[str, ...]
    """Buses without a source, in bus order."""
    taken_va: ComplexArray
    """Power that counted, by point: what was asked for, less or more where a load of an OpenDSS
    file follows its voltage, and 0 at a dead bus. [VA]"""
    former_bus: str | None
    lines: tuple[str, ...]
    transformers: tuple[str, ...]
    mismatch_va: float
    """Worst difference between a bus's flows and what was asked for. [VA]"""
    iterations: int
    exchange_of: Callable[[], Exchange]
    """Works out what is exchanged."""
    loadings_of: Callable[[], tuple[FloatArray, FloatArray]]
    """Works out the loadings of lines and of transformers."""

    def __post_init__(self) -> None:
        # A feeder may hand out one solution twice, so nobody may write into it.
        for array in (self.v_pu, self.phasor_pu, self.v_low_pu, self.v_high_pu, self.taken_va):
            array.setflags(write=False)

    @cached_property
    def p_w(self) -> FloatArray:
        """Active part of `taken_va`. [W]"""
        return _kept(self.taken_va.real.copy())

    @cached_property
    def q_var(self) -> FloatArray:
        """Reactive part of `taken_va`. [var]"""
        return _kept(self.taken_va.imag.copy())

    @property
    def head_p_w(self) -> float:
        """What the main grid delivers. [W]"""
        return self._exchange.head.real

    @property
    def head_q_var(self) -> float:
        """As `head_p_w`. [var]"""
        return self._exchange.head.imag

    @property
    def former_p_w(self) -> float:
        """What the grid-former delivers. [W]"""
        return self._exchange.former.real

    @property
    def former_q_var(self) -> float:
        """As `former_p_w`. [var]"""
        return self._exchange.former.imag

    @property
    def losses_w(self) -> float:
        """Of the elements inside the meters only, summed over them. [W]"""
        return self._exchange.lost.real

    @property
    def line_loading_percent(self) -> FloatArray:
        """By line; current over its rating. [%]"""
        return self._loadings[0]

    @property
    def trafo_loading_percent(self) -> FloatArray:
        """By transformer, the PCC among them; current of the worse side over its rating. [%]"""
        return self._loadings[1]

    @cached_property
    def _exchange(self) -> Exchange:
        return self.exchange_of()

    @cached_property
    def _loadings(self) -> tuple[FloatArray, FloatArray]:
        lines, transformers = self.loadings_of()
        return _kept(lines), _kept(transformers)

    @property
    def angle_deg(self) -> FloatArray:
        """Voltage angle by point; 0 at a dead bus. [deg]"""
        return np.degrees(np.angle(self.phasor_pu))

    def v_at(self, bus: str) -> float:
        """Return the voltage of one bus. [pu]"""
        return float(self.v_pu[self.buses.index(bus)])


def _kept(array: FloatArray) -> FloatArray:
    array.setflags(write=False)
    return array
