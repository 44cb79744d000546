"""A load that suits inverters, and what is recorded when they are left alone with it."""

import math
from dataclasses import dataclass

import numpy as np

from gridrig.campaign.recordings import ceased_s
from gridrig.devices.bench_capabilities import Float

GONE_PU = 0.05  # voltage and current that count as none


@dataclass(frozen=True)
class Balance:
    """A load that takes what the inverters give.

    Parameters
    ----------
    r_w, l_var, c_var : float
        Its branches, by their power at nominal voltage. [W, var]
    """

    r_w: float
    l_var: float
    c_var: float

    def beside(self, percent: int) -> "Balance":
        """Return it with its larger reactive branch at a share; the capacitance of two equals."""
        share = percent / 100
        if self.c_var >= self.l_var:
            return Balance(self.r_w, self.l_var, self.c_var * share)
        return Balance(self.r_w, self.l_var * share, self.c_var)

    def detuned_var(self, percent: int) -> float:
        """Return the reactive power by which that leaves S3 out of balance. [var]"""
        other = self.beside(percent)
        return (other.c_var - self.c_var) - (other.l_var - self.l_var)


@dataclass(frozen=True)
class Island:
    """What was recorded of one island.

    Parameters
    ----------
    t_s : array of float64, shape (points,)
        From the opening. [s]
    v_pu : array of float64, shape (points,)
        The highest of the phases.
    i_pu : array of float64, shape (points, inverters)
        The highest of each inverter's phases.
    f_hz : array of float64, shape (points,)
        [Hz]
    imbalance_pu : float
        What flowed through S3 before, beside what the load was detuned by: the larger of active
        and reactive power.
    misreports : tuple of str
        Where an inverter said something else than the analyser measured.
    connected : tuple of str
        Inverters that said they were connected still, after the island.
    """

    t_s: Float
    v_pu: Float
    i_pu: Float
    f_hz: Float
    imbalance_pu: float
    misreports: tuple[str, ...]
    connected: tuple[str, ...]

    @property
    def cleared_s(self) -> float:
        """When voltage and all currents had gone for good, infinite if they had not. [s]"""
        return max(_gone_s(self.t_s, values) for values in (self.v_pu, *self.i_pu.T))

    @property
    def died_s(self) -> float:
        """When the voltage or one inverter's current had gone for good. [s]

        The end of the recording if all are there still.
        """
        gone_s = min(_gone_s(self.t_s, values) for values in (self.v_pu, *self.i_pu.T))
        return min(gone_s, float(self.t_s[-1]))

    def rose(self, f_n: float) -> bool:
        """Return whether frequency was above nominal when the voltage went. [Hz]"""
        alive = np.flatnonzero((self.v_pu >= 0.5) & (self.t_s > 0.0) & (self.f_hz > 0.0))
        return bool(len(alive)) and bool(self.f_hz[alive[-1]] > f_n)


def _gone_s(t_s: Float, values: Float) -> float:
    found = ceased_s(t_s, values[:, None], GONE_PU)
    return math.inf if found > t_s[-1] else found
