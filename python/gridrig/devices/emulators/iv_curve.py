"""The current-voltage curve of a photovoltaic array simulator, by its four catalogue values.

An exponential through (0, isc), (vmp, imp) and (voc, 0):

    i(v) = isc - i0 (exp(v / va) - 1)
    va = (vmp - voc) / ln(1 - imp / isc),   i0 = isc / (exp(voc / va) - 1)

It meets the two ends exactly and (vmp, imp) to exp(-voc / va), 0.25 % of isc or less for what the
check lets through. Where the product is largest follows from the curve; it is near vmp, as on a
catalogue page. Irradiance scales the currents.
"""

import math
from dataclasses import dataclass

IRRADIANCE_STC = 1000.0  # [W/m2]
TRIES = 60


@dataclass(frozen=True)
class IvCurve:
    """A curve at 1000 W/m2.

    Parameters
    ----------
    voc_v, isc_a : float
        Open-circuit voltage, short-circuit current. [V, A]
    vmp_v, imp_a : float
        The point of most power. [V, A]
    """

    voc_v: float
    isc_a: float
    vmp_v: float
    imp_a: float

    def right(self) -> bool:
        """Return whether it is a curve: its point of most power inside, its knee sharp."""
        inside = 0 < self.vmp_v < self.voc_v and 0 < self.imp_a < self.isc_a
        return inside and self.voc_v / self._va() > 6.0

    def i_a(self, v_v: float, irradiance: float) -> float:
        """Return the current at a voltage, not negative. [A]"""
        va = self._va()
        i0 = self.isc_a / math.expm1(self.voc_v / va)
        stc_a = self.isc_a - i0 * math.expm1(min(v_v, self.voc_v) / va)
        return max(0.0, stc_a * irradiance / IRRADIANCE_STC)

    def p_max_w(self, irradiance: float) -> float:
        """Return the most power that it gives. [W]"""
        v_v = self._knee_v()
        return v_v * self.i_a(v_v, irradiance)

    def v_at(self, p_w: float, irradiance: float) -> float:
        """Return the voltage at which it gives a power, on the side of the open circuit. [V]"""
        low, high = self._knee_v(), self.voc_v
        for _ in range(TRIES):
            middle = (low + high) / 2
            if middle * self.i_a(middle, irradiance) > p_w:
                low = middle
            else:
                high = middle
        return (low + high) / 2

    def _knee_v(self) -> float:
        low, high = 0.0, self.voc_v
        for _ in range(TRIES):  # power over voltage has one top
            a, b = low + (high - low) / 3, high - (high - low) / 3
            if a * self.i_a(a, IRRADIANCE_STC) < b * self.i_a(b, IRRADIANCE_STC):
                low = a
            else:
                high = b
        return (low + high) / 2

    def _va(self) -> float:
        return (self.vmp_v - self.voc_v) / math.log(1 - self.imp_a / self.isc_a)
