"""How soon a device is where a hand put it, and that one which stands is not there."""

import math
from types import SimpleNamespace
from typing import Any

import pytest

from gridrig.campaign.hands import override_periods

HAND_S, TICK_S = 150.0, 150.0


def hand(p_w: float) -> Any:
    data = {"target": "pump", "parameters": {"p_w": p_w}}
    return SimpleNamespace(kind="event_override", t_s=HAND_S, data=data)


def measured(asked_w: float, *after_w: float) -> float | None:
    p_w = [-555.0, *after_w]
    columns = {"t_s": [TICK_S * k for k in range(len(p_w))], "device.pump.p_w": p_w}
    return override_periods(columns, [hand(asked_w)])


@pytest.mark.parametrize(
    ("asked_w", "after_w", "periods"),
    [
        (-2_000.0, (-2_000.0, -2_000.0), 0),
        (-2_000.0, (-555.0, -1_901.0), 1),
        (-2_000.0, (-555.0, -1_899.0), math.inf),
        (-6_000.0, (-555.0, -5_800.0), math.inf),  # never more than 100 W
        (-100.0, (0.0, 0.0), math.inf),  # below the least it can take, it stands
        (-100.0, (0.0, -94.0), 1),
        (90.0, (0.0, 0.0), math.inf),
        (0.0, (-90.0, 0.0), 0),  # nothing is less what it uses itself
        (0.0, (-400.0, -400.0), math.inf),
    ],
)
def test_near_is_a_small_share_of_what_was_asked_for(
    asked_w: float, after_w: tuple[float, ...], periods: float
) -> None:
    assert measured(asked_w, *after_w) == periods


def test_the_slowest_hand_counts_and_none_is_no_measurement() -> None:
    columns = {"t_s": [0.0, 150.0, 300.0], "device.pump.p_w": [0.0, 0.0, -2_000.0]}
    assert override_periods(columns, [hand(-2_000.0), hand(0.0)]) == 1
    assert override_periods(columns, []) is None
