"""What a recording says: when a current ceased, read on its own time base."""

import numpy as np
import pytest

from gridrig.campaign.recordings import ceased_s


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
    t_s = 0.01 * (np.arange(len(currents[0])) - 2)
    assert ceased_s(t_s, np.array(currents, dtype=float).T, 1.0) == pytest.approx(ceased)
