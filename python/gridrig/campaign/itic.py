"""The ITIC curve: for how long equipment has to bear a voltage that is too low or too high.

References
----------
.. [1] Information Technology Industry Council, "ITI (CBEMA) Curve Application Note," 2000; its
   corners as restated in E. F. Fuchs and M. A. S. Masoum, "Power Quality in Power Systems and
   Electrical Machines," fig. of the ITIC curve.
"""

from dataclasses import dataclass

import numpy as np

from gridrig.devices.bench_capabilities import Float

# Beyond a voltage [pu] for at most a time [s]; steady within 0.9 and 1.1 pu.
LOW: tuple[tuple[float, float], ...] = ((0.7, 0.02), (0.8, 0.5), (0.9, 10.0))
HIGH: tuple[tuple[float, float], ...] = ((1.2, 0.003), (1.1, 0.5))


@dataclass(frozen=True)
class IticResult:
    """How a voltage did against the curve.

    Parameters
    ----------
    of_allowed : float
        Longest time beyond a level over the time that it allows, at the worst level.
    uncertainty : float
        Of it: one window, and what the voltage's uncertainty could make of it.
    note : str
        The worst level in words.
    """

    of_allowed: float
    uncertainty: float
    note: str


def itic(v_pu: Float, step_s: float, u_v_pu: float) -> IticResult:
    """Judge a recording of RMS voltages against the ITIC curve.

    Parameters
    ----------
    v_pu : array of float64, shape (points, phases)
        RMS of windows that follow each other. [pu]
    step_s : float
        Length of a window; a swell shorter than it cannot be told from one as long. [s]
    u_v_pu : float
        Expanded uncertainty of a voltage. [pu]

    Examples
    --------
    >>> dip = np.ones((100, 1))
    >>> dip[10:35] = 0.75
    >>> result = itic(dip, 0.01, 0.001)
    >>> result.of_allowed, result.note
    (0.5, '0.25 s below 0.8 pu, of 0.5 s')
    """
    worst = IticResult(0.0, 0.0, "inside")
    levels = [(level, allowed_s, -1.0) for level, allowed_s in LOW]
    levels += [(level, allowed_s, 1.0) for level, allowed_s in HIGH]
    for level, allowed_s, side in levels:
        found_s = longest_s(side * (v_pu - level) > 0, step_s)
        most_s = longest_s(side * (v_pu - level) > -u_v_pu, step_s)
        least_s = longest_s(side * (v_pu - level) > u_v_pu, step_s)
        u_s = max(most_s - found_s, found_s - least_s) + (step_s if found_s else 0.0)
        if (found_s + u_s) / allowed_s > worst.of_allowed + worst.uncertainty:
            word = "above" if side > 0 else "below"
            note = f"{found_s:.3g} s {word} {level:g} pu, of {allowed_s:g} s"
            worst = IticResult(round(found_s / allowed_s, 9), u_s / allowed_s, note)
    return worst


def longest_s(beyond: np.ndarray, step_s: float) -> float:
    """Return the longest time for which any one phase is beyond. [s]

    Parameters
    ----------
    beyond : array of bool, shape (points, phases)
        Of windows that follow each other.
    step_s : float
        Length of a window. [s]
    """
    longest = 0
    for phase in beyond.T:
        edges = np.flatnonzero(np.diff(np.concatenate([[False], phase, [False]]).astype(int)))
        if len(edges):
            longest = max(longest, int((edges[1::2] - edges[::2]).max()))
    return longest * step_s
