"""The branches that a load bank connects to the bus."""

from dataclasses import dataclass

import numpy as np

from gridrig.devices.emulators.bench_terminal import Complex, Float


@dataclass
class Load:
    """A load bank's parallel branches, by their power at nominal voltage and frequency."""

    r_w: float = 0.0
    l_var: float = 0.0
    c_var: float = 0.0

    @property
    def quality(self) -> float:
        """Reactive power of the inductance over the power of the resistance."""
        return self.l_var / self.r_w if self.r_w > 0 else 0.0

    @property
    def c_scale(self) -> float:
        """The capacitance, relative to resonance at nominal frequency."""
        return self.c_var / self.l_var if self.l_var else 1.0

    def admittance(self, v_n: float, f_nominal_hz: float, f_hz: float, phases: int) -> complex:
        """Return what each phase connects at a frequency. [S]"""
        if f_hz <= 0:
            return 0j
        speed = f_hz / f_nominal_hz
        susceptance = self.c_var * speed - self.l_var / speed
        return complex(self.r_w, susceptance) / (phases * v_n**2)

    def admittances(self, v_n: float, f_nominal_hz: float, f_hz: Float, phases: int) -> Complex:
        """Return what each phase connects at each of some frequencies. [S]"""
        levels, place = np.unique(f_hz, return_inverse=True)  # few, unless it moves
        found = [self.admittance(v_n, f_nominal_hz, float(f), phases) for f in levels]
        return np.array(found)[place]
