"""How long a bench may take to its safe state, wire by wire, if nobody answers.

A wire carries one request at a time, so what its devices may need adds up: the requests of the way
to the safe state, counted as they were sent, times the longest time-out of a device on it. The
steps of the way have bounds of their own, which end it whatever a wire would need.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from gridrig.rig.description import Rig
from gridrig.rig.lease import wire_of
from gridrig.rig.safe_order import end_within_s


@dataclass(frozen=True)
class WireTime:
    """One wire on the way to the safe state.

    Parameters
    ----------
    wire : str
        Where it leads.
    devices : tuple of str
        Who is on it.
    requests : int
        How many were sent.
    timeout_s : float
        Longest of its devices, for one request. [s]
    within_s : float
        What the steps allow. [s]
    """

    wire: str
    devices: tuple[str, ...]
    requests: int
    timeout_s: float
    within_s: float

    @property
    def at_most_s(self) -> float:
        """Time without a single answer. [s]"""
        return self.requests * self.timeout_s

    @property
    def fits(self) -> bool:
        """Whether the steps let all of it be tried."""
        return self.at_most_s <= self.within_s

    def __str__(self) -> str:
        needed = (
            f"{self.wire} ({', '.join(self.devices)}): {self.requests} requests to the safe state, "
            f"{self.timeout_s:g} s each at most: {self.at_most_s:g} s"
        )
        if self.fits:
            return f"{needed}, its steps allow {self.within_s:g} s"
        return f"{needed}, more than the {self.within_s:g} s that its steps allow"


def wire_times(rig: Rig, sent: Mapping[str, int]) -> list[WireTime]:
    """Return the time of each wire that leads to a real device and was used.

    Parameters
    ----------
    rig : Rig
        The bench.
    sent : mapping of str to int
        Requests of the way to the safe state, by the device that a wire is called after.
    """
    on: dict[str, list[str]] = {}
    timeout_s: dict[str, float] = {}
    for device in rig.devices:
        if device.emulated:
            continue
        wire = wire_of(device)
        on.setdefault(wire, []).append(device.name)
        own_s = float(getattr(device.parameters, "timeout_s", 0.0))
        timeout_s[wire] = max(timeout_s.get(wire, 0.0), own_s)
    within_s = end_within_s(rig.safe_order)
    times = [
        WireTime(wire, tuple(names), sum(sent.get(n, 0) for n in names), timeout_s[wire], within_s)
        for wire, names in on.items()
    ]
    return [time for time in times if time.requests]
