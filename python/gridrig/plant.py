"""The physical world: terminals on a feeder, their devices, and the island they can become.

`World` is the native object. An index is the order of adding. Positive power flows from the device
into the grid. The order of calls in one tick:

- PCC closed: `held` - solve the feeder - `impose` - `set_head` - `integrate` - `advance`;
- PCC open: `island_tick` - `held` (its means) - solve - `impose` - `override_power` - `integrate`.
"""

from typing import Final, NamedTuple

from gridrig._core import IslandTick, Pack, Terminal, World

__all__ = ["MICROGRID_DROOP", "Event", "IslandTick", "Pack", "Terminal", "World", "events_of"]

MICROGRID_DROOP: Final[dict[str, float]] = {
    "droop_db_hz": 0.017 * 50 / 60,
    "droop_k": 0.02,
    "droop_response_s": 0.2,
}
"""Frequency droop at the steepest setting IEEE 1547-2018 allows category III, at 50 Hz.

With the default (k 0.05, 5 s) photovoltaics throttle too late for a grid former smaller than they
are: the full range takes 2.5 Hz, and the over-frequency relay acts at 1.67 Hz.
"""


class Event(NamedTuple):
    """One thing that happened in the plant.

    Parameters
    ----------
    t_s : float
        When, in the run's time. [s]
    kind : str
        "opened", "formed", "tripped", "shed", "restored", "throttled", "limit", "sync",
        "reclosed", "dead", "enter_service" or "fet_opened".
    name : str
        The device, or "pcc" or "island".
    value : float
        A number that belongs to it; its meaning follows from the kind.
    detail : str
        A word that belongs to it, such as the relay of a trip.
    """

    t_s: float
    kind: str
    name: str
    value: float
    detail: str


def events_of(source: IslandTick | World) -> list[Event]:
    """Return the events of an island tick, or take those of a world since the last call.

    >>> world = World(s_base_va=1e5, seed=1)
    >>> world.open_pcc(0.0)
    >>> [event.kind for event in events_of(world)]
    ['opened']
    """
    rows = source.events if isinstance(source, IslandTick) else source.take_events()
    return [Event(*row) for row in rows]
