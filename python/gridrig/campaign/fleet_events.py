"""What a scenario makes happen to fleets: its events, and what a slice keeps of them."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated, Literal

from gridrig.rig.schema import Name, NotNegative, Positive, Share, at_least

OF_FLEETS = frozenset({"dispatch", "drop_out", "inflate"})
STAYING = OF_FLEETS - {"dispatch"}  # what still holds long after it happened


@dataclass(frozen=True, kw_only=True)
class DispatchEvent:
    """A fleet, or everything that the aggregator has, gets an order.

    Parameters
    ----------
    p_w : float
        Power beside what there would have been, + is into the grid: less load. [W]
    duration_s : float
        How long it holds. [s]
    in_s : float or None
        How long after it is told it begins; None for at once. [s]
    ramp_s : float or None
        How long it takes from the order before to this one. [s]
    """

    do: Literal["dispatch"]
    at_s: NotNegative
    target: Name
    p_w: float
    duration_s: Positive
    in_s: NotNegative | None = None
    ramp_s: NotNegative | None = None
    name: Name | None = None


@dataclass(frozen=True, kw_only=True)
class DropOutEvent:
    """A share of a fleet hears and says nothing any more."""

    do: Literal["drop_out"]
    at_s: NotNegative
    target: Name
    share: Share
    name: Name | None = None


@dataclass(frozen=True, kw_only=True)
class InflateEvent:
    """A home of a fleet takes so much more from now on, and follows nothing any more.

    Parameters
    ----------
    home : int
        Which, from 0.
    p_w : float
        How much more; 0 ends that. [W]
    """

    do: Literal["inflate"]
    at_s: NotNegative
    target: Name
    home: Annotated[int, at_least(0)]
    p_w: NotNegative
    name: Name | None = None


def order_left(at_s: float, said: Mapping[str, float], from_s: float) -> dict[str, float] | None:
    """Return what a slice that begins at `from_s` has to tell of an earlier order, None if over.

    A ramp that had begun is over in it.
    """
    begins_s = at_s + said.get("in_s", 0.0)
    ends_s = begins_s + said["duration_s"]
    if ends_s <= from_s:
        return None
    waits_s = max(begins_s - from_s, 0.0)
    ramp_s = said.get("ramp_s", 0.0) if begins_s >= from_s else 0.0
    left_s = ends_s - max(begins_s, from_s)
    return {"p_w": said["p_w"], "duration_s": left_s, "in_s": waits_s, "ramp_s": ramp_s}
