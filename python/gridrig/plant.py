"""The physical world: terminals on a feeder, their devices, and the island they can become.

`World` is the native object. An index is the order of adding. Positive power flows from the device
into the grid. The order of calls in one tick:

- PCC closed: `held` - solve the feeder - `impose` - `set_head` - `integrate` - `advance`;
- PCC open: `island_tick` - `held` (its means) - solve - `impose` - `override_power` - `integrate`;
- behind an AC source: `source_tick` - `held` (its means) - `integrate` - `advance`.
"""

from collections.abc import Sequence
from typing import Final, NamedTuple, TypeAlias

import numpy as np
from numpy.typing import NDArray

from gridrig._core import IslandTick, Motor, Pack, SourceTick, Terminal, World

__all__ = [
    "MICROGRID_DROOP",
    "Event",
    "IslandTick",
    "Motor",
    "Pack",
    "Segment",
    "SourceTick",
    "Terminal",
    "World",
    "events_of",
    "kron_reduced",
]

Phases: TypeAlias = tuple[float, float, float]
"""One number for each of the phases a, b and c."""

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
        "reclosed", "dead", "energised", "enter_service", "fet_opened", "dc_bus",
        "motor_started" or "motor_stopped".
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


class Segment(NamedTuple):
    """One segment of what an AC source plays: straight from one state to another.

    Parameters
    ----------
    duration_s : float
        How long it lasts. [s]
    f_hz : (float, float)
        Frequency at its beginning and end. [Hz]
    v_from_pu, v_to_pu : (float, float, float)
        Magnitude of each phase at its beginning and end. [pu]
    angle_deg : (float, float, float)
        Angle of each phase beside 0, -120 and 120 degrees, from its beginning on. [deg]

    Examples
    --------
    >>> Segment.hold(0.5, f_hz=60.0, v_pu=0.45).v_to_pu
    (0.45, 0.45, 0.45)
    """

    duration_s: float
    f_hz: tuple[float, float]
    v_from_pu: Phases
    v_to_pu: Phases
    angle_deg: Phases = (0.0, 0.0, 0.0)

    @classmethod
    def hold(
        cls,
        duration_s: float,
        *,
        f_hz: float,
        v_pu: float | Phases = 1.0,
        angle_deg: Phases = (0.0, 0.0, 0.0),
    ) -> "Segment":
        """Return a segment that holds one voltage, of all phases or of each, and frequency."""
        phases = v_pu if isinstance(v_pu, tuple) else (v_pu, v_pu, v_pu)
        return cls(duration_s, (f_hz, f_hz), phases, phases, angle_deg)


def kron_reduced(y: NDArray[np.complex128], keep: Sequence[int]) -> NDArray[np.complex128]:
    """Reduce nodal admittances to some buses, exactly, if nothing flows in at the others.

    Parameters
    ----------
    y : array of complex128, shape (n, n)
        Nodal admittances of all buses.
    keep : sequence of int
        The buses to keep, in the order they get.

    Returns
    -------
    array of complex128, shape (len(keep), len(keep))
        In the unit of `y`.

    References
    ----------
    .. [1] F. Dorfler and F. Bullo, "Kron reduction of graphs with applications to electrical
       networks," IEEE Transactions on Circuits and Systems I, vol. 60, no. 1, 2013.

    Examples
    --------
    Two lines in a row are one line of twice the length:

    >>> y = np.array([[1, -1, 0], [-1, 2, -1], [0, -1, 1]], dtype=complex)
    >>> kron_reduced(y, [0, 2]).real
    array([[ 0.5, -0.5],
           [-0.5,  0.5]])
    """
    kept = np.asarray(keep)
    others = np.setdiff1d(np.arange(len(y)), kept)
    inner = np.linalg.solve(y[np.ix_(others, others)], y[np.ix_(others, kept)])
    reduced: NDArray[np.complex128] = y[np.ix_(kept, kept)] - y[np.ix_(kept, others)] @ inner
    return reduced


def events_of(source: IslandTick | SourceTick | World) -> list[Event]:
    """Return the events of an island tick, or take those of a world since the last call.

    >>> world = World(s_base_va=1e5, seed=1)
    >>> world.open_pcc(0.0)
    >>> [event.kind for event in events_of(world)]
    ['opened']
    """
    rows = source.take_events() if isinstance(source, World) else source.events
    return [Event(*row) for row in rows]
