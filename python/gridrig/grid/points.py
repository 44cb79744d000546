"""Where power goes into a network: whole buses, phases of a bus, the terminals of a load.

A point is named as OpenDSS names nodes. `671` is the bus with all its phases, what goes in there
is the same in each; `671.1` is its phase 1 against earth; `671.1.2` is between phases 1 and 2.
`load.634a` is where the load 634a of a network hangs, with the connection that it has there.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Point:
    """One place where power goes in.

    Parameters
    ----------
    name : str
        As rigs name it.
    bus : str
        The bus it belongs to.
    phases : tuple of int
        Those it uses.
    between : bool
        Whether it is connected between its phases and not to earth.
    load : str
        The load whose terminals it is, if it is those of one.
    """

    name: str
    bus: str
    phases: tuple[int, ...]
    between: bool = False
    load: str = ""


def phase_of(name: str, known: Mapping[str, Point]) -> Point | None:
    """Return the point that a name with phases means, None if there is no such phase.

    Parameters
    ----------
    name : str
        `671.1` or `671.1.2`.
    known : mapping of str to Point
        Every bus among them.
    """
    for count in (1, 2):
        bus, *written = name.rsplit(".", count)
        whole = known.get(bus)
        if whole is None or whole.load or not all(one.isdecimal() for one in written):
            continue
        phases = tuple(int(one) for one in written)
        if len(phases) != count or len(set(phases)) != count or not set(phases) <= {*whole.phases}:
            return None
        if count == 1 and whole.between:
            return None  # the bus is not earthed: against what would its phase stand?
        return Point(name, bus, phases, between=count == 2)
    return None


def single_phases(points: Iterable[Point]) -> dict[str, str]:
    """Return the letter of each point that is one phase against earth.

    >>> single_phases([Point("671", "671", (1, 2, 3)), Point("671.2", "671", (2,))])
    {'671.2': 'b'}
    """
    return {
        point.name: "abc"[point.phases[0] - 1]
        for point in points
        if len(point.phases) == 1 and not point.between
    }
