"""How soon a device was where a person put it."""

import math
from collections.abc import Iterable, Mapping, Sequence

from gridrig.events import Event

# A device is where it was put, losses and whole watts aside; 100 W are far from a small power.
SLACK_W, SLACK, WHOLE_W = 100.0, 0.05, 1.0


def override_periods(
    columns: Mapping[str, Sequence[float]], events: Iterable[Event]
) -> float | None:
    """Return the control periods until the slowest device was where a hand put it.

    0 is at once, infinite never, None without a hand.

    Parameters
    ----------
    columns : mapping of str to sequence of float
        The trace: where each device was, at its terminal.
    events : iterable of Event
        Of the run.
    """
    longest = None
    for event in events:
        if event.kind != "event_override":
            continue
        name, asked_w = str(event.data["target"]), float(event.data["parameters"]["p_w"])
        slack_w = near_w(asked_w)
        seen = zip(columns["t_s"], columns[f"device.{name}.p_w"], strict=True)
        after = [p_w for at_s, p_w in seen if at_s >= event.t_s]
        there = (k for k, p_w in enumerate(after) if abs(p_w - asked_w) <= slack_w)
        took = float(next(there, math.inf))
        longest = took if longest is None else max(longest, took)
    return longest


def near_w(asked_w: float) -> float:
    """Return how near to what was asked for is there. [W]

    What stands is not at a small power; asked for nothing, a device may use a little itself.
    """
    return min(SLACK_W, SLACK * abs(asked_w) + WHOLE_W) if asked_w else SLACK_W
