"""Whether the source put out what it was told: a disturbance that never came proves nothing.

Every step of a sequence that is long enough to be measured is compared, phase by phase, with what
the analyser recorded. Ramps are left out, and phase angles, which means do not show.
"""

from collections.abc import Sequence

import numpy as np

from gridrig.devices.bench_capabilities import Float, SequenceStep
from gridrig.errors import CampaignError

V_OFF_PU = 0.01  # the accuracy that the clauses require of a voltage at rest
F_OFF_HZ = 0.1  # and of a frequency that is disturbed
V_WINDOWS_MIN = 4
F_SHORTEST_S = 0.2
ALIVE_PU = 0.05  # below it there is no frequency


def check_stimulus(
    steps: Sequence[SequenceStep], t_s: Float, step_s: float, v_pu: Float, f_hz: Float, v_n: float
) -> None:
    """Compare a recording with the sequence that was played.

    Parameters
    ----------
    steps : sequence of SequenceStep
        As loaded into the source.
    t_s : array of float64, shape (points,)
        From the trigger to the beginning of each window. [s]
    step_s : float
        Length of a window. [s]
    v_pu : array of float64, shape (points, phases)
        Measured. [pu]
    f_hz : array of float64, shape (points,)
        Measured. [Hz]
    v_n : float
        Nominal voltage. [V]

    Raises
    ------
    CampaignError
        `campaign.stimulus_off`, with the step, what was found and what was expected.
    """
    start_s = 0.0
    for number, step in enumerate(steps, 1):
        end_s = start_s + step.dwell_s
        # The windows at its edges may hold some of its neighbours.
        inside = (t_s >= start_s + step_s - 1e-9) & (t_s + 2 * step_s <= end_s + 1e-9)
        start_s = end_s
        if step.ramp or np.count_nonzero(inside) < V_WINDOWS_MIN:
            continue
        expected_pu = np.array(step.v_v) / v_n
        found_pu = v_pu[inside].mean(axis=0)
        if np.abs(found_pu - expected_pu).max() > V_OFF_PU:
            raise _off(number, "voltage", found_pu, expected_pu, "pu")
        if step.dwell_s >= F_SHORTEST_S and expected_pu.max() > ALIVE_PU:
            found_hz = float(f_hz[inside].mean())
            if abs(found_hz - step.f_hz) > F_OFF_HZ:
                raise _off(number, "frequency", np.array([found_hz]), np.array([step.f_hz]), "Hz")


def _off(number: int, what: str, found: Float, expected: Float, unit: str) -> CampaignError:
    def shown(values: Float) -> str:
        return ", ".join(f"{value:.4g}" for value in values)

    return CampaignError(
        "campaign.stimulus_off",
        "step {number}: {what} of {found} {unit} was measured, expected {expected} {unit}",
        number=number,
        what=what,
        unit=unit,
        found=shown(found),
        expected=shown(expected),
    )
