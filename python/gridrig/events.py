"""What happened in a run and when: ordered by time, device and counter, never by arrival."""

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Protocol


class _HasTime(Protocol):
    def now_s(self) -> float: ...


@dataclass(frozen=True)
class Event:
    """One thing that happened.

    Parameters
    ----------
    t_s : float
        Time since the run began. [s]
    device : str
        Whose event it is; empty for the run itself.
    kind : str
        Short name of what happened.
    data : mapping
        Values that belong to it.
    """

    t_s: float
    device: str
    kind: str
    data: Mapping[str, Any]
    counter: int

    def row(self) -> dict[str, Any]:
        """Return the event as one flat record."""
        return {"t_s": round(self.t_s, 9), "device": self.device, "kind": self.kind, **self.data}


class EventLog:
    """The events of a run.

    On a virtual clock two devices may act at the same instant in either order; each device's own
    events keep their order, so (time, device, counter) sorts them the same way every time.

    Parameters
    ----------
    clock : object with `now_s`
        Gives every event its time.
    devices : sequence of str
        Rig order of the devices.
    keep : bool
        Whether events are there to be asked for afterwards; False where only listeners hear them,
        for as long as anybody likes.
    """

    def __init__(self, clock: _HasTime, devices: Sequence[str], *, keep: bool = True) -> None:
        self._clock = clock
        self._rank = {name: rank for rank, name in enumerate(devices, start=1)}
        self._counters: Counter[str] = Counter()
        self._events: list[Event] = []
        self._keep = keep
        self.listeners: list[Callable[[Event], object]] = []

    def record(
        self, kind: str, device: str = "", *, at_s: float | None = None, **data: Any
    ) -> None:
        """Add an event, now or at a stated time. [s]"""
        self._counters[device] += 1
        t_s = self._clock.now_s() if at_s is None else at_s
        event = Event(t_s, device, kind, data, self._counters[device])
        if self._keep:
            self._events.append(event)
        for listener in self.listeners:
            listener(event)

    def begin(self) -> None:
        """Make now the beginning: what was recorded before it gets times below zero."""
        latest = max((event.t_s for event in self._events), default=0.0)
        self._events = [replace(event, t_s=event.t_s - latest - 1.0) for event in self._events]

    def of(self, device: str) -> Callable[..., None]:
        """Return a recorder that stamps the device's name."""

        def record(kind: str, **data: Any) -> None:
            self.record(kind, device, **data)

        return record

    def ordered(self) -> list[Event]:
        """Return all events by time, rig order and counter."""
        last = len(self._rank) + 1
        return sorted(
            self._events,
            key=lambda e: (e.t_s, self._rank.get(e.device, 0 if not e.device else last), e.counter),
        )
