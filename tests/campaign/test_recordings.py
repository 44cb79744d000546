"""What a recording says: when a current ceased, read on its own time base."""

import numpy as np
import pytest

from gridrig.campaign.recordings import ceased_s
from gridrig.devices.bench_capabilities import Recording


def recording(currents: list[list[float]], before: int = 2, step_s: float = 0.01) -> Recording:
    tracks = {f"I{k + 1}": np.array(values) for k, values in enumerate(currents)}
    start_s = 1000.0 - before * step_s
    return Recording(start_s, 1000.0, step_s, tracks)


@pytest.mark.parametrize(
    ("currents", "ceased"),
    [
        ([[9, 9, 9, 9, 9, 0, 0, 0]], 0.03),
        ([[9, 9, 9, 0, 0, 0, 0, 0]], 0.0),  # the trigger's own window is what was before
        ([[9, 9, 9, 9, 0, 9, 0, 0]], 0.04),  # it must stay away
        ([[9, 9, 9, 0, 0, 0, 0, 0], [9, 9, 9, 9, 9, 9, 0, 0]], 0.04),  # the last phase counts
        ([[9, 9, 9, 9, 9, 9, 9, 9]], 0.06),  # never: the recording's end
        ([[-9, -9, -9, -9, 0, 0, 0, 0]], 0.02),
    ],
)
def test_a_current_has_ceased_when_no_phase_comes_back(
    currents: list[list[float]], ceased: float
) -> None:
    tracks = [f"I{k + 1}" for k in range(len(currents))]
    assert ceased_s(recording(currents), tracks, 1.0) == pytest.approx(ceased)
