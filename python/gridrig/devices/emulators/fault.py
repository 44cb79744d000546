"""Faults an emulated device can be told to show, each firing logged.

A fault is armed by name with parameters and fires a stated number of times, then is spent. The
device's own code asks for it at the point where it acts, so that the order of requests, never the
clock, decides which reply is hit.
"""

import difflib
from collections.abc import Collection, Mapping
from typing import Protocol

from gridrig.errors import DriverError

FaultValue = int | float | str | bool


class OnEvent(Protocol):
    """Takes what happened on an emulated device; the caller stamps the time."""

    def __call__(self, kind: str, **data: object) -> None:
        """Take one event."""


def no_log(kind: str, **data: object) -> None:
    """Forget the event: for emulators nobody listens to."""


class FaultBoard:
    """The faults armed on one device, spent in the order they were armed.

    Parameters
    ----------
    device : str
        Name used in errors.
    known : mapping of str to collection of str
        Fault names and the parameters each takes besides `count`.
    on_event : OnEvent
        Gets `fault_armed` and `fault_fired`.
    """

    def __init__(
        self, device: str, known: Mapping[str, Collection[str]], on_event: OnEvent = no_log
    ) -> None:
        self._device = device
        self._known = known
        self._on_event = on_event
        self._armed: dict[str, list[tuple[int, dict[str, FaultValue]]]] = {}

    def arm(self, fault: str, *, count: int = 1, **params: FaultValue) -> None:
        """Let a fault fire the next `count` times its place is reached.

        Raises
        ------
        DriverError
            `emulator.fault_unknown` with the near miss, or `emulator.fault_parameter`.
        """
        if fault not in self._known:
            close = difflib.get_close_matches(fault, self._known, n=1)
            raise DriverError(
                "emulator.fault_unknown",
                "{device} has no fault {fault!r} (near miss: {near_miss})",
                device=self._device,
                fault=fault,
                near_miss=close[0] if close else None,
                known=tuple(self._known),
            )
        wrong = sorted(set(params) ^ set(self._known[fault]))
        if wrong or count < 1:
            raise DriverError(
                "emulator.fault_parameter",
                "fault {fault!r} of {device} takes {expected} and count >= 1, got {found}",
                device=self._device,
                fault=fault,
                expected=sorted(self._known[fault]),
                found={**params, "count": count},
            )
        self._armed.setdefault(fault, []).append((count, dict(params)))
        self._on_event("fault_armed", fault=fault, count=count, **params)

    def fire(self, fault: str) -> dict[str, FaultValue] | None:
        """Return the parameters if the fault is armed, spending one firing; None otherwise."""
        armed = self._armed.get(fault)
        if not armed:
            return None
        count, params = armed[0]
        if count == 1:
            armed.pop(0)
        else:
            armed[0] = (count - 1, params)
        self._on_event("fault_fired", fault=fault, **params)
        return params
