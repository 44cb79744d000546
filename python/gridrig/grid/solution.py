"""One solved state of the feeder, in the terms of the people who read it."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

FloatArray = NDArray[np.float64]
ComplexArray = NDArray[np.complex128]


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
    p_w: FloatArray
    """Power that counted, by point: what was asked for, less or more where a load of an OpenDSS
    file follows its voltage, and 0 at a dead bus. [W]"""
    q_var: FloatArray
    """As `p_w`. [var]"""
    head_p_w: float
    head_q_var: float
    former_bus: str | None
    former_p_w: float
    former_q_var: float
    losses_w: float
    """Of the elements inside the meters only, summed over them. [W]"""
    lines: tuple[str, ...]
    line_loading_percent: FloatArray
    transformers: tuple[str, ...]
    trafo_loading_percent: FloatArray
    """By transformer, the PCC among them; current of the worse side over its rating. [%]"""
    mismatch_va: float
    """Worst difference between a bus's flows and what was asked for. [VA]"""
    iterations: int

    def __post_init__(self) -> None:
        # A feeder may hand out one solution twice, so nobody may write into it.
        for array in (
            self.v_pu,
            self.phasor_pu,
            self.v_low_pu,
            self.v_high_pu,
            self.p_w,
            self.q_var,
            self.line_loading_percent,
            self.trafo_loading_percent,
        ):
            array.setflags(write=False)

    @property
    def angle_deg(self) -> FloatArray:
        """Voltage angle by point; 0 at a dead bus. [deg]"""
        return np.degrees(np.angle(self.phasor_pu))

    def v_at(self, bus: str) -> float:
        """Return the voltage of one bus. [pu]"""
        return float(self.v_pu[self.buses.index(bus)])
